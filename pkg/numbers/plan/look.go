package plan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// LookFor is how long the account is looked at, at most, when it is not known
// what became of a purchase, beside [Options.ConfirmFor]: an interrupt does not
// end it.
const LookFor = 20 * time.Second

// looks yields as long as it is worth looking again: at once, after 1 s, after 3 s
// more, then every 5 s, for as long as patience lasts and the context does.
func looks(ctx context.Context, patience time.Duration) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; yield(i) && patience > 0; i++ {
			wait := 5 * time.Second
			switch i {
			case 0:
				wait = time.Second
			case 1:
				wait = 3 * time.Second
			}
			wait = min(wait, patience)
			patience -= wait
			if !pause(ctx, wait) {
				return
			}
		}
	}
}

// pause waits, and reports whether the context lasted.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}

// get fetches a number that the account has: what is new may not be found at
// once.
func get(ctx context.Context, numbers fax.Numbers, id string, patience time.Duration) (n fax.Number, err error) {
	for range looks(ctx, patience) {
		if n, err = numbers.Get(ctx, id); !errors.Is(err, problem.ErrNotFound) {
			break
		}
	}
	return n, err
}

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

var errNotLooked = errors.New("it is not known whether it was bought, since looking failed too")

// look finds out what became of an order that failed with cause, which settled
// says is the end of it. What is new in the account is what the order bought; by
// area code only what has the order's name, or without a name nothing.
func (b buyer) look(ctx context.Context, before owned, cause error, settled bool) (fax.Number, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), LookFor+b.ConfirmFor)
	defer cancel()
	var after, ours owned
	var err error
	for range looks(ctx, b.ConfirmFor) {
		after, err = b.list(ctx)
		for id := range before {
			delete(after, id)
		}
		if ours = b.ours(after); err == nil && len(ours) > 0 {
			break
		}
	}
	switch {
	case err != nil:
		if b.repeats() {
			cause = fmt.Errorf("%w: %w", problem.ErrConflict, cause) // no status that means "run it again"
		}
		return fax.Number{}, problem.With(fmt.Errorf("%w; %w: %w", cause, errNotLooked, err), b.lookAgain())
	case len(ours) == 1:
		for _, n := range ours {
			return n, nil
		}
	case len(ours) > 1, b.Order.Phone == "" && len(after) > 0:
		return fax.Number{}, problem.With(fmt.Errorf("%w: %s new in the account (%s) and it cannot be told whether this order bought it: %w",
			problem.ErrConflict, isOrAre(len(after)), after.phones(), cause), b.lookAgain())
	case settled:
		return fax.Number{}, cause
	case b.repeats():
		return fax.Number{}, problem.With(fmt.Errorf("%w: it is not known whether a number was bought, and the account does not show a new one: %w", problem.ErrConflict, cause), b.lookAgain())
	}
	return fax.Number{}, problem.With(fmt.Errorf("%w; the account does not show a new number", cause), b.lookAgain())
}

// ours are those of the numbers new in the account that the order can have
// bought.
func (b buyer) ours(after owned) owned {
	if b.Order.Phone != "" {
		return after
	}
	ours := owned{}
	for id, n := range after {
		if b.Order.Name != "" && n.Name == b.Order.Name {
			ours[id] = n
		}
	}
	return ours
}

func isOrAre(n int) string {
	if n == 1 {
		return "1 number is"
	}
	return fmt.Sprintf("%d numbers are", n)
}

func (b buyer) lookAgain() problem.Advice {
	if b.Order.Phone != "" && !b.Picked {
		return problem.Say("run the same command again: it looks first, and never buys the number twice")
	}
	return problem.Say("before you buy again, %s", b.toLook()) // the next run may pick another
}

// toLook is the command that shows what the order bought.
func (b buyer) toLook() problem.Advice {
	if b.Order.Phone != "" {
		return problem.Say("look: %s", problem.Command("numbers", "get").Arg(b.Order.Phone))
	}
	return problem.Say("look: %s", problem.Command("numbers", "list").Set("contains", b.Order.AreaCode))
}

func (o owned) phones() string {
	var all []string
	for _, n := range o {
		all = append(all, n.Phone)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
