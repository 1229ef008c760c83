package plan_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

func california() []fax.Query {
	return []fax.Query{{Country: "US", Type: fax.Local, AreaCode: "415"}}
}

// Without a price list what has no limit goes on, and a limit names the list.
func TestWithoutPrices(t *testing.T) {
	for _, quirk := range []string{"prices=403", "prices=404", "prices=none"} {
		m := one(t, quirks(t, quirk))
		all, err := plan.First(t.Context(), m.numbers, california(), plan.Purchase{}, m.care)
		if err != nil || all[0].Offer.Price != nil {
			t.Fatalf("%s: %+v, %v", quirk, all, err)
		}
		p := all[0]
		p.MaxPrice = usd("2")
		if err := p.Check(t.Context(), m.numbers); err == nil || quirk != "prices=none" && (!strings.Contains(err.Error(), "price list of US") || !strings.Contains(problem.AdviceOf(err).String(), "--max-price")) {
			t.Errorf("%s, with a limit: %v (%s)", quirk, err, problem.AdviceOf(err).String())
		}
	}
}

// Offers without a number are left out and counted; none but such are no answer.
func TestOffersWithoutNumbers(t *testing.T) {
	m := one(t, quirks(t, "offers=number"))
	var gaps []string
	offers, err := fax.Collect(market.SearchAll(t.Context(), m.numbers, california(), market.Options{Limit: 5, Gap: func(err error) { gaps = append(gaps, err.Error()) }}))
	if err != nil || len(offers) != 5 || len(gaps) != 1 || !strings.Contains(gaps[0], "5 offers came without their number") {
		t.Errorf("%d offers, %v, told %q", len(offers), err, gaps)
	}
	for _, o := range offers {
		if o.Phone == "" {
			t.Error("an offer without a number is shown")
		}
	}
	m = one(t, quirks(t, "offers=numbers"))
	if _, err := plan.First(t.Context(), m.numbers, california(), plan.Purchase{}, m.care); !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("none has its number: %v", err)
	}
}

// A number that may not be able to receive faxes is warned of in the plan.
func TestUnsureFax(t *testing.T) {
	m := one(t, quirks(t, "offers=fax", "status=pending"))
	text := "numbers:\n  - {buy: {area-code: 415}, name: desk, fax-url: https://fax.example.com/in}\n"
	step := steps(t, m.numbers, text)[0]
	if !step.UnsureFax() || len(step.Warnings) != 1 || !strings.Contains(step.Warnings[0], "does not say whether "+step.Phone+" can receive faxes") {
		t.Errorf("%v, warnings %q", step.UnsureFax(), step.Warnings)
	}
	allowed := steps(t, m.numbers, strings.Replace(text, "415", "415, allow-unsure-fax: true", 1))[0]
	if allowed.UnsureFax() {
		t.Error("it is allowed, and asked for again")
	}
	if _, err := allowed.Run(t.Context(), m.numbers, m.care); err != nil || !strings.Contains(m.said.String(), "is pending") {
		t.Errorf("%v, said %q", err, m.said)
	}
}

// selling has its own offers, in that order.
type selling struct {
	*account
	offers []fax.Offer
}

func (s selling) Search(context.Context, fax.Query) iter.Seq2[fax.Offer, error] {
	return func(yield func(fax.Offer, error) bool) {
		for _, o := range s.offers {
			if !yield(o, nil) {
				return
			}
		}
	}
}

