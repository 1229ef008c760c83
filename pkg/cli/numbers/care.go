package numbers

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

// bindConfirm declares --confirm-for.
func bindConfirm(a *app.App, cmd *cobra.Command) {
	a.Flags.ConfirmFor = plan.Confirm
	cmd.Flags().Var(flag.Duration(&a.Flags.ConfirmFor), "confirm-for", "how long to look, at most, until what was done shows; 0 looks once, and a purchase once more after 3 s")
	flag.From(cmd.Flags(), "confirm-for", "FAXCTL_CONFIRM_FOR")
	a.CompleteNothing(cmd, "confirm-for")
}

// care is how purchases and changes of the account are made sure of. It comes
// after the account is known.
func care(ctx context.Context, a *app.App) (plan.Options, error) {
	o, err := careOfPurchase(ctx, a)
	o.ConfirmFor, o.SettleFor = a.Flags.ConfirmFor, a.SettleFor
	return o, err
}

// careOfPurchase is what is known of those that were made, and by which clock. It comes
// after the account is known.
func careOfPurchase(ctx context.Context, a *app.App) (plan.Options, error) {
	notes, err := a.PurchaseNotes(ctx, a.Account.Resolved.AccountID)
	if err != nil {
		return plan.Options{}, err
	}
	o := plan.Options{
		Notes: notes,
		Tell:  func(text string) { a.Say("%s", text) },
	}
	if clock := a.Account.Provider.NumbersClock; clock != nil {
		o.Now = clock.Now
	}
	return o, nil
}
