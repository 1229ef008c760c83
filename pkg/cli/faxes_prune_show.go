package cli

import (
	"maps"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// showPlan says what would go, before it does.
func (a *app) showPlan(plan prune.Plan, p pruning) {
	s := plan.Summary
	meet := s.Count + s.Skipped - plan.Left(prune.NoDate)
	switch {
	case meet == 0:
		a.say("Nothing to delete: no fax meets the conditions.")
	case s.Count == 0:
		a.say("Nothing to delete: %s the conditions, and none of them may go.", plural(meet, "fax meets", "faxes meet"))
	default:
		a.say("To delete at %s: %s of the %d that meet the conditions, made from %s to %s.", a.place(),
			prune.What(s.Count, p.Policy.MediaOnly), meet, day(s.Oldest), day(s.Newest))
		pages := plural(s.Pages, "page", "pages")
		if s.UnknownPages > 0 {
			pages += ", and " + plural(s.UnknownPages, "fax", "faxes") + " of unknown length"
		}
		a.say("  %s", pages)
		a.say("  the oldest: %s  %s", plan.Delete[0].ID, otherEnd(plan.Delete[0]))
		a.say("  the newest: %s  %s", plan.Delete[s.Count-1].ID, otherEnd(plan.Delete[s.Count-1]))
		if p.archive == "" {
			a.say("  no copy is kept; --archive DIR keeps one")
		} else {
			a.say("  copies in %s: %d kept already, %d to be kept first", p.archive, s.Archived, s.Count-s.Archived)
			a.say("  each copy is read again before its fax is deleted")
		}
	}
	reasons := map[prune.Reason]int{}
	for _, skip := range plan.Skipped {
		reasons[skip.Reason]++
	}
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		a.say("  left alone, %s: %d", reason, reasons[reason])
	}
	if reasons[prune.Uncounted] > 0 {
		a.say("  the pages of a copy cannot be counted: faxctl archive list %s -o csv=id,uncounted tells why;", text.ShellWord(p.archive))
		a.say("  look at it, then add --allow-uncounted to delete such faxes too")
	}
}

// tellDamage names the faxes that stay because their copy cannot be read.
func (a *app) tellDamage(plan prune.Plan) error {
	var end error
	for _, skip := range plan.Skipped {
		if skip.Reason == prune.Damaged {
			a.warn("left alone: %s", text.Line(skip.Detail))
			end = problem.Of(errFindings, problem.ErrTold)
		}
	}
	return end
}

// place is the account in force as people know it: the profile and its provider.
func (a *app) place() string {
	provider := a.account.provider.Name
	if name := a.account.resolved.Name; name != "" && name != provider {
		return name + " (" + provider + ")"
	}
	return provider
}

// otherEnd is whom a fax came from or went to.
func otherEnd(f fax.Fax) string {
	if f.Direction == fax.Outbound {
		return "to " + text.Line(f.To)
	}
	return "from " + text.Line(f.From)
}

func day(t time.Time) string {
	if t.IsZero() {
		return "an unknown day"
	}
	return t.Local().Format(time.DateOnly)
}
