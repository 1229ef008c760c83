package sandbox_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// Each filter of a search: what every answer must be, and that not all is.
func TestSearchFilters(t *testing.T) {
	c := call(t, open(t, sandbox.Options{}), sandbox.Twilio)
	text := func(o map[string]any, key string) string { s, _ := o[key].(string); return s }
	can := func(o map[string]any, key string) bool {
		m, _ := o["capabilities"].(map[string]any)
		b, _ := m[key].(bool)
		return b
	}
	for search, holds := range map[string]func(map[string]any) bool{
		"US/Local.json?AreaCode=628":                       func(o map[string]any) bool { return strings.HasPrefix(text(o, "phone_number"), "+1628") },
		"US/Local.json?Contains=%2B1510%25":                func(o map[string]any) bool { return strings.HasPrefix(text(o, "phone_number"), "+1510") },
		"US/Local.json?Contains=77$":                       func(o map[string]any) bool { return strings.HasSuffix(text(o, "phone_number"), "77") },
		"US/Local.json?FaxEnabled=true":                    func(o map[string]any) bool { return can(o, "fax") },
		"US/Local.json?FaxEnabled=False":                   func(o map[string]any) bool { return !can(o, "fax") },
		"US/Local.json?SmsEnabled=false":                   func(o map[string]any) bool { return !can(o, "SMS") },
		"US/Local.json?MmsEnabled=true":                    func(o map[string]any) bool { return can(o, "MMS") },
		"US/Local.json?VoiceEnabled=true":                  func(o map[string]any) bool { return can(o, "voice") },
		"US/Local.json?InRegion=ny":                        func(o map[string]any) bool { return text(o, "region") == "NY" },
		"US/Local.json?InLocality=Oakland":                 func(o map[string]any) bool { return text(o, "locality") == "Oakland" },
		"US/Local.json?InPostalCode=94965":                 func(o map[string]any) bool { return text(o, "locality") == "Sausalito" },
		"CA/Local.json?InPostalCode=K7L1A1":                func(o map[string]any) bool { return text(o, "locality") == "Kingston" },
		"US/Local.json?InLata=730":                         func(o map[string]any) bool { return text(o, "lata") == "730" },
		"US/Local.json?InLata=722&InRateCenter=SNFC+CNTRL": func(o map[string]any) bool { return text(o, "rate_center") == "SNFC CNTRL" },
		"US/Local.json?NearLatLong=37.84,-122.26&Distance=5": func(o map[string]any) bool {
			return slices.Contains([]string{"Oakland", "Berkeley"}, text(o, "locality"))
		},
		"US/Local.json?NearNumber=%2B12065550100": func(o map[string]any) bool { return text(o, "region") == "WA" },
		"US/Local.json?Beta=false":                func(o map[string]any) bool { return o["beta"] == false },
		"US/TollFree.json":                        func(o map[string]any) bool { return o["locality"] == nil && o["latitude"] == nil },
		"GB/Mobile.json":                          func(o map[string]any) bool { return strings.HasPrefix(text(o, "phone_number"), "+447") },
	} {
		offers := c.get("AvailablePhoneNumbers/" + search).list("available_phone_numbers")
		if len(offers) == 0 || len(offers) > 30 {
			t.Errorf("%s: %d offers", search, len(offers))
		}
		for _, o := range offers {
			if !holds(o) {
				t.Errorf("%s: answers %v", search, o)
				break
			}
		}
	}
	for search, want := range map[string]int{
		"US/Local.json":                                     30,
		"US/Local.json?PageSize=1000":                       30,
		"US/Local.json?PageSize=5":                          5,
		"US/Local.json?AreaCode=911":                        0,
		"GB/Local.json?AreaCode=415":                        30, // an area code means nothing there
		"DE/Local.json?ExcludeAllAddressRequired=true":      0,
		"DE/Local.json?ExcludeLocalAddressRequired=true":    0,
		"DE/Local.json?ExcludeForeignAddressRequired=true":  30,
		"AU/Mobile.json?ExcludeForeignAddressRequired=true": 0,
		"US/Local.json?NearNumber=%2B4930123456":            0,
	} {
		if got := len(c.get("AvailablePhoneNumbers/" + search).list("available_phone_numbers")); got != want {
			t.Errorf("%s: %d offers, want %d", search, got, want)
		}
	}
}

