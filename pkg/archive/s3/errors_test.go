package s3

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// at is an environment whose endpoint is this one.
func at(endpoint string) func(string) string {
	return (&s3test.Server{Endpoint: endpoint, Access: "AKIA-public", Secret: "hunter2-secret"}).Getenv
}

// What a server says becomes a kind, and a hint that names what to change. Keys are in none.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		code, more string
		kind       error
		hint       string
	}{
		"no right":        {403, "AccessDenied", "", problem.ErrAuth, "s3:ListBucket on arn:aws:s3:::clinic"},
		"no such key":     {403, "InvalidAccessKeyId", "", problem.ErrAuth, "AWS_ACCESS_KEY_ID"},
		"a wrong secret":  {403, "SignatureDoesNotMatch", "", problem.ErrAuth, "AWS_SECRET_ACCESS_KEY"},
		"an old token":    {400, "ExpiredToken", "", problem.ErrAuth, "AWS_PROFILE"},
		"a clock":         {403, "RequestTimeTooSkewed", "", problem.ErrAuth, "clock"},
		"no bucket":       {404, "NoSuchBucket", "", problem.ErrNotFound, "is it spelled right?"},
		"a region":        {301, "PermanentRedirect", "<Region>eu-north-1</Region>", problem.ErrInvalid, "set AWS_REGION=eu-north-1"},
		"a region, told":  {400, "AuthorizationHeaderMalformed", "<Region>eu-north-1</Region>", problem.ErrInvalid, "set AWS_REGION=eu-north-1"},
		"a region, not":   {400, "IllegalLocationConstraintException", "", problem.ErrInvalid, "AWS_REGION is"},
		"slow down":       {503, "SlowDown", "", problem.ErrUnavailable, ""},
		"an error":        {500, "InternalError", "", problem.ErrUnavailable, ""},
		"too many":        {429, "TooManyRequests", "", problem.ErrUnavailable, ""},
		"a key of nobody": {404, "XAdminUserNotFound", "", problem.ErrAuth, "AWS_ACCESS_KEY_ID"},
		"not known":       {501, "NotImplemented", "", problem.ErrUnsupported, ""},
		"something else":  {400, "InvalidArgument", "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>as it says</Message>%s</Error>", c.code, c.more)
			}))
			defer srv.Close()
			_, err := Open(t.Context(), "s3://clinic/kept", Options{Getenv: at(srv.URL), Patience: 100 * time.Millisecond})
			if err == nil || !errors.Is(err, c.kind) && c.kind != nil || c.kind == nil && problem.KindOf(err) != nil {
				t.Errorf("%v, of the kind %v; want %v", err, problem.KindOf(err), c.kind)
			}
			if hint := problem.AdviceOf(err).String(); !strings.Contains(hint, c.hint) || c.hint == "" && hint != "" {
				t.Errorf("hint %q, want one with %q", hint, c.hint)
			}
			if strings.Contains(fmt.Sprintf("%+v", err), "hunter2") || strings.Contains(err.Error(), "AKIA") {
				t.Errorf("shown: %q", err)
			}
		})
	}
}

// What is no S3 server, or not there, is unavailable, whatever it answers; what nobody
// vouches for says how to, and is marked, unless it is for the server's people to mend.
func TestNobodyThere(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hello</html>")) }))
	defer page.Close()
	missing := httptest.NewServer(http.NotFoundHandler())
	defer missing.Close()
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0)
	stranger.StartTLS()
	defer stranger.Close()
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.TLS = &tls.Config{Certificates: []tls.Certificate{ended(t)}}
	old.StartTLS()
	defer old.Close()
	other := strings.Replace(stranger.URL, "127.0.0.1", "localhost", 1)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: stranger.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	spoken := strings.Replace(page.URL, "http:", "https:", 1)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	moved := httptest.NewServer(http.RedirectHandler("/login", http.StatusFound))
	defer moved.Close()
	for endpoint, hint := range map[string]string{
		page.URL: "of AWS_ENDPOINT_URL_S3", missing.URL: "of AWS_ENDPOINT_URL_S3", moved.URL: "of AWS_ENDPOINT_URL_S3", stranger.URL: "AWS_CA_BUNDLE",
		other:  "name the server as in its certificate",
		spoken: "speaks http there", old.URL: "renewed",
		"http://127.0.0.1:1": "of AWS_ENDPOINT_URL_S3", "http://" + silent.Addr().String(): "or speak https",
	} {
		getenv := at(endpoint)
		if endpoint == other {
			getenv = func(name string) string {
				if name == "AWS_CA_BUNDLE" {
					return bundle
				}
				return at(endpoint)(name)
			}
		}
		o := Options{Getenv: getenv, Patience: 50 * time.Millisecond}
		if strings.HasSuffix(endpoint, silent.Addr().String()) {
			o.Stall = 300 * time.Millisecond
		}
		_, err := Open(t.Context(), "s3://clinic", o)
		if !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(problem.AdviceOf(err).String(), hint) || strings.Contains(err.Error(), "list-type") {
			t.Errorf("%s: %v, hint %q; want one with %q", endpoint, err, problem.AdviceOf(err), hint)
		}
		if untrusted := endpoint == stranger.URL || endpoint == other || endpoint == spoken; errors.Is(err, problem.ErrUntrusted) != untrusted {
			t.Errorf("%s: a matter of trust? %v", endpoint, err)
		}
	}
}

