package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

func (a *app) faxesArchive() *cobra.Command {
	var (
		s     selection
		to    string
		most  int64
		jobs  int
		wait  time.Duration
		again bool
	)
	cmd := &cobra.Command{
		Use:   "archive",
		Short: "Keep copies of faxes, records and documents",
		Long: `Keep copies of faxes, records and documents, in a folder: all of them, or those
that the filters select. What is kept already is not fetched again, so that run
every day it keeps what is new. A fax in progress is left for the next run; one
whose document the provider has no more is marked, and what was kept stays. Of a
document that the record names and storage does not have, the run ends with
status 3 once; later runs count it, and ask for it with --retry-missing. --to
names the archive here; --number with --direction inbound selects by recipient.

It may be killed at any moment: what has its final name is whole, and the next
run goes on. faxctl archive looks into the copies.`,
		Example: `  faxctl faxes archive --to /srv/faxes
  faxctl faxes archive --since 7d --direction inbound --to /srv/faxes`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return problem.With(usageError("--to is needed"), problem.Say("name a folder, as in %s", problem.Field("to", "/srv/faxes")))
			}
			if err := checkWait(wait); err != nil {
				return err
			}
			q, err := s.filter(cmd.Context(), a)
			if err != nil {
				return err
			}
			q.WithRaw = true
			faxes, err := a.faxes(cmd.Context())
			if err != nil {
				return err
			}
			kept, err := a.ifThere(cmd.Context(), to, a.opener(wait))
			if err != nil {
				return err
			}
			all := a.everyFax(cmd.Context(), faxes, q)
			if kept == nil { // it is made when there is an account to make it for
				if all, err = begun(all); err != nil {
					return err
				}
				if kept, err = a.opener(wait)(cmd.Context(), to); err != nil {
					return err
				}
			}
			return a.archive(cmd.Context(), fetch.AtMost(faxes, most), kept, all, jobs, again)
		},
	}
	s.bindRest(a, cmd)
	cmd.Flags().StringVar(&to, "to", "", "`folder` of the archive, made if it is not there")
	cmd.Flags().BoolVar(&again, "retry-missing", false, "ask again for documents that storage did not have")
	a.bindMaxDocument(cmd, &most)
	a.bindJobs(cmd, &jobs, 16, "faxes")
	a.bindWait(cmd, &wait)
	a.completeFolders(cmd, "to")
	return cmd
}

// bindWait adds the flag of those who write to an archive.
func (a *app) bindWait(cmd *cobra.Command, wait *time.Duration) {
	cmd.Flags().DurationVar(wait, "wait", 10*time.Second, "wait for this `duration` while another process writes to the archive; 0 not at all")
	a.completeNothing(cmd, "wait")
}

func checkWait(wait time.Duration) error {
	if wait < 0 {
		return usageError("--wait takes 0 or more")
	}
	return nil
}

// archiveOpener opens an archive for writing, and tells what it waits for.
func (a *app) archiveOpener(dir string, wait time.Duration) archive.Opener {
	return archive.Opener{Wait: wait, Waiting: func(who string) {
		if who != "" {
			who = " (" + who + ")"
		}
		a.say("Waiting up to %s for another process that is writing to %s%s.", wait, dir, who)
	}}
}

// opener opens archives for writing until the command ends.
func (a *app) opener(wait time.Duration) func(ctx context.Context, dir string) (*archive.Archive, error) {
	return func(ctx context.Context, dir string) (*archive.Archive, error) {
		kept, err := a.archiveOpener(dir, wait).Open(ctx, dir)
		if err == nil {
			a.onClose(func() error { return kept.Close(ctx) })
		}
		return kept, err
	}
}

// readArchive opens an archive for reading until the command ends.
func (a *app) readArchive(ctx context.Context, dir string) (*archive.Archive, error) {
	kept, err := archive.Read(ctx, dir)
	if err == nil {
		a.onClose(func() error { return kept.Close(ctx) })
	}
	return kept, err
}

// archive keeps copies, a few at a time; again asks for what storage denied before.
func (a *app) archive(ctx context.Context, faxes fax.Faxes, kept *archive.Archive, all iter.Seq2[fax.Fax, error], jobs int, again bool) error {
	faxes, keepers := fetch.SideBySide(faxes, jobs)
	progress := a.term.Progress("archiving", 0)
	defer progress.Stop()
	save := kept.Save
	if again {
		save = kept.SaveNews
	}
	type outcome struct{ existed, denied, gone bool }
	t := a.trouble()
	results := batch.Run(ctx, keepers, batch.Until(a.interrupts.gently(), all), func(ctx context.Context, f fax.Fax) (outcome, error) {
		defer progress.Add(1, 0)
		if !f.Status.Terminal() {
			return outcome{}, batch.Pass()
		}
		e, existed, err := save(ctx, faxes, f)
		if errors.Is(err, archive.ErrGone) {
			return outcome{gone: true}, nil
		}
		return outcome{existed: existed, denied: !e.DocumentDenied.IsZero()}, batch.Local(namedFax(f.ID, err))
	})
	existed, denied, gone := 0, 0, 0
	end := each(batch.Sift(t, results), func(o outcome) {
		switch {
		case o.gone:
			gone++
		case o.denied:
			denied++
		case o.existed:
			existed++
		}
	})
	progress.Stop()
	a.say("Archived %s%s.", plural(t.Tally.Done-existed-denied-gone, "fax", "faxes"), remarks(
		remark(existed, "there already"), remark(denied, "there without a document that storage does not have (--retry-missing)"),
		remark(gone, "gone since they were listed"), remark(t.Tally.Skipped, "in progress"), remark(t.Tally.Failed, "failed")))
	return cmp.Or(end, t.Err())
}

// markArchived says of each fax whether a copy is kept in the archive.
func (a *app) markArchived(ctx context.Context, soon []expiring, dir string) error {
	if dir == "" {
		return nil
	}
	kept, err := a.readArchive(ctx, dir)
	if err != nil {
		return err
	}
	lost := 0
	for i, e := range soon {
		yes, err := kept.Has(ctx, e.ID)
		if err != nil {
			return err
		}
		if yes {
			e, _, err := kept.Kept(ctx, e.Fax)
			if err != nil && !errors.Is(err, archive.ErrDamagedCopy) {
				return err
			}
			soon[i].Uncounted = e.Document != nil && e.Document.Uncounted != ""
		}
		soon[i].Archived = &yes
		if !yes {
			lost++
		}
	}
	if lost > 0 {
		a.say("%s not whole in %s: faxctl faxes archive --to %s --retry-missing keeps what there is", plural(lost, "fax is", "faxes are"), dir, text.ShellWord(dir))
	}
	return nil
}

// ifThere opens an archive that is there; nil when there is none and it could be
// made.
func (a *app) ifThere(ctx context.Context, dir string, open func(context.Context, string) (*archive.Archive, error)) (*archive.Archive, error) {
	switch err := archive.Known(dir); {
	case errors.Is(err, problem.ErrNotFound):
		return nil, archive.Check(dir)
	case err != nil:
		return nil, fmt.Errorf("archive %s: %w", dir, err)
	}
	return open(ctx, dir)
}

// begun is a sequence whose first item is there, or an error that kept it from
// beginning: nothing need be made for it then.
func begun[T any](seq iter.Seq2[T, error]) (iter.Seq2[T, error], error) {
	next, stop := iter.Pull2(seq)
	v, err, more := next()
	if err != nil {
		stop()
		return nil, err
	}
	return func(yield func(T, error) bool) {
		defer stop()
		for ; more && yield(v, err); v, err, more = next() {
		}
	}, nil
}
