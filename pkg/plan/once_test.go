package plan_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/plan"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// machine is one of those that buy for an account: its notes are its own.
type machine struct {
	numbers fax.Numbers
	care    plan.Options
	said    *strings.Builder
}

// machines that share the account of a provider with quirks and faults.
func machines(t *testing.T, n int, o sandbox.Options) []machine {
	t.Helper()
	s, err := sandbox.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var all []machine
	for range n {
		p, err := twilio.Open(twilio.Config{
			Dialect: twilio.Twilio, AccountID: s.Account().Account, User: s.Account().Account,
			Secret: func() string { return s.Account().Token },
			API:    &http.Client{Transport: s.Transport(), Timeout: 5 * time.Second},
		})
		if err != nil {
			t.Fatal(err)
		}
		m := machine{numbers: p.Numbers, said: &strings.Builder{}}
		m.care = plan.Options{
			Notes: plan.Notes{Path: filepath.Join(t.TempDir(), "state", "purchases"), Account: "AC1"},
			Now:   p.NumbersClock.Now, ConfirmFor: 20 * time.Millisecond, SettleFor: 20 * time.Millisecond,
			Tell: func(text string) { m.said.WriteString(text + "\n") },
		}
		all = append(all, m)
	}
	return all
}

func one(t *testing.T, o sandbox.Options) machine { t.Helper(); return machines(t, 1, o)[0] }

