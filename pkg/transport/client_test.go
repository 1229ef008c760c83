package transport_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/transport"
)

func TestParseOrigin(t *testing.T) {
	for in, want := range map[string]string{
		"https://api.example":          "https://api.example",
		"https://API.example:8443/":    "https://api.example:8443",
		"http://localhost:8080":        "http://localhost:8080",
		"http://127.0.0.1:1":           "http://127.0.0.1:1",
		"http://127.9.9.9":             "http://127.9.9.9",
		"http://[::1]:8080":            "http://[::1]:8080",
		"HTTP://LocalHost":             "http://localhost",
		"http://api.example":           "",
		"http://localhost.example":     "",
		"http://127.0.0.1.example":     "",
		"http://0.0.0.0":               "",
		"http://10.0.0.1":              "",
		"ftp://localhost":              "",
		"api.example":                  "",
		"localhost:8080":               "",
		"":                             "",
		"https://":                     "",
		"https://:443":                 "",
		"https:api.example":            "",
		"https://api.example/v1":       "",
		"https://api.example?a=5ecre7": "",
		"https://api.example?":         "",
		"https://api.example#":         "",
		"https://me@api.example":       "",
		"https://me:5ecre7@[::1":       "",
		"https://me:5ecre7@a.example":  "",
		"https://api.example:port":     "",
		"https://api.example\n":        "",
	} {
		got, err := transport.ParseOrigin(in)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is accepted as %v", in, got)
		case want == "" && strings.Contains(err.Error(), "5ecre7"):
			t.Errorf("%q: the error repeats it: %v", in, err)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%q: got %v, %v, want %s", in, got, err, want)
		}
	}
}

func FuzzParseOrigin(f *testing.F) {
	for _, s := range []string{"https://api.example/", "http://[::1]:80", "http://localhost@evil.example", "https:///x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := transport.ParseOrigin(s)
		if err != nil {
			return
		}
		if u.Host == "" || *u != (url.URL{Scheme: u.Scheme, Host: u.Host}) || u.Scheme != "https" && u.Scheme != "http" {
			t.Errorf("%q became %#v", s, u)
		}
		again, err := transport.ParseOrigin(u.String())
		if err != nil || *again != *u {
			t.Errorf("%q became %v, which became %v, %v", s, u, again, err)
		}
	})
}

// TestRebase sends calls for several hosts to one server.
func TestRebase(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.Host+r.URL.RequestURI())
	}))
	defer server.Close()
	origin, err := transport.ParseOrigin(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := transport.Client(transport.Stack(server.Client().Transport, transport.Rebase(origin)))
	for _, target := range []string{"https://fax.example/v1/Faxes?To=%2B1&Page=0", "https://api.example:8443/a%2Fb", "https://api.example"} {
		req := request(t, http.MethodGet, target, nil)
		req.Host = "api.example"
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if req.URL.String() != target || req.Host != "api.example" {
			t.Errorf("the caller's request was altered: %v, %s", req.URL, req.Host)
		}
	}
	want := []string{origin.Host + "/v1/Faxes?To=%2B1&Page=0", origin.Host + "/a%2Fb", origin.Host + "/"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if base := http.RoundTripper(network(nil)); transport.Stack(base, transport.Rebase(nil)) == nil {
		t.Error("no origin, no base")
	}
}

// web answers by URL: a status and where to go.
type web map[string]struct {
	status   int
	location string
}

// visit is a request as it arrived.
type visit struct{ Method, URL, Authorization, Cookie, Referer, Encoding string }

func (w web) record(into *[]visit) http.RoundTripper {
	return network(func(req *http.Request) (*http.Response, error) {
		h := req.Header
		*into = append(*into, visit{req.Method, req.URL.String(), h.Get("Authorization"), h.Get("Cookie"), h.Get("Referer"), h.Get("Accept-Encoding")})
		page, ok := w[req.URL.String()]
		if !ok {
			return answer(req, http.StatusOK, "words"), nil
		}
		return answer(req, page.status, "", "Location", page.location), nil
	})
}

func TestClientRedirects(t *testing.T) {
	pages := web{
		"https://api.example/moved":   {http.StatusFound, "/here"},
		"https://api.example/other":   {http.StatusFound, "https://evil.example/"},
		"https://api.example/plain":   {http.StatusFound, "http://api.example/"},
		"https://api.example/port":    {http.StatusFound, "https://api.example:8443/"},
		"https://api.example/keep":    {http.StatusTemporaryRedirect, "/here"},
		"https://api.example/forever": {http.StatusFound, "/forever"},
	}
	for _, tt := range []struct {
		method, path string
		requests     int
		refused      bool
	}{
		{"GET", "/moved", 2, false},
		{"HEAD", "/moved", 2, false},
		{"GET", "/keep", 2, false},
		{"GET", "/other", 1, true},
		{"GET", "/plain", 1, true},
		{"GET", "/port", 1, true},
		{"DELETE", "/moved", 1, true},
		{"DELETE", "/keep", 1, true},
		{"POST", "/moved", 1, true},
		{"POST", "/keep", 1, true},
		{"GET", "/forever", 5, true},
	} {
		var visits []visit
		req := request(t, tt.method, "https://api.example"+tt.path, strings.NewReader("a=1"))
		req.SetBasicAuth("AC1", "5ecre7")
		res, err := transport.Client(pages.record(&visits)).Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		if errors.Is(err, transport.ErrRedirect) != tt.refused || len(visits) != tt.requests {
			t.Errorf("%s %s: %d requests, %v", tt.method, tt.path, len(visits), err)
		}
	}
}

func TestBase(t *testing.T) {
	base := transport.Base(32)
	if base.MaxIdleConnsPerHost != 32 || base.TLSHandshakeTimeout == 0 || base.Proxy == nil || base.DialContext == nil {
		t.Errorf("got %+v", base)
	}
}
