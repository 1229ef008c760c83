package plan_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// picked is what a search picks for a name.
func (m machine) picked(t *testing.T, name string) plan.Purchase {
	t.Helper()
	offer := forSale(t, m.numbers)
	return plan.Purchase{Order: fax.Order{Phone: offer.Phone, Name: name}, Want: plan.Want{FaxURL: new(in)}, Offer: &offer, Picked: true}
}

func (m machine) prepare(t *testing.T, p plan.Purchase) plan.Deal {
	t.Helper()
	d, err := plan.Prepare(t.Context(), m.numbers, p, m.care)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// hold is another run that buys.
func (m machine) hold(t *testing.T) (end func()) {
	t.Helper()
	end, err := plan.LockNotes(t.Context(), m.care.Notes)
	if err != nil {
		t.Fatal(err)
	}
	return end
}

func TestOneRunBuysAtATime(t *testing.T) { eachNotes(t, testOneRunBuysAtATime) }

func testOneRunBuysAtATime(t *testing.T, keep func(*testing.T) plan.Notes) {
	m := one(t, sandbox.Options{})
	m.care.Notes = keep(t)
	end := m.hold(t)
	_, err := m.prepare(t, m.picked(t, "desk")).Run(t.Context())
	if !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), "another faxctl is buying numbers for account AC1") || owns(t, m.numbers) != 0 {
		t.Errorf("picked beside another run: %v; the account has %d numbers", err, owns(t, m.numbers))
	}
	named := m.picked(t, "hall")
	named.Picked = false
	if res, err := m.prepare(t, named).Run(t.Context()); err != nil || res.Outcome != plan.OutcomeBought {
		t.Errorf("a number that was named, beside another run: %+v, %v", res, err)
	}
	end()
	if res, err := m.prepare(t, m.picked(t, "desk")).Run(t.Context()); err != nil || res.Outcome != plan.OutcomeBought {
		t.Errorf("after it: %+v, %v", res, err)
	}
}

func TestTheNameIsLookedAtAgainUnderTheLock(t *testing.T) {
	m := one(t, sandbox.Options{})
	deal := m.prepare(t, plan.Purchase{Order: fax.Order{AreaCode: "415", Name: "desk"}})
	if err := deal.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.prepare(t, m.picked(t, "desk")).Run(t.Context()); err != nil { // while a person is asked
		t.Fatal(err)
	}
	if res, err := deal.Run(t.Context()); !errors.Is(err, problem.ErrConflict) || res.Number.ID != "" || owns(t, m.numbers) != 1 {
		t.Errorf("a second number of the name: %+v, %v; the account has %d numbers", res, err, owns(t, m.numbers))
	}
}

func TestPrepareOfAnOwnedNumber(t *testing.T) {
	m := one(t, sandbox.Options{})
	p := m.picked(t, "desk")
	p.Picked = false
	if _, err := m.prepare(t, p).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := m.prepare(t, p)
	if !again.Owned || again.Step.Pending() || again.Check(t.Context()) != nil {
		t.Errorf("as wanted already: %+v", again.Step)
	}
	p.Want.FallbackURL = new(in + "/2")
	more := m.prepare(t, p)
	if !more.Owned || more.Step.Action != plan.ActionChange || len(more.Step.Fields) == 0 {
		t.Errorf("not yet as wanted: %+v", more.Step)
	}
	if res, err := more.Run(t.Context()); err != nil || res.Outcome != plan.OutcomeChanged || owns(t, m.numbers) != 1 {
		t.Errorf("made so: %+v, %v", res, err)
	}
	p.Picked, p.Order.Name = true, "hall" // a search found it, and somebody was faster
	if _, err := plan.Prepare(t.Context(), m.numbers, p, m.care); !plan.Unfit(err) || !errors.Is(err, problem.ErrConflict) {
		t.Errorf("bought by somebody else: %v", err)
	}
}

