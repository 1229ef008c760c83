package archive

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/inbox/pages"
)

func viewCommand(a *app.App) *cobra.Command {
	var to app.Pictures
	var out app.Printing[pages.File]
	cmd := &cobra.Command{
		Use:   "view [ARCHIVE] ID",
		Short: "Show the pages of a kept fax",
		Long: `Show the pages of a kept fax: on the terminal, as files, in another program,
on paper. The document is compared with what was kept first; one that has
changed is not shown, and the exit status is then 8.

` + app.PicturesHelp,
		Example: `  faxctl archive view /srv/faxes FX0123456789abcdef
  faxctl archive view /srv/faxes FX0123456789abcdef0123456789abcdef --png pages
  faxctl archive view /srv/faxes FX0123456789abcdef --png pages --page 2
  faxctl archive view /srv/faxes FX0123456789abcdef --open`,
		Args:              archiveArgs(2, "faxctl archive view /srv/faxes FX0123456789abcdef0123456789abcdef --png pages"),
		ValidArgsFunction: app.UpTo(2, a.CompleteArchive),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if err := to.Check(a, cmd, problem.Command("archive", "get").Arg(args[0]).Arg(args[1]).Set("O", "FILE")); err != nil {
				return err
			}
			kept, e, err := oneKept(ctx, a, args)
			if err != nil {
				return err
			}
			content, err := keptDocument(ctx, kept, e.Fax.ID)
			if err != nil {
				return err
			}
			return to.Deliver(ctx, a, e.Fax, content, &out)
		},
	}
	out.Bind(a, cmd, show.PictureType, to.Files)
	a.ArchiveArgs(cmd, 2)
	to.Bind(a, cmd)
	return cmd
}

// oneKept finds the kept fax that is named by an archive and an id.
func oneKept(ctx context.Context, a *app.App, args []string) (*archive.Archive, archive.Entry, error) {
	kept, err := a.ReadArchive(ctx, args[0])
	if err != nil {
		return nil, archive.Entry{}, err
	}
	ids, err := a.KeptIDs(ctx, kept, args[0], args[1:])
	if err != nil {
		return nil, archive.Entry{}, err
	}
	e, err := kept.Get(ctx, ids[0])
	if err != nil {
		return nil, archive.Entry{}, app.Damaged(err)
	}
	return kept, e, nil
}
