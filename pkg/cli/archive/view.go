package archive

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/inbox/pages"
)

func viewCommand(a *app.App) *cobra.Command {
	var to app.Pictures
	var out app.Printing[pages.File]
	cmd := &cobra.Command{
		Use:   "view [ARCHIVE] ID",
		Short: "Draw the pages of a kept fax as pictures",
		Long: `Draw the pages of a kept fax as pictures. The document is compared with what was
kept first; one that has changed is not drawn, and the exit status is then 8.

` + app.PicturesHelp,
		Example: `  faxctl archive view /srv/faxes FX0123456789abcdef0123456789abcdef --png pages
  faxctl archive view /srv/faxes FX0123456789abcdef --png pages --page 2`,
		Args:              archiveArgs(2, "faxctl archive view /srv/faxes FX0123456789abcdef0123456789abcdef --png pages"),
		ValidArgsFunction: app.UpTo(2, a.CompleteArchive),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if err := to.Check(); err != nil {
				return err
			}
			kept, err := a.ReadArchive(ctx, args[0])
			if err != nil {
				return err
			}
			ids, err := keptIDs(ctx, a, kept, args[0], args[1:])
			if err != nil {
				return err
			}
			content, err := keptDocument(ctx, kept, ids[0])
			if err != nil {
				return err
			}
			return cmp.Or(out.All(ctx, to.Draw(ctx, a, ids[0], content)), to.End())
		},
	}
	out.Bind(a, cmd, show.PictureType, nil)
	a.ArchiveArgs(cmd, 2)
	to.Bind(a, cmd)
	return cmd
}
