package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// removal is what is removed from an archive, and what is asked and shown before it.
type removal struct {
	prune.Removal
	dir      string // of the archive
	receipts string // file; - is standard output
	dryRun   bool
	wait     time.Duration
	would    app.Printing[archive.Entry]
}

func removeCommand(a *app.App) *cobra.Command {
	s := app.Selection{Deletes: true}
	var r removal
	cmd := &cobra.Command{
		Use:   "remove ARCHIVE {ID...|FILTERS}",
		Short: "Remove kept faxes that have served their time, for good",
		Long: `Remove kept faxes from an archive, for good: those named (- reads ids from
standard input), or those that meet every condition given; without a condition
nothing is removed. The archive is named here, and by no variable.

The selection is made first, shown, and does not change afterwards. --dry-run
lists exactly what a real run removes. A person confirms by typing how many they
are; a script passes --yes. When the policy selects more than --max-delete,
nothing is removed at all.

What is held stays: with one of those named nothing is removed, and the exit
status is 6. So does a fax whose sidecar cannot be read, since a hold may be
noted in it, and one whose document is not what was kept, unless
--allow-damaged is given: each is named, and the exit status is 3, or 8 when
nothing was removed.

An age takes h, d, w, mo and y. It is counted back from the clock of this
machine. No provider is asked for the time: when the newest fax in the archive
is later than it, or older by more than 31 days, or than a tenth of the age
where that is more, nothing is removed without --no-clock-check.

Nothing is deleted at the provider: a fax that it still lists is kept again by
the next faxctl faxes archive. Run it again and it goes on with what is left.
See docs/retention.md.`,
		Example: `  faxctl archive remove /srv/faxes --older-than 7y --dry-run
  faxctl archive remove /srv/faxes --older-than 7y --max-delete 5% \
    --receipts removed.jsonl --yes
  faxctl archive remove /srv/faxes FX0123456789abcdef0123456789abcdef`,
		Args:              removeArgs,
		ValidArgsFunction: a.CompleteFree,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			r.dir = args[0]
			if len(args) > 1 {
				r.IDs, err = namedToRemove(a, cmd, &s, args[1:])
			} else if r.Policy.Filter, err = s.Filter(cmd.Context(), a); err == nil {
				err = r.Policy.Check()
			}
			if errors.Is(err, prune.ErrEmpty) {
				err = problem.With(err, problem.AdviceOf(err).Then(problem.Say("or name faxes by their ids: %s", problem.Command("archive", "remove").Arg(r.dir).Arg("ID"))))
			}
			if err != nil {
				return err
			}
			r.Begun, r.Ages = s.Now, s.Ages
			if r.Policy.OlderThan > 0 {
				r.Ages = append(r.Ages, r.Policy.OlderThan)
			}
			return runRemoval(cmd.Context(), a, r)
		},
	}
	s.Bind(a, cmd)
	a.BindPolicy(cmd, &r.Policy, &r.receipts)
	f := cmd.Flags()
	f.BoolVar(&r.AllowDamaged, "allow-damaged", false, "remove also faxes whose document is missing or has changed")
	f.BoolVar(&r.AnyClock, "no-clock-check", false, "rely on the clock of this machine, whatever the dates in the archive are")
	f.BoolVar(&r.dryRun, "dry-run", false, "list what would be removed, and remove nothing")
	r.would.Bind(a, cmd, show.EntryType, func() bool { return r.dryRun })
	a.BindJobs(cmd, &r.Jobs, 4, "faxes")
	a.BindWait(cmd, &r.wait)
	return cmd
}

// removeArgs asks for an archive, also of those who have named it by a variable.
func removeArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		_, err := os.Stat(args[0])
		if err == nil || !fax.PlausibleID(args[0]) {
			return nil
		}
	}
	return problem.With(app.Misuse("%s needs an archive on the command line", cmd.CommandPath()),
		problem.Say("as in: faxctl archive remove /srv/faxes --older-than 7y --dry-run"))
}

// namedToRemove are the ids that were given in place of a policy.
func namedToRemove(a *app.App, cmd *cobra.Command, s *app.Selection, args []string) ([]string, error) {
	policy := app.Given(cmd, []string{"older-than", "keep-last", "max-delete", "no-clock-check"})
	if given := cmp.Or(s.Given(cmd), policy); given != "" {
		return nil, problem.With(app.Misuse("%s and ids contradict each other", given), problem.Say("name faxes, or select them"))
	}
	ids, err := a.Refs(args)
	if ids == nil {
		ids = []string{}
	}
	return ids, err
}

func runRemoval(ctx context.Context, a *app.App, r removal) error {
	if r.IDs != nil && len(r.IDs) == 0 {
		a.Say("no id, nothing to remove")
		return nil
	}
	if r.receipts != "" && r.receipts != "-" {
		if err := prune.CheckReceipts(r.receipts); err != nil {
			return fmt.Errorf("--receipts: %w", err)
		}
	}
	plan, err := r.plan(ctx, a)
	if plan.Summary.Considered == 0 && err != nil {
		return err
	}
	r.show(a, plan)
	if r.dryRun {
		err = app.Looked(err)
		return errors.Join(r.would.All(ctx, r.entries(ctx, plan.Delete)), cmp.Or(err, tellStaying(a, plan, plan.Delete.Len())))
	}
	if err != nil || plan.Delete.Len() == 0 {
		return cmp.Or(err, tellStaying(a, plan, 0))
	}
	question := fmt.Sprintf("Remove %s from %s for good?", prune.What(plan.Delete.Len(), false), text.Line(r.dir))
	if err := a.TypeToConfirm(ctx, question, fmt.Sprint(plan.Delete.Len())); err != nil {
		return err
	}
	went, err := r.removePlanned(ctx, a, plan)
	return cmp.Or(err, tellStaying(a, plan, went))
}

