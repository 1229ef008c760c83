package faxes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/retention"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func expiringCommand(a *app.App) *cobra.Command {
	var (
		l               app.ListFlags
		within, archive string
		out             app.Printing[show.Expiring]
		names           app.Names
	)
	cmd := &cobra.Command{
		Use:   "expiring",
		Short: "Show what the provider will drop soon",
		Long: `Show what the provider will drop soon, the soonest first: a fax goes, record and
document, when the provider's retention has passed since its creation. Twilio
keeps faxes for 180 days, SignalWire until they are deleted.

With --archive each is looked up there, so that you see what would be lost.`,
		Example: `  faxctl faxes expiring --within 14d
  faxctl faxes expiring --within 30d --archive /srv/faxes -o csv=id,expires`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			age, err := retention.ParseAge(within)
			if err != nil {
				return fmt.Errorf("--within: %w", err)
			}
			a.TellMinutes("within", within)
			q, most, err := l.Query(a, cmd)
			if err != nil {
				return err
			}
			out.AskNames(cmd.Context(), &names)
			soon, err := expiringWithin(cmd.Context(), a, q, age)
			if err != nil {
				return err
			}
			if err := markArchived(cmd.Context(), a, soon, archive); err != nil {
				return err
			}
			if len(soon) == 0 {
				a.Say("the provider drops nothing within %s", within)
			}
			_, err = out.Most(cmd.Context(), seq.Of(soon), most)
			if err == nil && len(soon) > 0 && archive == "" {
				a.Say("%s keeps copies", problem.Command("faxes", "archive").Set("to", "DIR"))
			}
			return err
		},
	}
	l.Bind(a, cmd)
	out.Bind(a, cmd, func() output.Type[show.Expiring] { return show.ExpiringType(names.Of) }, nil)
	cmd.Flags().StringVar(&within, "within", "14d", "what goes within this `age`: 14d, 2w")
	cmd.Flags().StringVar(&archive, "archive", "", "say which of them are kept in this `archive`")
	a.BindDatabase(cmd)
	a.CompleteNothing(cmd, "within")
	flag.From(cmd.Flags(), "archive", profile.ArchiveVariable)
	a.CompletePlaces(cmd, "archive")
	return cmd
}

// expiringWithin lists the faxes that the provider drops within the given
// time, the soonest first.
func expiringWithin(ctx context.Context, a *app.App, q fax.Filter, within time.Duration) ([]show.Expiring, error) {
	faxes, err := a.Faxes(ctx)
	if err != nil {
		return nil, err
	}
	q.WithoutLinks = true
	now, keeps := time.Now(), a.Account.Provider.Retention
	if edge := retention.Horizon(keeps, within, now); q.Until.IsZero() || edge.Before(q.Until) {
		q.Until = edge
	}
	var soon []show.Expiring
	for e, err := range retention.Expiring(everyFax(ctx, a, faxes, q), keeps, within, now) {
		if err != nil {
			return nil, problem.With(err, problem.Say("delete by age with %s", problem.Command("faxes", "prune").Switch("older-than")))
		}
		soon = append(soon, show.Expiring{Expiry: e})
	}
	slices.Reverse(soon)
	return soon, nil
}
