package audit_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/audit"
	"github.com/faxctl/faxctl/pkg/receive/callback"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

const (
	key = webhook.Key("12345")
	yes = `<Response><Receive action="/done"/></Response>`
)

func answer(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

// probed is what a check finds about a number whose fax URL is served by h.
func probed(t *testing.T, h http.Handler, edit ...func(*fax.Number)) []audit.Finding {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	n := good(func(n *fax.Number) { n.FaxURL = s.URL + "/in?team=a" })
	for _, e := range edit {
		e(&n)
	}
	c := audit.Checker{Probe: &callback.Sender{Client: s.Client(), AccountID: "AC1", Key: key}}
	return c.Check(t.Context(), n)
}

func TestProbeJudgesTheAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    []string
		says    string
	}{
		"receives":     {answer("text/xml", yes), nil, ""},
		"rejects":      {answer("application/xml; charset=utf-8", `<Response><Reject/></Response>`), []string{"note rejects"}, ""},
		"plays music":  {answer("text/xml", `<Response><Play/></Response>`), []string{"problem answer"}, "34106"},
		"sign-in page": {answer("text/xml", `<html></html>`), []string{"problem answer"}, "12102"},
		"broken XML":   {answer("text/xml", `<Response>`), []string{"problem answer"}, "12100"},
		"JSON":         {answer("application/json", `{}`), []string{"problem answer"}, "12300"},
		"no type":      {answer("", ""), []string{"problem answer"}, "12300"},
		"too big":      {answer("text/xml", strings.Repeat(" ", 70_000)), []string{"problem answer"}, "11750"},
		"error":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, []string{"problem status"}, "HTTP 502 Bad Gateway"},
		"forbidden":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, []string{"problem status"}, "HTTP 403"},
		"faxctl": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Server", webhook.Server)
			answer("text/xml", yes)(w, r)
		}, []string{"note receiver"}, "a faxctl receiver"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/xml")
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, yes[:20])
		}, []string{"problem unreachable"}, "unexpected EOF"},
		"no answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, []string{"problem unreachable"}, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			got := probed(t, c.handler)
			if d := cmp.Diff(c.want, found(got)); d != "" {
				t.Fatalf("findings (-want +got):\n%s", d)
			}
			for _, f := range got {
				if !strings.Contains(f.Message, c.says) {
					t.Errorf("message %q, want %q", f.Message, c.says)
				}
			}
		})
	}
}

// The request is the provider's: parameters, method and signature.
func TestProbeLooksLikeTheProvider(t *testing.T) {
	want := url.Values{"FaxSid": {"FX" + strings.Repeat("0", 32)}, "AccountSid": {"AC1"}, "From": {"+15005550006"}, "To": {phone}, "ApiVersion": {"v1"}}
	for _, method := range []string{"POST", "GET", ""} {
		var seen int
		got := probed(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen++
			target := "https://" + r.Host + r.RequestURI
			var form url.Values
			if r.Method == http.MethodPost {
				if r.RequestURI != "/in?team=a" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
					t.Errorf("POST %s as %s", r.RequestURI, r.Header.Get("Content-Type"))
				}
				_ = r.ParseForm()
				form = r.PostForm
				if d := cmp.Diff(want, form); d != "" {
					t.Errorf("form (-want +got):\n%s", d)
				}
			} else {
				q := r.URL.Query()
				if q.Get("team") != "a" {
					t.Error("the URL's own query is lost")
				}
				q.Del("team")
				if d := cmp.Diff(want, q); d != "" {
					t.Errorf("query (-want +got):\n%s", d)
				}
			}
			if !webhook.Verify(key, target, form, r.Header.Get(webhook.Twilio.Header())) {
				t.Error("the signature is wrong")
			}
			if expect := map[string]string{"": "POST"}[method]; r.Method != method && r.Method != expect {
				t.Errorf("method %s for a number with %q", r.Method, method)
			}
			answer("text/xml", yes)(w, r)
		}), func(n *fax.Number) { n.Method = method })
		if got != nil || seen != 1 {
			t.Errorf("%q: %v after %d requests", method, found(got), seen)
		}
	}
}