// quirks of a provider.
func quirks(t *testing.T, all ...string) sandbox.Options {
	t.Helper()
	var o sandbox.Options
	for _, text := range all {
		if err := o.Quirks.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// buy does what faxctl numbers buy --first --name does.
func (m machine) buy(t *testing.T, name string) (plan.Result, error) {
	t.Helper()
	offer := forSale(t, m.numbers)
	p := plan.Purchase{Order: fax.Order{Phone: offer.Phone, Name: name}, Want: plan.Want{FaxURL: new(in)}, Offer: &offer, Picked: true}
	if err := p.NameFree(t.Context(), m.numbers, m.care); err != nil {
		return plan.Result{}, err
	}
	return plan.Buy(t.Context(), m.numbers, p, m.care)
}

// A name that comes back otherwise ends its purchase, and no run buys another.
func TestBoughtOnceThoughNamedOtherwise(t *testing.T) {
	for quirk, name := range map[string]string{
		"names=entities": "R&D", "names=blanks": "front  desk", "names=ascii": "Büro 📠", "names=nfc": "Bu\u0308ro",
	} {
		m := one(t, quirks(t, quirk))
		res, err := m.buy(t, name)
		var kept *plan.NameKeptError
		if !errors.As(err, &kept) || !errors.Is(err, fax.ErrConflict) || res.Outcome != plan.OutcomeUnfinished {
			t.Fatalf("%s: %v, %v", quirk, res.Outcome, err)
		}
		if hint := fax.Hint(err); !strings.Contains(hint, `write number: "`+res.Number.Phone+`"`) || strings.Contains(hint, "run it again") {
			t.Errorf("%s: the advice is %q", quirk, hint)
		}
		if res.Number.Mode != fax.ModeFax || res.Number.FaxURL != in {
			t.Errorf("%s: the rest is not set up: %+v", quirk, res.Number)
		}
		for range 2 {
			_, err := m.buy(t, name)
			if !errors.Is(err, fax.ErrConflict) || !strings.Contains(fax.Hint(err), res.Number.Phone) {
				t.Errorf("%s: bought once more: %v (%s)", quirk, err, fax.Hint(err))
			}
		}
		if n := owns(t, m.numbers); n != 1 {
			t.Errorf("%s: the account has %d numbers, want 1", quirk, n)
		}
	}
}

// The same for a file: the plan says which number it is, in its line.
func TestPlanKnowsNamesOtherwise(t *testing.T) {
	m := one(t, quirks(t, "names=entities"))
	res, err := m.buy(t, "R&D")
	if err == nil {
		t.Fatal("the name is as it was")
	}
	f, err := plan.ReadFile("n.yaml", []byte("prune: true\nnumbers:\n  - {buy: {area-code: 415}, name: R&D}\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = plan.Steps(t.Context(), m.numbers, f, nil)
	if !errors.Is(err, fax.ErrConflict) || !strings.Contains(err.Error(), "n.yaml:3") || !strings.Contains(fax.Hint(err), res.Number.Phone) {
		t.Errorf("%v (%s)", err, fax.Hint(err))
	}
}

// A list that is late makes two runs in a row buy once; what is old and nowhere is
// told, and bought anew.
func TestBoughtOnceThoughListedLate(t *testing.T) {
	m := one(t, quirks(t, "late-list=1h", "late-number=1ms"))
	res, err := m.buy(t, "front desk")
	if !errors.Is(err, fax.ErrConflict) || res.Outcome != plan.OutcomeUnfinished || res.Number.FaxURL != in || !strings.Contains(err.Error(), "is bought: conflict: the account's list does not show it yet") {
		t.Fatalf("%+v, %v", res, err)
	}
	if _, err := m.buy(t, "front desk"); !errors.Is(err, fax.ErrConflict) || !strings.Contains(err.Error(), res.Number.Phone) {
		t.Errorf("the second run: %v", err)
	}
	if _, err := m.buy(t, "front  desk"); !errors.Is(err, fax.ErrConflict) {
		t.Errorf("the same name with more blanks: %v", err)
	}
	if err := m.numbers.Release(t.Context(), res.Number.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := m.buy(t, "front desk"); !errors.Is(err, fax.ErrConflict) || !strings.Contains(err.Error(), "does not show it yet") || !strings.Contains(fax.Hint(err), "look after") {
		t.Errorf("while its id is not found: %v (%s)", err, fax.Hint(err))
	}
	m.age(t, 14*time.Minute)
	if _, err := m.buy(t, "front desk"); !errors.Is(err, fax.ErrConflict) {
		t.Errorf("after 14 minutes: %v", err)
	}
	m.age(t, 2*time.Minute)
	if res, err := m.buy(t, "front desk"); res.Number.ID == "" || !strings.Contains(m.said.String(), "is bought anew") {
		t.Errorf("after 16 minutes: %v, said %q", err, m.said)
	}
}

// age makes the notes older.
func (m machine) age(t *testing.T, by time.Duration) {
	t.Helper()
	if err := plan.AgeNotes(m.care.Notes, by); err != nil {
		t.Fatal(err)
	}
}

// A run that was killed after its order was sent left a note without an end.
func TestNoteWithoutAnEnd(t *testing.T) {
	m := one(t, sandbox.Options{})
	killed, stop := context.WithCancel(t.Context())
	offer := forSale(t, m.numbers)
	p := plan.Purchase{Order: fax.Order{Phone: offer.Phone, Name: "front desk"}, Picked: true}
	if _, err := plan.Buy(killed, stopping{m.numbers, stop}, p, m.care); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := m.buy(t, "front desk"); !errors.Is(err, fax.ErrConflict) || !strings.Contains(err.Error(), "nothing was bought") {
		t.Errorf("the next run: %v", err)
	}
	if _, err := m.buy(t, "back office"); err != nil {
		t.Errorf("another name: %v", err)
	}
	m.age(t, 16*time.Minute)
	if _, err := m.buy(t, "front desk"); err != nil {
		t.Errorf("16 minutes later: %v", err)
	}
}

// stopping is an account whose next order does not arrive.
type stopping struct {
	fax.Numbers
	stop func()
}

func (s stopping) Buy(ctx context.Context, _ fax.Order) (fax.Number, error) {
	s.stop()
	return fax.Number{}, ctx.Err()
}

// What cannot be noted is not bought.
func TestNotNotedNotBought(t *testing.T) {
	m := one(t, sandbox.Options{})
	if err := os.WriteFile(filepath.Dir(m.care.Notes.Path), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.buy(t, "front desk"); err == nil || !strings.Contains(err.Error(), "nothing was bought") || owns(t, m.numbers) != 0 {
		t.Errorf("%v, %d numbers", err, owns(t, m.numbers))
	}
}

// What was refused, released or renamed is in nobody's way.
func TestNotesThatAreOver(t *testing.T) {
	m := one(t, sandbox.Options{})
	p := plan.Purchase{Order: fax.Order{Phone: "+15005550000", Name: "front desk"}}
	if _, err := plan.Buy(t.Context(), m.numbers, p, m.care); !errors.Is(err, fax.ErrConflict) {
		t.Fatal(err)
	}
	res, err := m.buy(t, "front desk")
	if err != nil {
		t.Fatal("after a refusal:", err)
	}
	if _, err := m.care.Release(t.Context(), m.numbers, res.Number); err != nil {
		t.Fatal(err)
	}
	if res, err = m.buy(t, "front desk"); err != nil {
		t.Fatal("after a release:", err)
	}
	if _, err := plan.Apply(t.Context(), m.numbers, res.Number, fax.Change{Name: new("lobby")}, m.care); err != nil {
		t.Fatal(err)
	}
	if _, err := m.buy(t, "front desk"); err != nil {
		t.Fatal("after another name:", err)
	}
}

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
	if !errors.Is(err, fax.ErrConflict) || res.Outcome != "" || !strings.Contains(err.Error(), "in the account already (it is in mode fax)") {
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
	if _, err := plan.Buy(t.Context(), unlisted{both[1].numbers}, p, later); !errors.Is(err, fax.ErrConflict) || !strings.Contains(err.Error(), "it was created") {
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
	if !errors.As(err, &more) || more.First.ID != first.Number.ID || fax.Hint(err) != "release it: faxctl numbers release "+res.Number.Phone {
		t.Errorf("%v (%s)", err, fax.Hint(err))
	}
}

// The earlier one meets the later only when it looks once more.
func TestOneTooManyElsewhere(t *testing.T) {
	both := machines(t, 2, sandbox.Options{})
	if _, err := both[0].buy(t, "front desk"); err != nil {
		t.Fatal(err)
	}
	if res, err := both[0].buy(t, "front desk"); !errors.Is(err, fax.ErrConflict) || res.Number.ID != "" {
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
	if res, err := plan.Buy(t.Context(), watched, p, m.care); !errors.Is(err, fax.ErrConflict) || res.Outcome == plan.OutcomeBought || !strings.Contains(err.Error(), in+"/theirs") {
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
