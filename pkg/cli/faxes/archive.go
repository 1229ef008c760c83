package faxes

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
	"github.com/faxctl/faxctl/pkg/profile"
)

func archiveCommand(a *app.App) *cobra.Command {
	var (
		s     app.Selection
		to    string
		most  int64
		jobs  int
		wait  time.Duration
		again bool
		shard fax.Shard
	)
	cmd := &cobra.Command{
		Use:   "archive",
		Short: "Keep copies of faxes, records and documents",
		Long: `Keep copies of faxes, records and documents, in a folder, or on S3 as
s3://BUCKET/PREFIX: all of them, or those that the filters select. What is kept
already is not fetched again, so that run every day it keeps what is new. A fax
in progress is left for the next run; one whose document the provider has no
more is marked, and what was kept stays. Of a document that the record names and
storage does not have, the run ends with status 3 once; later runs count it, and
ask for it with --retry-missing. --to names the archive here; --number with
--direction inbound selects by recipient. Several machines that keep to one
archive on S3 take a --shard each.

It may be killed at any moment: what has its final name is whole, and the next
run goes on. faxctl archive looks into the copies.`,
		Example: `  faxctl faxes archive --to /srv/faxes
  faxctl faxes archive --since 7d --direction inbound --to /srv/faxes`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return problem.With(app.Misuse("--to is needed"), problem.Say("name a folder, or a bucket as in s3://BUCKET/PREFIX: %s", problem.Field("to", "/srv/faxes")))
			}
			if err := app.CheckShard(shard, to); err != nil {
				return err
			}
			q, err := s.Filter(cmd.Context(), a)
			if err != nil {
				return err
			}
			q.WithRaw = true
			app.Frugal()
			faxes, err := a.Faxes(cmd.Context())
			if err != nil {
				return err
			}
			kept, err := ifThere(cmd.Context(), a, to, a.Opener(wait))
			if err != nil {
				return err
			}
			all := seq.Filter(listed(cmd.Context(), a, faxes, q, listing.Options{Frugal: true}), func(f fax.Fax) bool { return shard.Has(f.ID) })
			if kept == nil { // it is made when there is an account to make it for
				if all, err = begun(all); err != nil {
					return err
				}
				if kept, err = a.MakeArchive(cmd.Context(), to, wait); err != nil {
					return err
				}
			}
			return archiveAll(cmd.Context(), a, fetch.AtMost(faxes, most), kept, all, jobs, again)
		},
	}
	s.BindRest(a, cmd)
	cmd.Flags().StringVar(&to, "to", "", "`archive` to keep them in, made if it is not there")
	cmd.Flags().BoolVar(&again, "retry-missing", false, "ask again for documents that storage did not have")
	a.BindMaxDocument(cmd, &most)
	a.BindJobs(cmd, &jobs, 16, "faxes")
	a.BindShard(cmd, &shard)
	a.BindWait(cmd, &wait)
	a.BindDatabase(cmd)
	flag.From(cmd.Flags(), "to", profile.ArchiveVariable)
	a.CompletePlaces(cmd, "to")
	return cmd
}

// archiveAll keeps copies, a few at a time; again asks for what storage denied before.
func archiveAll(ctx context.Context, a *app.App, faxes fax.Faxes, kept *archive.Archive, all iter.Seq2[fax.Fax, error], jobs int, again bool) error {
	faxes, keepers := fetch.SideBySide(faxes, jobs)
	progress := a.Term.Progress("archiving", 0)
	defer progress.Stop()
	save := kept.SaveListed
	if again {
		save = func(ctx context.Context, faxes fax.Faxes, l archive.Listed) (archive.Entry, bool, error) {
			return kept.SaveNews(ctx, faxes, l.Fax)
		}
	}
	type outcome struct{ existed, denied, gone bool }
	t := a.Trouble()
	next, stop := iter.Pull2(kept.LookUp(ctx, all))
	defer stop()
	selected := 0
	counted := func(yield func(archive.Listed, error) bool) {
		for f, err, more := next(); more; f, err, more = next() {
			if err == nil {
				selected++
			}
			if !yield(f, err) {
				return
			}
		}
	}
	results := batch.Run(ctx, keepers, batch.Until(a.Interrupts.Gently(), counted), func(ctx context.Context, f archive.Listed) (outcome, error) {
		defer progress.Add(1, 0)
		if !f.Status.Terminal() {
			return outcome{}, batch.Pass()
		}
		e, existed, err := save(ctx, faxes, f)
		if errors.Is(err, archive.ErrGone) {
			return outcome{gone: true}, nil
		}
		return outcome{existed: existed, denied: !e.DocumentDenied.IsZero()}, batch.Local(app.NamedFax(f.ID, err))
	})
	existed, denied, gone := 0, 0, 0
	end := seq.Each(batch.Sift(t, results), func(o outcome) {
		switch {
		case o.gone:
			gone++
		case o.denied:
			denied++
		case o.existed:
			existed++
		}
	})
	left := 0
	if batch.Stops(batch.Local(end)) { // our own files ended it: the provider can say how many there are
		counted(func(_ archive.Listed, err error) bool { return err == nil })
		left = t.Tally.Left(selected)
	}
	progress.Stop()
	a.Say("Archived %s%s.", text.Plural(t.Tally.Done-existed-denied-gone, "fax", "faxes"), text.Remarks(
		text.Remark(existed, "there already"), text.Remark(denied, "there without a document that storage does not have (--retry-missing)"),
		text.Remark(gone, "gone since they were listed"), text.Remark(t.Tally.Skipped, "in progress"), text.Remark(t.Tally.Failed, "failed"), text.Remark(left, "left")))
	return cmp.Or(end, t.Err())
}

// markArchived says of each fax whether a copy is kept in the archive.
func markArchived(ctx context.Context, a *app.App, soon []show.Expiring, dir string) error {
	if dir == "" {
		return nil
	}
	kept, err := a.ReadArchive(ctx, dir)
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
			e, _, _, err := kept.Kept(ctx, e.Fax)
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
		a.Say("%s not in %s, or not whole there: %s keeps what there is", text.Plural(lost, "fax is", "faxes are"), dir, problem.Command("faxes", "archive").Set("to", dir).Switch("retry-missing"))
	}
	return nil
}

// ifThere opens an archive that is there; nil when there is none and it could be
// made.
func ifThere(ctx context.Context, a *app.App, dir string, open func(context.Context, string) (*archive.Archive, error)) (*archive.Archive, error) {
	switch err := a.Archives().Known(ctx, dir); {
	case errors.Is(err, problem.ErrNotFound):
		return nil, a.Archives().Check(ctx, dir)
	case err != nil:
		return nil, err
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
