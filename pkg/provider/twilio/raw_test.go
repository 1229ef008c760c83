package twilio_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
)

// Credentials go to the provider's own hosts, whatever the path.
func TestRawAddress(t *testing.T) {
	d := newDouble(t)
	for dialect, paths := range map[twilio.Dialect]map[string]string{
		twilio.Twilio: {
			"Balance.json": "https://api.twilio.com/2010-04-01/Accounts/" + accountID + "/Balance.json",
			"/2010-04-01/Accounts/{account}/Calls.json":  "https://api.twilio.com/2010-04-01/Accounts/" + accountID + "/Calls.json",
			"https://fax.twilio.com/v1/Faxes?PageSize=2": "https://fax.twilio.com/v1/Faxes?PageSize=2",
			"//evil.example/x":                           "https://api.twilio.com//evil.example/x",
			"https://evil.example/x":                     "",
			"https://twilio.com.evil.example/":           "",
			"https://api.twilio.com@evil.example/":       "",
			"https://joe:secret@api.twilio.com/":         "",
			"https://api.twilio.com:8443/":               "",
			"http://api.twilio.com/":                     "",
			"https://api.twilio.com/#x":                  "",
			"https://demo.signalwire.com/":               "",
			"":                                           "",
			"a\x00b":                                     "",
			"ftp://api.twilio.com/":                      "",
			"HTTPS://API.Twilio.com:443/v1/X":            "https://api.twilio.com:443/v1/X",
			"Calls.json?Url=https://a.example/b":         "https://api.twilio.com/2010-04-01/Accounts/" + accountID + "/Calls.json?Url=https%3A%2F%2Fa.example%2Fb",
		},
		twilio.SignalWire: {
			"Balance.json":                     "https://" + space + "/api/laml/2010-04-01/Accounts/" + projectID + "/Balance.json",
			"/2010-04-01/Accounts":             "",
			"/api/relay/rest/domains":          "https://" + space + "/api/relay/rest/domains",
			"https://" + space + "/api":        "https://" + space + "/api",
			"https://other.signalwire.com/api": "", // somebody else's space
		},
	} {
		raw := d.open(t, twilio.Config{Dialect: dialect}).Raw
		for path, want := range paths {
			if path == "/2010-04-01/Accounts" {
				want = "https://" + space + "/api/laml/2010-04-01/Accounts"
			}
			got, _, err := raw.Request(fax.RawRequest{Method: "GET", Path: path})
			if got != want || (want == "") != errors.Is(err, problem.ErrInvalid) {
				t.Errorf("%s %q: %q, %v; want %q", dialect, path, got, err, want)
			}
			if want == "" {
				if _, err := raw.Do(t.Context(), fax.RawRequest{Method: "GET", Path: path}); !errors.Is(err, problem.ErrInvalid) {
					t.Errorf("%s %q was asked: %v", dialect, path, err)
				}
			}
		}
	}
	if asked := d.requests(); len(asked) > 0 {
		t.Errorf("these were sent: %q", asked)
	}
}

// A refusal says what is wrong with the address, not more.
func TestRawRefusals(t *testing.T) {
	raw := newDouble(t).open(t, twilio.Config{}).Raw
	for path, why := range map[string]string{
		"https://evil.example/x":              "evil.example is not a host of twilio",
		"https://api.twilio.com@evil.example": "evil.example is not a host of twilio",
		"http://api.twilio.com/":              "it begins with http://, not https://",
		"https://joe:5ecre7@api.twilio.com/":  "it has a user name in it",
		"https://api.twilio.com:8443/":        "port 8443",
	} {
		_, _, err := raw.Request(fax.RawRequest{Method: "GET", Path: path})
		if !errors.Is(err, problem.ErrInvalid) || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "5ecre7") {
			t.Errorf("%s: %v; want %q", path, err, why)
		}
	}
}