// Numbers that surely receive faxes come before those that do not say so, where
// faxes are wanted; those that do not fit are left out.
func TestFirst(t *testing.T) {
	offer := func(phone string, can fax.Support, address string) fax.Offer {
		return fax.Offer{Phone: phone, Country: "US", Type: fax.Local, Capabilities: fax.Capabilities{Fax: can}, Address: address}
	}
	m := selling{&account{}, []fax.Offer{
		offer("+14155550101", fax.Unknown, "none"), offer("+14155550102", fax.No, "none"), offer("+14155550103", fax.Yes, "local"),
		offer("+14155550104", fax.Yes, "none"), offer("+14155550105", fax.Unknown, ""), offer("+14155550106", fax.Yes, ""),
	}}
	wanted := plan.Want{FaxURL: new(in)}
	for _, c := range []struct {
		query fax.Query
		p     plan.Purchase
		want  string
	}{
		{fax.Query{}, plan.Purchase{Want: wanted}, "4 6 1 5"},
		{fax.Query{Fax: true}, plan.Purchase{}, "4 6 1 5"},
		{fax.Query{}, plan.Purchase{}, "1 2 4 5 6"},
		{fax.Query{}, plan.Purchase{Want: wanted, Order: fax.Order{AddressID: "AD1"}}, "3 4 6 1 5"},
	} {
		all, err := plan.First(t.Context(), m, []fax.Query{c.query}, c.p, quick())
		var got []string
		for _, p := range all {
			got = append(got, p.Order.Phone[len(p.Order.Phone)-1:])
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %s, %v, want %s", c.p.Want, got, err, c.want)
		}
	}
	f, err := plan.ReadFile("n.yaml", []byte("numbers:\n  - {buy: {}, name: a, mode: fax}\n  - {buy: {}, name: b, mode: fax}\n  - {buy: {address-sid: AD1}, name: c, mode: fax}\n  - {buy: {}, name: d, mode: fax}\n"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := plan.Steps(t.Context(), m, f, plan.Options{})
	var got []string
	for _, s := range all {
		got = append(got, s.Phone[len(s.Phone)-1:])
	}
	if err != nil || strings.Join(got, " ") != "4 6 3 1" {
		t.Errorf("the plan buys %s, %v", got, err)
	}
}

// What an offer did not say and the number bought does is told.
func TestOtherwiseThanOffered(t *testing.T) {
	for _, asOffered := range []bool{true, false} {
		a := &account{buy: func(a *account, _ fax.Order) error {
			n := &a.owned[len(a.owned)-1]
			n.Beta, n.Address = true, "local"
			return nil
		}}
		offer := local(nil)
		if asOffered {
			offer.Beta, offer.Address = true, "local"
		}
		res, err := plan.Buy(t.Context(), a, plan.Purchase{Order: fax.Order{Phone: phone, AddressID: "AD1"}, Offer: offer}, quick())
		if told := strings.Join(res.Warnings, "; "); err != nil || asOffered != (told == "") || !asOffered && (!strings.Contains(told, "needs an address (local)") || !strings.Contains(told, "is beta")) {
			t.Errorf("as offered %v: %q, %v", asOffered, told, err)
		}
	}
}

// Refused as taken, an order may have been made before: it is looked for three
// times before another number is bought, however short looking is.
func TestTakenMayBeOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		order := fax.Order{Phone: phone, Name: "front desk"}
		a := &account{late: 2500 * time.Millisecond, bought: time.Now(), refuse: fax.ErrTaken, owned: []fax.Number{{ID: "new", Phone: phone, Name: "front desk", Mode: fax.ModeVoice}}}
		res, err := plan.Buy(t.Context(), a, plan.Purchase{Order: order, Picked: true}, plan.Options{})
		if err != nil || res.Number.Phone != phone || a.did("buy") != 1 {
			t.Errorf("%+v, %v", res, err)
		}
		a.bought = time.Now().Add(time.Hour)
		if _, err := plan.Buy(t.Context(), a, plan.Purchase{Order: order, Picked: true}, plan.Options{}); !plan.Unfit(err) || !errors.Is(err, fax.ErrTaken) {
			t.Errorf("not ours: %v", err)
		}
		a.list = problem.ErrUnavailable
		a.calls = nil
		if _, err := plan.Buy(t.Context(), a, plan.Purchase{Order: order, Picked: true}, plan.Options{}); err == nil || plan.Unfit(err) {
			t.Errorf("looking failed: %v", err)
		}
	})
}

// A number whose calls another handler takes is changed by setting its URL again,
// and that is confirmed only when the URL is the one that is asked.
func TestCallHandlers(t *testing.T) {
	for quirk, handler := range map[string]string{"routes=ai_agent": "ai_agent", "routes=resource": "resource f0e1d2c3-0000-4000-8000-000000000001"} {
		o := quirks(t, quirk)
		o.Dialect = sandbox.SignalWire
		s, err := sandbox.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		p, err := twilio.Open(twilio.Config{
			Dialect: twilio.SignalWire, AccountID: s.Account().Account, User: s.Account().Account, Space: "example.signalwire.com",
			Secret: func() string { return s.Account().Token }, API: &http.Client{Transport: s.Transport(), Timeout: time.Minute},
		})
		if err != nil {
			t.Fatal(err)
		}
		n, err := p.Numbers.Buy(t.Context(), fax.Order{Phone: "+15005550006"})
		if err == nil {
			n, err = p.Numbers.Get(t.Context(), n.ID)
		}
		if err != nil || n.CallHandler != handler || n.ShadowedBy() != "call handler" {
			t.Fatalf("%s: %q, %v", quirk, n.CallHandler, err)
		}
		d, err := plan.Diff(n, plan.Want{FaxURL: new(in)})
		if err != nil || d.Fields[len(d.Fields)-1].Name != "call_handler" {
			t.Errorf("%s: %+v, %v", quirk, d.Fields, err)
		}
		_, err = plan.Apply(t.Context(), p.Numbers, n, d.Change, quick())
		if err == nil || !strings.Contains(err.Error(), "call handler none (it says "+handler+")") {
			t.Errorf("%s: %v", quirk, err)
		}
	}
}

// URLs with an empty path equal those with a slash.
func TestSameURL(t *testing.T) {
	m := one(t, sandbox.Options{})
	n, err := m.numbers.Buy(t.Context(), fax.Order{Phone: "+15005550006"})
	if err != nil {
		t.Fatal(err)
	}
	slash := rooting{m.numbers}
	if _, err := plan.Apply(t.Context(), slash, n, fax.Change{URL: new("https://fax.example.com")}, m.care); err != nil {
		t.Error(err)
	}
}

// rooting is an account that writes the path of the root.
type rooting struct{ fax.Numbers }

func (r rooting) Get(ctx context.Context, id string) (fax.Number, error) {
	n, err := r.Numbers.Get(ctx, id)
	n.SetURL(n.URL() + "/")
	return n, err
}
