package transport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/provider/transport"
)

func TestStackOrder(t *testing.T) {
	var order []string
	layer := func(name string) transport.Layer {
		return func(next http.RoundTripper) http.RoundTripper {
			return network(func(req *http.Request) (*http.Response, error) {
				order = append(order, name)
				return next.RoundTrip(req)
			})
		}
	}
	rt := transport.Stack(network(func(req *http.Request) (*http.Response, error) {
		order = append(order, "base")
		return answer(req, 200, ""), nil
	}), layer("outer"), layer("inner"))
	if _, err := rt.RoundTrip(request(t, http.MethodGet, api, nil)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"outer", "inner", "base"}, order); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// shut notes that it was closed.
type shut struct {
	io.Reader
	closed bool
}

func (s *shut) Close() error { s.closed = true; return nil }

func TestReadOnly(t *testing.T) {
	for method, pass := range map[string]bool{
		"GET": true, "HEAD": true, "": true,
		"POST": false, "PUT": false, "PATCH": false, "DELETE": false, "OPTIONS": false, "get": false,
	} {
		sent := false
		refusal := errors.New("look, do not touch")
		rt := transport.ReadOnly(refusal)(network(func(req *http.Request) (*http.Response, error) {
			sent = true
			return answer(req, 200, ""), nil
		}))
		body := &shut{Reader: strings.NewReader("a=1")}
		req := request(t, http.MethodPost, api, body)
		req.Method = method
		_, err := rt.RoundTrip(req)
		if sent != pass || errors.Is(err, refusal) == pass || body.closed == pass {
			t.Errorf("%q: sent %v, body closed %v, %v", method, sent, body.closed, err)
		}
	}
}

func TestUserAgent(t *testing.T) {
	var got string
	rt := transport.Stack(network(func(req *http.Request) (*http.Response, error) {
		got = req.Header.Get("User-Agent")
		return answer(req, 200, ""), nil
	}), transport.UserAgent("1.2.3"))
	req := request(t, http.MethodGet, api, nil)
	req.Header.Set("User-Agent", "mine")
	if _, err := rt.RoundTrip(req); err != nil || got != "faxctl/1.2.3" {
		t.Errorf("sent %q, %v", got, err)
	}
	if req.Header.Get("User-Agent") != "mine" {
		t.Error("the caller's request was altered")
	}
}

