package faxes

import (
	"bytes"
	"context"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/inbox/pages"
)

func viewCommand(a *app.App) *cobra.Command {
	var to app.Pictures
	var most int64
	var out app.Printing[pages.File]
	cmd := &cobra.Command{
		Use:   "view ID",
		Short: "Show the pages of a fax",
		Long: `Show the pages of a fax, from the document that the provider has: on the
terminal, as files, in another program, on paper.

` + app.PicturesHelp,
		Example: `  faxctl faxes view FX0123456789abcdef0123456789abcdef
  faxctl faxes view FX0123456789abcdef0123456789abcdef --png pages
  faxctl faxes view FX0123456789abcdef0123456789abcdef --png pages --page 2
  faxctl faxes view FX0123456789abcdef --print --print-with "lp -d desk"`,
		Args:              app.OneArg("a fax id", "faxctl faxes view FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: app.UpTo(1, a.CompleteFaxes),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if err := to.Check(a, cmd, problem.Command("faxes", "download").Arg(args[0]).Set("O", "FILE")); err != nil {
				return err
			}
			faxes, f, err := oneFax(ctx, a, args)
			if err != nil {
				return err
			}
			var content bytes.Buffer
			if _, err := fetch.Copy(ctx, fetch.AtMost(faxes, most), f, &content, fetch.Options{}); err != nil {
				return app.NamedFax(f.ID, err)
			}
			return to.Deliver(ctx, a, f, content.Bytes(), &out)
		},
	}
	out.Bind(a, cmd, show.PictureType, to.Files)
	to.Bind(a, cmd)
	a.BindMaxDocument(cmd, &most)
	return cmd
}

// oneFax finds the fax that is named by the only argument, at the provider.
func oneFax(ctx context.Context, a *app.App, args []string) (fax.Faxes, fax.Fax, error) {
	faxes, err := a.Faxes(ctx)
	if err != nil {
		return nil, fax.Fax{}, err
	}
	ids, err := a.FaxIDs(ctx, faxes, args)
	if err != nil {
		return nil, fax.Fax{}, err
	}
	f, err := faxes.Get(ctx, ids[0])
	return faxes, f, app.NamedFax(ids[0], err)
}