func TestProbeOtherHeader(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(webhook.SignalWire.Header()) == "" || r.Header.Get(webhook.Twilio.Header()) != "" {
			t.Errorf("headers %v", r.Header)
		}
		answer("text/xml", yes)(w, r)
	}))
	defer s.Close()
	c := audit.Checker{Probe: &callback.Sender{Client: s.Client(), Key: key, Dialect: webhook.SignalWire}}
	if got := c.Check(t.Context(), good(func(n *fax.Number) { n.FaxURL = s.URL })); got != nil {
		t.Errorf("%v", found(got))
	}
}

func TestProbeNeedsAKey(t *testing.T) {
	never := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("asked without a key")
		return nil, errors.New("no")
	})}
	got := audit.Checker{Probe: &callback.Sender{Client: never}}.Check(t.Context(), good())
	if d := cmp.Diff([]string{"note unsigned"}, found(got)); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
}

// Redirects are followed three times, signed anew each time, and reported.
func TestProbeFollowsRedirects(t *testing.T) {
	hops := func(n, status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var at int
			_, _ = fmt.Sscanf(r.URL.Path, "/%d", &at)
			var form url.Values
			if r.Method == http.MethodPost {
				_ = r.ParseForm()
				form = r.PostForm
			}
			if !webhook.Verify(key, "https://"+r.Host+r.RequestURI, form, r.Header.Get(webhook.Twilio.Header())) {
				t.Errorf("hop %d (%s): the signature is wrong", at, r.Method)
			}
			if at < n {
				http.Redirect(w, r, fmt.Sprintf("/%d", at+1), status)
				return
			}
			answer("text/xml", yes)(w, r)
		})
	}
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		for n, want := range map[int][]string{
			1: {"warning redirect"}, 3: {"warning redirect", "warning redirect", "warning redirect"}, 4: {"problem redirect"},
		} {
			if d := cmp.Diff(want, found(probed(t, hops(n, status)))); d != "" {
				t.Errorf("%d redirects with %d (-want +got):\n%s", n, status, d)
			}
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// check probes with a transport of our own, in a bubble whose time is ours.
func check(ctx context.Context, rt roundTrip, patience time.Duration) []audit.Finding {
	return audit.Checker{Probe: &callback.Sender{Client: &http.Client{Transport: rt}, Key: key, Patience: patience}}.Check(ctx, good())
}

func response(r *http.Request, state *tls.ConnectionState) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}},
		Body: io.NopCloser(strings.NewReader(yes)), Request: r, TLS: state,
	}
}

func TestProbeSlow(t *testing.T) {
	for _, c := range []struct {
		took, patience time.Duration
		want           []string
	}{
		{4 * time.Second, 0, nil},
		{6 * time.Second, 0, []string{"warning slow"}},
		{16 * time.Second, 0, []string{"problem slow"}},
		{6 * time.Second, 5 * time.Second, []string{"problem slow"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			got := check(t.Context(), func(r *http.Request) (*http.Response, error) {
				select {
				case <-time.After(c.took):
					return response(r, nil), nil
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}, c.patience)
			if d := cmp.Diff(c.want, found(got)); d != "" {
				t.Errorf("%s with patience %s (-want +got):\n%s", c.took, c.patience, d)
			}
		})
	}
}

func TestProbeUnanswered(t *testing.T) {
	for want, err := range map[string]error{
		"problem unresolved":          &net.DNSError{Err: "no such host", Name: "fax.example.com", IsNotFound: true},
		"problem unreachable":         errors.New("169.254.169.254 is not a public address"),
		"problem tls":                 &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
		"problem certificate-expires": &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired, Detail: "yesterday"}},
	} {
		got := check(t.Context(), func(*http.Request) (*http.Response, error) { return nil, err }, 0)
		if d := cmp.Diff([]string{want}, found(got)); d != "" {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
		for _, f := range got {
			if strings.Contains(f.Message, "Post ") {
				t.Errorf("message %q repeats the URL", f.Message)
			}
		}
	}
}
