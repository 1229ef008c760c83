package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// LookFor is how long the account is looked at, at most, when it is not known
// what became of a purchase: an interrupt does not end it.
const LookFor = 20 * time.Second

// owned is what the account has, by id, of the numbers an order could become.
type owned map[string]fax.Number

func (o owned) find(phone string) (fax.Number, bool) {
	for _, n := range o {
		if phone != "" && n.Phone == phone {
			return n, true
		}
	}
	return fax.Number{}, false
}

// list asks for the numbers the order could become: the one, or all that have
// the area code's digits.
func (b buyer) list(ctx context.Context) (owned, error) {
	filter := fax.NumberFilter{Phone: b.Order.Phone, Contains: b.Order.AreaCode}
	all := owned{}
	for n, err := range b.numbers.List(ctx, filter) {
		if err != nil {
			return nil, fmt.Errorf("look whether the account has it already: %w", err)
		}
		if b.could(n) {
			all[n.ID] = n
		}
	}
	return all, nil
}

func (b buyer) could(n fax.Number) bool {
	if b.Order.Phone != "" {
		return n.Phone == b.Order.Phone
	}
	return strings.HasPrefix(n.Phone, "+1"+b.Order.AreaCode)
}

// look finds out what became of an order that failed with cause. A purchase
// may show a moment late, so it looks more than once unless it is settled.
func (b buyer) look(ctx context.Context, before owned, cause error, settled bool) (fax.Number, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), LookFor)
	defer cancel()
	var after owned
	var err error
	for _, wait := range []time.Duration{0, time.Second, 3 * time.Second} {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		after, err = b.list(ctx)
		for id := range before {
			delete(after, id)
		}
		if len(after) > 0 || settled {
			break
		}
	}
	switch {
	case err != nil:
		return fax.Number{}, fax.WithHint(fmt.Errorf("%w; it is not known whether it was bought, since looking failed too: %w", cause, err), b.lookHint())
	case len(after) == 1:
		for _, n := range after {
			return n, nil
		}
	case len(after) > 1:
		return fax.Number{}, fax.WithHint(fmt.Errorf("%w; %d numbers are new in the account (%s) and it cannot be told which of them it bought: %w",
			fax.ErrConflict, len(after), after.phones(), cause), b.lookHint())
	case settled:
		return fax.Number{}, cause
	}
	return fax.Number{}, fax.WithHint(fmt.Errorf("%w; the account does not show a new number", cause), b.lookHint())
}

func (b buyer) lookHint() string {
	switch {
	case b.Picked: // the next run may pick another
		return "before you buy again, look: faxctl numbers get " + b.Order.Phone
	case b.Order.Phone != "":
		return "run the same command again: it looks first, and never buys the number twice"
	}
	return "before you buy again, look: faxctl numbers list --contains " + b.Order.AreaCode
}

func (o owned) phones() string {
	var all []string
	for _, n := range o {
		all = append(all, n.Phone)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
