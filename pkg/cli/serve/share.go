package serve

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
)

// checkDatabase refuses a database of replicas that would not see each other's documents.
func (s *serving) checkDatabase(cmd *cobra.Command) error {
	given := cmd.Flags().Lookup("database")
	if given.Value.String() == "" || archive.IsRemote(s.archive) {
		return nil
	}
	return problem.With(app.Misuse("%s is for receivers on several machines, and the archive %s is on this one", flag.Name(given), s.archive),
		problem.Say("keep it where each of them sees it, as in %s; one receiver needs no database", problem.Field("archive", "s3://bucket/prefix")))
}

// share has the state in the database that --database names, if it does, and the
// documents that come with a callback where every replica sees them: in the archive, which
// is one for all.
func (s *serving) share(ctx context.Context, a *app.App) (err error) {
	if s.Database, err = a.Database(ctx); err != nil || s.Database == nil {
		return err
	}
	s.TakeOver, s.database, s.SameArchive = s.takeOver, postgres.Mask(a.Flags.Database), archive.SameStore
	s.Incoming, s.ArchiveName, err = a.Archives().Store(ctx, s.archive)
	return err
}

// stateFor is where the state is, as people are told.
func (s *serving) stateFor() string { return cmp.Or(s.database, s.StateDir) }
