package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/archive/retention"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// prune is a deletion by policy.
type prune struct {
	policy    retention.Policy
	archive   string // folder; empty: no copies
	receipts  string // file; - is standard output
	dryRun    bool
	most      int64 // bytes of a document that is kept
	jobs      int
	begun     time.Time       // by the clock of this machine; ages are counted back from there
	ages      []time.Duration // of the conditions that are relative to now
	uncounted bool            // a copy whose pages cannot be counted is good enough
	anyClock  bool            // the clock of this machine is relied on as it is
	wait      time.Duration   // for the archive, while another process writes to it
	byHand    string          // serve: the command that does the same with a person at hand
	selected  int             // how many there are, to tell how many are left; 0: that is not told
	would     printing[fax.Fax]
}

func (a *app) faxesPrune() *cobra.Command {
	var (
		s                    = selection{deletes: true}
		p                    prune
		olderThan, maxDelete string
	)
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Delete old faxes at the provider, by a policy",
		Long: `Delete old faxes at the provider, by a policy: faxes meet every condition given,
and a policy without a condition is refused.

The selection is made first, shown, and does not change afterwards. --dry-run
lists exactly what a real run deletes. A person confirms by typing how many they
are; a script passes --yes. Faxes in progress, held ones and those that
--keep-last protects are left alone. When the policy selects more than
--max-delete, nothing is deleted at all.

An age takes h, d, w, mo and y. It is counted back from the clock of this
machine, which is held against the provider's first: when they are further apart
than five minutes, or than a tenth of the age where that is more, nothing is
deleted.

With --archive each fax is kept there first, and its copy read again and
compared, before it is deleted at the provider. One of which the provider shows
a second document is left alone and named, and so is one whose copy has pages
that cannot be counted, unless --allow-uncounted is given. A fax that is gone
already counts as deleted. Run it again and it goes on with what is left. See
docs/retention.md.`,
		Example: `  faxctl faxes prune --older-than 90d --archive /srv/faxes --dry-run
  faxctl faxes prune --older-than 90d --archive /srv/faxes --max-delete 5% \
    --receipts pruned.jsonl --yes
  faxctl faxes prune --failed --older-than 7d
  faxctl faxes prune --older-than 30d --media-only --keep-last 100`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if cmd.Flags().Changed("older-than") {
				if p.policy.OlderThan, err = deletionAge(olderThan); err != nil {
					return fmt.Errorf("--older-than: %w", err)
				}
			}
			if cmd.Flags().Changed("max-delete") {
				if p.policy.MaxDelete, err = retention.ParseLimit(maxDelete); err != nil {
					return fmt.Errorf("--max-delete: %w", err)
				}
			}
			if p.policy.Filter, err = s.filter(cmd.Context(), a); err != nil {
				return err
			}
			if err := p.policy.Check(); err != nil {
				return err
			}
			p.begun = s.now
			if cmd.Flags().Changed("max-document") && p.archive == "" {
				return usageError("--max-document is for --archive")
			}
			if cmd.Flags().Changed("wait") && p.archive == "" {
				return usageError("--wait is for --archive")
			}
			if err := checkWait(p.wait); err != nil {
				return err
			}
			if p.uncounted && p.archive == "" {
				return usageError("--allow-uncounted is for --archive")
			}
			if p.ages = s.ages; p.policy.OlderThan > 0 {
				p.ages = append(p.ages, p.policy.OlderThan)
			}
			return a.prune(cmd.Context(), p)
		},
	}
	s.bind(a, cmd)
	f := cmd.Flags()
	f.StringVar(&olderThan, "older-than", "", "only faxes made longer ago than this `age`: 90d, 6mo, 7y")
	f.BoolVar(&p.policy.MediaOnly, "media-only", false, "delete the documents and keep the records")
	f.StringVar(&p.archive, "archive", "", "keep a copy in this `folder` before anything is deleted")
	f.IntVar(&p.policy.KeepLast, "keep-last", 0, "keep the newest `N` faxes of each of your numbers")
	f.StringVar(&maxDelete, "max-delete", "", "delete nothing when more are selected: a `number`, or a share of the faxes that the filters meet, as in 5%")
	f.StringVar(&p.receipts, "receipts", "", "append a line for each fax to this `file`, as JSON; - is standard output")
	f.BoolVar(&p.uncounted, "allow-uncounted", false, "delete also faxes whose copy has pages that cannot be counted")
	f.BoolVar(&p.anyClock, "no-clock-check", false, "rely on the clock of this machine, and ask the provider for no time")
	f.BoolVar(&p.dryRun, "dry-run", false, "list what would be deleted, and delete nothing")
	p.would.bind(a, cmd, faxType, func() bool { return p.dryRun })
	a.bindMaxDocument(cmd, &p.most)
	a.bindJobs(cmd, &p.jobs, 32, "faxes")
	a.bindWait(cmd, &p.wait)
	a.completeFolders(cmd, "archive")
	a.completeNothing(cmd, "older-than", "keep-last", "max-delete")
	must(cmd.RegisterFlagCompletionFunc("receipts", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)))
	return cmd
}

