package receiver_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receiver"
	"github.com/faxctl/faxctl/pkg/webhook"
)

// signedAs is a callback signed with some key for some URL.
func signedAs(k webhook.Key, target string, form url.Values) *http.Request {
	req := post("/fax/done", form)
	req.Header.Set(webhook.TwilioHeader, webhook.Sign(k, target, form))
	return req
}

func with(form url.Values, name, value string) url.Values {
	form.Set(name, value)
	return form
}

// TestAttacks: what is not the provider's request, signed over our public URL,
// is refused, leaves nothing behind, and is counted.
func TestAttacks(t *testing.T) {
	const target = publicURL + "/fax/done"
	form := func() url.Values { return callbackForm(faxID(7)) }
	without := func(header string) *http.Request {
		req := post("/fax/done", form())
		req.Header.Del(header)
		return req
	}
	for _, tt := range []struct {
		name   string
		req    *http.Request
		status int
		reason string // of signature failures
	}{
		{"no signature", without(webhook.TwilioHeader), 403, "missing"},
		{"another key", signedAs("54321", target, form()), 403, "wrong"},
		{"no key at all", signedAs("", target, form()), 403, "wrong"},
		{"truncated", func() *http.Request {
			req := post("/fax/done", form())
			req.Header.Set(webhook.TwilioHeader, req.Header.Get(webhook.TwilioHeader)[:27])
			return req
		}(), 403, "malformed"},
		{"signature of other fields", func() *http.Request {
			req := post("/fax/done", with(form(), "FaxSid", faxID(8)))
			req.Header.Set(webhook.TwilioHeader, webhook.Sign(key, target, form()))
			return req
		}(), 403, "wrong"},
		{"signature of the other path", signedAs(key, publicURL+"/fax", form()), 403, "wrong"},
		{"signature over the host it was sent to", signedAs(key, "http://example.com/fax/done", form()), 403, "wrong"},
		{"a proxy's word about the host", func() *http.Request {
			req := signedAs(key, "https://evil.example/fax/done", form())
			req.Host = "evil.example"
			req.Header.Set("X-Forwarded-Host", "evil.example")
			req.Header.Set("X-Forwarded-Proto", "https")
			return req
		}(), 403, "wrong"},
		{"a query that was not signed", func() *http.Request {
			req := post("/fax/done", form())
			req.URL.RawQuery = "FaxSid=" + faxID(9)
			return req
		}(), 403, "wrong"},
		{"another account, rightly signed", post("/fax/done", with(form(), "AccountSid", "AC00000000000000000000000000000002")), 403, "account"},
		{"a number that is not ours", post("/fax/done", with(form(), "To", "+14155550000")), 403, ""},
		{"a fax id that is a path", post("/fax/done", with(form(), "FaxSid", "../../etc/passwd")), 400, ""},
		{"no fax id", post("/fax/done", with(form(), "FaxSid", "")), 400, ""},
		{"a status that is a statement", post("/fax/done", with(form(), "FaxStatus", "'; DROP TABLE receiver_event; --")), 400, ""},
		{"pages below zero", post("/fax/done", with(form(), "NumPages", "-1")), 400, ""},
		{"a huge form", post("/fax/done", with(form(), "Junk", strings.Repeat("x", 65<<10))), 413, ""},
		{"a form of very many fields", func() *http.Request {
			f := form()
			for i := range 200 {
				f.Set(fmt.Sprint("f", i), "")
			}
			return post("/fax/done", f)
		}(), 400, ""},
		{"JSON", func() *http.Request {
			req := post("/fax/done", form())
			req.Header.Set("Content-Type", "application/json")
			return req
		}(), 415, ""},
		{"GET", httptest.NewRequest(http.MethodGet, "/fax/done?"+form().Encode(), nil), 405, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStation(t, nil)
			if w := s.do(tt.req); w.Code != tt.status {
				t.Errorf("answered %d %s, want %d", w.Code, w.Body, tt.status)
			}
			s.nothingStored()
			if tt.reason != "" && !strings.Contains(s.metric(), fmt.Sprintf(`faxctl_signature_failures_total{reason="%s"} 1`, tt.reason)) {
				t.Errorf("not counted as %s:\n%s", tt.reason, s.metric())
			}
			if tt.status == 403 && !strings.Contains(s.log.String(), "reason=") {
				t.Error("not logged with its reason")
			}
		})
	}
}

// nothingStored checks that neither an event, nor a job, nor a file is kept.
func (s *station) nothingStored() {
	s.t.Helper()
	desk, err := receiver.OpenDesk(s.t.Context(), s.state)
	if err != nil {
		s.t.Fatal(err)
	}
	defer desk.Close()
	stats, err := desk.Stats(s.t.Context())
	if err != nil || len(stats.Faxes) > 0 || len(stats.Jobs) > 0 {
		s.t.Errorf("stored: %+v, %v", stats, err)
	}
	if files := s.incoming(); len(files) > 0 {
		s.t.Errorf("left behind: %v", files)
	}
}

