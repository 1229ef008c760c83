package cli

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/durable"
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
	path, err := a.purchaseNotes(a.account.resolved.AccountID)
	if err != nil {
		return plan.Options{}, err
	}
	o := plan.Options{
		Notes: plan.Notes{Path: path, Account: a.account.resolved.AccountID},
		Tell:  func(text string) { a.say("%s", text) },
	}
	if clock := a.account.provider.NumbersClock; clock != nil {
		o.Now = clock.Now
	}
	return o, nil
}

// purchaseNotes is the file of what this machine bought for an account.
func (a *app) purchaseNotes(account string) (string, error) {
	dir, err := a.stateDir()
	return filepath.Join(dir, "purchases-"+url.PathEscape(account)+".jsonl"), err
}

// lockPurchases makes this run the only one on this machine that chooses
// numbers and buys them for the account, until it calls the function. The lock
// ends with the process.
func (a *app) lockPurchases() (done func(), err error) {
	account := a.account.resolved.AccountID
	f, err := a.stateFile("buying-" + url.PathEscape(account) + ".lock")
	if err != nil {
		return nil, problem.With(fmt.Errorf("lock of buying: %w; nothing was done", err), problem.Say("set XDG_STATE_HOME to a folder that can be written"))
	}
	taken, err := durable.TryLock(f)
	if err == nil && !taken {
		err = problem.With(fmt.Errorf("%w: another faxctl is buying numbers for account %s; nothing was done", problem.ErrConflict, account),
			problem.Say("wait until it has finished, look what it bought, and run this again if it is still needed"))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}
