package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// answer is what came back: the status, the headers and the body twice.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// at walks into the body: at("incoming_phone_numbers", 0, "sid").
func (a answer) at(path ...any) any {
	var v any = a.body
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

func (a answer) list(key string) []map[string]any {
	items, _ := a.body[key].([]any)
	var list []map[string]any
	for _, item := range items {
		m, _ := item.(map[string]any)
		list = append(list, m)
	}
	return list
}

// caller asks one sandbox, as its account unless told otherwise.
type caller struct {
	t              *testing.T
	s              *sandbox.Sandbox
	root           string // of the 2010 API with the account
	user, password string
}

func call(t *testing.T, s *sandbox.Sandbox, dialect sandbox.Dialect) caller {
	account := s.Account()
	root := "/2010-04-01/Accounts/"
	if dialect == sandbox.SignalWire {
		root = "/api/laml" + root
	}
	return caller{t, s, root + account.Account, account.Account, account.Token}
}

func (c caller) send(ctx context.Context, method, path, form string) (answer, error) {
	c.t.Helper()
	if !strings.HasPrefix(path, "/") {
		path = c.root + "/" + path
	}
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form)
	}
	r, err := http.NewRequestWithContext(ctx, method, "https://provider.example.com"+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if c.user != "" {
		r.SetBasicAuth(c.user, c.password)
	}
	res, err := c.s.Transport().RoundTrip(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, header: res.Header, text: string(text)}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(text, &a.body); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return a, nil
}

// do sends and expects a status.
func (c caller) do(method, path, form string, status int) answer {
	c.t.Helper()
	a, err := c.send(c.t.Context(), method, path, form)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.status != status {
		c.t.Fatalf("%s %s %s: status %d, want %d: %s", method, path, form, a.status, status, a.text)
	}
	return a
}

func (c caller) get(path string) answer { c.t.Helper(); return c.do("GET", path, "", 200) }

// buy buys and returns the id.
func (c caller) buy(form string) string {
	c.t.Helper()
	id, _ := c.do("POST", "IncomingPhoneNumbers.json", form, 201).at("sid").(string)
	return id
}

// firstOffer is some number for sale.
func (c caller) firstOffer(search string) string {
	c.t.Helper()
	phone, _ := c.get("AvailablePhoneNumbers/"+search).at("available_phone_numbers", 0, "phone_number").(string)
	if phone == "" {
		c.t.Fatalf("%s: nothing for sale", search)
	}
	return phone
}

// refusals are requests that get an error, with the provider's code for it.
func TestRefusals(t *testing.T) {
	const numbers, us = "IncomingPhoneNumbers.json", "AvailablePhoneNumbers/US/Local.json"
	for _, dialect := range sandbox.Dialects() {
		bad := badInput(dialect)
		for _, c := range []struct {
			method, path, form string
			status, code       int
			only               sandbox.Dialect
		}{
			{"GET", "IncomingPhoneNumbers/PN00000000000000000000000000000000.json", "", 404, 20404, sandbox.Twilio},
			{"GET", "IncomingPhoneNumbers/00000000-0000-4000-8000-000000000000", "", 404, 20404, sandbox.SignalWire},
			{"POST", "IncomingPhoneNumbers/nonsense.json", "FriendlyName=x", 404, 20404, ""},
			{"DELETE", "IncomingPhoneNumbers/nonsense.json", "", 404, 20404, ""},
			{"GET", "AvailablePhoneNumbers/XX/Local.json", "", 404, 20404, ""},
			{"GET", "AvailablePhoneNumbers/US/Mobile.json", "", 404, 20404, ""},
			{"GET", "AvailablePhoneNumbers/GB/Mobile.json", "", 404, 20404, sandbox.SignalWire},
			{"DELETE", numbers, "", 405, 20004, ""},

			{"GET", numbers + "?Page=1", "", 400, 21481, ""},
			{"GET", numbers + "?Page=x", "", 400, 21481, ""},
			{"GET", numbers + "?Page=1&PageToken=PAdeadbeef", "", 400, 70002, ""},
			{"GET", numbers + "?PageSize=0", "", 400, 20001, ""},
			{"GET", numbers + "?PhoneNumber=abc", "", bad, 21421, ""},

			{"GET", us + "?Contains=1", "", bad, 21421, ""},
			{"GET", us + "?Contains=4-5", "", bad, 21421, ""},
			{"GET", us + "?AreaCode=41", "", bad, 21451, ""},
			{"GET", us + "?InLocality=Oakland", "", bad, 20001, sandbox.SignalWire},
			{"GET", us + "?InRateCenter=SEATTLE", "", bad, 20001, sandbox.Twilio},
			{"GET", us + "?FaxEnabled=perhaps", "", bad, 20001, sandbox.Twilio},
			{"GET", us + "?NearLatLong=north", "", bad, 20001, sandbox.Twilio},
			{"GET", us + "?NearLatLong=91,0", "", bad, 20001, sandbox.Twilio},
			{"GET", us + "?NearNumber=415", "", bad, 21421, sandbox.Twilio},
			{"GET", us + "?NearLatLong=37,-122&Distance=501", "", bad, 20001, sandbox.Twilio},

			{"POST", numbers, "", bad, 21421, ""},
			{"POST", numbers, "PhoneNumber=415", bad, 21421, ""},
			{"POST", numbers, "PhoneNumber=%2B15005550000", bad, 21422, ""},
			{"POST", numbers, "PhoneNumber=%2B15005550001", bad, 21421, ""},
			{"POST", numbers, "PhoneNumber=%2B14155550000", bad, 21422, ""},
			{"POST", numbers, "AreaCode=415", bad, 21421, sandbox.SignalWire},
			{"POST", numbers, "AreaCode=12", bad, 21451, sandbox.Twilio},
			{"POST", numbers, "AreaCode=533", bad, 21452, sandbox.Twilio},
			{"POST", numbers, "PhoneNumber=%2B15005550006&VoiceUrl=ftp%3A%2F%2Fx", bad, 21502, ""},
			{"POST", numbers, "PhoneNumber=%2B15005550006&VoiceUrl=nonsense", bad, 21502, ""},
			{"POST", numbers, "PhoneNumber=%2B15005550006&VoiceMethod=PUT", bad, 21403, ""},
			{"POST", numbers, "PhoneNumber=%2B15005550006&VoiceReceiveMode=telex", bad, 20001, ""},
			{"POST", numbers, "PhoneNumber=%2B15005550006&FriendlyName=" + strings.Repeat("x", 65), bad, 21603, ""},
		} {
			if c.only != "" && c.only != dialect {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s %s %s", dialect, c.method, c.path, c.form), func(t *testing.T) {
				s := open(t, sandbox.Options{Dialect: dialect})
				a := call(t, s, dialect).do(c.method, c.path, c.form, c.status)
				if code := a.at("code"); fmt.Sprint(code) != fmt.Sprint(c.code) {
					t.Errorf("code %v, want %d: %s", code, c.code, a.text)
				}
				if n := len(call(t, s, dialect).get(numbers).list("incoming_phone_numbers")); n != 0 {
					t.Errorf("%d numbers bought by a refused request", n)
				}
			})
		}
	}
}

