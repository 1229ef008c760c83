package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

// bindConfirm declares --confirm-for.
func (a *app) bindConfirm(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&a.flags.confirmFor, "confirm-for", plan.Confirm, "how long to look, at most, until what was done shows; 0 looks once, and a purchase once more after 3 s (FAXCTL_CONFIRM_FOR)")
	a.completeNothing(cmd, "confirm-for")
}

// care is how purchases and changes of the account are made sure of. It comes
// after the account is known.
func (a *app) care(cmd *cobra.Command) (plan.Options, error) {
	patience := a.flags.confirmFor
	if text := a.getenv("FAXCTL_CONFIRM_FOR"); text != "" && !cmd.Flags().Changed("confirm-for") {
		var err error
		if patience, err = time.ParseDuration(text); err != nil {
			return plan.Options{}, problem.With(usageError("FAXCTL_CONFIRM_FOR: %w", err), problem.Say("a duration, as in 10s"))
		}
	}
	if patience < 0 {
		return plan.Options{}, usageError("--confirm-for takes 0 or more")
	}
	o, err := a.purchases()
	o.ConfirmFor, o.SettleFor = patience, a.settleFor
	return o, err
}

// purchases is what is known of those that this machine made, and by which clock.
// It comes after the account is known.
func (a *app) purchases() (plan.Options, error) {
	notes, err := a.purchaseNotes(a.account.resolved.AccountID)
	if err != nil {
		return plan.Options{}, err
	}
	o := plan.Options{
		Notes: notes,
		Tell:  func(text string) { a.say("%s", text) },
	}
	if clock := a.account.provider.NumbersClock; clock != nil {
		o.Now = clock.Now
	}
	return o, nil
}

// purchaseNotes are of what this machine bought for an account.
func (a *app) purchaseNotes(account string) (plan.Notes, error) {
	dir, err := a.stateDir()
	return plan.NotesIn(dir, account), err
}
