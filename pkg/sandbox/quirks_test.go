package sandbox_test

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

func quirks(t *testing.T, all ...string) sandbox.Quirks {
	t.Helper()
	var q sandbox.Quirks
	for _, text := range all {
		if err := q.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	return q
}

func TestQuirksAreRead(t *testing.T) {
	page, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range sandbox.AllQuirks() {
		for _, v := range append(k.Values, "") {
			text := strings.TrimSuffix(k.Name+"="+strings.Replace(v, "DURATION", "2s", 1), "=")
			var q sandbox.Quirks
			if err := q.Set(text); (err != nil) != (v == "" && len(k.Values) > 0) {
				t.Errorf("%s: %v", text, err)
			} else if err == nil && q == (sandbox.Quirks{}) {
				t.Errorf("%s sets nothing", text)
			}
		}
		if k.Does == "" {
			t.Errorf("%s: nobody knows what it does", k)
		}
		if !strings.Contains(string(page), "| `"+k.Name) {
			t.Errorf("%s is not in docs/providers.md", k)
		}
	}
	for _, bad := range []string{"", "nonsense", "names=upper", "late-list=soon", "late-list=-1s", "sold-again=yes"} {
		if err := new(sandbox.Quirks).Set(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestQuirkNames(t *testing.T) {
	for quirk, names := range map[string][2]string{
		"names=entities": {"R&D <lab>", "R&amp;D &lt;lab&gt;"},
		"names=blanks":   {" front  desk ", "front desk"},
		"names=ascii":    {"Büro", "B?ro"},
		"names=nfc":      {"Bu\u0308ro", "Büro"},
	} {
		c := call(t, open(t, sandbox.Options{Quirks: quirks(t, quirk)}), sandbox.Twilio)
		id := c.buy("PhoneNumber=%2B15005550006&FriendlyName=" + url.QueryEscape(names[0]))
		if got := c.get("IncomingPhoneNumbers/" + id + ".json").at("friendly_name"); got != names[1] {
			t.Errorf("%s: %q comes back as %q, want %q", quirk, names[0], got, names[1])
		}
	}
}

// What is late shows in time.
func TestQuirkLate(t *testing.T) {
	for _, dialect := range sandbox.Dialects() {
		s, clock := openAt(t, sandbox.Options{Dialect: dialect, Quirks: quirks(t, "late-list=3s", "late-number=1s", "late-update=2s")})
		c := call(t, s, dialect)
		const list = "IncomingPhoneNumbers.json"
		id := c.buy("PhoneNumber=%2B15005550006")
		one := "IncomingPhoneNumbers/" + id + ".json"
		c.do("GET", one, "", 404)
		clock.Time = clock.Add(time.Second)
		c.get(one)
		if n := len(c.get(list).list("incoming_phone_numbers")); n != 0 {
			t.Errorf("%s: the list is not late", dialect)
		}
		clock.Time = clock.Add(2 * time.Second)
		if n := len(c.get(list).list("incoming_phone_numbers")); n != 1 {
			t.Errorf("%s: the list does not show it in the end", dialect)
		}
		c.do("POST", one, "FriendlyName=desk", 200)
		name := func() string {
			one, all := c.get(one).at("friendly_name"), c.get(list).at("incoming_phone_numbers", 0, "friendly_name")
			if one != all {
				t.Errorf("%s: %v alone, and in the list %v", dialect, one, all)
			}
			return one.(string)
		}
		if got := name(); got != "(500) 555-0006" {
			t.Errorf("%s: the update is not late: %s", dialect, got)
		}
		clock.Time = clock.Add(2 * time.Second)
		if got := name(); got != "desk" {
			t.Errorf("%s: the update does not show in the end: %s", dialect, got)
		}
	}
}

func TestQuirkSoldAgain(t *testing.T) {
	c := call(t, open(t, sandbox.Options{Quirks: quirks(t, "sold-again")}), sandbox.Twilio)
	phone := c.firstOffer("US/Local.json?AreaCode=415")
	form := "PhoneNumber=" + url.QueryEscape(phone)
	id := c.buy(form + "&FriendlyName=first")
	if again := c.firstOffer("US/Local.json?AreaCode=415"); again != phone {
		t.Errorf("%s is not for sale any more, but %s", phone, again)
	}
	if again := c.buy(form + "&FriendlyName=second"); again != id {
		t.Errorf("bought again as %s, want %s", again, id)
	}
	if name := c.get("IncomingPhoneNumbers/" + id + ".json").at("friendly_name"); name != "second" {
		t.Errorf("the number is %v, want it renamed", name)
	}
}

func TestQuirkUpdate(t *testing.T) {
	for quirk, field := range map[string]string{"update=trunk": "trunk_sid", "update=application": "voice_application_sid"} {
		c := call(t, open(t, sandbox.Options{Quirks: quirks(t, quirk)}), sandbox.Twilio)
		id := c.buy("PhoneNumber=%2B15005550006")
		c.do("POST", "IncomingPhoneNumbers/"+id+".json", "VoiceUrl=https%3A%2F%2Ffax.example.com%2Fin", 200)
		if got, _ := c.get("IncomingPhoneNumbers/" + id + ".json").at(field).(string); got == "" {
			t.Errorf("%s: %s is empty", quirk, field)
		}
	}
	c := call(t, open(t, sandbox.Options{Quirks: quirks(t, "update=mode")}), sandbox.Twilio)
	id := c.buy("PhoneNumber=%2B15005550006")
	for form, want := range map[string]string{"VoiceReceiveMode=fax": "fax", "FriendlyName=x": "voice"} {
		c.do("POST", "IncomingPhoneNumbers/"+id+".json", "VoiceReceiveMode=fax", 200)
		if got := c.do("POST", "IncomingPhoneNumbers/"+id+".json", form, 200).at("voice_receive_mode"); got != want {
			t.Errorf("after %s the mode is %v, want %s", form, got, want)
		}
	}
}

func TestQuirkOffers(t *testing.T) {
	const search = "AvailablePhoneNumbers/US/Local.json?AreaCode=415"
	for quirk, want := range map[string]int{"offers=number": 15, "offers=numbers": 30} {
		c := call(t, open(t, sandbox.Options{Quirks: quirks(t, quirk)}), sandbox.Twilio)
		without := 0
		for _, o := range c.get(search).list("available_phone_numbers") {
			if o["phone_number"] == nil {
				without++
			}
		}
		if without != want {
			t.Errorf("%s: %d offers come without, want %d", quirk, without, want)
		}
	}
	c := call(t, open(t, sandbox.Options{Quirks: quirks(t, "offers=fax")}), sandbox.Twilio)
	if fax := c.get(search).at("available_phone_numbers", 0, "capabilities", "fax"); fax != nil {
		t.Errorf("the offer says %v of fax", fax)
	}
}

func TestQuirkPrices(t *testing.T) {
	const list = "/v1/PhoneNumbers/Countries"
	c := call(t, open(t, sandbox.Options{}), sandbox.Twilio)
	if a := c.get(list); a.at("countries", 0, "iso_country") == nil || a.at("meta", "key") != "countries" {
		t.Errorf("countries with prices: %s", a.text)
	}
	for quirk, status := range map[string]int{"prices=403": 403, "prices=404": 404, "prices=none": 200} {
		c := call(t, open(t, sandbox.Options{Quirks: quirks(t, quirk)}), sandbox.Twilio)
		if a := c.do("GET", list+"/US", "", status); status == 200 && len(a.list("phone_number_prices")) != 0 {
			t.Errorf("%s: %s", quirk, a.text)
		}
	}
}

func TestQuirkRecords(t *testing.T) {
	const dialect = sandbox.SignalWire
	s := open(t, sandbox.Options{Dialect: dialect, Quirks: quirks(t, "status=pending", "routes=ai_agent", "shapes=wild")})
	c := call(t, s, dialect)
	id := c.buy("PhoneNumber=%2B15005550006")
	if got := c.get("IncomingPhoneNumbers/" + id + ".json").at("status"); got != "pending" {
		t.Errorf("the status is %v", got)
	}
	if got := c.get("/api/relay/rest/phone_numbers/" + id).at("call_handler"); got != "ai_agent" {
		t.Errorf("the handler is %v", got)
	}
	a := c.get("/api/relay/rest/phone_numbers/search?areacode=415")
	if _, list := a.at("data", 0, "capabilities").([]any); a.at("data", 0, "e164") == nil || !list {
		t.Errorf("not the wild shape: %s", a.text)
	}
	if a := c.do("POST", "IncomingPhoneNumbers.json", "PhoneNumber=415", 422); a.at("errors", 0, "code") != "21421" {
		t.Errorf("a wild error: %s", a.text)
	}
	c.password = "wrong"
	if a := c.do("GET", "IncomingPhoneNumbers", "", 401); a.at("errors", 0) != "Authenticate" {
		t.Errorf("a wild 401: %s", a.text)
	}
}
