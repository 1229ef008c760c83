package receiver

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// account is one whose numbers change.
type account struct {
	fax.Numbers
	phones []string
	lapses int // lists that lack all numbers
	broken error
	asked  int
}

func (a *account) List(ctx context.Context, _ fax.NumberFilter) iter.Seq2[fax.Number, error] {
	return func(yield func(fax.Number, error) bool) {
		a.asked++
		if err := errors.Join(ctx.Err(), a.broken); err != nil {
			yield(fax.Number{}, err)
			return
		}
		if a.lapses > 0 {
			a.lapses--
			return
		}
		for _, phone := range a.phones {
			if !yield(fax.Number{Phone: phone}, nil) {
				return
			}
		}
	}
}

// No call is refused for want of an answer of the provider.
func TestOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const old, fresh, strange = "+14155550100", "+14155550101", "+14155550102"
		a := &account{phones: []string{old}}
		o := &accountNumbers{numbers: a}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		has := func(ctx context.Context, phone string, want bool, what string) {
			t.Helper()
			if got := o.has(ctx, phone); got != want {
				t.Errorf("%s: %v", what, got)
			}
		}
		has(gone, old, true, "for a sender that hangs up")
		has(t.Context(), strange, false, "a number of somebody else")
		a.phones = append(a.phones, fresh)
		time.Sleep(askAgain + 1)
		has(t.Context(), fresh, true, "a number just bought")
		time.Sleep(askAgain + 1)
		a.broken = errors.New("away")
		has(t.Context(), strange, true, "while the provider cannot be asked")
		has(t.Context(), strange, true, "a moment later")
		a.broken = nil
		time.Sleep(askAgain + 1)
		has(t.Context(), strange, false, "when it can be asked again")
		asked := a.asked
		for range 100 {
			has(t.Context(), strange, false, "again and again")
		}
		if a.asked > asked {
			t.Errorf("asked %d times in no time", a.asked-asked)
		}
		a.lapses = 2
		time.Sleep(askAgain + 1)
		has(t.Context(), strange, false, "while the lists lack all numbers")
		has(t.Context(), old, true, "a number that two lists lack, and one a moment ago had")
		a.lapses = 1
		time.Sleep(forget + 1)
		has(t.Context(), old, true, "a number that one list lacks")
		a.phones = nil
		time.Sleep(forget + 1)
		has(t.Context(), old, false, "a number that was given up")
	})
}