// TestTrace pins the lines, and with them that no secret is in any.
func TestTrace(t *testing.T) {
	const secret = "5ecre7"
	for _, tt := range []struct {
		name, url string
		trace     func(*slog.Logger) transport.Layer
		err       error
		header    []string
		want      string
	}{
		{name: "a page", url: "https://api.example/v1/Faxes?PageSize=50&PageToken=5ecre7&To=%2B14155550123&DateCreatedAfter=2026-01-01T00:00:00Z",
			trace: transport.TraceAPI, header: []string{"Twilio-Request-Id", "RQ1", "Set-Cookie", secret},
			want: `url="https://api.example/v1/Faxes?DateCreatedAfter=2026-01-01T00:00:00Z&PageSize=50&PageToken=…&To=+1415•••0123" status=200 took=40ms request=RQ1`},
		{name: "unknown keys", url: "https://api.example/x?FriendlyName=5ecre7&token=5ecre7&5551234567=5ecre7", trace: transport.TraceAPI,
			want: `url="https://api.example/x?55512•••4567=…&FriendlyName=…&token=…" status=200 took=40ms`},
		{name: "a number in the path", url: "https://api.example/Numbers/+14155550123/14155550124.json", trace: transport.TraceAPI,
			header: []string{"X-Request-Id", "r-2"},
			want:   `url=https://api.example/Numbers/+1415•••0123/14155•••0124.json status=200 took=40ms request=r-2`},
		{name: "ids stay", url: "https://api.example/FX01234567890123456789012345678901/12345678-1234-1234-1234-123456789012", trace: transport.TraceAPI,
			want: `url=https://api.example/FX01234567890123456789012345678901/12345678-1234-1234-1234-123456789012 status=200 took=40ms`},
		{name: "a password", url: "https://me:5ecre7@api.example/x#5ecre7", trace: transport.TraceAPI,
			want: `url=https://api.example/x status=200 took=40ms`},
		{name: "a document", url: "https://media.example/5ecre7.pdf?Signature=5ecre7", trace: transport.Trace,
			want: `url=https://media.example status=200 took=40ms`},
		{name: "an error", url: "https://api.example/x", trace: transport.TraceAPI,
			err:  &url.Error{Op: "Get", URL: "https://media.example/5ecre7?x=5ecre7", Err: io.ErrUnexpectedEOF},
			want: `url=https://api.example/x error="Get \"https://media.example\": unexpected EOF" took=40ms`},
		{name: "control characters", url: "https://api.example/%1b%5d0;x", trace: transport.TraceAPI, header: []string{"X-Request-Id", "\x1b]0;x"},
			want: `url="https://api.example/\x1b]0;x" status=200 took=40ms request="\x1b]0;x"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
				rt := transport.Stack(network(func(req *http.Request) (*http.Response, error) {
					time.Sleep(40 * time.Millisecond)
					if tt.err != nil {
						return nil, tt.err
					}
					return answer(req, 200, secret, tt.header...), nil
				}), tt.trace(log))
				req := request(t, http.MethodGet, tt.url, strings.NewReader(secret))
				req.Header.Set("Authorization", "Basic "+secret)
				if _, err := rt.RoundTrip(req); !errors.Is(err, tt.err) {
					t.Fatal(err)
				}
				_, got, _ := strings.Cut(out.String(), "level=DEBUG msg=http method=GET ")
				if diff := cmp.Diff(tt.want+"\n", got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if strings.Contains(out.String(), secret) {
					t.Error("a secret is in the trace")
				}
			})
		})
	}
}

func TestRedact(t *testing.T) {
	inner := &url.Error{Op: "Get", URL: "https://cdn.example/5ecre7", Err: context.Canceled}
	outer := &url.Error{Op: "Get", URL: "https://media.example/5ecre7.pdf?sig=5ecre7", Err: inner}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{context.Canceled, `context canceled`},
		{outer, `Get "https://media.example": Get "https://cdn.example": context canceled`},
		{&net.OpError{Op: "dial", Err: outer}, `dial: Get "https://media.example": Get "https://cdn.example": context canceled`},
		{&url.Error{Op: "Get", URL: ":5ecre7", Err: context.Canceled}, `Get "the server": context canceled`},
	} {
		got := transport.Redact(tt.err)
		if got.Error() != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
		if !errors.Is(got, context.Canceled) {
			t.Errorf("%v no longer unwraps to what it was", got)
		}
	}
	if transport.Redact(nil) != nil {
		t.Error("no error became one")
	}
}

func TestTimeout(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name   string
		header time.Duration   // until the header comes
		body   []time.Duration // between the bytes of the body
		reader time.Duration   // the reader thinks, after each byte
		cancel time.Duration   // the caller gives up; 0: never
		late   bool
		took   time.Duration
	}{
		{name: "in time", header: 29 * s, took: 29 * s},
		{name: "header late", header: 31 * s, late: true, took: 30 * s},
		{name: "long but steady", header: s, body: []time.Duration{29 * s, 29 * s, 29 * s}, took: 88 * s},
		{name: "body stands still", header: s, body: []time.Duration{s, 31 * s, s}, late: true, took: 32 * s},
		{name: "the reader is slow", header: s, body: []time.Duration{s, s}, reader: 100 * s, took: 203 * s},
		{name: "the caller gives up", header: 20 * s, cancel: 10 * s, took: 10 * s},
		{name: "the caller gives up in the body", header: s, body: []time.Duration{20 * s}, cancel: 10 * s, took: 10 * s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, cancel)
				}
				rt := transport.Stack(network(func(req *http.Request) (*http.Response, error) {
					if err := rest(req.Context(), tt.header); err != nil {
						return nil, err
					}
					res := answer(req, 200, "")
					res.Body = io.NopCloser(&drip{req.Context(), tt.body})
					return res, nil
				}), transport.Timeout(30*s))
				res, err := rt.RoundTrip(request(t, http.MethodGet, api, nil).WithContext(ctx))
				for one := make([]byte, 1); err == nil; {
					if _, err = res.Body.Read(one); err == nil {
						time.Sleep(tt.reader)
					}
				}
				var timeout net.Error
				if late := errors.As(err, &timeout) && timeout.Timeout(); late != tt.late || tt.cancel > 0 && !errors.Is(err, context.Canceled) || !late && tt.cancel == 0 && !errors.Is(err, io.EOF) {
					t.Errorf("ended with %v", err)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// drip is a body that comes byte by byte.
type drip struct {
	ctx  context.Context
	gaps []time.Duration
}

func (d *drip) Read(p []byte) (int, error) {
	if len(d.gaps) == 0 {
		return 0, io.EOF
	}
	if err := rest(d.ctx, d.gaps[0]); err != nil {
		return 0, err
	}
	d.gaps = d.gaps[1:]
	return copy(p, "x"), nil
}

// TestWhole checks that a body cut short is a failed attempt, and that a long
// one still comes to its end.
func TestWhole(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 1<<20+1)
	cut := io.MultiReader(strings.NewReader("half"), errorReader{})
	for _, tt := range []struct {
		name string
		body io.Reader
		want string
		err  error
	}{
		{"empty", strings.NewReader(""), "", nil},
		{"whole", strings.NewReader("words"), "words", nil},
		{"long", strings.NewReader(long), long, nil},
		{"cut short", cut, "", io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := &shut{Reader: tt.body}
			rt := transport.Whole(network(func(req *http.Request) (*http.Response, error) {
				res := answer(req, 200, "")
				res.Body = body
				return res, nil
			}))
			res, err := rt.RoundTrip(request(t, http.MethodGet, api, nil))
			if !errors.Is(err, tt.err) {
				t.Fatal(err)
			}
			if err == nil {
				got, err := io.ReadAll(res.Body)
				if err != nil || string(got) != tt.want {
					t.Errorf("read %d bytes, %v, want %d", len(got), err, len(tt.want))
				}
				_ = res.Body.Close()
			}
			if !body.closed {
				t.Error("the body was left open")
			}
		})
	}
}

// TestWholeInOneRoom: an answer is its reader's until it is closed, and what was
// read into is then read into again, by one answer at a time.
func TestWholeInOneRoom(t *testing.T) {
	rt := transport.Whole(network(func(req *http.Request) (*http.Response, error) {
		return answer(req, 200, req.URL.Path), nil
	}))
	get := func(path string) (io.ReadCloser, []byte) {
		res, err := rt.RoundTrip(request(t, http.MethodGet, api+path, nil))
		if err != nil {
			t.Fatal(err)
		}
		return res.Body, res.Body.(interface{ Bytes() []byte }).Bytes()
	}
	first, one := get("/one")
	second, two := get("/two")
	if !strings.HasSuffix(string(one), "/one") || !strings.HasSuffix(string(two), "/two") {
		t.Fatalf("got %q and %q", one, two)
	}
	for range 2 { // closing again gives nothing away
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := io.ReadAll(first); err != nil || len(got) > 0 {
		t.Errorf("read %q, %v of what is closed", got, err)
	}
	_, three := get("/three")
	_, four := get("/four")
	if &three[0] != &one[0] {
		t.Error("the room was not used again")
	}
	if !strings.HasSuffix(string(two), "/two") || !strings.HasSuffix(string(three), "/three") || !strings.HasSuffix(string(four), "/four") {
		t.Errorf("got %q, %q and %q", two, three, four)
	}
	_ = second.Close()
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
