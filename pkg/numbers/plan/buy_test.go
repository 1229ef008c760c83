package plan_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

func usd(amount string) *fax.Money { return &fax.Money{Amount: amount, Currency: "USD"} }

func local(price *fax.Money) *fax.Offer {
	return &fax.Offer{Phone: phone, Country: "US", Type: fax.Local, Capabilities: fax.Capabilities{Fax: fax.Yes}, Price: price}
}

func failing(kind error) func(*account, fax.Order) error {
	return func(*account, fax.Order) error { return fmt.Errorf("no answer: %w", kind) }
}

// renamed is an order that somebody else's purchase forestalls.
func renamed(name string, kind error) func(*account, fax.Order) error {
	return func(a *account, o fax.Order) error {
		a.owned[len(a.owned)-1].Name = name
		return failing(kind)(a, o)
	}
}

// Every way a purchase can go. Whatever happens, an order is sent once at most.
func TestBuy(t *testing.T) {
	byPhone, byArea := fax.Order{Phone: phone}, fax.Order{AreaCode: "415", Country: "US"}
	named := fax.Order{Phone: phone, Name: "front desk"}
	namedArea := fax.Order{AreaCode: "415", Country: "US", Name: "front desk"}
	gateway := func(*account, fax.Order) error { return &fax.APIError{Kind: problem.ErrNotFound, Status: 404} }
	faxWanted := plan.Want{FaxURL: new(in)}
	other := fax.Number{ID: "old", Phone: "+14155550100", Mode: fax.ModeVoice}
	second := func(a *account, _ fax.Order) error {
		a.owned = append(a.owned, fax.Number{ID: "another", Phone: "+14155550188"})
		return fmt.Errorf("no answer: %w", problem.ErrUnavailable)
	}
	for name, c := range map[string]struct {
		account    account
		purchase   plan.Purchase
		orders     int
		bought     bool // the order was carried out
		outcome    plan.Outcome
		kind       error
		says, hint string // parts
	}{
		"all is well": {
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted, Offer: local(usd("1.15")), MaxPrice: usd("1.15")},
			orders:   1, bought: true, outcome: plan.OutcomeBought,
		},
		"nothing to configure": {
			purchase: plan.Purchase{Order: byPhone}, orders: 1, bought: true, outcome: plan.OutcomeBought,
		},
		"a second run continues": {
			account:  account{owned: []fax.Number{voice()}},
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted}, outcome: plan.OutcomeChanged,
		},
		"a second run asks no price": {
			account:  account{owned: []fax.Number{voice()}},
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted, Offer: local(usd("9")), MaxPrice: usd("1")}, outcome: plan.OutcomeChanged,
		},
		"too expensive": {
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted, Offer: local(usd("2.15")), MaxPrice: usd("2")},
			kind:     problem.ErrConflict, says: "2.15 USD a month", hint: "--max-price",
		},
		"price from the list": {
			account:  account{prices: map[fax.NumberType]fax.Money{fax.Local: *usd("1.15"), fax.TollFree: *usd("2.15")}},
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted, Offer: local(nil), MaxPrice: usd("2")},
			orders:   1, bought: true, outcome: plan.OutcomeBought,
		},
		"price of an area code": {
			account:  account{prices: map[fax.NumberType]fax.Money{fax.Local: *usd("1.15")}},
			purchase: plan.Purchase{Order: byArea, MaxPrice: usd("1")},
			kind:     problem.ErrConflict, says: "1.15 USD a month",
		},
		"price not known": {
			purchase: plan.Purchase{Order: byPhone, MaxPrice: usd("2")}, kind: problem.ErrConflict, says: "price is not known", hint: "--price",
		},
		"no price list": {
			purchase: plan.Purchase{Order: byPhone, Offer: local(nil), MaxPrice: usd("2")}, kind: problem.ErrUnsupported, hint: "leave --max-price out",
		},
		"another currency": {
			purchase: plan.Purchase{Order: byPhone, Offer: local(usd("1")), MaxPrice: &fax.Money{Amount: "2", Currency: "EUR"}}, kind: problem.ErrInvalid, says: "currencies differ",
		},
		"a bad want costs nothing": {
			purchase: plan.Purchase{Order: byPhone, Want: plan.Want{FaxURL: new("http://x.example")}}, kind: problem.ErrInvalid, says: "not https",
		},
		"an offer that cannot fax costs nothing": {
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted, Offer: &fax.Offer{Phone: phone, Capabilities: fax.Capabilities{Fax: fax.No}}}, kind: problem.ErrInvalid, says: "cannot receive",
		},
		"neither number nor area code": {purchase: plan.Purchase{Want: faxWanted}, kind: problem.ErrInvalid, says: "exactly one"},
		"both":                         {purchase: plan.Purchase{Order: fax.Order{Phone: phone, AreaCode: "415"}}, kind: problem.ErrInvalid, says: "exactly one"},
		"not a number":                 {purchase: plan.Purchase{Order: fax.Order{Phone: "4155550123"}}, kind: problem.ErrInvalid},
		"not an area code":             {purchase: plan.Purchase{Order: fax.Order{AreaCode: "4*5"}}, kind: problem.ErrInvalid},
		"refused": {
			account:  account{refuse: fmt.Errorf("not a number: %w", problem.ErrInvalid)},
			purchase: plan.Purchase{Order: byPhone}, orders: 1, kind: problem.ErrInvalid,
		},
		"taken by somebody else": {
			account:  account{refuse: fmt.Errorf("taken: %w", problem.ErrConflict)},
			purchase: plan.Purchase{Order: byPhone}, orders: 1, kind: problem.ErrConflict, says: "taken",
		},
		"taken by a run beside this one": {
			account:  account{buy: failing(problem.ErrConflict)},
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted}, orders: 1, outcome: plan.OutcomeChanged,
		},
		"picked, and bought by somebody else under another name": {
			account:  account{buy: renamed("theirs", problem.ErrConflict)},
			purchase: plan.Purchase{Order: named, Picked: true}, orders: 1, kind: problem.ErrConflict, says: `under the name "theirs"`, hint: "numbers get " + phone,
		},
		"picked, and bought by a run beside this one": {
			account:  account{buy: failing(problem.ErrConflict)},
			purchase: plan.Purchase{Order: named, Picked: true}, orders: 1, outcome: plan.OutcomeUnchanged,
		},
		"picked without a name, and taken": {
			account:  account{buy: failing(problem.ErrConflict)},
			purchase: plan.Purchase{Order: byPhone, Picked: true}, orders: 1, kind: problem.ErrConflict, says: "somebody else",
		},
		"picked, and in the account before the order": {
			account:  account{owned: []fax.Number{voice()}},
			purchase: plan.Purchase{Order: named, Picked: true}, kind: problem.ErrConflict, says: `under the name "desk"`,
		},
		"picked, and in the account under its name": {
			account:  account{owned: []fax.Number{voice(func(n *fax.Number) { n.Name = named.Name })}},
			purchase: plan.Purchase{Order: named, Picked: true}, outcome: plan.OutcomeUnchanged,
		},
		"picked, no answer, bought": {
			account:  account{buy: failing(problem.ErrUnavailable)},
			purchase: plan.Purchase{Order: named, Picked: true}, orders: 1, bought: true, outcome: plan.OutcomeBought,
		},
		"picked, no answer, another's": {
			account:  account{buy: renamed("theirs", problem.ErrUnavailable)},
			purchase: plan.Purchase{Order: named, Picked: true}, orders: 1, kind: problem.ErrConflict, says: `under the name "theirs"`,
		},
		"picked, no answer, not bought": {
			account:  account{refuse: fmt.Errorf("no answer: %w", problem.ErrUnavailable)},
			purchase: plan.Purchase{Order: named, Picked: true}, orders: 1, kind: problem.ErrUnavailable, hint: "look: faxctl numbers get " + phone,
		},
		"no answer, bought": {
			account:  account{buy: failing(problem.ErrUnavailable)},
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted}, orders: 1, bought: true, outcome: plan.OutcomeBought,
		},
		"no answer, bought, shows late": {
			account:  account{buy: failing(context.DeadlineExceeded), late: 3 * time.Second},
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted}, orders: 1, bought: true, outcome: plan.OutcomeBought,
		},
		"no answer, not bought": {
			account:  account{refuse: fmt.Errorf("no answer: %w", problem.ErrUnavailable)},
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted}, orders: 1, kind: problem.ErrUnavailable, says: "does not show a new number", hint: "run the same command again",
		},
		"no answer, and none to the look": {
			account:  account{buy: failing(problem.ErrUnavailable), list: fmt.Errorf("down: %w", problem.ErrUnavailable)},
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted}, orders: 1, kind: problem.ErrUnavailable, says: "not known whether it was bought", hint: "run the same command again",
		},
		"area code": {
			account:  account{owned: []fax.Number{other}},
			purchase: plan.Purchase{Order: byArea, Want: faxWanted}, orders: 1, bought: true, outcome: plan.OutcomeBought,
		},
		"area code, refused though one is new": {
			account:  account{buy: failing(problem.ErrConflict)},
			purchase: plan.Purchase{Order: namedArea, Want: faxWanted}, orders: 1, kind: problem.ErrConflict, says: "no answer",
		},
		"area code, none left": {
			account:  account{refuse: fmt.Errorf("none left: %w", problem.ErrNotFound)},
			purchase: plan.Purchase{Order: byArea}, orders: 1, kind: problem.ErrNotFound, says: "none left",
		},
		"area code, no answer, bought": {
			account:  account{owned: []fax.Number{other}, buy: failing(problem.ErrUnavailable)},
			purchase: plan.Purchase{Order: namedArea, Want: faxWanted}, orders: 1, bought: true, outcome: plan.OutcomeBought,
		},
		"area code, no answer, no name": {
			account:  account{owned: []fax.Number{other}, buy: failing(problem.ErrUnavailable)},
			purchase: plan.Purchase{Order: byArea, Want: faxWanted}, orders: 1, kind: problem.ErrConflict, says: "new in the account (+14155550177)", hint: "numbers list --contains 415",
		},
		"area code, a gateway's 404, bought": {
			account:  account{buy: gateway},
			purchase: plan.Purchase{Order: namedArea, Want: faxWanted}, orders: 1, bought: true, outcome: plan.OutcomeBought,
		},
		"a gateway's 404, not bought": {
			account:  account{refuse: gateway(nil, fax.Order{})},
			purchase: plan.Purchase{Order: byPhone}, orders: 1, kind: problem.ErrUnavailable, says: "something between here",
		},
		"area code, no answer, a number elsewhere is new too": {
			account: account{buy: func(a *account, _ fax.Order) error {
				a.owned = append(a.owned, fax.Number{ID: "elsewhere", Phone: "+16504155550"})
				return fmt.Errorf("no answer: %w", problem.ErrUnavailable)
			}},
			purchase: plan.Purchase{Order: namedArea, Want: faxWanted}, orders: 1, bought: true, outcome: plan.OutcomeBought,
		},
		"area code, no answer, not bought": {
			account:  account{owned: []fax.Number{other}, refuse: fmt.Errorf("no answer: %w", problem.ErrUnavailable)},
			purchase: plan.Purchase{Order: byArea, Want: faxWanted}, orders: 1, kind: problem.ErrConflict, says: "does not show a new one", hint: "numbers list --contains 415",
		},
		"area code, no answer, two are new": {
			account:  account{owned: []fax.Number{other}, buy: second},
			purchase: plan.Purchase{Order: byArea, Want: faxWanted}, orders: 1, kind: problem.ErrConflict, says: "+14155550177, +14155550188", hint: "numbers list --contains 415",
		},
		"bought, configuring fails": {
			account:  account{configure: fmt.Errorf("down: %w", problem.ErrUnavailable)},
			purchase: plan.Purchase{Order: fax.Order{Phone: phone, Name: "it's ours"}, Want: faxWanted}, orders: 1, bought: true,
			outcome: plan.OutcomeUnfinished, kind: problem.ErrUnavailable, says: phone + " is bought, but not configured", hint: `faxctl numbers configure ` + phone + ` --fax-url ` + in + ` --name 'it'\''s ours'`,
		},
		"bought, the mode does not stick": {
			account:  account{stubborn: true},
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted}, orders: 1, bought: true,
			outcome: plan.OutcomeUnfinished, kind: problem.ErrConflict, says: "does not confirm receive mode fax", hint: "continue with: faxctl numbers configure " + phone,
		},
		"owned, configuring fails": {
			account:  account{owned: []fax.Number{voice()}, configure: fmt.Errorf("down: %w", problem.ErrUnavailable)},
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted}, outcome: plan.OutcomeUnfinished, kind: problem.ErrUnavailable, says: "is in the account, but not configured", hint: "continue with",
		},
		"owned, and cannot fax": {
			account:  account{owned: []fax.Number{voice(func(n *fax.Number) { n.Capabilities.Fax = fax.No })}},
			purchase: plan.Purchase{Order: byPhone, Want: faxWanted}, outcome: plan.OutcomeUnfinished, kind: problem.ErrInvalid, hint: "--force",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &c.account
				begin := time.Now()
				res, err := plan.Buy(t.Context(), a, c.purchase, careful())
				if !errors.Is(err, c.kind) || (err == nil) != (c.kind == nil) {
					t.Fatalf("error %v, want kind %v", err, c.kind)
				}
				if err != nil && (!strings.Contains(err.Error(), c.says) || !strings.Contains(problem.AdviceOf(err).String(), c.hint)) {
					t.Errorf("error %q with hint %q, want %q and %q", err, problem.AdviceOf(err).String(), c.says, c.hint)
				}
				if got := a.did("buy"); got != c.orders {
					t.Errorf("%d orders sent, want %d", got, c.orders)
				}
				if res.Outcome != c.outcome {
					t.Errorf("the outcome is %q, want %q", res.Outcome, c.outcome)
				}
				bought := c.outcome == plan.OutcomeBought
				if unfinished := (*plan.UnfinishedError)(nil); errors.As(err, &unfinished) {
					bought = unfinished.Bought
				}
				if bought != c.bought {
					t.Errorf("bought %v, want %v", bought, c.bought)
				}
				if took := time.Since(begin); took > 20*time.Second {
					t.Errorf("took %s", took)
				}
				if err == nil && c.purchase.Want.FaxURL != nil && (res.Number.Mode != fax.ModeFax || res.Number.FaxURL != in) {
					t.Errorf("the number is %+v, want a fax number", res.Number)
				}
				// The same command again finishes and buys nothing more.
				if a.configure, a.stubborn, a.list = nil, false, nil; c.bought && c.purchase.Order.Phone != "" {
					if again, err := plan.Buy(t.Context(), a, c.purchase, careful()); err != nil || again.Outcome == plan.OutcomeBought || a.did("buy") != c.orders {
						t.Errorf("the second run: %+v, %v, %d orders", again, err, a.did("buy"))
					}
				}
			})
		})
	}
}

