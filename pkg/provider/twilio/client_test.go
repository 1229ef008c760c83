package twilio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What can go wrong between here and the provider, and what becomes of it.
func TestTrouble(t *testing.T) {
	hijack := func(send string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = conn.Write([]byte(send))
			_ = conn.Close()
		}
	}
	body := func(contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, handle := range map[string]http.HandlerFunc{
		"a reset":                     hijack(""),
		"half an answer":              hijack("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"sid\":"),
		"not HTTP":                    hijack("SSH-2.0-OpenSSH_9.9\r\n"),
		"a web page with status 200":  body("text/html", "<!DOCTYPE html><html>Sign in to the wireless network</html>"),
		"half a JSON with status 200": body("application/json", `{"incoming_phone_numbers":[{"sid":"PN1"`),
		"nothing with status 200":     body("application/json", ``),
		"another JSON":                body("application/json", `{"status":"ok"}`),
		"a list that is null":         body("application/json", `{"incoming_phone_numbers":null,"faxes":null,"media":null}`),
		"records that are none":       body("application/json", `{"incoming_phone_numbers":["a"],"faxes":{"a":1},"media":[3]}`),
		"JSON of another shape":       body("application/json", `[1,2,3]`),
		"a link to no page":           body("application/json", `{"incoming_phone_numbers":[],"faxes":[],"media":[],"next_page_uri":"https://evil.example/"}`),
		"the same page for ever":      body("application/json", `{"incoming_phone_numbers":[],"media":[],"next_page_uri":"?Page=1&PageToken=PA1"}`),
		"nested without end":          body("application/json", strings.Repeat("[", 1_000_000)),
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/?stolen", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t)
			d.mux.Handle("/", handle)
			p := d.open(t, twilio.Config{})
			_, numbers := fax.Collect(p.Numbers.List(t.Context(), fax.NumberFilter{}))
			_, number := p.Numbers.Get(t.Context(), deskID)
			_, buy := p.Numbers.Buy(t.Context(), fax.Order{Phone: "+14155550123"})
			_, page := p.Faxes.Page(t.Context(), fax.Filter{}, 0, "")
			_, one := p.Faxes.Get(t.Context(), faxID)
			_, media := fax.Collect(p.Faxes.Media(t.Context(), faxID))
			_, account := p.Accounts.Account(t.Context())
			for what, err := range map[string]error{"account": account, "numbers": numbers, "number": number, "buy": buy, "page": page, "one": one, "media": media} {
				if name == "the same page for ever" && what == "page" {
					continue // its reader, not the page, goes round
				}
				if !errors.Is(err, problem.ErrUnavailable) {
					t.Errorf("%s: %v, want %v", what, err, problem.ErrUnavailable)
				}
				if strings.Contains(fmt.Sprint(err), token) || strings.Contains(fmt.Sprint(err), "PageSize") {
					t.Errorf("%s: %v tells too much", what, err)
				}
			}
			posts := 0
			for _, line := range d.requests() {
				if strings.HasPrefix(line, http.MethodPost) {
					posts++
				}
				if strings.Contains(line, "evil") {
					t.Errorf("asked %s", line)
				}
			}
			if posts != 1 {
				t.Errorf("%d purchases were sent", posts)
			}
		})
	}
}

// Credentials are good for an account when the API speaks of that account.
func TestWhichAccount(t *testing.T) {
	for body, want := range map[string]error{
		`{"sid":"` + accountID + `","friendly_name":"Clinic","status":"active","type":"Full"}`: nil,
		`{"sid":"` + strings.ToUpper(accountID) + `"}`:                                         nil,
		`{"sid":"ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","status":"active"}`:                       problem.ErrAuth,
		`{"sid":"","status":"active"}`:                                                         problem.ErrUnavailable,
		`{"status":"ok"}`:                                                                      problem.ErrUnavailable,
	} {
		d := newDouble(t)
		d.answer("GET /2010-04-01/Accounts/"+accountID+".json", http.StatusOK, body)
		got, err := d.open(t, twilio.Config{}).Accounts.Account(t.Context())
		if !errors.Is(err, want) || (want != nil) != (problem.AdviceOf(err).String() != "") || (want == nil) != strings.EqualFold(got.ID, accountID) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}

// The context's error stays the context's, wherever it strikes.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := twilio.Open(twilio.Config{
			Dialect: twilio.Twilio, AccountID: accountID, User: accountID, Secret: func() string { return token },
			API: &http.Client{Transport: hang{}},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1)
		defer cancel()
		_, err = p.Numbers.Buy(ctx, fax.Order{Phone: "+14155550123"})
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, problem.ErrUnavailable) {
			t.Errorf("%v, want the deadline alone", err)
		}
	})
}

// hang is a network that never answers.
type hang struct{}

func (hang) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// Any user and secret go out as they are; with an API key the account in the
// path stays the account.
func TestCredentials(t *testing.T) {
	var user, password string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	d := &double{Server: server}
	for want, c := range map[string]twilio.Config{
		accountID:                            {},
		"SK88888888888888888888888888888888": {User: "SK88888888888888888888888888888888"},
		projectID:                            {Dialect: twilio.SignalWire},
	} {
		if err := d.open(t, c).Numbers.Release(t.Context(), uuidID); err != nil {
			t.Fatal(err)
		}
		if user != want || password != token {
			t.Errorf("signed in as %s:%s, want %s:%s", user, password, want, token)
		}
	}
}

// A configuration that cannot work is refused before anything is sent, and
// none of them prints its secret.
func TestOpenRefuses(t *testing.T) {
	good := twilio.Config{Dialect: twilio.Twilio, AccountID: accountID, User: accountID, Secret: func() string { return token }}
	if printed := fmt.Sprintf("%v %+v %#v", good, good, good); strings.Contains(printed, token) {
		t.Error("printing a Config shows the secret")
	}
	for name, test := range map[string]struct {
		alter func(*twilio.Config)
		want  error
	}{
		"a dialect that is none":          {func(c *twilio.Config) { c.Dialect = "vonage" }, problem.ErrInvalid},
		"no account":                      {func(c *twilio.Config) { c.AccountID = "" }, problem.ErrInvalid},
		"an account that leaves the path": {func(c *twilio.Config) { c.AccountID = "../AC1" }, problem.ErrInvalid},
		"no user":                         {func(c *twilio.Config) { c.User = "" }, problem.ErrAuth},
		"no secret":                       {func(c *twilio.Config) { c.Secret = nil }, problem.ErrAuth},
		"a region without an edge":        {func(c *twilio.Config) { c.Region = "ie1" }, problem.ErrInvalid},
		"an edge that is a host":          {func(c *twilio.Config) { c.Edge = "evil.example/" }, problem.ErrInvalid},
		"no space":                        {func(c *twilio.Config) { c.Dialect = twilio.SignalWire }, problem.ErrInvalid},
		"a space elsewhere":               {func(c *twilio.Config) { c.Dialect, c.Space = twilio.SignalWire, "signalwire.com.evil.example" }, problem.ErrInvalid},
		"a space with a user":             {func(c *twilio.Config) { c.Dialect, c.Space = twilio.SignalWire, "a@b.signalwire.com" }, problem.ErrInvalid},
	} {
		c := good
		test.alter(&c)
		if _, err := twilio.Open(c); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	good.Region = "us1"
	if _, err := twilio.Open(good); err != nil {
		t.Errorf("region us1 alone is fine: %v", err)
	}
}

// mustURL is s as a URL.
func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