// What a request is said to be is what is sent, another origin included.
func TestRawRequest(t *testing.T) {
	d := newDouble(t)
	for _, origin := range []string{"", d.URL} {
		c := twilio.Config{}
		if origin != "" {
			c.APIOrigin = mustURL(t, origin)
		}
		raw := d.open(t, c).Raw
		for _, r := range []fax.RawRequest{
			{Method: "GET", Path: "Calls.json?PageSize=2&To=%2B1", Fields: url.Values{"To": {"+14155550123"}}},
			{Method: "DELETE", Path: "/v1/x", Fields: url.Values{"a": {"b c"}}},
			{Method: "POST", Path: "https://Fax.twilio.com/v1/x?y=1", Fields: url.Values{"a": {"b"}}},
		} {
			address, form, err := raw.Request(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := raw.Do(t.Context(), r); !errors.Is(err, problem.ErrNotFound) {
				t.Fatal(err)
			}
			u := mustURL(t, address)
			if origin != "" && !strings.HasPrefix(address, origin+"/") {
				t.Errorf("%s is not at %s", address, origin)
			}
			all := u.Query()
			for k, v := range form {
				all[k] = append(all[k], v...)
			}
			said := r.Method + " " + u.Host + u.Path + " " + all.Encode()
			if sent := d.requests(); sent[len(sent)-1] != said {
				t.Errorf("said %q, sent %q", said, sent[len(sent)-1])
			}
		}
	}
}

func TestRawDo(t *testing.T) {
	d := newDouble(t)
	d.answer("GET /2010-04-01/Accounts/"+accountID+"/Calls.json", 200, `{"page":0,"calls":[{"sid":"CA1"},{"sid":"CA2"}],"next_page_uri":"https://evil.example/x?Page=1&PageToken=PACA2&Extra=1"}`)
	d.answer("POST /2010-04-01/Accounts/"+accountID+"/Calls.json", 201, `{"sid":"CA3"}`)
	d.answer("DELETE /2010-04-01/Accounts/"+accountID+"/Calls/CA1.json", 204, "")
	d.answer("PUT /v1/x", 200, `<xml/>`)
	raw := d.open(t, twilio.Config{}).Raw

	page, err := raw.Do(t.Context(), fax.RawRequest{Method: "GET", Path: "Calls.json?PageSize=2", Fields: url.Values{"To": {"+14155550123"}}})
	if err != nil || len(page.Items) != 2 || string(page.Items[1]) != `{"sid":"CA2"}` || page.ContentType != "application/json" {
		t.Errorf("the page is %+v, %v", page, err)
	}
	if _, err := raw.Do(t.Context(), fax.RawRequest{Method: "GET", Path: "Calls.json", Cursor: page.Next}); err != nil {
		t.Error(err)
	}
	for _, r := range []fax.RawRequest{
		{Method: "POST", Path: "Calls.json", Fields: url.Values{"To": {"+14155550123", "x&y"}}},
		{Method: "DELETE", Path: "Calls/CA1.json"},
		{Method: "PUT", Path: "/v1/x", Fields: url.Values{"a": {"b"}}},
	} {
		if _, err := raw.Do(t.Context(), r); err != nil {
			t.Errorf("%s: %v", r.Method, err)
		}
	}
	calls := " api.twilio.com/2010-04-01/Accounts/" + accountID + "/Calls"
	want := []string{
		"GET" + calls + ".json PageSize=2&To=%2B14155550123",
		"GET" + calls + ".json Page=1&PageToken=PACA2",
		"POST" + calls + ".json To=%2B14155550123&To=x%26y",
		"DELETE" + calls + "/CA1.json",
		"PUT api.twilio.com/v1/x a=b",
	}
	if diff := cmp.Diff(want, d.requests()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	_, err = raw.Do(t.Context(), fax.RawRequest{Method: "GET", Path: "Nothing.json"})
	if !errors.Is(err, problem.ErrNotFound) || strings.Contains(err.Error(), token) {
		t.Errorf("a refusal: %v", err)
	}
}

// The list is found in each envelope that the providers have.
func TestRawPages(t *testing.T) {
	d := newDouble(t)
	d.answer("GET /v1/Faxes", 200, `{"meta":{"key":"faxes","next_page_url":"https://fax.twilio.com/v1/Faxes?PageToken=PA7&Page=1"},"faxes":[{}]}`)
	d.answer("GET /api/relay/rest/x", 200, `{"links":{"self":"/x","next":"/x?page_number=1&page_token=PA7"},"data":[{},{}]}`)
	d.answer("GET /api/relay/rest/y", 200, `{"data":[]}`)
	for _, s := range []struct {
		dialect    twilio.Dialect
		path, next string
		items      int
	}{
		{twilio.Twilio, "https://fax.twilio.com/v1/Faxes", "Page=1&PageToken=PA7", 1},
		{twilio.SignalWire, "/api/relay/rest/x", "page_number=1&page_token=PA7", 2},
		{twilio.SignalWire, "/api/relay/rest/y", "", 0},
	} {
		page, err := d.open(t, twilio.Config{Dialect: s.dialect}).Raw.Do(t.Context(), fax.RawRequest{Method: "GET", Path: s.path})
		if err != nil || page.Next != s.next || len(page.Items) != s.items || page.Items == nil {
			t.Errorf("%s: %+v, %v", s.path, page, err)
		}
	}
}