// plan fixes what goes. Nobody is kept from writing to the archive while a person thinks
// about it: each fax is looked at again before it is removed.
func (r *removal) plan(ctx context.Context, a *app.App) (prune.Plan, error) {
	kept, err := a.LookIntoArchive(ctx, r.dir)
	if err != nil {
		return prune.Plan{}, err
	}
	if r.Archive = kept; r.dryRun {
		a.OnClose(func() error { return kept.Close(ctx) })
	}
	var plan prune.Plan
	if r.IDs != nil {
		r.IDs, err = a.KeptIDs(ctx, kept, r.dir, r.IDs)
	}
	if err == nil {
		plan, err = r.Plan(ctx)
		err = cmp.Or(err, r.held(ctx, kept, plan))
	}
	if !r.dryRun {
		err = errors.Join(err, kept.Close(ctx))
	}
	return plan, err
}

// show says what would go, before it does.
func (r *removal) show(a *app.App, plan prune.Plan) {
	s := plan.Summary
	a.ShowPlan(plan, app.Planned{
		Verb: "remove", Place: "from " + r.dir, What: prune.What(s.Count, false), Policy: r.Policy, Named: r.IDs != nil,
		More: func() {
			a.Say("  %s of documents", term.Bytes(s.Bytes))
			if may := s.Count - s.Gone; may > 0 {
				a.Say("  %d not known to be gone at the provider: what it still lists is kept again by", may)
				a.Say("  faxes archive and by a receiver; faxes prune deletes it there")
			}
		},
	})
}

// held refuses the whole of a removal when one that was named is held.
func (r *removal) held(ctx context.Context, kept *archive.Archive, plan prune.Plan) error {
	if r.IDs == nil {
		return nil
	}
	for _, skip := range plan.Skipped {
		switch skip.Reason {
		case prune.Leaving, prune.Kept:
			return problem.Of(problem.ErrConflict, fmt.Errorf("%s; nothing was removed", text.Line(skip.Detail)))
		case prune.Held:
			return problem.With(fmt.Errorf("%w; nothing was removed", &archive.HeldError{ID: skip.ID, Reason: text.Line(skip.Detail)}),
				app.LetGo(ctx, kept, r.dir, skip.ID))
		}
	}
	return nil
}

// tellStaying names the faxes that stay because they are not what they should be, or not
// there, and is what that comes to when so many others went.
func tellStaying(a *app.App, plan prune.Plan, went int) error {
	var end error
	for _, skip := range plan.Skipped {
		switch {
		case skip.Odd():
			a.Warn("left alone: %s", text.Line(skip.Detail))
			end = problem.Of(app.ErrFindings, problem.ErrTold)
		case skip.Reason == prune.Kept:
			a.Warn("left alone: %s", text.Line(skip.Detail))
			end = cmp.Or(end, problem.Of(problem.ErrConflict, problem.ErrTold))
		case skip.Reason == prune.Absent:
			a.Failed(problem.Of(problem.ErrNotFound, errors.New(text.Line(skip.Detail))))
			end = cmp.Or(end, problem.Of(problem.ErrNotFound, problem.ErrTold))
		}
	}
	if end != nil && went > 0 {
		return problem.Of(batch.ErrPartial, problem.ErrTold)
	}
	return end
}

// entries are the kept faxes that a plan selects.
func (r *removal) entries(ctx context.Context, faxes fax.Packed) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		for f, err := range faxes.All() {
			var e archive.Entry
			if err == nil {
				e, err = r.Archive.Get(ctx, f.ID)
			}
			if errors.Is(err, problem.ErrNotFound) { // all that is left of it is its line in the index
				e, err = archive.Entry{Fax: f}, nil
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// removePlanned removes what was selected and nothing else, and tells how many went.
func (r *removal) removePlanned(ctx context.Context, a *app.App, plan prune.Plan) (went int, err error) {
	write, err := a.ReceiptWriter(r.receipts)
	if err == nil {
		r.Archive, err = writeArchive(ctx, a, r.dir, r.wait)
	}
	if err != nil {
		return 0, err
	}
	progress := a.Term.Progress("removing", plan.Delete.Len())
	defer progress.Stop()
	r.Receipt = func(receipt prune.Receipt) error {
		if receipt.Result != prune.Removing {
			progress.Add(1, 0)
		}
		return write(receipt)
	}
	done, err := r.Remove(ctx, a.Interrupts.Gently(), plan.Delete, a.Skipped, a.Failed)
	progress.Stop()
	a.Say("Removed %s.", done)
	went = done.Deleted + done.Gone
	if r.IDs != nil && done.Skipped > 0 && err == nil { // held since it was shown
		err = problem.Of(problem.ErrConflict, problem.ErrTold)
		if went > 0 {
			err = problem.Of(batch.ErrPartial, problem.ErrTold)
		}
	}
	return went, err
}
