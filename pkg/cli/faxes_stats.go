package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func (a *app) faxesStats() *cobra.Command {
	var (
		s  selection
		by string

		out printing[fax.Usage]
	)
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Add faxes up: counts, pages, minutes and cost",
		Long: `Add faxes up, by number of yours, sender, day or status: counts, pages, minutes
on the line and cost.

What the provider has not told is not taken for nothing: faxes without a price
are counted as unknown cost, and the cost beside them is the least it can be.
In csv and the like the cost is a bare amount, and currency a column of its own
(--columns +currency).
Days are those of this machine's time zone (TZ).`,
		Example: `  faxctl faxes stats --since 30d
  faxctl faxes stats --by sender --direction inbound
  faxctl faxes stats --by day --since 2026-01-01 -o csv`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			grouping, err := oneOf("by", by, fax.Groupings())
			if err != nil {
				return err
			}
			q, err := s.filter(cmd.Context(), a)
			if err != nil {
				return err
			}
			faxes, err := a.faxes(cmd.Context())
			if err != nil {
				return err
			}
			q.WithoutLinks = true
			groups, total, err := fax.Summarize(a.everyFax(cmd.Context(), faxes, q), grouping, time.Local)
			if err != nil {
				return err
			}
			if _, err := out.cut(cmd.Context(), values(groups), nil); err != nil {
				return err
			}
			if total.Faxes == 0 {
				a.say("no fax, nothing to add up")
				return nil
			}
			a.say("%s, %s, %.1f minutes, cost %s.", plural(total.Faxes, "fax", "faxes"), plural(total.Pages, "page", "pages"),
				float64(total.Seconds)/60, costInWords(total))
			return nil
		},
	}
	s.bind(a, cmd)
	cmd.Flags().StringVar(&by, "by", string(fax.ByNumber), "`group` to add up by: number, sender, day or status")
	a.completeValues(cmd, "by", words(fax.Groupings())...)
	out.bind(a, cmd, func() output.Type[fax.Usage] { return usageType(fax.Grouping(strings.ToLower(by))) }, nil)
	return cmd
}

// costInWords is the cost with what is missing from it.
func costInWords(u fax.Usage) string {
	if u.UnknownCost > 0 {
		return cost(u) + ", " + plural(u.UnknownCost, "fax", "faxes") + " of unknown cost"
	}
	return cost(u)
}
