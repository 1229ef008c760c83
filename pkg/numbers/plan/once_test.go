package plan_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// machine is one of those that buy for an account: its notes are its own.
type machine struct {
	numbers fax.Numbers
	care    plan.Options
	said    *strings.Builder
	dir     string // of its notes
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
			API:    &http.Client{Transport: s.Transport(), Timeout: time.Minute},
		})
		if err != nil {
			t.Fatal(err)
		}
		m := machine{numbers: p.Numbers, said: &strings.Builder{}, dir: filepath.Join(t.TempDir(), "state")}
		m.care = plan.Options{
			Notes: plan.NotesIn(m.dir, "AC1"),
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
	deal, err := plan.Prepare(t.Context(), m.numbers, p, m.care)
	if err == nil {
		err = deal.Check(t.Context())
	}
	if err != nil {
		return plan.Result{}, err
	}
	return deal.Run(t.Context())
}

// A name that comes back otherwise ends its purchase, and no run buys another.
func TestBoughtOnceThoughNamedOtherwise(t *testing.T) {
	for quirk, name := range map[string]string{
		"names=entities": "R&D", "names=blanks": "front  desk", "names=ascii": "Büro 📠", "names=nfc": "Bu\u0308ro",
	} {
		m := one(t, quirks(t, quirk))
		res, err := m.buy(t, name)
		var kept *plan.NameKeptError
		if !errors.As(err, &kept) || !errors.Is(err, problem.ErrConflict) || res.Outcome != plan.OutcomeUnfinished {
			t.Fatalf("%s: %v, %v", quirk, res.Outcome, err)
		}
		if hint := problem.AdviceOf(err).String(); !strings.Contains(hint, `write number: "`+res.Number.Phone+`"`) || strings.Contains(hint, "run it again") {
			t.Errorf("%s: the advice is %q", quirk, hint)
		}
		if res.Number.Mode != fax.ModeFax || res.Number.FaxURL != in {
			t.Errorf("%s: the rest is not set up: %+v", quirk, res.Number)
		}
		for range 2 {
			_, err := m.buy(t, name)
			if !errors.Is(err, problem.ErrConflict) || !strings.Contains(problem.AdviceOf(err).String(), res.Number.Phone) {
				t.Errorf("%s: bought once more: %v (%s)", quirk, err, problem.AdviceOf(err).String())
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
	_, err = plan.Steps(t.Context(), m.numbers, f, plan.Options{})
	if !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), "n.yaml:3") || !strings.Contains(problem.AdviceOf(err).String(), res.Number.Phone) {
		t.Errorf("%v (%s)", err, problem.AdviceOf(err).String())
	}
}

// A list that is late makes two runs in a row buy once; what is old and nowhere is
// told, and bought anew.
func TestBoughtOnceThoughListedLate(t *testing.T) {
	m := one(t, quirks(t, "late-list=1h", "late-number=1ms"))
	res, err := m.buy(t, "front desk")
	if !errors.Is(err, problem.ErrConflict) || res.Outcome != plan.OutcomeUnfinished || res.Number.FaxURL != in || !strings.Contains(err.Error(), "is bought: conflict: the account's list does not show it yet") {
		t.Fatalf("%+v, %v", res, err)
	}
	if _, err := m.buy(t, "front desk"); !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), res.Number.Phone) {
		t.Errorf("the second run: %v", err)
	}
	if _, err := m.buy(t, "front  desk"); !errors.Is(err, problem.ErrConflict) {
		t.Errorf("the same name with more blanks: %v", err)
	}
	if err := m.numbers.Release(t.Context(), res.Number.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := m.buy(t, "front desk"); !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), "does not show it yet") || !strings.Contains(problem.AdviceOf(err).String(), "look after") {
		t.Errorf("while its id is not found: %v (%s)", err, problem.AdviceOf(err).String())
	}
	m.age(t, 14*time.Minute)
	if _, err := m.buy(t, "front desk"); !errors.Is(err, problem.ErrConflict) {
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
	if err := plan.AgeNotes(t.Context(), m.care.Notes, by); err != nil {
		t.Fatal(err)
	}
}

