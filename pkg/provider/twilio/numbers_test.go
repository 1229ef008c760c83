package twilio_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
)

// withoutRaw compares without the raw records.
func withoutRaw() cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Raw" }, cmp.Ignore())
}

const (
	twilioNumbers = "/2010-04-01/Accounts/" + accountID + "/IncomingPhoneNumbers"
	wireNumbers   = "/api/laml/2010-04-01/Accounts/" + projectID + "/IncomingPhoneNumbers"
	relayNumbers  = "/api/relay/rest/phone_numbers"
	deskID        = "PN11111111111111111111111111111111"
	uuidID        = "b3877c40-da60-4998-90ad-b792e98472f1"
)

// The golden values of every shape of number that either dialect sends.
func TestNumbersDecode(t *testing.T) {
	d := newDouble(t)
	d.answer("GET "+twilioNumbers+".json", http.StatusOK, wire(t, "twilio/numbers.json"))
	d.answer("GET "+twilioNumbers+"/"+deskID+".json", http.StatusOK, wire(t, "twilio/number.json"))
	d.answer("GET "+wireNumbers+".json", http.StatusOK, wire(t, "signalwire/numbers.json"))
	d.answer("GET "+wireNumbers+"/"+uuidID+".json", http.StatusOK, wire(t, "signalwire/number.json"))
	d.answer("GET "+relayNumbers+"/"+uuidID, http.StatusOK, wire(t, "signalwire/relay_number.json"))
	d.answer("GET "+relayNumbers, http.StatusOK, wire(t, "signalwire/relay_numbers.json"))
	tw, sw := d.open(t, twilio.Config{}).Numbers, d.open(t, twilio.Config{Dialect: twilio.SignalWire}).Numbers
	ctx := t.Context()

	all := fax.Capabilities{Voice: fax.Yes, SMS: fax.Yes, MMS: fax.Yes, Fax: fax.Yes}
	uuid := fax.Number{
		ID: uuidID, Phone: "+13105550145", Name: "310-555-0145", Type: fax.Local, Capabilities: all,
		Mode: fax.ModeFax, FaxURL: "https://fax.example.com/incoming", Method: "POST", FallbackMethod: "POST",
		Created: time.Date(2018, 9, 25, 23, 0, 0, 0, time.UTC), Updated: time.Date(2018, 9, 26, 22, 0, 0, 0, time.UTC),
	}
	unasked := uuid
	unasked.Type, unasked.Mode = "", fax.ModeUnknown
	unasked.FaxURL, unasked.VoiceURL = "", uuid.FaxURL

	one := func(n fax.Number, err error) ([]fax.Number, error) { return []fax.Number{n}, err }
	for name, test := range map[string]struct {
		get  func() ([]fax.Number, error)
		want fax.Number
	}{
		"twilio, one": {
			func() ([]fax.Number, error) { return one(tw.Get(ctx, deskID)) },
			fax.Number{
				ID: deskID, Phone: "+14155550123", Name: "Front desk", Type: fax.Local,
				Capabilities: fax.Capabilities{Voice: fax.Yes, SMS: fax.Yes, MMS: fax.No, Fax: fax.Yes},
				Mode:         fax.ModeFax, FaxURL: "https://fax.example.com/incoming", Method: "POST", FallbackMethod: "POST",
				Created: time.Date(2026, 11, 2, 14, 5, 9, 0, time.UTC), Updated: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
			},
		},
		"twilio, without a mode, behind a trunk": {
			func() ([]fax.Number, error) { return fax.Collect(tw.List(ctx, fax.NumberFilter{})) },
			fax.Number{
				ID: "PN22222222222222222222222222222222", Phone: "+18005550142", Name: "Records", Type: fax.TollFree,
				Capabilities: fax.Capabilities{Voice: fax.Yes, SMS: fax.No, MMS: fax.No, Fax: fax.Yes},
				Mode:         fax.ModeUnknown, Method: "POST", TrunkID: "TK33333333333333333333333333333333",
				Created: time.Date(2026, 11, 2, 14, 5, 9, 0, time.UTC),
			},
		},
		"signalwire, one, with the mode from the relay API": {
			func() ([]fax.Number, error) { return one(sw.Get(ctx, uuidID)) }, uuid,
		},
		"signalwire, a list, mode not asked for": {
			func() ([]fax.Number, error) { return fax.Collect(sw.List(ctx, fax.NumberFilter{})) }, unasked,
		},
		"signalwire, a list, mode asked for": {
			func() ([]fax.Number, error) { return fax.Collect(sw.List(ctx, fax.NumberFilter{WithMode: true})) }, uuid,
		},
		"signalwire, a selection, mode asked for": {
			func() ([]fax.Number, error) {
				return fax.Collect(sw.List(ctx, fax.NumberFilter{Phone: uuid.Phone, WithMode: true}))
			}, uuid,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.get()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]fax.Number{test.want}, got, withoutRaw()); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(string(got[0].Raw), test.want.ID) {
				t.Errorf("raw record %q", got[0].Raw)
			}
		})
	}
}