func TestCredentials(t *testing.T) {
	for _, dialect := range sandbox.Dialects() {
		s := open(t, sandbox.Options{Dialect: dialect})
		account := s.Account()
		for _, c := range []struct {
			name, user, password string
			status               int
		}{
			{"account and token", account.Account, account.Token, 200},
			{"none", "", "", 401},
			{"wrong token", account.Account, account.Token + "x", 401},
			{"wrong account", account.Account + "0", account.Token, 401},
			{"no secret", account.APIKey, "", 401},
		} {
			asker := call(t, s, dialect)
			asker.user, asker.password = c.user, c.password
			a := asker.do("GET", asker.root+".json", "", c.status)
			if c.status == 200 && (a.at("sid") != account.Account || a.at("status") != "active") {
				t.Errorf("%s: %s", c.name, a.text)
			}
			if c.status == 401 && a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: no WWW-Authenticate", c.name)
			}
			asker.do("GET", "Nowhere.json", "", map[int]int{200: 404, 401: 401}[c.status])
		}
		if account.APIKey != "" {
			asker := call(t, s, dialect)
			asker.user, asker.password = account.APIKey, account.APISecret
			asker.get("IncomingPhoneNumbers.json")
		}
		stranger := call(t, s, dialect)
		stranger.do("GET", strings.Replace(stranger.root, account.Account, "AC"+strings.Repeat("0", 32), 1)+"/IncomingPhoneNumbers.json", "", 404)
	}
}

func TestOtherFormats(t *testing.T) {
	c := call(t, open(t, sandbox.Options{}), sandbox.Twilio)
	c.buy("PhoneNumber=%2B15005550006&FriendlyName=a%26b")
	a := c.get("IncomingPhoneNumbers")
	if a.header.Get("Content-Type") != "application/xml" || !strings.Contains(a.text, "<FriendlyName>a&amp;b</FriendlyName>") {
		t.Errorf("without .json: %s %s", a.header.Get("Content-Type"), a.text)
	}
	if a := c.do("GET", "Nowhere", "", 404); !strings.Contains(a.text, "<RestException>") {
		t.Errorf("error without .json: %s", a.text)
	}
	if a := c.do("GET", "Nowhere.json", "", 404); a.at("code") != 20404.0 || !strings.HasPrefix(a.header.Get("Twilio-Request-Id"), "RQ") ||
		a.at("more_info") != "https://www.twilio.com/docs/errors/20404" || a.at("status") != 404.0 ||
		!strings.Contains(a.text, "/Nowhere.json was not found") {
		t.Errorf("error: %s", a.text)
	}

	c = call(t, open(t, sandbox.Options{Dialect: sandbox.SignalWire}), sandbox.SignalWire)
	if a := c.get("IncomingPhoneNumbers"); a.body == nil {
		t.Errorf("signalwire without .json: %s", a.text)
	}
	if a := c.do("GET", "Nowhere", "", 404); !strings.HasPrefix(a.text, "<!DOCTYPE html>") {
		t.Errorf("signalwire 404: %s", a.text)
	}
	if a := c.do("GET", "/v1/PhoneNumbers/Countries/US", "", 404); a.body != nil {
		t.Errorf("signalwire has no prices: %s", a.text)
	}
	c.password = "wrong"
	if a := c.do("GET", "IncomingPhoneNumbers", "", 401); a.at("message") != "Authenticate" {
		t.Errorf("signalwire 401: %s", a.text)
	}
}

func TestPrices(t *testing.T) {
	c := call(t, open(t, sandbox.Options{}), sandbox.Twilio)
	a := c.get("/v1/PhoneNumbers/Countries/US")
	if a.at("price_unit") != "USD" || a.at("iso_country") != "US" ||
		a.at("phone_number_prices", 0, "number_type") != "local" || a.at("phone_number_prices", 0, "current_price") != "1.15" ||
		a.at("phone_number_prices", 1, "number_type") != "toll free" {
		t.Errorf("prices: %s", a.text)
	}
	if a.at("url") != "https://provider.example.com/v1/PhoneNumbers/Countries/US" {
		t.Errorf("url %v does not name the host that was asked", a.at("url"))
	}
	c.do("GET", "/v1/PhoneNumbers/Countries/XX", "", 404)
}
