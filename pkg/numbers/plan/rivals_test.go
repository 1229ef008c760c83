package plan_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// A number of ours that is sold again is left as it was set up, and the run that
// bought it has not bought it.
func TestSoldAgain(t *testing.T) {
	both := machines(t, 2, quirks(t, "sold-again"))
	first, err := both[0].buy(t, "front desk")
	if err != nil {
		t.Fatal(err)
	}
	offer := fax.Offer{Phone: first.Number.Phone}
	p := plan.Purchase{Order: fax.Order{Phone: offer.Phone, Name: "back office"}, Want: plan.Want{FaxURL: new(in + "/2")}, Offer: &offer, Picked: true}
	res, err := plan.Buy(t.Context(), unlisted{both[1].numbers}, p, both[1].care)
	if !errors.Is(err, problem.ErrConflict) || res.Outcome != "" || !strings.Contains(err.Error(), "in the account already (it is in mode fax)") {
		t.Errorf("%+v, %v", res.Outcome, err)
	}
	if now, err := both[0].numbers.Get(t.Context(), first.Number.ID); err != nil || now.FaxURL != in {
		t.Errorf("it was rerouted: %+v, %v", now, err)
	}
}

// The same for one that is not set up: it is as old as it is.
func TestSoldAgainNotSetUp(t *testing.T) {
	both := machines(t, 2, quirks(t, "sold-again"))
	offer := forSale(t, both[0].numbers)
	p := plan.Purchase{Order: fax.Order{Phone: offer.Phone}, Picked: true}
	if _, err := plan.Buy(t.Context(), both[0].numbers, p, both[0].care); err != nil {
		t.Fatal(err)
	}
	later := both[1].care
	later.Now = func(ctx context.Context) (time.Time, error) {
		at, err := both[1].care.Now(ctx)
		return at.Add(10 * time.Second), err
	}
	if _, err := plan.Buy(t.Context(), unlisted{both[1].numbers}, p, later); !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), "it was created") {
		t.Errorf("%v", err)
	}
}

// unlisted is an account whose lists are empty.
type unlisted struct{ fax.Numbers }

func (unlisted) List(context.Context, fax.NumberFilter) iter.Seq2[fax.Number, error] {
	return func(func(fax.Number, error) bool) {}
}

// Of two machines that buy for one name, the later is told, with the command that
// releases what is one too many.
func TestOneTooMany(t *testing.T) {
	both := machines(t, 2, sandbox.Options{})
	var first plan.Result
	between := meanwhile{both[1].numbers, func() {
		var err error
		if first, err = both[0].buy(t, "front desk"); err != nil {
			t.Error(err)
		}
		time.Sleep(1100 * time.Millisecond) // records are dated in seconds
	}}
	p := plan.Purchase{Order: fax.Order{Phone: "+15005550006", Name: "front desk"}, Want: plan.Want{FaxURL: new(in)}, Picked: true}
	res, err := plan.Buy(t.Context(), between, p, both[1].care)
	var more *plan.OneTooManyError
	if !errors.As(err, &more) || more.First.ID != first.Number.ID || problem.AdviceOf(err).String() != "release it: faxctl numbers release "+res.Number.Phone {
		t.Errorf("%v (%s)", err, problem.AdviceOf(err).String())
	}
}

// The earlier one meets the later only when it looks once more.
func TestOneTooManyElsewhere(t *testing.T) {
	both := machines(t, 2, sandbox.Options{})
	if _, err := both[0].buy(t, "front desk"); err != nil {
		t.Fatal(err)
	}
	if res, err := both[0].buy(t, "front desk"); !errors.Is(err, problem.ErrConflict) || res.Number.ID != "" {
		t.Errorf("a second on the same machine: %v", err)
	}
}

// meanwhile does something right before the order is sent.
type meanwhile struct {
	fax.Numbers
	do func()
}

func (m meanwhile) Buy(ctx context.Context, o fax.Order) (fax.Number, error) {
	m.do()
	return m.Numbers.Buy(ctx, o)
}

// Before bought is said, the name and the URL are read once more.
func TestBoughtAndTakenOver(t *testing.T) {
	m := one(t, sandbox.Options{})
	gets := 0
	watched := watching{m.numbers, func(id string) {
		if gets++; gets == 3 { // after it was set up and read back
			if _, err := m.numbers.Configure(t.Context(), id, fax.Change{URL: new(in + "/theirs")}); err != nil {
				t.Error(err)
			}
		}
	}}
	p := plan.Purchase{Order: fax.Order{Phone: "+15005550006", Name: "front desk"}, Want: plan.Want{FaxURL: new(in)}, Picked: true}
	if res, err := plan.Buy(t.Context(), watched, p, m.care); !errors.Is(err, problem.ErrConflict) || res.Outcome == plan.OutcomeBought || !strings.Contains(err.Error(), in+"/theirs") {
		t.Errorf("%s, %v", res.Outcome, err)
	}
}

// watching does something before a number is read.
type watching struct {
	fax.Numbers
	do func(id string)
}

func (w watching) Get(ctx context.Context, id string) (fax.Number, error) {
	w.do(id)
	return w.Numbers.Get(ctx, id)
}