// incoming are the files that wait to be archived.
func (s *station) incoming() []string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.state, "incoming", "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}

func (s *station) metric() string {
	return s.do(httptest.NewRequest(http.MethodGet, "/metrics", nil)).Body.String()
}

// TestReusedSignature: a request that is sent again is the same news again,
// also after a restart.
func TestReusedSignature(t *testing.T) {
	s := newStation(t, nil)
	s.run()
	id := faxID(1)
	s.cloud.add(id)
	for range 5 {
		if w := s.do(post("/fax/done", callbackForm(id))); w.Code != 204 {
			t.Fatalf("answered %d", w.Code)
		}
	}
	s.until("archived", func() bool { return s.archive.saved(id) > 0 })
	if w := s.do(post("/fax/done", callbackForm(id))); w.Code != 204 {
		t.Fatalf("answered %d", w.Code)
	}
	if got := s.metric(); !strings.Contains(got, `faxctl_requests_total{outcome="recorded",request="callback"} 1`) ||
		!strings.Contains(got, `faxctl_requests_total{outcome="repeated",request="callback"} 5`) {
		t.Errorf("metrics:\n%s", got)
	}
}

// TestPortsAndDialects: the default port may be in the signed URL or not, and
// either provider's header counts.
func TestPortsAndDialects(t *testing.T) {
	for _, header := range []string{webhook.TwilioHeader, webhook.SignalWireHeader} {
		for _, target := range []string{"https://fax.example.com/fax/done", "https://fax.example.com:443/fax/done"} {
			s := newStation(t, func(c *receiver.Config) { c.Keys = []webhook.Key{"old", key} })
			form := callbackForm(faxID(1))
			req := post("/fax/done", form)
			req.Header.Del(webhook.TwilioHeader)
			req.Header.Set(header, webhook.Sign(key, target, form))
			if w := s.do(req); w.Code != 204 {
				t.Errorf("%s over %s: answered %d", header, target, w.Code)
			}
		}
	}
}

// TestBehindPath: a public URL with a path works whether or not the proxy cuts
// it off.
func TestBehindPath(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { c.PublicURL = "https://example.com/hooks/" })
	form := callbackForm(faxID(1))
	for _, path := range []string{"/hooks/fax/done", "/fax/done"} {
		req := post(path, form)
		req.Header.Set(webhook.TwilioHeader, webhook.Sign(key, "https://example.com/hooks/fax/done", form))
		if w := s.do(req); w.Code != 204 {
			t.Errorf("%s: answered %d", path, w.Code)
		}
	}
	if got := s.FaxURL(); got != "https://example.com/hooks/fax" {
		t.Errorf("the fax URL is %s", got)
	}
}

func TestUnknownPaths(t *testing.T) {
	s := newStation(t, nil)
	for _, path := range []string{"/", "/fax/", "/fax/done/", "/archive", "/incoming", "/../receiver.db", "/fax/../metrics/x", "/debug/pprof/", "/favicon.ico"} {
		if w := s.do(httptest.NewRequest(http.MethodGet, "http://x"+path, nil)); w.Code != 404 && w.Code/100 != 3 {
			t.Errorf("%s: answered %d", path, w.Code)
		}
	}
}

// part is a part of a multipart body.
type part struct{ name, file, content string }

// multi is a signed multipart callback.
func multi(form url.Values, parts ...part) *http.Request {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name := range form {
		w.WriteField(name, form.Get(name))
	}
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"`, p.name))
		if p.file != "" {
			h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, p.name, p.file))
		}
		to, _ := w.CreatePart(h)
		io.WriteString(to, p.content)
	}
	w.Close()
	req := httptest.NewRequest(http.MethodPost, "/fax/done", &body)
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set(webhook.TwilioHeader, webhook.Sign(key, publicURL+"/fax/done", form))
	return req
}

