package plan

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// NameKeptError says that a number was bought, and that the provider keeps its
// name otherwise: the name does not tell that it was bought. It is
// fax.ErrConflict.
type NameKeptError struct {
	Number fax.Number
	Name   string // as it was sent
}

// Error says both names.
func (e *NameKeptError) Error() string {
	return fmt.Sprintf("the provider keeps its name %s as %s", text.Quote(e.Name), text.Quote(e.Number.Name))
}

// Unwrap is fax.ErrConflict, with the advice to name the number.
func (e *NameKeptError) Unwrap() error {
	return problem.With(problem.ErrConflict, byNumber(e.Number.Phone))
}

// OneTooManyError says that a number was bought while another was bought for the
// same name, by another machine, and came first. It is fax.ErrConflict.
type OneTooManyError struct{ Number, First fax.Number }

// Error says which number came first.
func (e *OneTooManyError) Error() string {
	return fmt.Sprintf("%s was bought for the name %s before it, by somebody else at the same time; %s is one too many", e.First.Phone, text.Quote(e.First.Name), e.Number.Phone)
}

// Unwrap is fax.ErrConflict, with the command that releases the number.
func (e *OneTooManyError) Unwrap() error {
	return problem.With(problem.ErrConflict, problem.Say("release it: %s", problem.Command("numbers", "release").Arg(e.Number.Phone)))
}

// settleFor is [Options.SettleFor] unless it says otherwise.
const settleFor = 3 * time.Second

// settle makes sure that the number is ours and the only one: the account is read
// until it shows the purchase, and once more SettleFor later. An interrupt ends
// the waiting and not the looking.
func (b buyer) settle(ctx context.Context, res *Result) error {
	if !b.Picked && b.Order.Phone != "" && b.Order.Name == "" {
		return nil // nothing that another purchase could take the place of
	}
	looking, cancel := context.WithTimeout(context.WithoutCancel(ctx), LookFor+b.ConfirmFor)
	defer cancel()
	shows := b.Order.Name == ""
	in := func(same []fax.Number) bool {
		return slices.ContainsFunc(same, func(n fax.Number) bool { return n.ID == res.Number.ID })
	}
	for range looks(ctx, b.ConfirmFor) {
		same, err := b.sameName(looking, res.Number)
		if err != nil {
			return err
		}
		if first, late := earlier(res.Number, same); late {
			return &OneTooManyError{Number: res.Number, First: first}
		}
		if shows = shows || in(same); shows {
			break
		}
	}
	pause(ctx, b.settleFor())
	now, err := b.numbers.Get(looking, res.Number.ID)
	switch {
	case err != nil:
		return notShown(err)
	case now.Name != res.Number.Name || !sameURL(now.URL(), res.Number.URL()):
		return b.notOurs(now, "its name is "+text.Quote(now.Name)+" and its URL "+orNone(now.URL())+" by now")
	}
	same, err := b.sameName(looking, now)
	if err != nil {
		return err
	}
	if first, late := earlier(now, same); late {
		return &OneTooManyError{Number: now, First: first}
	}
	if !shows && !in(same) {
		return problem.With(errNotListed, problem.Say(againSoon))
	}
	return nil
}

// errNotListed says of a number that is bought and set up that others who look for
// its name may not see it: of two machines, neither does.
var errNotListed = fmt.Errorf("%w: the account's list does not show it yet", problem.ErrConflict)

// sameName are the account's numbers of the name that was bought for, as the
// provider keeps it.
func (b buyer) sameName(ctx context.Context, n fax.Number) ([]fax.Number, error) {
	if b.Order.Name == "" {
		return nil, nil
	}
	same, err := fax.Collect(b.numbers.List(ctx, fax.NumberFilter{Name: n.Name}))
	if err != nil {
		return nil, fmt.Errorf("look whether another has its name: %w", err)
	}
	return slices.DeleteFunc(same, func(o fax.Number) bool { return o.Name != n.Name }), nil
}

// earlier is a number that was bought before n, if there is one: by creation, and
// among those of one second by id, so that all who look find the same.
func earlier(n fax.Number, same []fax.Number) (fax.Number, bool) {
	for _, o := range same {
		if o.ID != n.ID && (o.Created.Before(n.Created) || o.Created.Equal(n.Created) && o.ID < n.ID) {
			return o, true
		}
	}
	return fax.Number{}, false
}
