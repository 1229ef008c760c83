package webhook

import (
	"net/url"
	"slices"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/receive/twiml"
)

// TwimlCommand is faxctl twiml, and all below it.
func TwimlCommand(a *app.App) *cobra.Command {
	g := a.Group("twiml", "Print the answers a fax URL can give",
		"  faxctl twiml receive --action https://fax.example.com/done > receive.xml\n  faxctl twiml reject > reject.xml",
		func() [][]*cobra.Command {
			return [][]*cobra.Command{app.Reads(app.PrintsOnly("XML", twimlReceiveCommand(a)), app.PrintsOnly("XML", twimlRejectCommand(a)))}
		})
	g.Long = `Print the answers a fax URL can give, for hosting them as files: the provider
asks the URL what to do with a fax, and the document says it. Serve it as
text/xml.`
	g.GroupID = "receive"
	return g
}

func twimlReceiveCommand(a *app.App) *cobra.Command {
	var (
		r     twiml.Receive
		store bool
	)
	cmd := &cobra.Command{
		Use:   "receive",
		Short: "Print the document that takes a fax",
		Long: `Print the document that takes a fax. What is not given is left to the provider.

With --store-media=false the provider keeps nothing: the document of the fax
comes with the callback to --action, and is lost when that does not take it.
SignalWire does not have this.`,
		Example: `  faxctl twiml receive
  faxctl twiml receive --action https://fax.example.com/done --page-size a4
  faxctl twiml receive --action /done --store-media=false`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkReceive(a, &r); err != nil {
				return err
			}
			if r.StoreMedia = app.Changed(cmd, "store-media", store); r.StoreMedia != nil {
				if p, err := a.Resolve(); err == nil && !p.Info().SendsDocument {
					return problem.With(app.Misuse("--store-media: %s does not have it", p.Info().Title), problem.Say("leave it out; delete documents with %s", problem.Command("faxes", "delete").Switch("media-only")))
				}
			}
			document, err := r.Marshal()
			if err != nil {
				return app.Misuse("%w", err)
			}
			_, err = a.Page.Write(document)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.Action, "action", "", "`URL` to tell what became of the fax, absolute or relative (default: the fax URL)")
	f.Var(flag.OneOf(&r.Method, app.Methods()...), "method", "`method` of the action URL: POST (default) or GET")
	f.Var(flag.OneOf(&r.MediaType, mediaTypes()...), "media-type", "`type` of the document: application/pdf (default) or image/tiff")
	f.Var(flag.OneOf(&r.PageSize, pageSizes()...), "page-size", "`size` of the pages: letter (default), legal or a4")
	f.BoolVar(&store, "store-media", true, "let the provider keep the document (Twilio only)")
	a.CompleteNothing(cmd, "action")
	a.CompleteValues(cmd, "method", app.Methods()...)
	a.CompleteValues(cmd, "media-type", mediaTypes()...)
	a.CompleteValues(cmd, "page-size", pageSizes()...)
	return cmd
}

func mediaTypes() []string { return []string{"application/pdf", "image/tiff"} }

func pageSizes() []string { return []string{"letter", "legal", "a4"} }

// checkReceive spells the words as providers do, and refuses others.
func checkReceive(a *app.App, r *twiml.Receive) (err error) {
	u, err := url.Parse(r.Action)
	switch {
	case err != nil, !slices.Contains([]string{"", "http", "https"}, u.Scheme), u.Scheme != "" && u.Host == "":
		return problem.With(app.Misuse("--action: %q is no URL", r.Action), problem.Say("as in %s, or %s", problem.Field("action", "https://fax.example.com/done"), problem.Field("action", "/done")))
	case u.Scheme == "http":
		a.Warn("--action is http: numbers and links travel in the clear")
	}
	return nil
}

func twimlRejectCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:     "reject",
		Short:   "Print the document that refuses a fax",
		Example: "  faxctl twiml reject > reject.xml",
		Args:    app.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.Page.Write(twiml.Reject())
			return err
		},
	}
}