// TestUpload: a document that comes with the callback is on disk before the
// answer, and in the archive after it, though the provider has never heard of
// the fax. A repetition neither replaces it nor stays.
func TestUpload(t *testing.T) {
	s := newStation(t, nil)
	id := faxID(1)
	if w := s.do(multi(callbackForm(id), part{"Media", "../../fax.pdf", document(id)})); w.Code != 204 {
		t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	files := s.incoming()
	if len(files) != 1 {
		t.Fatalf("incoming: %v", files)
	}
	if got, err := os.ReadFile(files[0]); err != nil || string(got) != document(id) {
		t.Fatalf("on disk: %q, %v", got, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the document is %v", info.Mode())
	}
	if w := s.do(multi(callbackForm(id), part{"Media", "fax.pdf", document("another")})); w.Code != 204 {
		t.Fatalf("the repetition was answered %d", w.Code)
	}
	if got := s.incoming(); len(got) != 1 || got[0] != files[0] {
		t.Fatalf("after the repetition: %v", got)
	}
	s.run()
	s.until("archived", func() bool { return s.archive.saved(id) == 1 && len(s.incoming()) == 0 })
	if got, err := os.ReadFile(filepath.Join(s.archive.dir, id+".pdf")); err != nil || string(got) != document(id) {
		t.Errorf("archived: %q, %v", got, err)
	}
}

func TestUploadAttacks(t *testing.T) {
	id := faxID(1)
	media := part{"Media", "fax.pdf", document(id)}
	for _, tt := range []struct {
		name   string
		req    *http.Request
		status int
	}{
		{"forged", func() *http.Request {
			req := multi(callbackForm(id), media)
			req.Header.Set(webhook.TwilioHeader, webhook.Sign("54321", publicURL+"/fax/done", callbackForm(id)))
			return req
		}(), 403},
		{"unsigned", func() *http.Request {
			req := multi(callbackForm(id), media)
			req.Header.Del(webhook.TwilioHeader)
			return req
		}(), 403},
		{"not ours", multi(with(callbackForm(id), "To", "+14155550000"), media), 403},
		{"too large", multi(callbackForm(id), part{"Media", "fax.pdf", "%PDF-" + strings.Repeat("x", 2<<20)}), 413},
		{"a program", multi(callbackForm(id), part{"Media", "fax.pdf", "#!/bin/sh\nrm -rf ~\n"}), 415},
		{"empty", multi(callbackForm(id), part{"Media", "fax.pdf", ""}), 415},
		{"two documents", multi(callbackForm(id), media, media), 400},
		{"10,000 parts", func() *http.Request {
			var junk []part
			for range 10000 {
				junk = append(junk, part{"x", "", ""})
			}
			return multi(callbackForm(id), append([]part{media}, junk...)...)
		}(), 400},
		{"10,000 documents of other names", func() *http.Request {
			var junk []part
			for range 10000 {
				junk = append(junk, part{"x", "x.pdf", "%PDF-1.7"})
			}
			return multi(callbackForm(id), junk...)
		}(), 400},
		{"large fields", multi(with(callbackForm(id), "Junk", strings.Repeat("x", 70<<10)), media), 413},
		{"no boundary", func() *http.Request {
			req := multi(callbackForm(id), media)
			req.Header.Set("Content-Type", "multipart/form-data")
			return req
		}(), 400},
		{"another boundary", func() *http.Request {
			req := multi(callbackForm(id), media)
			req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			return req
		}(), 403},
		{"cut off", func() *http.Request {
			req := multi(callbackForm(id), media)
			b, _ := io.ReadAll(req.Body)
			req.Body = io.NopCloser(bytes.NewReader(b[:len(b)-40]))
			return req
		}(), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStation(t, func(c *receiver.Config) { c.MaxDocument = 1 << 20 })
			if w := s.do(tt.req); w.Code != tt.status {
				t.Errorf("answered %d %s, want %d", w.Code, w.Body, tt.status)
			}
			s.nothingStored()
		})
	}
}

// serve runs the receiver on a port of this machine until the test ends.
func (s *station) serve() (address string) {
	s.t.Helper()
	l, err := new(net.ListenConfig).Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, l, nil) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	return l.Addr().String()
}

// raw sends bytes as they are and returns the status line of the answer.
func raw(t *testing.T, address, request string) string {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	go io.Copy(conn, strings.NewReader(request)) // the other side may stop reading first
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(line)
}

func TestRawAttacks(t *testing.T) {
	s := newStation(t, nil)
	address := s.serve()
	signature := webhook.TwilioHeader + ": " + strings.Repeat("A", 27) + "=\r\n"
	for _, tt := range []struct{ name, request, want string }{
		{"header flood", "POST /fax HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-Flood: "+strings.Repeat("y", 90)+"\r\n", 1000) + "\r\n", "HTTP/1.1 431"},
		{"GET with a body", "GET /fax?FaxSid=1 HTTP/1.1\r\nHost: x\r\n" + signature + "Content-Length: 5\r\n\r\nhello", "HTTP/1.1 400"},
		{"GET with a chunked body", "GET /fax?FaxSid=1 HTTP/1.1\r\nHost: x\r\n" + signature + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "HTTP/1.1 400"},
		{"a body without end", "POST /fax HTTP/1.1\r\nHost: x\r\n" + signature + "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n" +
			strings.Repeat("1000\r\n"+strings.Repeat("z", 0x1000)+"\r\n", 100), "HTTP/1.1 413"},
		{"smuggling", "POST /fax HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", "HTTP/1.1 400"},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "HTTP/1.1 400"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := raw(t, address, tt.request); !strings.HasPrefix(got, tt.want) {
				t.Errorf("answered %q, want %s", got, tt.want)
			}
		})
	}
	s.nothingStored()
}

