package archive

import (
	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
)

func mailCommand(a *app.App) *cobra.Command {
	var by app.Mailing
	cmd := &cobra.Command{
		Use:   "mail [ARCHIVE] ID",
		Short: "Pass a kept fax on by mail",
		Long: `Pass a kept fax on by mail. The document is compared with what was kept first;
one that has changed is not mailed, and the exit status is then 8.

` + app.MailingHelp,
		Example: `  faxctl archive mail /srv/faxes FX0123456789abcdef0123456789abcdef \
      --to desk@clinic.example
  faxctl archive mail kept FX0123456789abcdef0123456789abcdef \
      --to it@clinic.example --notice`,
		Args:              archiveArgs(2, "faxctl archive mail /srv/faxes FX0123456789abcdef0123456789abcdef --to desk@clinic.example"),
		ValidArgsFunction: app.UpTo(2, a.CompleteArchive),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			server, err := by.Check(ctx, a)
			if err != nil {
				return err
			}
			kept, e, err := oneKept(ctx, a, args)
			if err != nil {
				return err
			}
			n := mail.News{Fax: e.Fax}
			if by.WantsDocument() {
				content, err := keptDocument(ctx, kept, e.Fax.ID)
				if err != nil {
					return by.NoDocument(err)
				}
				n.Document = by.Document(content)
				n.Document.Kept = true
			}
			return by.Send(ctx, a, server, n)
		},
	}
	by.Bind(a, cmd, show.SentType, show.MessageType)
	a.ArchiveArgs(cmd, 2)
	return cmd
}