// ended is a certificate whose time is over.
func ended(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(-time.Minute)}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A bucket that goes away is no file that is not there: nobody may take what is in it for
// deleted.
func TestBucketGone(t *testing.T) {
	server := s3test.Fake(t)
	server.Bucket(t, "clinic", s3test.Plain)
	s := open(t, server, "s3://clinic", Options{Patience: time.Second})
	if err := server.Client(t).RemoveBucket(t.Context(), "clinic"); err != nil {
		t.Fatal(err)
	}
	_, put := s.Put(t.Context(), "FX1.json", strings.NewReader("{}"), store.Unchanged("x"))
	_, stat := s.Stat(t.Context(), "FX1.json")
	_, _, open := s.Open(t.Context(), "FX1.json", 0)
	var list error
	for _, err := range s.List(t.Context(), "") {
		list = err
	}
	for did, err := range map[string]error{"put": put, "stat": stat, "open": open, "list": list, "remove": s.Remove(t.Context(), "FX1.json")} {
		if !errors.Is(err, problem.ErrNotFound) || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no bucket clinic") {
			t.Errorf("%s: %v", did, err)
		}
	}
}

// An answer that speaks of another place sends nobody there.
func TestNoOtherPlace(t *testing.T) {
	visited := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited = true }))
	defer elsewhere.Close()
	srv := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/clinic/", http.StatusTemporaryRedirect))
	defer srv.Close()
	_, err := Open(t.Context(), "s3://clinic", Options{Getenv: at(srv.URL), Patience: time.Millisecond})
	if err == nil || visited {
		t.Errorf("%v; visited: %v", err, visited)
	}
	set, err := readSettings(at(srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, elsewhere.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (guard{http.DefaultTransport, set.endpoint}).RoundTrip(req); err == nil || visited {
		t.Errorf("%v; visited: %v", err, visited)
	}
	for host, want := range map[string]bool{
		"s3.amazonaws.com": true, "clinic.s3.eu-central-1.amazonaws.com": true, "clinic.s3.dualstack.eu-central-1.amazonaws.com": true,
		"amazonaws.com.example.com": false, "xamazonaws.com": false, "example.com": false,
	} {
		set, err := readSettings(env(t, nil, nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := (guard{nil, set.endpoint}).serves(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

// server is an S3 server that needs no connection.
type server func(*http.Request) (*http.Response, error)

func (s server) RoundTrip(req *http.Request) (*http.Response, error) { return s(req) }

// Who waits for a first answer, be it that nobody listens there or that nothing is said, is
// told after a second, once, and of a prompt server not at all.
func TestAway(t *testing.T) {
	answer := func(req *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		_, err := io.WriteString(w, "<ListBucketResult><Name>clinic</Name></ListBucketResult>")
		res := w.Result()
		res.Request = req
		return res, err
	}
	const limit = 4 * time.Second
	for name, c := range map[string]struct {
		server server
		told   bool
	}{
		"it answers":         {answer, false},
		"it answers in time": {func(req *http.Request) (*http.Response, error) { time.Sleep(silence * 9 / 10); return answer(req) }, false},
		"nobody listens": {func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		}, true},
		"it says nothing": {func(*http.Request) (*http.Response, error) { time.Sleep(limit); return nil, os.ErrDeadlineExceeded }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told []string
				began := time.Now()
				_, err := Open(t.Context(), "s3://clinic", Options{
					Getenv: at("http://127.0.0.1:9000"), Patience: limit, Around: func(http.RoundTripper) http.RoundTripper { return c.server },
					Away: func(server string) { told = append(told, fmt.Sprint(server, " after ", time.Since(began))) },
				})
				want := []string(nil)
				if c.told {
					want = []string{"127.0.0.1:9000 after 1s"}
				}
				if !slices.Equal(told, want) {
					t.Errorf("told of %q, want %q", told, want)
				}
				if c.told == (err == nil) || c.told && !errors.Is(err, problem.ErrUnavailable) {
					t.Errorf("it ended with %v", err)
				}
			})
		})
	}
}

// A call ends with its context, whatever the server does, and with its own limits without.
func TestEnds(t *testing.T) {
	server := s3test.Fake(t)
	server.Bucket(t, "clinic", s3test.Plain)
	var stall atomic.Bool
	front := server.Proxy(t, func(*http.Request) s3test.Fault {
		if stall.Load() {
			return s3test.Stall
		}
		return s3test.None
	})
	s := open(t, front, "s3://clinic", Options{})
	stall.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := s.Put(ctx, "FX1.json", strings.NewReader("{}"), store.Absent()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	stall.Store(false)
	s = open(t, front, "s3://clinic", Options{Stall: 200 * time.Millisecond})
	s.options.Patience = 300 * time.Millisecond // which to open it takes longer than, at times
	stall.Store(true)
	if _, err := s.Stat(t.Context(), "FX1.json"); !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