// TestConnections: those beyond the limit wait, and are served once there is
// room.
func TestConnections(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { c.MaxConns = 2 })
	address := s.serve()
	var idle []net.Conn
	for range 2 {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, "GET /healthz HTTP/1.1\r\n")
		idle = append(idle, c)
	}
	time.Sleep(50 * time.Millisecond) // until both are accepted; too short would only let the test pass
	third, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	fmt.Fprint(third, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	third.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := third.Read(make([]byte, 1)); !os.IsTimeout(err) {
		t.Fatalf("a third connection was served: %v", err)
	}
	idle[0].Close()
	third.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := third.Read(make([]byte, 1)); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
	idle[1].Close()
}

func TestAnswer(t *testing.T) {
	reject, err := receiver.ParsePattern("from=+1900*")
	if err != nil {
		t.Fatal(err)
	}
	s := newStation(t, func(c *receiver.Config) {
		c.Reject = []receiver.Pattern{reject}
		c.Answer.MediaType, c.Answer.PageSize = "image/tiff", "a4"
	})
	for _, tt := range []struct{ name, from, to, want string }{
		{"ours", sender, ourNumber, `mediaType="image/tiff" pageSize="a4"`},
		{"not ours", sender, "+14155550000", "<Reject/>"},
		{"rejected", "+19005550000", ourNumber, "<Reject/>"},
	} {
		form := url.Values{"FaxSid": {faxID(1)}, "AccountSid": {account}, "From": {tt.from}, "To": {tt.to}}
		if w := s.do(post("/fax", form)); w.Code != 200 || !strings.Contains(w.Body.String(), tt.want) || w.Header().Get("Content-Type") != "text/xml; charset=utf-8" {
			t.Errorf("%s: answered %d %s", tt.name, w.Code, w.Body)
		}
		get := httptest.NewRequest(http.MethodGet, "/fax?"+form.Encode(), nil)
		get.Header.Set(webhook.TwilioHeader, webhook.Sign(key, publicURL+"/fax?"+form.Encode(), nil))
		if w := s.do(get); w.Code != 200 || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s by GET: answered %d %s", tt.name, w.Code, w.Body)
		}
	}
	s.nothingStored()
}

func TestParsePattern(t *testing.T) {
	for _, s := range []string{"", "from=", "both=+1*", "[", "to=[a"} {
		if _, err := receiver.ParsePattern(s); fax.Hint(err) == "" {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, tt := range []struct {
		pattern  string
		from, to string
		want     bool
	}{
		{"+1415*", "+14155550100", "+442079460000", true},
		{"+1415*", "+442079460000", "+14155550100", true},
		{"+1415", "+14155550100", "+14155550100", false},
		{"from=+1415*", "+442079460000", "+14155550100", false},
		{"to=+14155550100", "", "+14155550100", true},
		{"from=anonymous", "anonymous", "+14155550100", true},
	} {
		p, err := receiver.ParsePattern(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(tt.from, tt.to); got != tt.want {
			t.Errorf("%s matches %s to %s: %v", tt.pattern, tt.from, tt.to, got)
		}
	}
}

// FuzzCallback throws bodies of any kind at the receiver, unsigned in effect:
// whatever they are, nothing is stored and nothing panics.
func FuzzCallback(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", []byte(callbackForm(faxID(1)).Encode()))
	f.Add("application/x-www-form-urlencoded; charset=%", []byte("a=%zz&b"))
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"Media\"; filename=\"../x\"\r\n\r\n%PDF-1.7\r\n--x--\r\n"))
	f.Add("multipart/form-data; boundary=\"x y\"", []byte("--x y\r\n\r\n\r\n--x y--"))
	f.Add("multipart/form-data", []byte("--"))
	s := newStation(f, func(c *receiver.Config) { c.MaxDocument = 1 << 16 })
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		req := httptest.NewRequest(http.MethodPost, "/fax/done", bytes.NewReader(body))
		req.Header.Set("Content-Type", contentType)
		req.Header.Set(webhook.TwilioHeader, strings.Repeat("A", 27)+"=")
		if w := s.do(req); w.Code < 400 {
			t.Errorf("answered %d", w.Code)
		}
		if files, err := filepath.Glob(filepath.Join(s.state, "incoming", "*")); len(files) > 0 || err != nil {
			t.Errorf("left behind: %v, %v", files, err)
		}
	})
}
