package twilio_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

func TestSearchDecode(t *testing.T) {
	d := newDouble(t)
	d.answer("GET /2010-04-01/Accounts/"+accountID+"/AvailablePhoneNumbers/US/Local.json", http.StatusOK, wire(t, "twilio/search.json"))
	d.answer("GET /api/laml/2010-04-01/Accounts/"+projectID+"/AvailablePhoneNumbers/US/Local.json", http.StatusOK, wire(t, "signalwire/search.json"))
	d.answer("GET "+relayNumbers+"/search", http.StatusOK, wire(t, "signalwire/relay_search.json"))
	tw, sw := d.open(t, twilio.Config{}).Numbers, d.open(t, twilio.Config{Dialect: twilio.SignalWire}).Numbers
	all := fax.Capabilities{Voice: fax.Yes, SMS: fax.Yes, MMS: fax.Yes, Fax: fax.Yes}
	beverly := fax.Offer{Phone: "+13105550145", Country: "US", Type: fax.Local, Region: "CA", RateCenter: "BEVERLYHLS", Capabilities: all}
	second := beverly
	second.Phone, second.Capabilities.MMS = "+13105550146", fax.No
	plain := beverly
	plain.Locality, plain.Capabilities.Fax = "BEVERLYHLS", fax.Unknown

	for name, test := range map[string]struct {
		numbers fax.Numbers
		query   fax.Query
		want    []fax.Offer
	}{
		"twilio leaves out what has no fax": {tw, fax.Query{Country: "US", Type: fax.Local, Fax: true}, []fax.Offer{
			{
				Phone: "+14155550123", Country: "US", Type: fax.Local, Region: "CA", Locality: "San Francisco", RateCenter: "SNFC CNTRL",
				Lata: "722", PostalCode: "94103", Latitude: "37.774900", Longitude: "-122.419400",
				Capabilities: fax.Capabilities{Voice: fax.Yes, SMS: fax.Yes, MMS: fax.No, Fax: fax.Yes}, Address: "none",
			},
			{Phone: "+16285550199", Country: "US", Type: fax.Local, Region: "CA", RateCenter: "SNFC CNTRL", Lata: "722", Capabilities: all, Address: "local", Beta: true},
		}},
		"signalwire says who does fax in its relay search": {sw, fax.Query{Country: "US", Type: fax.Local, Fax: true}, []fax.Offer{beverly, second}},
		"signalwire does not say in the other":             {sw, fax.Query{Country: "US", Type: fax.Local}, []fax.Offer{plain}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := fax.Collect(market.SearchAll(t.Context(), test.numbers, []fax.Query{test.query}, market.Options{}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, withoutRaw(), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Of several filters that a provider does not have always the same one is told.
func TestSearchRefusesTheFirst(t *testing.T) {
	sw := newDouble(t).open(t, twilio.Config{Dialect: twilio.SignalWire}).Numbers
	q := fax.Query{Country: "US", Type: fax.Local, PostalCode: "94103", NearLatLong: "37.84,-122.26", Distance: 5, Lata: "722", RateCenter: "SNFC CNTRL", NoAddress: "any"}
	for range 20 {
		if _, err := fax.Collect(sw.Search(t.Context(), q)); !errors.Is(err, problem.ErrUnsupported) || !strings.Contains(err.Error(), "postal-code") {
			t.Fatal(err)
		}
	}
}

func TestPrices(t *testing.T) {
	d := newDouble(t)
	d.answer("GET /v1/PhoneNumbers/Countries/US", http.StatusOK, wire(t, "twilio/prices.json"))
	got, err := d.open(t, twilio.Config{}).Numbers.Prices(t.Context(), "US")
	if err != nil {
		t.Fatal(err)
	}
	want := map[fax.NumberType]fax.Money{
		fax.Local:    {Amount: "1.15", Currency: "USD"},
		fax.TollFree: {Amount: "2.00", Currency: "USD"},
		fax.Mobile:   {Amount: "1.5", Currency: "USD"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// SignalWire's relay search has a cap of its own and takes no pattern of fewer than
// three digits: an answer below the cap is whole, and a cut one is asked for again
// in parts that the search takes, also when few of its numbers do fax.
func TestSearchPastTheRelayCap(t *testing.T) {
	box := signalWireBox(t, sandbox.SeedOptions{})
	asked := 0
	numbers := openBox(t, box, roundTrip(func(r *http.Request) (*http.Response, error) {
		asked++
		return box.Transport().RoundTrip(r)
	})).Numbers
	for name, c := range map[string]struct {
		query    fax.Query
		limit    int
		found    int // of those the sandbox sells
		requests int // at most
	}{
		"whole":        {query: fax.Query{Contains: "+1628253"}, found: 72, requests: 1}, // of 88
		"an area code": {query: fax.Query{AreaCode: "415"}, found: 237, requests: 31},    // of 291
		"no area code": {limit: 300, found: 300, requests: 10},
	} {
		t.Run(name, func(t *testing.T) {
			asked = 0
			c.query.Country, c.query.Type, c.query.Fax = "US", fax.Local, true
			gap := func(err error) { t.Errorf("a gap: %v", err) }
			got, err := fax.Collect(market.SearchAll(t.Context(), numbers, []fax.Query{c.query}, market.Options{Jobs: 1, Limit: c.limit, Gap: gap}))
			if err != nil || len(got) != c.found || asked > c.requests {
				t.Errorf("%d offers in %d requests, %v; want %d in at most %d", len(got), asked, err, c.found, c.requests)
			}
			for _, o := range got {
				if o.Capabilities.Fax != fax.Yes {
					t.Errorf("%s: fax %s", o.Phone, o.Capabilities.Fax)
				}
			}
		})
	}
}
