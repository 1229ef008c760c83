package plan_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// What an update does besides is not confirmed, nor is one that puts the mode back.
func TestUpdateDoesMore(t *testing.T) {
	for quirk, field := range map[string]string{"update=trunk": "trunk_id", "update=application": "application_id", "update=mode": "mode"} {
		m := one(t, quirks(t, quirk))
		res, err := m.numbers.Buy(t.Context(), fax.Order{Phone: "+15005550006"})
		if err != nil {
			t.Fatal(err)
		}
		if quirk == "update=mode" {
			if res, err = m.numbers.Configure(t.Context(), res.ID, fax.Change{Mode: new(fax.ModeFax)}); err != nil {
				t.Fatal(err)
			}
		}
		_, err = plan.Apply(t.Context(), m.numbers, res, fax.Change{URL: new(in)}, m.care)
		var un *plan.UnconfirmedError
		if !errors.As(err, &un) || un.Fields[0].Name != field {
			t.Errorf("%s: %v", quirk, err)
		}
	}
}

// An update that shows late is waited for, and one whose answer was lost is sent
// again only when it did not take.
func TestUpdateLateOrLost(t *testing.T) {
	o := quirks(t, "late-update=20ms")
	m := one(t, o)
	m.care.ConfirmFor = 2 * time.Second
	n, err := m.numbers.Buy(t.Context(), fax.Order{Phone: "+15005550006"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Apply(t.Context(), m.numbers, n, fax.Change{URL: new(in)}, m.care); err != nil {
		t.Errorf("late: %v", err)
	}
	for fault, sent := range map[string]int{"POST /IncomingPhoneNumbers/*=lost#1": 1, "POST /IncomingPhoneNumbers/*=503#1": 2, "POST /IncomingPhoneNumbers/*=html#1": 2} {
		f, err := sandbox.ParseFault(fault)
		if err != nil {
			t.Fatal(err)
		}
		m := one(t, sandbox.Options{Faults: []sandbox.Fault{f}})
		n, err := m.numbers.Buy(t.Context(), fax.Order{Phone: "+15005550006"})
		if err != nil {
			t.Fatal(err)
		}
		counted := &counting{Numbers: m.numbers}
		if now, err := plan.Apply(t.Context(), counted, n, fax.Change{URL: new(in)}, m.care); err != nil || now.URL() != in || counted.updates != sent {
			t.Errorf("%s: %v, %d updates, want %d", fault, err, counted.updates, sent)
		}
	}
}

// counting counts the updates of numbers.
type counting struct {
	fax.Numbers
	updates int
}

func (c *counting) Configure(ctx context.Context, id string, change fax.Change) (fax.Number, error) {
	c.updates++
	return c.Numbers.Configure(ctx, id, change)
}
