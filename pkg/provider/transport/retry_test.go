package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/provider/transport"
)

const api = "https://api.example/v1/Faxes"

// step is what becomes of one attempt.
type step struct {
	status int
	after  string // Retry-After; "@5s" is the date in five seconds
	page   bool   // it comes from something before the API
	err    error
}

// script answers each attempt with the next step, the last one for ever. It
// notes when the attempts came, what they carried and which bodies are open.
type script struct {
	t     *testing.T
	steps []step
	start time.Time
	at    []time.Duration
	sent  []string
	open  int
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	s.at = append(s.at, time.Since(s.start))
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			s.t.Errorf("body of attempt %d: %v", len(s.at), err)
		}
		s.sent = append(s.sent, string(b))
		_ = req.Body.Close()
	}
	now := s.steps[min(len(s.at), len(s.steps))-1]
	if now.err != nil {
		return nil, now.err
	}
	res := answer(req, now.status, "")
	if !now.page {
		res.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	if in, ok := strings.CutPrefix(now.after, "@"); ok {
		d, err := time.ParseDuration(in)
		if err != nil {
			s.t.Error(err)
		}
		res.Header.Set("Retry-After", time.Now().Add(d).UTC().Format(http.TimeFormat))
	} else if now.after != "" {
		res.Header.Set("Retry-After", now.after)
	}
	s.open++
	res.Body = &counted{strings.NewReader("words"), s}
	return res, nil
}

type counted struct {
	io.Reader
	s *script
}

func (c *counted) Close() error { c.s.open--; return nil }

func dialError() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

func resetError() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}

func TestRetryWhat(t *testing.T) {
	proxy := func(why error) error {
		return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Net: "tcp", Err: why}}
	}
	for _, tt := range []struct {
		name     string
		methods  string
		first    step
		attempts int
	}{
		{"all is well", "GET POST", step{status: 200}, 1},
		{"refused for now", "GET HEAD PUT DELETE POST PATCH", step{status: 429}, 2},
		{"refused for now, by a page", "GET HEAD PUT DELETE", step{status: 429, page: true}, 2},
		{"refused for now, by a page that may have passed it on", "POST PATCH", step{status: 429, page: true}, 1},
		{"may pass", "GET HEAD PUT DELETE", step{status: 503}, 2},
		{"may pass, but may have been done", "POST PATCH", step{status: 503}, 1},
		{"too slow", "GET DELETE", step{status: 408}, 2},
		{"too slow, but may have been done", "POST", step{status: 408}, 1},
		{"never implemented", "GET DELETE", step{status: 501}, 1},
		{"never this version", "GET", step{status: 505}, 1},
		{"our mistake", "GET DELETE POST", step{status: 404}, 1},
		{"connection lost", "GET HEAD PUT DELETE", step{err: resetError()}, 2},
		{"connection lost, but may have been done", "POST", step{err: resetError()}, 1},
		{"cut short", "GET", step{err: io.ErrUnexpectedEOF}, 2},
		{"connection not made", "GET POST", step{err: dialError()}, 2},
		{"proxy not reached", "GET POST", step{err: proxy(syscall.ETIMEDOUT)}, 2},
		{"no proxy there", "GET POST", step{err: proxy(syscall.ECONNREFUSED)}, 1},
		{"name server busy", "GET POST", step{err: &net.OpError{Op: "dial", Err: &net.DNSError{IsTemporary: true}}}, 2},
		{"no such host", "GET POST", step{err: &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}}, 1},
		{"bad certificate", "GET", step{err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}, 1},
		{"not TLS", "GET", step{err: http.ErrSchemeMismatch}, 1},
		{"refused address", "GET POST", step{err: &net.OpError{Op: "dial", Err: transport.ErrPrivateAddress}}, 1},
	} {
		for _, method := range strings.Fields(tt.methods) {
			t.Run(tt.name+"/"+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := &script{t: t, steps: []step{tt.first, {status: 200}}, start: time.Now()}
					res, err := transport.Stack(server, transport.Retry(time.Minute, nil)).RoundTrip(request(t, method, api, nil))
					if len(server.at) != tt.attempts {
						t.Errorf("%d attempts, want %d", len(server.at), tt.attempts)
					}
					if want := server.steps[tt.attempts-1]; !errors.Is(err, want.err) || res != nil && res.StatusCode != want.status {
						t.Errorf("got %v, %v, want %+v", res, err, want)
					}
					if res != nil && server.open != 1 {
						t.Errorf("%d bodies are open, want the last one", server.open)
					}
				})
			})
		}
	}
}