// An interrupt in the middle of the purchase: the account is looked at all the
// same, and the error says that the number is bought.
func TestBuyInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		a := &account{buy: func(*account, fax.Order) error { cancel(); return ctx.Err() }}
		res, err := plan.Buy(ctx, a, plan.Purchase{Order: fax.Order{Phone: phone}, Want: plan.Want{FaxURL: new(in)}}, careful())
		var unfinished *plan.UnfinishedError
		if !errors.As(err, &unfinished) || !errors.Is(err, context.Canceled) || !unfinished.Bought || unfinished.Number.Phone != phone {
			t.Fatalf("error %v, want an UnfinishedError that unwraps to context.Canceled", err)
		}
		if res.Outcome != plan.OutcomeUnfinished {
			t.Errorf("the outcome is %q, want unfinished", res.Outcome)
		}
		if want := "continue with: faxctl numbers configure " + phone + " --fax-url " + in; problem.AdviceOf(err).String() != want {
			t.Errorf("hint %q, want %q", problem.AdviceOf(err).String(), want)
		}
	})
}

// However short the looking is, others who buy at the same time have 3 s to show.
func TestLooksOnceMoreForOthers(t *testing.T) {
	for _, patience := range []time.Duration{0, time.Second, plan.Confirm} {
		synctest.Test(t, func(t *testing.T) {
			a := latecomer{&account{}, time.Now().Add(2 * time.Second)}
			p := plan.Purchase{Order: fax.Order{Phone: phone, Name: "front desk"}, Picked: true}
			_, err := plan.Buy(t.Context(), a, p, plan.Options{ConfirmFor: patience})
			var more *plan.OneTooManyError
			if !errors.As(err, &more) || more.First.ID != "first" {
				t.Errorf("looking for %s: %v", patience, err)
			}
		})
	}
}

