package numbers

import (
	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

// buyFirst buys the first number that the search flags find, or one after it when
// that turns out to be sold, or to need more than was given.
func buyFirst(a *app.App, cmd *cobra.Command, s *searchFlags, numbers fax.Numbers, p plan.Purchase, how *purchaseFlags) error {
	queries, err := s.queries(cmd)
	if err != nil {
		return err
	}
	care, err := care(cmd.Context(), a)
	if err != nil {
		return err
	}
	p.Fax = queries[0].Fax
	all, err := plan.First(cmd.Context(), numbers, queries, p, care)
	if err != nil {
		return err
	}
	return plan.Try(all, care, func(p plan.Purchase) error { return buy(a, cmd, numbers, p, how) })
}