// What goes over the wire: host, path and parameters of every request.
func TestNumbersRequests(t *testing.T) {
	const acct, proj = "/2010-04-01/Accounts/" + accountID, "/api/laml/2010-04-01/Accounts/" + projectID
	empty, mode, phone := "", fax.ModeFax, "+14155550123"
	address := "https://fax.example.com/incoming"
	for name, test := range map[string]struct {
		config twilio.Config
		ask    func(ctx context.Context, n fax.Numbers) error
		want   []string
	}{
		"a point in a query stays": {
			ask: func(ctx context.Context, n fax.Numbers) error {
				_, err := fax.Collect(n.Search(ctx, fax.Query{Country: "US", Type: fax.Local, NearLatLong: "37.84,-122.26", Distance: 50, Fax: true}))
				return err
			},
			want: []string{"GET api.twilio.com" + acct + "/AvailablePhoneNumbers/US/Local.json Distance=50&FaxEnabled=true&NearLatLong=37.84%2C-122.26"},
		},
		"every filter": {
			ask: func(ctx context.Context, n fax.Numbers) error {
				no := false
				_, err := fax.Collect(n.Search(ctx, fax.Query{
					Country: "US", Type: fax.TollFree, AreaCode: "415", Contains: "+1*FAX$", Region: "CA", Locality: "Oakland",
					PostalCode: "94612", NearNumber: phone, RateCenter: "OKLD", Lata: "722",
					Voice: true, SMS: true, MMS: true, NoAddress: "foreign", Beta: &no,
				}))
				return err
			},
			want: []string{"GET api.twilio.com" + acct + "/AvailablePhoneNumbers/US/TollFree.json AreaCode=415&Beta=false&Contains=%2B1%2AFAX%24&ExcludeForeignAddressRequired=true&InLata=722&InLocality=Oakland&InPostalCode=94612&InRateCenter=OKLD&InRegion=CA&MmsEnabled=true&NearNumber=%2B14155550123&SmsEnabled=true&VoiceEnabled=true"},
		},
		"an edge and a region": {
			config: twilio.Config{Edge: "dublin", Region: "ie1"},
			ask:    func(ctx context.Context, n fax.Numbers) error { _, err := n.Prices(ctx, "US"); return err },
			want:   []string{"GET pricing.dublin.ie1.twilio.com/v1/PhoneNumbers/Countries/US"},
		},
		"an edge alone means us1": {
			config: twilio.Config{Edge: "ashburn"},
			ask:    func(ctx context.Context, n fax.Numbers) error { return n.Release(ctx, deskID) },
			want:   []string{"DELETE api.ashburn.us1.twilio.com" + twilioNumbers + "/" + deskID + ".json"},
		},
		"edges are Twilio's": {
			config: twilio.Config{Dialect: twilio.SignalWire, Edge: "dublin", Region: "ie1"},
			ask:    func(ctx context.Context, n fax.Numbers) error { return n.Release(ctx, uuidID) },
			want:   []string{"DELETE " + space + wireNumbers + "/" + uuidID + ".json"},
		},
		"an API key acts on the account": {
			config: twilio.Config{User: "SK88888888888888888888888888888888"},
			ask:    func(ctx context.Context, n fax.Numbers) error { return n.Release(ctx, deskID) },
			want:   []string{"DELETE api.twilio.com" + twilioNumbers + "/" + deskID + ".json"},
		},
		"a filter": {
			ask: func(ctx context.Context, n fax.Numbers) error {
				_, err := fax.Collect(n.List(ctx, fax.NumberFilter{Phone: phone, Name: "Fax 1.25 desk"}))
				return err
			},
			want: []string{"GET api.twilio.com" + twilioNumbers + ".json FriendlyName=Fax+1.25+desk&PageSize=1000&PhoneNumber=%2B14155550123"},
		},
		"a purchase": {
			ask: func(ctx context.Context, n fax.Numbers) error {
				_, err := n.Buy(ctx, fax.Order{Phone: phone, Name: "Front desk", AddressID: "AD1", BundleID: "BU1"})
				return err
			},
			want: []string{"POST api.twilio.com" + twilioNumbers + ".json AddressSid=AD1&BundleSid=BU1&FriendlyName=Front+desk&PhoneNumber=%2B14155550123"},
		},
		"a purchase by area code": {
			ask: func(ctx context.Context, n fax.Numbers) error {
				_, err := n.Buy(ctx, fax.Order{AreaCode: "415", Country: "US"})
				return err
			},
			want: []string{"POST api.twilio.com" + twilioNumbers + ".json AreaCode=415"},
		},
		"a change; empty clears": {
			ask: func(ctx context.Context, n fax.Numbers) error {
				_, err := n.Configure(ctx, deskID, fax.Change{Mode: &mode, URL: &address, TrunkID: &empty, ApplicationID: &empty})
				return err
			},
			want: []string{"POST api.twilio.com" + twilioNumbers + "/" + deskID + ".json TrunkSid=&VoiceApplicationSid=&VoiceReceiveMode=fax&VoiceUrl=https%3A%2F%2Ffax.example.com%2Fincoming"},
		},
		"no change is a look": {
			ask: func(ctx context.Context, n fax.Numbers) error {
				_, err := n.Configure(ctx, deskID, fax.Change{})
				return err
			},
			want: []string{"GET api.twilio.com" + twilioNumbers + "/" + deskID + ".json"},
		},
		"signalwire: a change is read back": {
			config: twilio.Config{Dialect: twilio.SignalWire},
			ask: func(ctx context.Context, n fax.Numbers) error {
				_, err := n.Configure(ctx, uuidID, fax.Change{Mode: &mode})
				return err
			},
			want: []string{
				"POST " + space + wireNumbers + "/" + uuidID + ".json VoiceReceiveMode=fax",
				"GET " + space + relayNumbers + "/" + uuidID,
			},
		},
		"signalwire: a purchase is one request": {
			config: twilio.Config{Dialect: twilio.SignalWire},
			ask: func(ctx context.Context, n fax.Numbers) error {
				_, err := n.Buy(ctx, fax.Order{Phone: "+13105550145"})
				return err
			},
			want: []string{"POST " + space + wireNumbers + ".json PhoneNumber=%2B13105550145"},
		},
		"signalwire: fax numbers are found by the relay search": {
			config: twilio.Config{Dialect: twilio.SignalWire},
			ask: func(ctx context.Context, n fax.Numbers) error {
				_, err := fax.Collect(n.Search(ctx, fax.Query{Country: "US", Type: fax.Local, AreaCode: "310", Contains: "+1310555", Fax: true}))
				return err
			},
			want: []string{"GET " + space + relayNumbers + "/search areacode=310&max_results=100&number_type=local&starts_with=310555"},
		},
		"signalwire: what the relay search cannot say": {
			config: twilio.Config{Dialect: twilio.SignalWire},
			ask: func(ctx context.Context, n fax.Numbers) error {
				_, err := fax.Collect(n.Search(ctx, fax.Query{Country: "US", Type: fax.Local, Contains: "*FAX", Fax: true}))
				return err
			},
			want: []string{"GET " + space + proj + "/AvailablePhoneNumbers/US/Local.json Contains=%2AFAX&FaxEnabled=true"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t)
			d.answer("GET "+acct+"/AvailablePhoneNumbers/", http.StatusOK, wire(t, "twilio/search.json"))
			d.answer("GET /v1/PhoneNumbers/", http.StatusOK, wire(t, "twilio/prices.json"))
			d.answer("GET "+twilioNumbers+".json", http.StatusOK, wire(t, "twilio/numbers.json"))
			d.answer("POST "+twilioNumbers+".json", http.StatusCreated, wire(t, "twilio/number.json"))
			d.answer("DELETE "+twilioNumbers+"/"+deskID+".json", http.StatusNoContent, "")
			d.answer("DELETE "+wireNumbers+"/"+uuidID+".json", http.StatusNoContent, "")
			d.answer(twilioNumbers+"/"+deskID+".json", http.StatusOK, wire(t, "twilio/number.json"))
			d.answer("GET "+proj+"/AvailablePhoneNumbers/", http.StatusOK, wire(t, "signalwire/search.json"))
			d.answer("POST "+wireNumbers+".json", http.StatusCreated, wire(t, "signalwire/number.json"))
			d.answer(wireNumbers+"/"+uuidID+".json", http.StatusOK, wire(t, "signalwire/number.json"))
			d.answer("GET "+relayNumbers+"/search", http.StatusOK, wire(t, "signalwire/relay_search.json"))
			d.answer("GET "+relayNumbers+"/"+uuidID, http.StatusOK, wire(t, "signalwire/relay_number.json"))
			if err := test.ask(t.Context(), d.open(t, test.config).Numbers); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, d.requests()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Requests that would be ignored, refused or dangerous are not made.
func TestNumbersRefuse(t *testing.T) {
	signalwire := twilio.Config{Dialect: twilio.SignalWire}
	search := func(q fax.Query) func(context.Context, fax.Numbers) error {
		return func(ctx context.Context, n fax.Numbers) error {
			_, err := fax.Collect(n.Search(ctx, q))
			return err
		}
	}
	buy := func(o fax.Order) func(context.Context, fax.Numbers) error {
		return func(ctx context.Context, n fax.Numbers) error { _, err := n.Buy(ctx, o); return err }
	}
	get := func(id string) func(context.Context, fax.Numbers) error {
		return func(ctx context.Context, n fax.Numbers) error { _, err := n.Get(ctx, id); return err }
	}
	unknown := fax.ModeUnknown
	for name, test := range map[string]struct {
		config twilio.Config
		ask    func(ctx context.Context, n fax.Numbers) error
		want   error
	}{
		"a country that is none":      {ask: search(fax.Query{Country: "usa", Type: fax.Local}), want: problem.ErrInvalid},
		"a type that is none":         {ask: search(fax.Query{Country: "US", Type: "golden"}), want: problem.ErrUnsupported},
		"an area code that is none":   {ask: search(fax.Query{Country: "US", Type: fax.Local, AreaCode: "41"}), want: problem.ErrInvalid},
		"an address word":             {ask: search(fax.Query{Country: "US", Type: fax.Local, NoAddress: "all"}), want: problem.ErrInvalid},
		"signalwire: mobile":          {signalwire, search(fax.Query{Country: "US", Type: fax.Mobile}), problem.ErrUnsupported},
		"signalwire: near":            {signalwire, search(fax.Query{Country: "US", Type: fax.Local, NearNumber: "+14155550123"}), problem.ErrUnsupported},
		"signalwire: city, no region": {signalwire, search(fax.Query{Country: "US", Type: fax.Local, Locality: "Austin"}), problem.ErrUnsupported},
		"signalwire: prices":          {signalwire, func(ctx context.Context, n fax.Numbers) error { _, err := n.Prices(ctx, "US"); return err }, problem.ErrUnsupported},
		"an empty order":              {ask: buy(fax.Order{}), want: problem.ErrInvalid},
		"a double order":              {ask: buy(fax.Order{Phone: "+14155550123", AreaCode: "415"}), want: problem.ErrInvalid},
		"an area code in France":      {ask: buy(fax.Order{AreaCode: "415", Country: "FR"}), want: problem.ErrUnsupported},
		"signalwire: by area code":    {signalwire, buy(fax.Order{AreaCode: "415"}), problem.ErrUnsupported},
		"an id that leaves the path":  {ask: get("../../Accounts"), want: problem.ErrInvalid},
		"an id that ends the path":    {ask: get("PN1?x=.json"), want: problem.ErrInvalid},
		"an id with an escaped slash": {ask: get("PN1%2f.."), want: problem.ErrInvalid},
		"an empty id":                 {ask: get(""), want: problem.ErrInvalid},
		"a mode that is none": {ask: func(ctx context.Context, n fax.Numbers) error {
			_, err := n.Configure(ctx, deskID, fax.Change{Mode: &unknown})
			return err
		}, want: problem.ErrInvalid},
		"releasing what leaves a path": {ask: func(ctx context.Context, n fax.Numbers) error { return n.Release(ctx, "a/b") }, want: problem.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t)
			err := test.ask(t.Context(), d.open(t, test.config).Numbers)
			if !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if asked := d.requests(); len(asked) > 0 {
				t.Errorf("sent %q", asked)
			}
		})
	}
}

func TestAccount(t *testing.T) {
	d := newDouble(t)
	d.answer("GET /2010-04-01/Accounts/"+accountID+".json", http.StatusOK, wire(t, "twilio/account.json"))
	d.answer("GET /api/laml/2010-04-01/Accounts/"+projectID+".json", http.StatusOK, wire(t, "signalwire/account.json"))
	for id, c := range map[string]twilio.Config{accountID: {User: "SK88888888888888888888888888888888"}, projectID: {Dialect: twilio.SignalWire}} {
		got, err := d.open(t, c).Accounts.Account(t.Context())
		want := fax.Account{ID: id, Name: "Harbour Clinic", Status: "active", Type: "Full"}
		if err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
}
