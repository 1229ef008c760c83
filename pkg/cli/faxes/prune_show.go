package faxes

import (
	"maps"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
)

// showPlan says what would go, before it does.
func showPlan(a *app.App, plan prune.Plan, p pruning) {
	s := plan.Summary
	if p.archive != "" && p.Archive == nil {
		a.Warn("there is no archive in %s yet: no hold is known there, and all copies are to be made", p.archive)
	}
	meet := s.Count + s.Skipped - plan.Left(prune.NoDate)
	switch {
	case meet == 0:
		a.Say("Nothing to delete: no fax meets the conditions.")
	case s.Count == 0:
		a.Say("Nothing to delete: %s the conditions, and none of them may go.", text.Plural(meet, "fax meets", "faxes meet"))
	default:
		a.Say("To delete at %s: %s of the %d that meet the conditions, made from %s to %s.", whereKept(a),
			prune.What(s.Count, p.Policy.MediaOnly), meet, day(s.Oldest), day(s.Newest))
		for _, end := range p.Policy.Filter.Ends {
			a.Say("  only %s", text.Line(end.String()))
		}
		pages := text.Plural(s.Pages, "page", "pages")
		if s.UnknownPages > 0 {
			pages += ", and " + text.Plural(s.UnknownPages, "fax", "faxes") + " of unknown length"
		}
		a.Say("  %s", pages)
		a.Say("  the oldest: %s  %s", plan.Delete[0].ID, app.OtherEnd(plan.Delete[0]))
		a.Say("  the newest: %s  %s", plan.Delete[s.Count-1].ID, app.OtherEnd(plan.Delete[s.Count-1]))
		if p.archive == "" {
			a.Say("  no copy is kept; --archive DIR keeps one")
		} else {
			a.Say("  copies in %s: %d kept already, %d to be kept first", p.archive, s.Archived, s.Count-s.Archived)
			a.Say("  each copy is read again before its fax is deleted")
		}
	}
	reasons := map[prune.Reason]int{}
	for _, skip := range plan.Skipped {
		reasons[skip.Reason]++
	}
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		a.Say("  left alone, %s: %d", reason, reasons[reason])
	}
	if reasons[prune.Uncounted] > 0 {
		a.Say("  the pages of a copy cannot be counted: faxctl archive list %s -o csv=id,uncounted tells why;", text.ShellWord(p.archive))
		a.Say("  look at it, then add --allow-uncounted to delete such faxes too")
	}
}

// tellDamage names the faxes that stay because their copy is not what it should be.
func tellDamage(a *app.App, plan prune.Plan) error {
	var end error
	for _, skip := range plan.Skipped {
		if skip.BadCopy() {
			a.Warn("left alone: %s", text.Line(skip.Detail))
			end = problem.Of(app.ErrFindings, problem.ErrTold)
		}
	}
	return end
}

// whereKept is the account in force as people know it: the profile and its provider.
func whereKept(a *app.App) string {
	provider := a.Account.Provider.Name
	if name := a.Account.Resolved.Name; name != "" && name != provider {
		return name + " (" + provider + ")"
	}
	return provider
}

func day(t time.Time) string {
	if t.IsZero() {
		return "an unknown day"
	}
	return t.Local().Format(time.DateOnly)
}