// SignalWire takes FaxEnabled and does nothing with it, and does not say which
// numbers do fax; its other API does.
func TestSignalWireSearch(t *testing.T) {
	c := call(t, open(t, sandbox.Options{Dialect: sandbox.SignalWire}), sandbox.SignalWire)
	all := c.get("AvailablePhoneNumbers/US/Local?AreaCode=415")
	fax := c.get("AvailablePhoneNumbers/US/Local?AreaCode=415&FaxEnabled=true")
	if len(all.list("available_phone_numbers")) != len(fax.list("available_phone_numbers")) {
		t.Error("FaxEnabled changes the answer")
	}
	if _, told := all.at("available_phone_numbers", 0, "capabilities").(map[string]any)["fax"]; told {
		t.Errorf("tells fax: %v", all.at("available_phone_numbers", 0))
	}

	relay := c.get("/api/relay/rest/phone_numbers/search?areacode=415&max_results=100").list("data")
	if len(relay) != 100 {
		t.Fatalf("relay: %d offers", len(relay))
	}
	withFax := 0
	for _, o := range relay {
		m, _ := o["capabilities"].(map[string]any)
		if fax, told := m["fax"].(bool); !told {
			t.Fatalf("relay does not tell fax: %v", o)
		} else if fax {
			withFax++
		}
	}
	if withFax == 0 || withFax == len(relay) {
		t.Errorf("relay: %d of %d do fax", withFax, len(relay))
	}
	for search, holds := range map[string]func(string) bool{
		"?starts_with=646":             func(n string) bool { return strings.HasPrefix(n, "+1646") },
		"?ends_with=123":               func(n string) bool { return strings.HasSuffix(n, "123") },
		"?contains=777":                func(n string) bool { return strings.Contains(n, "777") },
		"?number_type=toll-free":       func(n string) bool { return strings.HasPrefix(n, "+18") },
		"?region=WA":                   func(n string) bool { return strings.HasPrefix(n, "+1206") || strings.HasPrefix(n, "+1425") },
		"?region=CA&city=Sausalito":    func(n string) bool { return strings.HasPrefix(n, "+1415") },
		"?areacode=212&max_results=10": func(n string) bool { return strings.HasPrefix(n, "+1212") },
	} {
		offers := c.get("/api/relay/rest/phone_numbers/search" + search).list("data")
		if len(offers) == 0 || len(offers) > 50 {
			t.Errorf("relay %s: %d offers", search, len(offers))
		}
		for _, o := range offers {
			if phone, _ := o["number"].(string); !holds(phone) {
				t.Errorf("relay %s: %v", search, phone)
			}
		}
	}
	for _, search := range []string{
		"?max_results=101", "?max_results=0", "?starts_with=12", "?ends_with=12345678", "?contains=abc", "?starts_with=123&ends_with=123",
		"?region=CA&areacode=415", "?city=Oakland", "?number_type=mobile",
	} {
		c.do("GET", "/api/relay/rest/phone_numbers/search"+search, "", 422)
	}
}

func TestCountries(t *testing.T) {
	c := call(t, open(t, sandbox.Options{}), sandbox.Twilio)
	list := c.get("AvailablePhoneNumbers.json").list("countries")
	for _, country := range list {
		types, _ := country["subresource_uris"].(map[string]any)
		if len(types) == 0 {
			t.Errorf("%v sells nothing", country["country"])
		}
		for name, uri := range types {
			path, _ := uri.(string)
			if n := len(c.get(path).list("available_phone_numbers")); n == 0 {
				t.Errorf("%v %s: nothing under %s", country["country"], name, path)
			}
		}
	}
	if uri := c.get("AvailablePhoneNumbers/US.json").at("subresource_uris", "toll_free"); uri != c.root+"/AvailablePhoneNumbers/US/TollFree.json" {
		t.Errorf("toll_free is at %v", uri)
	}
}
