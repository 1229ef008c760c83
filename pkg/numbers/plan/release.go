package plan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// lookFor is how long a release whose answer was lost is looked after.
const lookFor = 10 * time.Second

// Release gives a number up. It reports false when the account did not have it any
// more, so that a second run finishes the first. That a number is gone, and that a
// release whose answer was lost was carried out, is said by the account's list; that
// one was carried out which the provider says is, by the number, which is not found
// any more. ErrUnavailable: it goes on being found, and costing.
// fax.ErrContradiction: the provider does not find the number, and lists it.
func Release(ctx context.Context, numbers fax.Numbers, n fax.Number) (released bool, err error) {
	err = numbers.Release(ctx, n.ID)
	denied := fax.Denied(err)
	lost := !denied && (ctx.Err() != nil || errors.Is(err, problem.ErrUnavailable))
	if err != nil && !denied && !lost {
		return false, fmt.Errorf("release %s: %w", n.Phone, err)
	}
	looking, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookFor)
	defer cancel()
	if err == nil {
		err = confirmReleased(looking, numbers, n)
		return err == nil, err
	}
	switch owned, looked := fax.StillShown(looking, func() (bool, error) { return owns(looking, numbers, n) }); {
	case looked == nil && !owned:
		return lost, nil
	case looked == nil && denied:
		//nolint:errorlint // its kind is what it must not have
		err = fmt.Errorf("%w: the account's list shows it: %v", fax.ErrContradiction, err)
	}
	return false, fmt.Errorf("release %s: %w", n.Phone, err)
}

// Release is [Release], and notes that what was bought was given up: its name is
// free again.
func (o Options) Release(ctx context.Context, numbers fax.Numbers, n fax.Number) (released bool, err error) {
	if released, err = Release(ctx, numbers, n); released {
		if err := o.Notes.released(ctx, n.ID); err != nil {
			o.tell("That %s was released could not be noted: %v", n.Phone, err)
		}
	}
	return released, err
}

// confirmReleased is nil when a number that was released is not found any more. Nobody
// would look again, and it would go on costing; a fax that was deleted is in the list
// of the next prune.
func confirmReleased(ctx context.Context, numbers fax.Numbers, n fax.Number) error {
	found, err := fax.StillShown(ctx, func() (bool, error) {
		_, err := numbers.Get(ctx, n.ID)
		if errors.Is(err, problem.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	})
	switch {
	case err != nil:
		err = fmt.Errorf("the provider says that it is released; whether it still has it is not known: %w", err)
	case found:
		err = fmt.Errorf("%w: the provider says that it is released, and still has it", problem.ErrUnavailable)
	default:
		return nil
	}
	return problem.With(fmt.Errorf("release %s: %w", n.Phone, err), problem.Say("look again: %s", problem.Command("numbers", "get").Arg(n.Phone)))
}

// owns asks the account's list for a number.
func owns(ctx context.Context, numbers fax.Numbers, n fax.Number) (bool, error) {
	for got, err := range numbers.List(ctx, fax.NumberFilter{Phone: n.Phone}) {
		if err != nil || got.ID == n.ID {
			return err == nil, err
		}
	}
	return false, nil
}
