package plan

import (
	"errors"
	"fmt"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// left says what it means that a number is not found which the account had when
// it was looked at. Other errors stay as they are.
func left(err error) error {
	if !errors.Is(err, problem.ErrNotFound) {
		return err
	}
	return problem.With(fmt.Errorf("it has left this account since it was looked at: released, or moved to another account: %w", err),
		problem.Say("see what there is: %s; with Twilio the account's console shows where a number has moved", problem.Command("numbers", "list")))
}
