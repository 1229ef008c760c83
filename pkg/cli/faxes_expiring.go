package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/retention"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// expiring is a fax that the provider will drop.
type expiring struct {
	retention.Expiry
	Archived  *bool `json:"archived,omitempty"`  // a copy is kept; nil: no archive was named
	Uncounted bool  `json:"uncounted,omitempty"` // the pages of the copy cannot be counted: it may not be whole
}

func (a *app) faxesExpiring() *cobra.Command {
	var (
		l               listFlags
		within, archive string
		out             printing[expiring]
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
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			age, err := retention.ParseAge(within)
			if err != nil {
				return fmt.Errorf("--within: %w", err)
			}
			q, most, err := l.query(a, cmd)
			if err != nil {
				return err
			}
			soon, err := a.expiringWithin(cmd.Context(), q, age)
			if err != nil {
				return err
			}
			if err := a.markArchived(cmd.Context(), soon, archive); err != nil {
				return err
			}
			if len(soon) == 0 {
				a.say("the provider drops nothing within %s", within)
			}
			_, err = out.most(cmd.Context(), values(soon), most)
			if err == nil && len(soon) > 0 && archive == "" {
				a.say("faxctl faxes archive --to DIR keeps copies")
			}
			return err
		},
	}
	l.bind(a, cmd)
	out.bind(a, cmd, expiringType, nil)
	cmd.Flags().StringVar(&within, "within", "14d", "what goes within this `age`: 14d, 2w")
	cmd.Flags().StringVar(&archive, "archive", "", "`folder` of an archive: say which of them are kept there")
	a.completeNothing(cmd, "within")
	a.completeFolders(cmd, "archive")
	return cmd
}

// expiringWithin lists the faxes that the provider drops within the given
// time, the soonest first.
func (a *app) expiringWithin(ctx context.Context, q fax.Filter, within time.Duration) ([]expiring, error) {
	faxes, err := a.faxes(ctx)
	if err != nil {
		return nil, err
	}
	q.WithoutLinks = true
	now, keeps := time.Now(), a.account.provider.Retention
	if edge := retention.Horizon(keeps, within, now); q.Until.IsZero() || edge.Before(q.Until) {
		q.Until = edge
	}
	var soon []expiring
	for e, err := range retention.Expiring(a.everyFax(ctx, faxes, q), keeps, within, now) {
		if err != nil {
			return nil, problem.With(err, problem.Say("delete by age with %s", problem.Command("faxes", "prune").Switch("older-than")))
		}
		soon = append(soon, expiring{Expiry: e})
	}
	slices.Reverse(soon)
	return soon, nil
}
