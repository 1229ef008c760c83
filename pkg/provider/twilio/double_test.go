package twilio_test

import (
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
)

const (
	accountID = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	projectID = "b3877c40-da60-4998-90ad-b792e98472ac"
	space     = "clinic.signalwire.com"
	token     = "PT-9f_secret.token"
)

// double is a server that stands for every host of a provider. It answers with
// what it was told, by method and path, and remembers what was asked.
type double struct {
	*httptest.Server
	mux *http.ServeMux

	mu    sync.Mutex
	asked []string // "GET host/path?query" or "POST host/path form"
}

// newDouble starts a double and stops it with the test.
func newDouble(t *testing.T) *double {
	t.Helper()
	d := &double{mux: http.NewServeMux()}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := r.Method + " " + r.Header.Get("X-Meant-For") + r.URL.Path
		if err := r.ParseForm(); err == nil && len(r.Form) > 0 {
			line += " " + r.Form.Encode()
		}
		d.mu.Lock()
		d.asked = append(d.asked, line)
		d.mu.Unlock()
		if _, known := d.mux.Handler(r); known == "" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"code":20404,"message":"The requested resource was not found","status":404}`)
			return
		}
		d.mux.ServeHTTP(w, r)
	}))
	t.Cleanup(d.Close)
	return d
}

// requests is what was asked so far.
func (d *double) requests() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.asked...)
}

// answer makes a pattern of http.ServeMux answer with a status and a body.
func (d *double) answer(pattern string, status int, body string) {
	d.mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Twilio-Request-Id", "RQ77777777777777777777777777777777")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// RoundTrip sends a request meant for any host to the double.
func (d *double) RoundTrip(r *http.Request) (*http.Response, error) {
	to, err := url.Parse(d.URL)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("X-Meant-For", r.URL.Host)
	r.URL.Scheme, r.URL.Host, r.Host = to.Scheme, to.Host, r.URL.Host
	return http.DefaultTransport.RoundTrip(r)
}

// open opens a provider whose every request ends at the double. The zero
// config is a Twilio account.
func (d *double) open(t *testing.T, c twilio.Config) fax.Provider {
	t.Helper()
	c.Dialect = cmp.Or(c.Dialect, twilio.Twilio)
	if c.Dialect == twilio.SignalWire {
		c.AccountID, c.Space = cmp.Or(c.AccountID, projectID), cmp.Or(c.Space, space)
	}
	c.AccountID = cmp.Or(c.AccountID, accountID)
	c.User = cmp.Or(c.User, c.AccountID)
	c.Secret = func() string { return token }
	c.API = &http.Client{Transport: d}
	if c.Documents == nil {
		c.Documents = &http.Client{Transport: d}
	}
	p, err := twilio.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wire reads an answer from testdata/wire.
func wire(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "wire", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