// A run that was killed after its order was sent left a note without an end.
func TestNoteWithoutAnEnd(t *testing.T) { eachNotes(t, testNoteWithoutAnEnd) }

func testNoteWithoutAnEnd(t *testing.T, keep func(*testing.T) plan.Notes) {
	m := one(t, sandbox.Options{})
	m.care.Notes = keep(t)
	killed, stop := context.WithCancel(t.Context())
	offer := forSale(t, m.numbers)
	p := plan.Purchase{Order: fax.Order{Phone: offer.Phone, Name: "front desk"}, Picked: true}
	if _, err := plan.Buy(killed, stopping{m.numbers, stop}, p, m.care); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := m.buy(t, "front desk"); !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), "nothing was bought") {
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

// A clock of this machine that is set does not make a purchase older: the
// provider's tells its age, where it was asked.
func TestNotesByTheProvidersClock(t *testing.T) { eachNotes(t, testNotesByTheProvidersClock) }

func testNotesByTheProvidersClock(t *testing.T, keep func(*testing.T) plan.Notes) {
	m := one(t, quirks(t, "late-list=1h", "late-number=1h"))
	m.care.Notes = keep(t)
	if _, err := m.buy(t, "front desk"); err == nil {
		t.Fatal("it shows")
	}
	if err := plan.SetClock(t.Context(), m.care.Notes, 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := m.buy(t, "front desk"); !errors.Is(err, problem.ErrConflict) || !strings.Contains(problem.AdviceOf(err).String(), "look after "+time.Now().Add(15*time.Minute).Format("15:")) && !strings.Contains(problem.AdviceOf(err).String(), "look after "+time.Now().Add(14*time.Minute).Format("15:")) {
		t.Errorf("with the clock set: %v (%s)", err, problem.AdviceOf(err).String())
	}
	deaf := m.care
	deaf.Now = func(context.Context) (time.Time, error) { return time.Time{}, problem.ErrUnavailable }
	p := plan.Purchase{Order: fax.Order{Phone: "+15005550006", Name: "front desk"}, Picked: true}
	if err := p.NameFree(t.Context(), m.numbers, deaf); !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), "nothing was bought") {
		t.Errorf("without an answer of the provider: %v", err)
	}
	mute := m.care
	mute.Now = func(context.Context) (time.Time, error) { return time.Time{}, nil }
	if err := p.NameFree(t.Context(), m.numbers, mute); err != nil || !strings.Contains(m.said.String(), "is bought anew") {
		t.Errorf("of a provider that does not say, the clock of this machine counts: %v", err)
	}
}

// The same for an order without a name.
func TestUnnamedByTheProvidersClock(t *testing.T) { eachNotes(t, testUnnamedByTheProvidersClock) }

func testUnnamedByTheProvidersClock(t *testing.T, keep func(*testing.T) plan.Notes) {
	m := one(t, sandbox.Options{})
	m.care.Notes = keep(t)
	killed, stop := context.WithCancel(t.Context())
	p := plan.Purchase{Order: fax.Order{AreaCode: "415"}}
	if _, err := plan.Buy(killed, stopping{m.numbers, stop}, p, m.care); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := plan.SetClock(t.Context(), m.care.Notes, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := p.NameFree(t.Context(), m.numbers, m.care); !errors.Is(err, problem.ErrConflict) {
		t.Errorf("with the clock set: %v", err)
	}
	m.age(t, 16*time.Minute)
	if err := p.NameFree(t.Context(), m.numbers, m.care); err != nil {
		t.Errorf("16 minutes later: %v", err)
	}
}

// A number that was bought without a name is in the way of another for as long as nobody
// may have been told of it: the same command again may be that of a run that was killed.
func TestUnnamedAndUntold(t *testing.T) { eachNotes(t, testUnnamedAndUntold) }

func testUnnamedAndUntold(t *testing.T, keep func(*testing.T) plan.Notes) {
	m := one(t, sandbox.Options{})
	m.care.Notes = keep(t)
	p := plan.Purchase{Order: fax.Order{AreaCode: "415"}}
	buy := func() (plan.Deal, plan.Result) {
		t.Helper()
		deal, err := plan.Prepare(t.Context(), m.numbers, p, m.care)
		if err != nil {
			t.Fatal(err)
		}
		res, err := deal.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return deal, res
	}
	free := func(when string) {
		t.Helper()
		if err := p.NameFree(t.Context(), m.numbers, m.care); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	deal, res := buy()
	if err := p.NameFree(t.Context(), m.numbers, m.care); !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), res.Number.Phone+" was bought without a name") {
		t.Errorf("bought, and nobody was told: %v", err)
	}
	interrupted, stop := context.WithCancel(t.Context())
	stop()
	if err := deal.Told(interrupted, res); err != nil {
		t.Fatal(err)
	}
	free("told")
	buy()
	m.age(t, 16*time.Minute)
	free("16 minutes later")
	_, res = buy()
	if _, err := m.care.Release(t.Context(), m.numbers, res.Number); err != nil {
		t.Fatal(err)
	}
	free("released")
}

