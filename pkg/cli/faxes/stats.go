package faxes

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax/usage"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func statsCommand(a *app.App) *cobra.Command {
	var (
		s  app.Selection
		by = usage.ByNumber

		out   app.Printing[usage.Usage]
		names app.Names
	)
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Add faxes up: counts, pages, minutes and cost",
		Long: `Add faxes up, by number of yours, sender, day, month or status: counts, pages,
minutes on the line and cost.

What the provider has not told is not taken for nothing: faxes without a price
are counted as unknown cost, and the cost beside them is the least it can be. In
csv and the like the cost is a bare amount, and currency a column of its own
(--columns +currency). Days and months are those of this machine's time zone
(TZ).`,
		Example: `  faxctl faxes stats --since 30d
  faxctl faxes stats --by sender --direction inbound
  faxctl faxes stats --by month --since 2026-01-01 -o csv`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := s.Filter(cmd.Context(), a)
			if err != nil {
				return err
			}
			faxes, err := a.Faxes(cmd.Context())
			if err != nil {
				return err
			}
			q.WithoutLinks = true
			out.AskNames(cmd.Context(), &names)
			groups, total, err := usage.Summarize(everyFax(cmd.Context(), a, faxes, q), by, time.Local)
			if err != nil {
				return err
			}
			if _, err := out.Cut(cmd.Context(), seq.Of(groups), nil); err != nil {
				return err
			}
			if total.Faxes == 0 {
				a.Say("no fax, nothing to add up")
				return nil
			}
			a.Say("%s, %s, %.1f minutes, cost %s.", text.Plural(total.Faxes, "fax", "faxes"), text.Plural(total.Pages, "page", "pages"),
				float64(total.Seconds)/60, costInWords(total))
			return nil
		},
	}
	s.Bind(a, cmd)
	cmd.Flags().Var(flag.OneOf(&by, usage.Groupings()...), "by", "`group` to add up by: "+text.List(usage.Groupings(), "or"))
	a.CompleteValues(cmd, "by", text.Words(usage.Groupings())...)
	out.Bind(a, cmd, func() output.Type[usage.Usage] { return show.UsageType(by, names.Of) }, nil)
	return cmd
}

// costInWords is the cost with what is missing from it.
func costInWords(u usage.Usage) string {
	if u.UnknownCost > 0 {
		return show.Cost(u) + ", " + text.Plural(u.UnknownCost, "fax", "faxes") + " of unknown cost"
	}
	return show.Cost(u)
}