func (a *app) prune(ctx context.Context, p prune) error {
	faxes, err := a.faxes(ctx)
	if err != nil {
		return err
	}
	if !p.dryRun {
		if err := a.changeable(); err != nil {
			return err
		}
	}
	if err := a.checkClock(ctx, p); err != nil {
		return err
	}
	kept, err := a.copiesFor(ctx, p)
	if err != nil {
		return err
	}
	if p.receipts != "" && p.receipts != "-" {
		if err := archive.CheckReceipts(p.receipts); err != nil {
			return fmt.Errorf("--receipts: %w", err)
		}
	}
	plan, err := a.planPrune(ctx, faxes, kept, p)
	if plan.Summary.Considered == 0 && err != nil {
		return err
	}
	a.showPlan(plan, p)
	damage := a.tellDamage(plan)
	if p.dryRun {
		perr := p.would.all(ctx, values(plan.Delete))
		return cmp.Or(errors.Join(perr, err), damage)
	}
	if err != nil || len(plan.Delete) == 0 {
		return cmp.Or(err, damage)
	}
	question := fmt.Sprintf("Delete %s for good?", removal{mediaOnly: p.policy.MediaOnly}.what(len(plan.Delete)))
	if err := a.typeToConfirm(ctx, question, fmt.Sprint(len(plan.Delete))); err != nil {
		return err
	}
	return cmp.Or(a.deletePlanned(ctx, faxes, kept, plan, p), damage)
}

// now is what time it is by the clock that ages are counted by: if it is set right
// meanwhile, that is too late for them.
func (p prune) now() time.Time { return p.begun.Add(time.Since(p.begun)) }

// checkClock refuses to delete by age with a clock that is not the provider's. A
// dry run is refused as well: it says what a real one would do.
func (a *app) checkClock(ctx context.Context, p prune) error {
	if len(p.ages) == 0 || p.anyClock {
		return nil
	}
	var theirs time.Time
	if clock := a.account.provider.Clock; clock != nil {
		var err error
		if theirs, err = clock.Now(ctx); err != nil {
			return err
		}
	}
	return retention.CheckClock(p.now(), theirs, slices.Min(p.ages))
}

// copiesFor opens the archive of a prune: nil when none is named, or when it is to
// be made, which nothing is before a person has agreed.
func (a *app) copiesFor(ctx context.Context, p prune) (*archive.Archive, error) {
	switch {
	case p.archive == "":
		return nil, nil
	case p.dryRun:
		return a.ifThere(ctx, p.archive, a.readArchive)
	}
	return a.ifThere(ctx, p.archive, a.opener(p.wait))
}

// planPrune fixes the selection.
func (a *app) planPrune(ctx context.Context, faxes fax.Faxes, kept *archive.Archive, p prune) (retention.Plan, error) {
	now := p.now()
	q := p.policy.Query(now)
	q.WithRaw, q.WithoutLinks = p.dryRun && a.flags.raw, true
	facts := retention.Facts{Now: now}
	if kept != nil {
		facts.Copy = func(f fax.Fax) (retention.Copy, error) { return copyOf(ctx, kept, f, p.uncounted) }
	}
	return p.policy.Plan(a.everyFax(ctx, faxes, q), facts)
}

// copyOf is what the sidecar of a fax says. When uncounted, a copy will do whose pages
// cannot be counted.
func copyOf(ctx context.Context, kept *archive.Archive, f fax.Fax, uncounted bool) (retention.Copy, error) {
	e, found, err := kept.Kept(ctx, f)
	switch {
	case errors.Is(err, archive.ErrDamagedCopy):
		detail := err.Error()
		if hint := problem.AdviceOf(err); !hint.Empty() {
			detail += "; " + hint.String()
		}
		return retention.Copy{Keep: retention.Damaged, Detail: detail}, nil
	case err != nil || !found:
		return retention.Copy{}, err
	case e.Hold != nil:
		return retention.Copy{Keep: retention.Held, Detail: e.Hold.Reason}, nil
	case e.Document != nil && e.Document.Uncounted != "" && !uncounted:
		return retention.Copy{Keep: retention.Uncounted, Detail: e.Document.Uncounted}, nil
	}
	return retention.Copy{Kept: e.Whole()}, nil
}