func TestRetryWhen(t *testing.T) {
	const ms = time.Millisecond
	type wait struct{ least, most time.Duration }
	for _, tt := range []struct {
		name   string
		within time.Duration
		steps  []step
		waits  []wait
	}{
		{"seconds", time.Minute, []step{{status: 503, after: "3"}, {status: 429, after: "7"}, {status: 200}},
			[]wait{{3000 * ms, 3000 * ms}, {7000 * ms, 7000 * ms}}},
		{"a date", time.Minute, []step{{status: 429, after: "@5s"}, {status: 200}}, []wait{{5000 * ms, 5000 * ms}}},
		{"just enough", 3 * time.Second, []step{{status: 503, after: "3"}, {status: 200}}, []wait{{3000 * ms, 3000 * ms}}},
		{"more than what is left", 3 * time.Second, []step{{status: 503, after: "4"}, {status: 200}}, nil},
		{"more than there can be", time.Hour, []step{{status: 503, after: "99999999999999"}, {status: 200}}, nil},
		{"no advice: nonsense", time.Minute, []step{{status: 503, after: "soon"}, {status: 200}}, []wait{{0, 500 * ms}}},
		{"no advice: negative", time.Minute, []step{{status: 503, after: "-1"}, {status: 200}}, []wait{{0, 500 * ms}}},
		{"no advice: the past", time.Minute, []step{{status: 503, after: "@-5s"}, {status: 200}}, []wait{{0, 500 * ms}}},
		{"busy", time.Minute, []step{{status: 429}, {status: 429}, {status: 429}, {status: 200}}, []wait{{0, 50 * ms}, {0, 100 * ms}, {0, 200 * ms}}},
		{"down", time.Minute, []step{{status: 502}, {err: resetError()}, {status: 200}}, []wait{{0, 500 * ms}, {0, 1000 * ms}}},
		{"no retry", 0, []step{{status: 503}, {status: 200}}, nil},
		{"no retry at all", -1, []step{{status: 503}, {status: 200}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &script{t: t, steps: tt.steps, start: time.Now()}
				var heard []time.Duration
				rt := transport.Stack(server, transport.Retry(tt.within, func(attempt int, wait time.Duration, _ string) {
					if heard = append(heard, wait); len(heard) != attempt {
						t.Errorf("attempt %d is heard of as the %dth", attempt, len(heard))
					}
				}))
				res, err := rt.RoundTrip(request(t, http.MethodGet, api, nil))
				if err != nil {
					t.Fatal(err)
				}
				if len(heard) != len(tt.waits) || len(server.at) != len(tt.waits)+1 {
					t.Fatalf("%d waits, %d attempts, want %d waits", len(heard), len(server.at), len(tt.waits))
				}
				for i, want := range tt.waits {
					got := server.at[i+1] - server.at[i]
					if got < want.least || got > want.most || got != heard[i] {
						t.Errorf("attempt %d came after %v, announced as %v, want %v", i+2, got, heard[i], want)
					}
				}
				if body, err := io.ReadAll(res.Body); err != nil || string(body) != "words" {
					t.Errorf("the response is not whole: %q, %v", body, err)
				}
			})
		})
	}
}

// TestRetryGivesUp checks that the attempts spread over the time given, the
// last one at its end, and that the last answer comes back as it is.
func TestRetryGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &script{t: t, steps: []step{{status: 503}}, start: time.Now()}
		why := map[string]int{}
		rt := transport.Stack(server, transport.Retry(2*time.Minute, func(_ int, _ time.Duration, reason string) { why[reason]++ }))
		res, err := rt.RoundTrip(request(t, http.MethodGet, api, nil))
		if err != nil || res.StatusCode != http.StatusServiceUnavailable || server.open != 1 {
			t.Fatalf("%v, %v, %d bodies open", res, err, server.open)
		}
		if last := server.at[len(server.at)-1]; last != 2*time.Minute {
			t.Errorf("the last attempt came after %v", last)
		}
		if n := len(server.at); n < 10 || n > 200 {
			t.Errorf("%d attempts in two minutes", n)
		}
		if diff := cmp.Diff(map[string]int{"HTTP 503": len(server.at) - 1}, why); diff != "" {
			t.Errorf("reasons (-want +got)\n%s", diff)
		}
	})
}

func TestRetryEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &script{t: t, steps: []step{{status: 503, after: "60"}}, start: time.Now()}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		_, err := transport.Stack(server, transport.Retry(time.Hour, nil)).RoundTrip(request(t, http.MethodGet, api, nil).WithContext(ctx))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(server.start) != 1500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(server.start))
		}
		if len(server.at) != 1 || server.open != 0 {
			t.Errorf("%d attempts, %d bodies open", len(server.at), server.open)
		}
	})
}

func TestRetryBody(t *testing.T) {
	for _, tt := range []struct {
		name string
		body io.Reader
		want []string
	}{
		{"rewound", strings.NewReader("a=1"), []string{"a=1", "a=1", "a=1"}},
		{"cannot be rewound", io.MultiReader(strings.NewReader("a=1")), []string{"a=1"}},
		{"none", http.NoBody, []string{"", "", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &script{t: t, steps: []step{{status: 429}, {status: 429}, {status: 200}}, start: time.Now()}
				if _, err := transport.Stack(server, transport.Retry(time.Minute, nil)).RoundTrip(request(t, http.MethodPost, api, tt.body)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, server.sent); diff != "" {
					t.Errorf("sent (-want +got)\n%s", diff)
				}
			})
		})
	}
}
