package plan

import (
	"errors"
	"fmt"

	"github.com/faxctl/faxctl/pkg/fax"
)

// left says what it means that a number is not found which the account had when
// it was looked at. Other errors stay as they are.
func left(err error) error {
	if !errors.Is(err, fax.ErrNotFound) {
		return err
	}
	return fax.WithHint(fmt.Errorf("it has left this account since it was looked at: released, or moved to another account: %w", err),
		"see what there is: faxctl numbers list; with Twilio the account's console shows where a number has moved")
}
