package faxes

import (
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
)

// showPlan says what would go, before it does.
func showPlan(a *app.App, plan prune.Plan, p pruning) {
	s := plan.Summary
	a.ShowPlan(plan, app.Planned{
		Verb: "delete", Place: "at " + whereKept(a), What: prune.What(s.Count, p.Policy.MediaOnly), Policy: p.Policy,
		More: func() {
			if p.archive == "" {
				a.Say("  no copy is kept; --archive DIR keeps one")
				return
			}
			a.Say("  copies in %s: %d kept already, %d to be kept first", p.archive, s.Archived, s.Count-s.Archived)
			a.Say("  each copy is read again before its fax is deleted")
		},
	})
	if plan.Left(prune.Uncounted) > 0 {
		a.Say("  the pages of a copy cannot be counted: %s tells why;", problem.Command("archive", "list").Arg(p.archive).Set("o", "csv=id,uncounted"))
		a.Say("  look at it, then add --allow-uncounted to delete such faxes too")
	}
}

// tellOdd names the faxes that stay and that a person has to look at.
func tellOdd(a *app.App, plan prune.Plan) error {
	var end error
	for _, skip := range plan.Skipped {
		if skip.Odd() {
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
