package plan_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// atSandbox is the account of a pretend provider that has the given faults.
func atSandbox(t *testing.T, dialect sandbox.Dialect, faults ...string) fax.Numbers {
	t.Helper()
	o := sandbox.Options{Dialect: dialect}
	for _, text := range faults {
		f, err := sandbox.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Faults = append(o.Faults, f)
	}
	s, err := sandbox.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p, err := twilio.Open(twilio.Config{
		Dialect: twilio.Dialect(dialect), AccountID: s.Account().Account, User: s.Account().Account,
		Secret: func() string { return s.Account().Token }, Space: "example.signalwire.com",
		API: &http.Client{Transport: s.Transport(), Timeout: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.Numbers
}

// careful looks as long as usual, where time is played.
func careful() plan.Options { return plan.Options{ConfirmFor: plan.Confirm} }

// quick looks as often, and hardly waits: a sandbox answers at once.
func quick() plan.Options {
	return plan.Options{ConfirmFor: 20 * time.Millisecond, SettleFor: 20 * time.Millisecond}
}

func forSale(t *testing.T, numbers fax.Numbers) fax.Offer {
	t.Helper()
	for o, err := range market.SearchAll(t.Context(), numbers, []fax.Query{{Country: "US", Type: fax.Local, AreaCode: "415", Fax: true}}, market.Options{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	t.Fatal("nothing is for sale")
	return fax.Offer{}
}

func owns(t *testing.T, numbers fax.Numbers) int {
	t.Helper()
	all, err := fax.Collect(numbers.List(context.WithoutCancel(t.Context()), fax.NumberFilter{}))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// The whole story over HTTP in both dialects: whatever breaks on the way, the
// account ends up with one number, and the second run makes it a fax number.
func TestBuyAtTheSandbox(t *testing.T) {
	for _, dialect := range sandbox.Dialects() {
		for fault, second := range map[string]bool{
			"":                                       false,
			"POST /IncomingPhoneNumbers$=lost#1":     false, // bought, the answer is lost
			"POST /IncomingPhoneNumbers$=truncate#1": false, // bought, half the answer arrives
			"POST /IncomingPhoneNumbers/*=503#1":     false, // bought, the set-up is repeated
			"POST /IncomingPhoneNumbers/*=lost#1":    false, // bought and set up, the answer is lost
			"POST /IncomingPhoneNumbers/*=422#1":     true,  // bought, not configured
			"POST /IncomingPhoneNumbers/*=ignore#1":  true,  // bought, the mode does not stick
		} {
			t.Run(string(dialect)+" "+fault, func(t *testing.T) {
				var faults []string
				if fault != "" {
					faults = append(faults, fault)
				}
				numbers := atSandbox(t, dialect, faults...)
				offer := forSale(t, numbers)
				p := plan.Purchase{Order: fax.Order{Phone: offer.Phone}, Offer: &offer, Want: plan.Want{FaxURL: new(in), FallbackURL: new(in + "/2"), Name: new("front desk")}}
				res, err := plan.Buy(t.Context(), numbers, p, quick())
				if (err != nil) != second {
					t.Fatalf("the first run: %+v, %v", res, err)
				}
				if second {
					t.Logf("the first run says: %v (hint: %s)", err, problem.AdviceOf(err).String())
					if res, err = plan.Buy(t.Context(), numbers, p, quick()); err != nil {
						t.Fatalf("the second run: %v", err)
					}
				}
				n := res.Number
				if n.Mode != fax.ModeFax || n.FaxURL != in || n.Name != "front desk" || n.Phone != offer.Phone {
					t.Errorf("the number is %+v", n)
				}
				if n := owns(t, numbers); n != 1 {
					t.Errorf("the account has %d numbers, want 1", n)
				}
				d, err := plan.Diff(n, p.Want)
				if err != nil || !d.Change.Empty() {
					t.Errorf("still to do: %+v, %v", d.Fields, err)
				}
			})
		}
	}
}

func TestBuyByAreaCodeAtTheSandbox(t *testing.T) {
	for _, fault := range []string{"POST /IncomingPhoneNumbers$=lost", "POST /IncomingPhoneNumbers$=truncate"} {
		numbers := atSandbox(t, sandbox.Twilio, fault)
		res, err := plan.Buy(t.Context(), numbers, plan.Purchase{Order: fax.Order{AreaCode: "415", Name: "desk"}, Want: plan.Want{FaxURL: new(in)}, MaxPrice: usd("5")}, quick())
		if err != nil || res.Outcome != plan.OutcomeBought || !strings.HasPrefix(res.Number.Phone, "+1415") || owns(t, numbers) != 1 {
			t.Errorf("%s: %+v, %v", fault, res, err)
		}
	}
}
