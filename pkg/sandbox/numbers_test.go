package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// badInput is the status of a refused parameter.
func badInput(dialect sandbox.Dialect) int {
	if dialect == sandbox.SignalWire {
		return http.StatusUnprocessableEntity
	}
	return http.StatusBadRequest
}

// The wire says what each provider says, to the key.
func TestNumberShape(t *testing.T) {
	for _, dialect := range sandbox.Dialects() {
		c := call(t, open(t, sandbox.Options{Dialect: dialect}), dialect)
		id := c.buy("PhoneNumber=%2B15005550006&VoiceReceiveMode=fax")
		a := c.get("IncomingPhoneNumbers/" + id + ".json")

		if _, err := http.ParseTime(strings.Replace(fmt.Sprint(a.at("date_created")), "+0000", "GMT", 1)); err != nil {
			t.Errorf("%s: date_created %v is not RFC 2822", dialect, a.at("date_created"))
		}
		mode, shown := a.body["voice_receive_mode"]
		wantURL := any("")
		if dialect == sandbox.SignalWire {
			wantURL = nil
			if shown {
				t.Errorf("signalwire shows voice_receive_mode %v", mode)
			}
			if a.at("country_code") != "US" || strings.Count(id, "-") != 4 {
				t.Errorf("signalwire: %s", a.text)
			}
			relay := c.get("/api/relay/rest/phone_numbers/" + id)
			if relay.at("call_receive_mode") != "voice" || relay.at("call_handler") != "laml_webhooks" || relay.at("id") != id {
				t.Errorf("relay: %s", relay.text)
			}
			if names, list := relay.at("capabilities").([]any); !list || len(names) != 4 {
				t.Errorf("relay capabilities: %v", relay.at("capabilities"))
			}
		} else if mode != "voice" || !strings.HasPrefix(id, "PN") || len(id) != 34 {
			t.Errorf("twilio: id %s, mode %v: fax must not stick on purchase", id, mode)
		}
		for key, want := range map[string]any{
			"voice_url": wantURL, "voice_fallback_url": wantURL, "voice_method": "POST", "trunk_sid": nil, "address_sid": nil,
			"friendly_name": "(500) 555-0006", "phone_number": "+15005550006", "origin": string(dialect),
		} {
			if got, there := a.body[key]; !there || got != want {
				t.Errorf("%s: %s is %#v (%v), want %#v", dialect, key, got, there, want)
			}
		}
		for _, key := range []string{"voice", "sms", "mms", "fax"} {
			if a.at("capabilities", key) != true {
				t.Errorf("%s: capability %s: %v", dialect, key, a.at("capabilities", key))
			}
		}
	}
}

func TestUpdate(t *testing.T) {
	for _, dialect := range sandbox.Dialects() {
		c := call(t, open(t, sandbox.Options{Dialect: dialect}), dialect)
		id := c.buy("PhoneNumber=%2B15005550006&TrunkSid=TK1&VoiceApplicationSid=AP1")
		path := "IncomingPhoneNumbers/" + id + ".json"
		for _, step := range []struct {
			form, key string
			want      any
		}{
			{"VoiceUrl=https%3A%2F%2Ffax.example.com%2Fin", "voice_url", "https://fax.example.com/in"},
			{"VoiceMethod=GET", "voice_method", "GET"},
			{"FriendlyName=front+desk", "friendly_name", "front desk"},
			{"Nonsense=1", "friendly_name", "front desk"},
			{"FriendlyName=", "friendly_name", "(500) 555-0006"},
			{"TrunkSid=", "trunk_sid", nil},
			{"StatusCallback=http%3A%2F%2Fexample.com", "voice_application_sid", "AP1"},
			{"VoiceMethod=", "voice_method", "POST"},
		} {
			if got := c.do("POST", path, step.form, 200).at(step.key); got != step.want {
				t.Errorf("%s: after %s %s is %v, want %v", dialect, step.form, step.key, got, step.want)
			}
			if got := c.get(path).at(step.key); got != step.want {
				t.Errorf("%s: after %s %s reads back %v, want %v", dialect, step.form, step.key, got, step.want)
			}
		}
		// A refused update changes nothing, not even what was fine in it.
		c.do("POST", path, "FriendlyName=other&VoiceUrl=nonsense", badInput(dialect))
		if got := c.get(path).at("friendly_name"); got == "other" {
			t.Errorf("%s: half of a refused update stuck", dialect)
		}
		for _, mode := range []string{"fax", "voice"} {
			a := c.do("POST", path, "VoiceReceiveMode="+mode, 200)
			got := a.at("voice_receive_mode")
			if dialect == sandbox.SignalWire {
				got = c.get("/api/relay/rest/phone_numbers/" + id).at("call_receive_mode")
			}
			if got != mode {
				t.Errorf("%s: mode %v, want %s", dialect, got, mode)
			}
		}
		c.do("DELETE", path, "", 204)
		c.do("DELETE", path, "", 404)
	}
}

// A number that does no fax takes the mode and stays as it is.
func TestFaxModeNeedsFax(t *testing.T) {
	c := call(t, open(t, sandbox.Options{}), sandbox.Twilio)
	id := c.buy("PhoneNumber=" + url.QueryEscape(c.firstOffer("US/Local.json?FaxEnabled=false")))
	if got := c.do("POST", "IncomingPhoneNumbers/"+id+".json", "VoiceReceiveMode=fax", 200).at("voice_receive_mode"); got != "voice" {
		t.Errorf("mode %v", got)
	}
}

func TestWhatIsOwnedIsNotForSale(t *testing.T) {
	for _, dialect := range sandbox.Dialects() {
		c := call(t, open(t, sandbox.Options{Dialect: dialect}), dialect)
		const search = "US/Local.json?AreaCode=415"
		phone := c.firstOffer(search)
		id := c.buy("PhoneNumber=" + url.QueryEscape(phone))
		if again := c.firstOffer(search); again == phone {
			t.Errorf("%s: %s is owned and for sale", dialect, phone)
		}
		a := c.do("POST", "IncomingPhoneNumbers.json", "PhoneNumber="+url.QueryEscape(phone), badInput(dialect))
		if !strings.Contains(a.text, "21422") {
			t.Errorf("%s: bought twice: %s", dialect, a.text)
		}
		c.do("DELETE", "IncomingPhoneNumbers/"+id+".json", "", 204)
		if again := c.firstOffer(search); again != phone {
			t.Errorf("%s: %s does not come back on sale", dialect, phone)
		}
	}
}

func TestPapers(t *testing.T) {
	c := call(t, open(t, sandbox.Options{}), sandbox.Twilio)
	for _, step := range []struct {
		search, form string
		status, code int
	}{
		{"DE/Local.json", "", 400, 21649},
		{"DE/Local.json", "&AddressSid=AD1", 400, 21649},
		{"DE/Local.json", "&BundleSid=BU1", 201, 0},
		{"AU/Local.json", "", 400, 21631},
		{"AU/Local.json", "&AddressSid=AD1", 201, 0},
		{"NL/Local.json", "", 400, 21615},
		{"NL/Local.json", "&AddressSid=AD1", 201, 0},
		{"GB/Local.json", "", 201, 0},
		{"CA/TollFree.json", "", 201, 0},
	} {
		phone := c.firstOffer(step.search)
		a := c.do("POST", "IncomingPhoneNumbers.json", "PhoneNumber="+url.QueryEscape(phone)+step.form, step.status)
		if code, _ := a.at("code").(float64); int(code) != step.code {
			t.Errorf("%s%s: code %v, want %d", step.search, step.form, code, step.code)
		}
	}
}