// A plan shows what would be refused, and notes nothing.
func TestPlanKnowsWhatWasBought(t *testing.T) {
	m := one(t, quirks(t, "late-list=1h", "late-number=1ms"))
	res, err := m.buy(t, "front desk")
	if err == nil {
		t.Fatal("the list shows it")
	}
	f, err := plan.ReadFile("n.yaml", []byte("numbers:\n  - {buy: {area-code: 415}, name: front desk}\n  - {buy: {area-code: 415}, name: lobby}\n"))
	if err != nil {
		t.Fatal(err)
	}
	age := regexp.MustCompile(`\d+s ago`) // between the two a second may pass
	for range 2 {
		steps, err := plan.Steps(t.Context(), m.numbers, f, m.care)
		if err != nil || len(steps) != 2 || steps[1].Refused != nil {
			t.Fatalf("%+v, %v", steps, err)
		}
		_, err = steps[0].Run(t.Context(), m.numbers, m.care)
		if said := steps[0].Refused; steps[0].Action != plan.ActionBuy || !errors.Is(said, problem.ErrConflict) || err == nil || age.ReplaceAllString(err.Error(), "") != age.ReplaceAllString(said.Error(), "") {
			t.Errorf("the plan says %v, and the apply %v", said, err)
		}
	}
	if err := m.numbers.Release(t.Context(), res.Number.ID); err != nil {
		t.Fatal(err)
	}
	m.age(t, 16*time.Minute)
	before, err := os.ReadFile(filepath.Join(m.dir, "purchases-AC1.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if steps, err := plan.Steps(t.Context(), m.numbers, f, m.care); err != nil || steps[0].Refused != nil {
		t.Errorf("16 minutes later: %+v, %v", steps, err)
	}
	if after, err := os.ReadFile(filepath.Join(m.dir, "purchases-AC1.jsonl")); err != nil || string(after) != string(before) {
		t.Errorf("the plan noted something: %v\n%s", err, after)
	}
}

// What cannot be noted is not bought.
func TestNotNotedNotBought(t *testing.T) {
	m := one(t, sandbox.Options{})
	if err := os.WriteFile(m.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.buy(t, "front desk"); err == nil || !strings.Contains(err.Error(), "nothing was bought") || owns(t, m.numbers) != 0 {
		t.Errorf("%v, %d numbers", err, owns(t, m.numbers))
	}
}

// What was refused, released or renamed is in nobody's way.
func TestNotesThatAreOver(t *testing.T) { eachNotes(t, testNotesThatAreOver) }

func testNotesThatAreOver(t *testing.T, keep func(*testing.T) plan.Notes) {
	m := one(t, sandbox.Options{})
	m.care.Notes = keep(t)
	p := plan.Purchase{Order: fax.Order{Phone: "+15005550000", Name: "front desk"}}
	if _, err := plan.Buy(t.Context(), m.numbers, p, m.care); !errors.Is(err, problem.ErrConflict) {
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
