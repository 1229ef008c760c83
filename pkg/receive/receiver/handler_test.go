package receiver_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

func TestAnswer(t *testing.T) {
	reject, err := fax.ParsePattern("from=+1900*")
	if err != nil {
		t.Fatal(err)
	}
	s := newStation(t, func(c *receiver.Config) {
		c.Reject = []fax.Pattern{reject}
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
		get.Header.Set(webhook.Twilio.Header(), webhook.Sign(key, publicURL+"/fax?"+form.Encode(), nil))
		if w := s.do(get); w.Code != 200 || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s by GET: answered %d %s", tt.name, w.Code, w.Body)
		}
	}
	s.nothingStored()
}

// TestPortsAndDialects: the default port may be in the signed URL or not, and
// either provider's header counts.
func TestPortsAndDialects(t *testing.T) {
	for _, header := range []string{webhook.Twilio.Header(), webhook.SignalWire.Header()} {
		for _, target := range []string{"https://fax.example.com/fax/done", "https://fax.example.com:443/fax/done"} {
			s := newStation(t, func(c *receiver.Config) { c.Keys = []webhook.Key{"old", key} })
			form := callbackForm(faxID(1))
			req := post("/fax/done", form)
			req.Header.Del(webhook.Twilio.Header())
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
		req.Header.Set(webhook.Twilio.Header(), webhook.Sign(key, "https://example.com/hooks/fax/done", form))
		if w := s.do(req); w.Code != 204 {
			t.Errorf("%s: answered %d", path, w.Code)
		}
	}
	if got := s.FaxURL(); got != "https://example.com/hooks/fax" {
		t.Errorf("the fax URL is %s", got)
	}
}

// TestMisses: what is for nobody here is refused without a redirect, counted, and
// told in the log, but not as often as it comes.
func TestMisses(t *testing.T) {
	s := newStation(t, nil)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 404},
		{"POST", "//fax", 404},
		{"POST", "/fax//", 404},
		{"POST", "/faxes", 404},
		{"GET", "/fax/done", 405},
		{"GET", "/fax/done/", 405},
		{"DELETE", "/fax", 405},
		{"GET", "/archive", 404},
		{"GET", "/incoming", 404},
		{"GET", "/../receiver.db", 404},
		{"GET", "/fax/../metrics/x", 404},
		{"GET", "/debug/pprof/", 404},
	} {
		for range 20 {
			if w := s.do(httptest.NewRequest(tt.method, "http://x"+tt.path, nil)); w.Code != tt.want {
				t.Errorf("%s %s: answered %d, want %d", tt.method, tt.path, w.Code, tt.want)
			}
		}
	}
	metrics := s.do(httptest.NewRequest(http.MethodGet, "/metrics", nil)).Body.String()
	for _, want := range []string{`faxctl_requests_total{outcome="not found",request="other"} 180`, `faxctl_requests_total{outcome="method",request="other"} 60`} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
	log := s.log.String()
	if lines := strings.Count(log, "\n"); lines != 2 {
		t.Errorf("the log has %d lines", lines)
	}
	for _, want := range []string{"path=/ status=404", `path=//fax status=404`, `hint="the fax URL is https://fax.example.com/fax"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
}

// TestSlashAtTheEnd: a fax URL that was given with one is signed with it.
func TestSlashAtTheEnd(t *testing.T) {
	s := newStation(t, nil)
	form := callbackForm(faxID(1))
	if w := s.do(post("/fax/", form)); w.Code != 200 || !strings.Contains(w.Body.String(), "<Receive") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
	if w := s.do(post("/fax/done/", form)); w.Code != 204 {
		t.Errorf("told with a slash: %d", w.Code)
	}
	forged := post("/fax/", form)
	forged.Header.Set(webhook.Twilio.Header(), webhook.Sign(key, publicURL+"/fax", form))
	if w := s.do(forged); w.Code != 403 {
		t.Errorf("signed without the slash: %d", w.Code)
	}
}

// TestDialect: of two signatures the provider's own counts.
func TestDialect(t *testing.T) {
	for dialect, want := range map[webhook.Dialect]int{webhook.SignalWire: 204, webhook.Twilio: 403, "": 403} {
		s := newStation(t, func(c *receiver.Config) { c.Dialect = dialect })
		form := callbackForm(faxID(1))
		req := post("/fax/done", form)
		req.Header.Set(webhook.SignalWire.Header(), req.Header.Get(webhook.Twilio.Header()))
		req.Header.Set(webhook.Twilio.Header(), webhook.Sign("another", publicURL+"/fax/done", form))
		if w := s.do(req); w.Code != want {
			t.Errorf("%q: answered %d, want %d", dialect, w.Code, want)
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
	req.Header.Set(webhook.Twilio.Header(), webhook.Sign(key, publicURL+"/fax/done", form))
	return req
}

// TestUpload: a document that comes with the callback is on disk before the
// answer, and in the archive after it, though the provider has never heard of
// the fax. Nothing is kept of a repetition, before and after that.
func TestUpload(t *testing.T) { onEach(t, testUpload) }

func testUpload(t *testing.T) {
	s := newStation(t, nil)
	id := faxID(1)
	s.told(multi(callbackForm(id), part{"Media", "../../fax.pdf", document(id)}))
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
	s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
	if got := s.incoming(); len(got) != 1 || got[0] != files[0] {
		t.Fatalf("after the repetition: %v", got)
	}
	s.run()
	s.until("archived", func() bool { return s.archive.saved(id) == 1 && len(s.incoming()) == 0 })
	if got, err := os.ReadFile(filepath.Join(s.archive.dir, id+".pdf")); err != nil || string(got) != document(id) {
		t.Errorf("archived: %q, %v", got, err)
	}
	s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
	if jobs, files := s.asides(), s.incoming(); len(jobs) > 0 || len(files) > 0 {
		t.Errorf("after a late repetition: %+v, %v", jobs, files)
	}
}

// nothingStored checks that neither an event, nor a job, nor a file is kept.
func (s *station) nothingStored() {
	s.t.Helper()
	desk, err := s.openDesk()
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

// waits is where documents wait.
func (s *station) waits() string {
	if s.config.Incoming != nil {
		return filepath.Join(s.archive.dir, ".incoming", s.ID())
	}
	return filepath.Join(s.state, "incoming")
}

// incoming are the files that wait to be archived.
func (s *station) incoming() []string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.waits(), "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}

func (s *station) metric() string {
	return s.do(httptest.NewRequest(http.MethodGet, "/metrics", nil)).Body.String()
}
