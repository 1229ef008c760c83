package sandbox_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	twilio "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// Twilio's own library, unmodified, against the sandbox: only the HTTP client
// underneath is ours.
func newSDK(s *sandbox.Sandbox) *api.ApiService {
	account := s.Account()
	c := &twilio.Client{
		Credentials: twilio.NewCredentials(account.Account, account.Token),
		HTTPClient:  &http.Client{Transport: s.Transport()},
	}
	c.SetAccountSid(account.Account)
	return api.NewApiService(&twilio.RequestHandler{Client: c})
}

func TestOfficialLibrary(t *testing.T) {
	sdk := newSDK(open(t, sandbox.Options{}))

	offers, err := sdk.ListAvailablePhoneNumberLocal("US", (&api.ListAvailablePhoneNumberLocalParams{}).
		SetAreaCode(415).SetFaxEnabled(true))
	if err != nil {
		t.Fatal(err)
	}
	if len(offers) != 30 {
		t.Fatalf("%d offers, want 30", len(offers))
	}
	for _, o := range offers {
		if !o.Capabilities.Fax || *o.IsoCountry != "US" || *o.Latitude == 0 {
			t.Errorf("offer %+v", o)
		}
	}
	phone := *offers[0].PhoneNumber

	bought, err := sdk.CreateIncomingPhoneNumber((&api.CreateIncomingPhoneNumberParams{}).
		SetPhoneNumber(phone).SetFriendlyName("front desk").SetVoiceReceiveMode("fax"))
	if err != nil {
		t.Fatal(err)
	}
	if *bought.PhoneNumber != phone || *bought.FriendlyName != "front desk" || *bought.VoiceReceiveMode != "voice" {
		t.Errorf("bought %s %q in mode %s", *bought.PhoneNumber, *bought.FriendlyName, *bought.VoiceReceiveMode)
	}

	updated, err := sdk.UpdateIncomingPhoneNumber(*bought.Sid, (&api.UpdateIncomingPhoneNumberParams{}).
		SetVoiceReceiveMode("fax").SetVoiceUrl("https://fax.example.com/in"))
	if err != nil {
		t.Fatal(err)
	}
	fetched, err := sdk.FetchIncomingPhoneNumber(*bought.Sid, nil)
	if err != nil {
		t.Fatal(err)
	}
	if *fetched.VoiceReceiveMode != "fax" || *fetched.VoiceUrl != *updated.VoiceUrl {
		t.Errorf("fetched mode %s, url %s", *fetched.VoiceReceiveMode, *fetched.VoiceUrl)
	}

	for range 4 {
		if _, err := sdk.CreateIncomingPhoneNumber(anyIn("212")); err != nil {
			t.Fatal(err)
		}
	}
	// Two a page: the library follows our links.
	owned, err := sdk.ListIncomingPhoneNumber((&api.ListIncomingPhoneNumberParams{}).SetPageSize(2))
	if err != nil {
		t.Fatal(err)
	}
	if len(owned) != 5 {
		t.Errorf("%d owned, want 5", len(owned))
	}

	if err := sdk.DeleteIncomingPhoneNumber(*bought.Sid, nil); err != nil {
		t.Fatal(err)
	}
	_, err = sdk.FetchIncomingPhoneNumber(*bought.Sid, nil)
	var refused *twilio.TwilioRestError
	if !errors.As(err, &refused) || refused.Code != 20404 || refused.Status != http.StatusNotFound {
		t.Errorf("fetch after release: %v", err)
	}

	account, err := sdk.FetchAccount(*bought.AccountSid)
	if err != nil || *account.Status != "active" {
		t.Errorf("account %+v, %v", account, err)
	}
	countries, err := sdk.ListAvailablePhoneNumberCountry(nil)
	if err != nil || len(countries) < 6 {
		t.Errorf("%d countries, %v", len(countries), err)
	}
}

func anyIn(areaCode string) *api.CreateIncomingPhoneNumberParams {
	return (&api.CreateIncomingPhoneNumberParams{}).SetAreaCode(areaCode)
}

func isTaken(err error) bool {
	var refused *twilio.TwilioRestError
	return errors.As(err, &refused) && refused.Code == 21422
}

func thousandAPage() *api.ListIncomingPhoneNumberParams {
	return (&api.ListIncomingPhoneNumberParams{}).SetPageSize(1000)
}

// SignalWire's own library leaves /api/laml out, and a space answers all the
// same.
func TestSignalWireLibraryPaths(t *testing.T) {
	s := open(t, sandbox.Options{Dialect: sandbox.SignalWire})
	c := call(t, s, sandbox.SignalWire)
	id := c.buy("PhoneNumber=" + url.QueryEscape(c.firstOffer("US/Local.json")))
	c.root = strings.TrimPrefix(c.root, "/api/laml")
	if got := c.get("IncomingPhoneNumbers/" + id + ".json").at("sid"); got != id {
		t.Errorf("fetched %v, want %s", got, id)
	}
	c.do("POST", "IncomingPhoneNumbers/"+id+".json", "FriendlyName=desk", 200)
}