// deletePlanned deletes what was selected and nothing else.
func (a *app) deletePlanned(ctx context.Context, faxes fax.Faxes, kept *archive.Archive, plan retention.Plan, p prune) error {
	write, err := a.receiptWriter(p.receipts)
	if err == nil && kept == nil && p.archive != "" {
		kept, err = a.opener(p.wait)(ctx, p.archive)
	}
	if err != nil {
		return err
	}
	p.selected = len(plan.Delete)
	progress := a.term.Progress("deleting", p.selected)
	defer progress.Stop()
	done, err := p.carryOut(ctx, faxes, kept, batch.Until(a.interrupts.gently(), values(plan.Delete)), a, func(r archive.Receipt) error {
		if r.Result != archive.Deleting {
			progress.Add(1, 0)
		}
		return write(r)
	})
	progress.Stop()
	a.say("Deleted %s.", done)
	return err
}

// carryOut deletes faxes, after keeping a copy when there is an archive, and
// writes receipts for each: one before the DELETE is sent, one after it. When that
// cannot be done it begins nothing more. It returns what was done in words.
func (p prune) carryOut(ctx context.Context, faxes fax.Faxes, kept *archive.Archive, selected iter.Seq2[fax.Fax, error], to listener, write func(archive.Receipt) error) (done string, err error) {
	remove := func(ctx context.Context, f fax.Fax, before func(archive.Receipt) error) (archive.Receipt, error) {
		r, err := archive.Delete(ctx, faxes, f, archive.Deletion{MediaOnly: p.policy.MediaOnly, Before: before})
		return r, batch.Lasting(err)
	}
	if kept != nil {
		faxes := fetch.AtMost(faxes, p.most)
		remove = func(ctx context.Context, f fax.Fax, before func(archive.Receipt) error) (archive.Receipt, error) {
			r, err := kept.SaveThenDelete(ctx, faxes, f, archive.Deletion{MediaOnly: p.policy.MediaOnly, AllowUncounted: p.uncounted, Before: before})
			return r, batch.Local(err)
		}
	}
	type outcome struct {
		archive.Receipt
		unwritten error // it is deleted, and its receipt does not say so
	}
	going, halt := context.WithCancel(ctx)
	defer halt()
	t := troubleOf(to)
	gone := 0
	var unwritten error
	results := batch.Run(ctx, p.jobs, batch.Until(going, selected), func(ctx context.Context, f fax.Fax) (outcome, error) {
		var refused error
		r, err := remove(ctx, f, func(r archive.Receipt) error {
			refused = batch.Stop(write(r))
			return refused
		})
		err = namedFax(f.ID, err)
		if refused != nil {
			return outcome{}, err
		}
		if r.Result == archive.Skipped {
			err = batch.Skip(err)
		}
		failed := write(r)
		if failed != nil && err == nil {
			halt()
			return outcome{r, failed}, nil
		}
		return outcome{r, nil}, errors.Join(err, batch.Stop(failed))
	})
	end := each(batch.Sift(t, results), func(o outcome) {
		if o.Result == archive.AlreadyGone {
			gone++
		}
		if o.unwritten != nil {
			unwritten = o.unwritten
			to.report(fmt.Errorf("fax %s is deleted, and has no receipt that says so: %w", o.ID, unwritten))
		}
	})
	if unwritten != nil {
		end = problem.Of(problem.ErrTold, unwritten)
	}
	done = removal{mediaOnly: p.policy.MediaOnly}.what(t.Tally.Done-gone) + remarks(
		remark(gone, "gone already"), remark(t.Tally.Skipped, "left alone"), remark(t.Tally.Failed, "failed"),
		remark(max(0, t.Tally.Left(p.selected)), "left"))
	return done, cmp.Or(end, t.Err())
}

// receiptWriter is where receipts go: nowhere, standard output, or a file that
// must be writable before anything is deleted.
func (a *app) receiptWriter(path string) (func(archive.Receipt) error, error) {
	switch path {
	case "":
		return func(archive.Receipt) error { return nil }, nil
	case "-":
		return func(r archive.Receipt) error {
			line, err := json.Marshal(r)
			if err == nil {
				_, err = a.term.Out.Write(append(line, '\n')) // a line in one write: several come at once
			}
			return err
		}, nil
	}
	receipts, err := archive.OpenReceipts(path)
	if err != nil {
		return nil, fmt.Errorf("--receipts: %w", err)
	}
	a.onClose(receipts.Close)
	return receipts.Write, nil
}