func TestTryTakesTheNextThatFits(t *testing.T) {
	unfit := &plan.UnfitError{Err: fmt.Errorf("sold: %w", problem.ErrConflict)}
	for _, tt := range []struct {
		answers []error
		asked   int
	}{
		{[]error{nil, nil}, 1},
		{[]error{unfit, nil, nil}, 2},
		{[]error{unfit, problem.ErrUnavailable, nil}, 2},
		{[]error{unfit, unfit}, 2},
	} {
		asked := 0
		err := plan.Try(make([]plan.Purchase, len(tt.answers)), plan.Options{}, func(plan.Purchase) error {
			asked++
			return tt.answers[asked-1]
		})
		if asked != tt.asked || !errors.Is(err, tt.answers[asked-1]) {
			t.Errorf("%v: asked %d times, %v", tt.answers, asked, err)
		}
	}
}

// phases are those of a file that renames one number, buys another and gives the
// third up.
func phases(t *testing.T, m machine) plan.Phases {
	t.Helper()
	var phones []string
	for range 2 {
		p := m.picked(t, "")
		p.Picked = false
		res, err := m.prepare(t, p).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		phones = append(phones, res.Number.Phone)
	}
	f, err := plan.ReadFile("numbers.yaml", fmt.Appendf(nil, `
prune: true
numbers:
  - {number: "%s", name: front desk}
  - {buy: {country: US, area-code: 415}, name: back office}
`, phones[0]))
	if err != nil {
		t.Fatal(err)
	}
	steps, err := plan.Steps(t.Context(), m.numbers, f, m.care)
	if err != nil {
		t.Fatal(err)
	}
	return plan.Sort(steps)
}

// unchangeable is an account whose numbers cannot be configured, but those that were
// just bought.
type unchangeable struct{ fax.Numbers }

func (u unchangeable) Configure(ctx context.Context, id string, c fax.Change) (fax.Number, error) {
	if c.Name != nil && *c.Name == "front desk" {
		return fax.Number{}, fmt.Errorf("change: %w", problem.ErrInvalid)
	}
	return u.Numbers.Configure(ctx, id, c)
}

// unsold is an account that is refused every purchase.
type unsold struct{ fax.Numbers }

func (unsold) Buy(context.Context, fax.Order) (fax.Number, error) {
	return fax.Number{}, fmt.Errorf("purchase: %w", problem.ErrInvalid)
}

func TestPhases(t *testing.T) {
	for _, tt := range []struct {
		name       string
		broken     func(fax.Numbers) fax.Numbers
		done, left int // results; numbers at the end
		kind       error
	}{
		{name: "whole", done: 3, left: 2},
		{"nothing is released when a change failed", func(n fax.Numbers) fax.Numbers { return unchangeable{n} }, 1, 3, batch.ErrPartial},
		{"nor when a purchase did", func(n fax.Numbers) fax.Numbers { return unsold{n} }, 1, 2, batch.ErrPartial},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := one(t, sandbox.Options{})
			all := phases(t, m)
			if err := all.Permitted(false, true); !errors.Is(err, problem.ErrInvalid) || !strings.HasPrefix(err.Error(), "1 number to buy") {
				t.Errorf("buying is permitted: %v", err)
			}
			if err := all.Permitted(true, false); !errors.Is(err, problem.ErrInvalid) || !strings.HasPrefix(err.Error(), "1 number to release") {
				t.Errorf("releasing is permitted: %v", err)
			}
			if err := all.Permitted(true, true); err != nil || all.Empty() {
				t.Errorf("permitted: %v", err)
			}
			numbers := m.numbers
			if tt.broken != nil {
				numbers = tt.broken(numbers)
			}
			var told []string
			done, err := all.Run(t.Context(), t.Context(), numbers, 2, m.care, batch.NewTrouble(
				func(why error) { told = append(told, why.Error()) }, func(err error) { told = append(told, err.Error()) }))
			if len(done) != tt.done || !errors.Is(err, tt.kind) || (err == nil) != (tt.kind == nil) || owns(t, m.numbers) != tt.left {
				t.Errorf("%d done, %v, %d numbers at the end; told %q", len(done), err, owns(t, m.numbers), told)
			}
			if refused := strings.Contains(strings.Join(told, "\n"), "nothing is released, because something else failed"); refused != (tt.kind != nil) {
				t.Errorf("told %q", told)
			}
		})
	}
}