// latecomer is an account whose list shows what somebody else bought only then.
type latecomer struct {
	*account
	from time.Time
}

func (l latecomer) List(ctx context.Context, f fax.NumberFilter) iter.Seq2[fax.Number, error] {
	return func(yield func(fax.Number, error) bool) {
		if f.Name != "" && !time.Now().Before(l.from) && !yield(fax.Number{ID: "first", Phone: "+14155550100", Name: f.Name, Created: time.Time{}.Add(-time.Hour)}, nil) {
			return
		}
		l.account.List(ctx, f)(yield)
	}
}

func TestPurchaseCheck(t *testing.T) {
	a := &account{prices: map[fax.NumberType]fax.Money{fax.Local: *usd("1.15")}}
	order := fax.Order{Phone: phone}
	for kind, p := range map[error]plan.Purchase{
		nil:                 {Order: order, Want: plan.Want{FaxURL: new(in)}, Offer: local(nil), MaxPrice: usd("1.15")},
		problem.ErrConflict: {Order: order, Offer: local(nil), MaxPrice: usd("1")},
		problem.ErrInvalid:  {Order: order, Want: plan.Want{FaxURL: new("in")}},
	} {
		if err := p.Check(t.Context(), a); !errors.Is(err, kind) {
			t.Errorf("%v, want %v", err, kind)
		}
	}
	if d := cmp.Diff([]string{"prices", "prices"}, a.calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

func TestApply(t *testing.T) {
	a := &account{owned: []fax.Number{voice()}}
	if n, err := plan.Apply(t.Context(), a, a.owned[0], fax.Change{}, plan.Options{}); err != nil || n.ID != "PN1" || len(a.calls) != 0 {
		t.Errorf("an empty change: %v, calls %v", err, a.calls)
	}
	n, err := plan.Apply(t.Context(), a, a.owned[0], fax.Change{Mode: new(fax.ModeFax), URL: new(in)}, plan.Options{})
	if err != nil || n.Mode != fax.ModeFax || n.FaxURL != in {
		t.Errorf("%+v, %v, want a fax number", n, err)
	}
	if d := cmp.Diff([]string{"configure PN1", "get PN1"}, a.calls); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	_, err = plan.Apply(t.Context(), a, fax.Number{ID: "gone", Phone: phone}, fax.Change{Name: new("x")}, plan.Options{})
	if !errors.Is(err, problem.ErrNotFound) || !strings.Contains(err.Error(), "configure "+phone) {
		t.Errorf("a number that is gone: %v", err)
	}
}

func TestApplyUnconfirmed(t *testing.T) {
	a := &account{owned: []fax.Number{voice()}, stubborn: true}
	n, err := plan.Apply(t.Context(), a, a.owned[0], fax.Change{Mode: new(fax.ModeFax), URL: new(in)}, plan.Options{})
	var un *plan.UnconfirmedError
	if !errors.As(err, &un) || !errors.Is(err, problem.ErrConflict) || problem.AdviceOf(err).String() == "" {
		t.Fatalf("error %v, want an UnconfirmedError with a hint", err)
	}
	if d := cmp.Diff([]plan.Field{{Name: "mode", From: "fax", To: "voice"}}, un.Fields); d != "" {
		t.Errorf("unconfirmed (-want +got):\n%s", d)
	}
	if want := "the provider does not confirm receive mode fax (it says voice) for " + phone; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if n.Mode != fax.ModeVoice || n.VoiceURL != in {
		t.Errorf("the number is not as the provider has it: %+v", n)
	}
}

func TestApplyUnconfirmedURL(t *testing.T) {
	for _, mode := range []fax.Mode{fax.ModeFax, fax.ModeVoice} {
		a := &account{owned: []fax.Number{voice(func(n *fax.Number) { n.Mode = mode })}, forgetful: true}
		_, err := plan.Apply(t.Context(), a, a.owned[0], fax.Change{URL: new(in)}, plan.Options{})
		if want := "the provider does not confirm " + string(mode) + " url " + in + " (it says none) for " + phone; err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestRelease(t *testing.T) {
	a := &account{owned: []fax.Number{voice()}}
	for i, want := range []bool{true, false} {
		if released, err := plan.Release(t.Context(), a, voice()); err != nil || released != want {
			t.Errorf("run %d: released %v, %v, want %v", i+1, released, err, want)
		}
	}
	if _, err := plan.Release(t.Context(), a, fax.Number{ID: "young", Phone: phone}); !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), phone) {
		t.Errorf("refused: %v, want ErrConflict", err)
	}
}

// That a number is released, which the provider says, is confirmed by the number: it is
// not found any more.
func TestReleaseIsConfirmed(t *testing.T) {
	for says, faults := range map[string][]string{
		"and still has it": {"DELETE /IncomingPhoneNumbers/*=ignore"},
		"is not known":     {"GET /IncomingPhoneNumbers/*=404:html"},
	} {
		numbers := atSandbox(t, sandbox.Twilio, faults...)
		n, err := numbers.Buy(t.Context(), fax.Order{Phone: "+15005550006"})
		if err != nil {
			t.Fatal(err)
		}
		released, err := plan.Release(t.Context(), numbers, n)
		if released || !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: released %v, %v", says, released, err)
		}
	}
}
