package faxes

import (
	"bytes"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
)

func mailCommand(a *app.App) *cobra.Command {
	var by app.Mailing
	var most int64
	cmd := &cobra.Command{
		Use:   "mail ID",
		Short: "Pass a fax on by mail",
		Long: `Pass a fax on by mail, with the document that the provider has.

` + app.MailingHelp,
		Example: `  faxctl faxes mail FX0123456789abcdef0123456789abcdef --to desk@clinic.example
  faxctl faxes mail FX0123456789abcdef0123456789abcdef \
      --to desk@clinic.example --to it@clinic.example --dry-run`,
		Args:              app.OneArg("a fax id", "faxctl faxes mail FX0123456789abcdef0123456789abcdef --to desk@clinic.example"),
		ValidArgsFunction: app.UpTo(1, a.CompleteFaxes),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			server, err := by.Check(ctx, a)
			if err != nil {
				return err
			}
			faxes, f, err := oneFax(ctx, a, args)
			if err != nil {
				return err
			}
			n := mail.News{Fax: f}
			if by.WantsDocument() {
				var content bytes.Buffer
				if _, err := fetch.Copy(ctx, fetch.AtMost(faxes, most), f, &content, fetch.Options{}); err != nil {
					return by.NoDocument(app.NamedFax(f.ID, err))
				}
				n.Document = by.Document(content.Bytes())
			}
			return by.Send(ctx, a, server, n)
		},
	}
	by.Bind(a, cmd, show.SentType, show.MessageType)
	a.BindMaxDocument(cmd, &most)
	return cmd
}
