package app

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/flag"
)

// What the commands share that delete by a policy.

// BindPolicy declares the flags of a policy that are no filters, and that of receipts.
func (a *App) BindPolicy(cmd *cobra.Command, p *prune.Policy, receipts *string) {
	f := cmd.Flags()
	f.Var(flag.Of(&p.OlderThan, DeletionAge), "older-than", "only faxes made longer ago than this `age`: 90d, 6mo, 7y")
	f.IntVar(&p.KeepLast, "keep-last", 0, "keep the newest `N` faxes of each of your numbers")
	f.Var(flag.Of(&p.MaxDelete, prune.ParseLimit), "max-delete", "delete nothing when more are selected: a `number`, or a share of the faxes that the filters meet, as in 5%")
	f.StringVar(receipts, "receipts", "", "append a line for each fax to this `file`, as JSON; - is standard output")
	a.CompleteNothing(cmd, "older-than", "keep-last", "max-delete")
	Must(cmd.RegisterFlagCompletionFunc("receipts", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)))
}

// Planned is in what the words for plans differ.
type Planned struct {
	Verb  string // "delete"
	Place string // "at clinic"
	What  string // that goes: "3 faxes"

	Policy prune.Policy
	Named  bool // what goes was named, and met no conditions

	// More says what else there is to know of it.
	More func()
}

// ShowPlan says what would go, before it does.
func (a *App) ShowPlan(plan prune.Plan, p Planned) {
	s := plan.Summary
	if p.Policy.Shard.Cuts() {
		a.Say("Shard %s: %s for the other shards.", p.Policy.Shard, text.Plural(s.Elsewhere, "fax is", "faxes are"))
	}
	switch meet := s.Count + s.Skipped - plan.Left(prune.NoDate); {
	case p.Named && s.Count == 0:
		a.Say("Nothing to %s: none of what was named may go.", p.Verb)
	case meet == 0:
		a.Say("Nothing to %s: no fax meets the conditions.", p.Verb)
	case s.Count == 0:
		a.Say("Nothing to %s: %s the conditions, and none of them may go.", p.Verb, text.Plural(meet, "fax meets", "faxes meet"))
	default:
		of := fmt.Sprintf(" of the %d that meet the conditions", meet)
		if p.Named {
			of = fmt.Sprintf(" of the %d named", meet)
		}
		a.Say("To %s %s: %s%s, made from %s to %s.", p.Verb, p.Place, p.What, of, day(s.Oldest), day(s.Newest))
		for _, end := range p.Policy.Filter.Ends {
			a.Say("  only %s", text.Line(end.String()))
		}
		a.showGoing(plan)
		p.More()
	}
	reasons := map[prune.Reason]int{}
	for _, skip := range plan.Skipped {
		reasons[skip.Reason]++
	}
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		a.Say("  left alone, %s: %d", reason, reasons[reason])
	}
}

// showGoing describes the faxes that go, of which there are some.
func (a *App) showGoing(plan prune.Plan) {
	s := plan.Summary
	pages := text.Plural(s.Pages, "page", "pages")
	if s.UnknownPages > 0 {
		pages += ", and " + text.Plural(s.UnknownPages, "fax", "faxes") + " of unknown length"
	}
	a.Say("  %s", pages)
	oldest, newest := plan.Delete.At(0), plan.Delete.At(s.Count-1)
	if s.Count == 1 {
		a.Say("  %s  %s", oldest.ID, OtherEnd(oldest))
		return
	}
	a.Say("  the oldest: %s  %s", oldest.ID, OtherEnd(oldest))
	a.Say("  the newest: %s  %s", newest.ID, OtherEnd(newest))
}

func day(t time.Time) string {
	if t.IsZero() {
		return "an unknown day"
	}
	return t.Local().Format(time.DateOnly)
}

// Looked is what is wrong with a plan for somebody who looks at it already, in a dry run.
func Looked(err error) error {
	if errors.Is(err, prune.ErrOverLimit) {
		return problem.With(err, problem.Say("raise %s if the selection is right", problem.Field("max-delete")))
	}
	return err
}
