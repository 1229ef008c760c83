package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// copying is a copy of one archive to another.
type copying struct {
	from, to string
	ids      []string // none: all
	jobs     int
	dryRun   bool
	wait     time.Duration
}

func copyCommand(a *app.App) *cobra.Command {
	var c copying
	cmd := &cobra.Command{
		Use:   "copy FROM TO [ID...]",
		Short: "Copy kept faxes to another archive",
		Long: `Copy kept faxes to another archive, which is made when it is not there: all of
them, or those named (- reads ids from standard input). FROM stays as it is.

Each document is compared with what was kept, copied and read again; then its
sidecar is copied, byte for byte, with holds and marks, but not what it tells of
holds that were let go in FROM. What is there whole is not copied again: run it
again and it goes on, and brings what is new, also what was removed from TO
meanwhile. Where TO knows a fax already, its sidecar keeps what it tells and
learns the rest: a hold of either is a hold.

A fax that is not what was kept in FROM, or of which TO has another document, is
left alone and named; the exit status is 3 when others were copied or there, and
otherwise 8 or 6.`,
		Example: `  faxctl archive copy /srv/faxes /mnt/faxes --dry-run
  faxctl archive copy /srv/faxes /mnt/faxes -j 16`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) >= 2 {
				return nil
			}
			return problem.With(app.Misuse("%s needs two archives", cmd.CommandPath()), problem.Say("as in: faxctl archive copy /srv/faxes /mnt/faxes"))
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) < 2 {
				return a.CompletePlace(cmd, args, typed)
			}
			return a.CompleteArchive(cmd, append(args[:1:1], args[2:]...), typed)
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			c.from, c.to = args[0], args[1]
			if err := a.Archives().Apart(cmd.Context(), c.from, c.to); err != nil {
				return err
			}
			if len(args) > 2 {
				if c.ids, err = a.Refs(args[2:]); err == nil && len(c.ids) == 0 {
					a.Say("no id, nothing to copy")
					return nil
				}
			}
			if err != nil {
				return err
			}
			return runCopy(cmd.Context(), a, c)
		},
	}
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "say how many would be copied, and copy nothing")
	a.BindJobs(cmd, &c.jobs, 8, "faxes")
	a.BindWait(cmd, &c.wait)
	return cmd
}

func runCopy(ctx context.Context, a *app.App, c copying) error {
	from, err := a.ReadArchive(ctx, c.from)
	if err != nil {
		return err
	}
	keys, lost, err := c.keys(ctx, a, from)
	if err != nil {
		return err
	}
	to, err := c.open(ctx, a)
	if err != nil {
		return err
	}
	progress := a.Term.Progress("copying", len(keys))
	defer progress.Stop()
	t := a.Trouble()
	for _, why := range lost {
		if errors.Is(why, archive.ErrOrphan) {
			why = problem.With(why, archive.KeepAnew(c.from))
		}
		if err := t.Add(app.Damaged(why)); err != nil {
			return err
		}
	}
	results := batch.Run(ctx, c.jobs, batch.Until(a.Interrupts.Gently(), seq.Of(keys)), func(ctx context.Context, key string) (archive.Copied, error) {
		done, err := from.CopyTo(ctx, to, key, c.dryRun)
		progress.Add(1, done.Bytes)
		if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, archive.ErrDamagedCopy) {
			return done, batch.Skip(fmt.Errorf("fax %s was removed meanwhile", path.Base(key)))
		}
		return done, batch.Lasting(batch.Local(app.Damaged(app.NamedFax(path.Base(key), err))))
	})
	var added, renewed int
	var size int64
	end := seq.Each(batch.Sift(t, results), func(done archive.Copied) {
		size += done.Bytes
		if done.Added {
			added++
		} else if done.Renewed {
			renewed++
		}
	})
	progress.Stop()
	said, how := "Copied %s%s%s.", ""
	if c.dryRun {
		said = "Dry run: %s would be copied%s%s."
	} else {
		how = " (" + term.Bytes(size) + " of documents)"
	}
	a.Say(said, text.Plural(added, "fax", "faxes"), how, text.Remarks(text.Remark(renewed, "brought up to date"),
		text.Remark(t.Tally.Done-added-renewed, "there already"), text.Remark(t.Tally.Failed, "failed"), text.Remark(t.Tally.Left(len(keys)+len(lost)), "left")))
	if end != nil {
		return end
	}
	return t.Err()
}

// keys are what is to be copied, and what of it cannot be.
func (c copying) keys(ctx context.Context, a *app.App, from *archive.Archive) (keys []string, lost []error, err error) {
	if len(c.ids) == 0 {
		return from.Keys(ctx)
	}
	ids, err := a.KeptIDs(ctx, from, c.from, c.ids)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		key, err := from.KeyOf(ctx, id)
		switch {
		case err == nil:
			keys = append(keys, key)
		case errors.Is(err, problem.ErrNotFound):
			lost = append(lost, err)
		default:
			return nil, nil, err
		}
	}
	return keys, lost, nil
}

// open opens the archive that is copied to: nil in a dry run when it is to be made.
func (c copying) open(ctx context.Context, a *app.App) (*archive.Archive, error) {
	if !c.dryRun {
		if err := a.Archives().Known(ctx, c.to); errors.Is(err, problem.ErrNotFound) {
			return a.MakeArchive(ctx, c.to, c.wait)
		}
		return a.Opener(c.wait)(ctx, c.to)
	}
	to, err := a.ReadArchive(ctx, c.to)
	if errors.Is(err, problem.ErrNotFound) {
		return nil, a.Archives().Check(ctx, c.to)
	}
	return to, err
}
