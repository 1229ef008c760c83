package faxes

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/profile"
)

// knowing is the archive by whose word faxes are deleted, since it knows what is held.
type knowing struct {
	archive string        // as the command line, the variable or the profile names it; "": there is none
	named   bool          // by the command line
	dryRun  bool          // nothing is deleted, and the archive is only read
	wait    time.Duration // while another process writes to it
}

// Bind adds its flags; both texts are of their help.
func (k *knowing) Bind(a *app.App, cmd *cobra.Command, use, dryRun string) {
	cmd.Flags().StringVar(&k.archive, "archive", "", use)
	flag.From(cmd.Flags(), "archive", profile.ArchiveVariable)
	a.CompletePlaces(cmd, "archive")
	cmd.Flags().BoolVar(&k.dryRun, "dry-run", false, dryRun)
	a.BindWait(cmd, &k.wait)
	a.BindDatabase(cmd)
}

// open opens it until the command ends; nil: none is named, and nothing is known of holds. It
// has to be there: one that is new, as a name that is misspelt makes it, knows of none.
func (k *knowing) open(ctx context.Context, a *app.App) (kept *archive.Archive, err error) {
	if k.named {
		err = a.KnowsHolds(ctx, k.archive, "--archive")
	} else {
		k.archive, err = a.ArchiveInForce(ctx)
	}
	switch {
	case err != nil || k.archive == "":
		return nil, err
	case k.dryRun:
		return a.ReadArchive(ctx, k.archive)
	}
	return a.Opener(k.wait)(ctx, k.archive)
}
