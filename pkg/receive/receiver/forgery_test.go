package receiver_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// forgery is a callback that fax 1 has arrived, rightly signed, of which a test
// changes something. The signature is made at the end, unless the header is set.
type forgery struct {
	method, path, body string
	header             http.Header
	form               url.Values
	signedFor          string // URL; "": that of the path
	key                webhook.Key
	parts              []part // nil: a form
}

func (f *forgery) request() *http.Request {
	if f.signedFor == "" {
		f.signedFor = publicURL + f.path
	}
	req := httptest.NewRequest(f.method, f.path, strings.NewReader(f.form.Encode()))
	switch {
	case f.method == http.MethodGet:
		f.signedFor += "?" + f.form.Encode()
		req = httptest.NewRequest(f.method, f.path+"?"+f.form.Encode(), strings.NewReader(f.body))
		req.Header.Set(webhook.Twilio.Header(), webhook.Sign(f.key, f.signedFor, nil))
	case f.parts != nil:
		req = multi(f.form, f.parts...)
		req.URL.Path = f.path
		req.Header.Set(webhook.Twilio.Header(), webhook.Sign(f.key, f.signedFor, f.form))
	default:
		if f.body != "" {
			req = httptest.NewRequest(f.method, f.path, strings.NewReader(f.body))
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set(webhook.Twilio.Header(), webhook.Sign(f.key, f.signedFor, f.form))
	}
	for name, values := range f.header {
		req.Header.Del(name)
		if len(values) > 0 {
			req.Header[name] = values
		}
	}
	return req
}

// TestAttacks: what an outsider may try, each refused with its status and without a
// word about why, and nothing is stored. The scripts serve-attack-* do the same to
// the whole program, and what takes long or has no end.
func TestAttacks(t *testing.T) {
	header := func(name string, values ...string) func(*forgery) {
		return func(f *forgery) { f.header[http.CanonicalHeaderKey(name)] = values }
	}
	field := func(name, value string) func(*forgery) {
		return func(f *forgery) { f.form.Set(name, value) }
	}
	do := func(changes ...func(*forgery)) []func(*forgery) { return changes }
	fax := func(f *forgery) { f.path = "/fax" }
	get := func(f *forgery) { f.method, f.path = http.MethodGet, "/fax" }
	another := func(f *forgery) { f.key = "hunter2" }
	keyless := func(f *forgery) { f.key = "" }
	signedFor := func(target string) func(*forgery) { return func(f *forgery) { f.signedFor = target } }
	body := func(s string) func(*forgery) { return func(f *forgery) { f.body = s } }
	parts := func(all ...part) func(*forgery) { return func(f *forgery) { f.parts = all } }
	pdf := part{"Media", "fax.pdf", document("1")}
	for name, tt := range map[string]struct {
		want    int
		changes []func(*forgery)
	}{
		"no signature":            {403, do(header(webhook.Twilio.Header()))},
		"a short signature":       {403, do(header(webhook.Twilio.Header(), "RSOYDt4T1cUTdK1PDd93/VVr8B8"))},
		"another key":             {403, do(another)},
		"no key":                  {403, do(keyless)},
		"another key by GET":      {403, do(get, another)},
		"of another path":         {403, do(signedFor(publicURL + "/fax"))},
		"of another host":         {403, do(signedFor("https://evil.example/fax/done"), header("X-Forwarded-Host", "evil.example"))},
		"of another account":      {403, do(field("AccountSid", "AC00000000000000000000000000000002"))},
		"a call for another":      {403, do(fax, field("AccountSid", "AC00000000000000000000000000000002"))},
		"not our number":          {403, do(field("To", "+14155550000"))},
		"JSON":                    {415, do(header("Content-Type", "application/json"))},
		"multipart for a form":    {415, do(fax, header("Content-Type", "multipart/form-data; boundary=x"))},
		"gzip":                    {415, do(header("Content-Encoding", "gzip"))},
		"a bad escape":            {400, do(body("FaxSid=%zz"))},
		"too many fields":         {400, do(body(strings.Repeat("&", 100)))},
		"too long":                {413, do(body(strings.Repeat("x", 64<<10+1)))},
		"a GET with a body":       {400, do(get, body("hello"))},
		"an id that is a path":    {400, do(field("FaxSid", "../../../etc/passwd"))},
		"no id":                   {400, do(field("FaxSid", ""))},
		"a call with a bad id":    {400, do(fax, field("FaxSid", "FX/1"))},
		"a status with SQL":       {400, do(field("FaxStatus", "received'); DROP TABLE receiver_event; --"))},
		"a document, unsigned":    {403, do(parts(pdf), header(webhook.Twilio.Header()))},
		"a document, forged":      {403, do(parts(pdf), another)},
		"no boundary":             {400, do(parts(pdf), header("Content-Type", "multipart/form-data"))},
		"another boundary":        {400, do(parts(pdf), header("Content-Type", "multipart/form-data; boundary=x"))},
		"a boundary that is long": {400, do(parts(pdf), header("Content-Type", "multipart/form-data; boundary="+strings.Repeat("x", 71)))},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStation(t, nil)
			f := forgery{method: http.MethodPost, path: "/fax/done", header: http.Header{}, form: callbackForm(faxID(1)), key: key}
			for _, change := range tt.changes {
				change(&f)
			}
			w := s.do(f.request())
			if w.Code != tt.want || strings.TrimSpace(w.Body.String()) != http.StatusText(tt.want) {
				t.Errorf("answered %d %q, want %d", w.Code, w.Body, tt.want)
			}
			if log := s.log.String(); !strings.Contains(log, "msg=\"request refused\"") || strings.Contains(log, "hunter2") || strings.Contains(log, ourNumber) {
				t.Errorf("the log:\n%s", log)
			}
			s.nothingStored()
		})
	}
}

// TestRefusalsAreBounded: whoever has no key cannot fill the log. The first refusal of
// a kind is told at once, the others once a minute with how many there were, and all
// are counted. What is rightly signed is told each time.
func TestRefusalsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, func(c *receiver.Config) { c.MaxDocument = 1000 })
		send := func(want int, req *http.Request) {
			t.Helper()
			if w := s.do(req); w.Code != want {
				t.Errorf("answered %d, want %d", w.Code, want)
			}
		}
		told := func() (lines []string) {
			for line := range strings.Lines(s.log.String()) {
				if strings.Contains(line, "request refused") {
					lines = append(lines, line)
				}
			}
			return lines
		}
		flood := func() {
			for n := range 100 {
				long := httptest.NewRequest(http.MethodPost, "/fax/done", strings.NewReader(strings.Repeat("x", 64<<10+1)))
				long.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				long.Header.Set(webhook.Twilio.Header(), strings.Repeat("A", 28))
				send(413, long)
				other := post("/fax/done", callbackForm(faxID(n)))
				other.Header.Set(webhook.Twilio.Header(), strings.Repeat("A", 28))
				send(403, other)
				unsigned := post("/fax/done", nil)
				unsigned.Header.Del(webhook.Twilio.Header())
				send(403, unsigned)
				json := post("/fax/done", nil)
				json.Header.Set("Content-Type", "application/json")
				json.Header.Set(webhook.Twilio.Header(), strings.Repeat("A", 28))
				send(415, json)
				fields := post("/fax", nil)
				fields.Body, fields.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("&", 100))), 100
				send(400, fields)
			}
		}
		flood()
		if lines := told(); len(lines) != 5 {
			t.Errorf("at first %d lines:\n%s", len(lines), strings.Join(lines, ""))
		}
		time.Sleep(time.Minute)
		flood()
		lines := told()
		if len(lines) != 10 {
			t.Fatalf("after a minute %d lines:\n%s", len(lines), strings.Join(lines, ""))
		}
		for i, line := range lines {
			if times := map[bool]string{true: "times=1\n", false: "times=100\n"}[i < 5]; !strings.HasSuffix(line, times) {
				t.Errorf("line %d is %s", i, line)
			}
		}
		metrics := s.metric()
		for _, want := range []string{
			`faxctl_requests_total{outcome="too large",request="callback"} 200`,
			`faxctl_requests_total{outcome="forged",request="callback"} 200`,
			`faxctl_requests_total{outcome="unsigned",request="callback"} 200`,
			`faxctl_requests_total{outcome="malformed",request="callback"} 200`,
			`faxctl_requests_total{outcome="malformed",request="fax"} 200`,
		} {
			if !strings.Contains(metrics, want+"\n") {
				t.Errorf("the metrics lack %s", want)
			}
		}
		for range 10 {
			send(403, post("/fax/done", with(callbackForm(faxID(1)), "To", "+14155550000")))
			send(403, post("/fax/done", with(callbackForm(faxID(1)), "AccountSid", "AC2")))
			send(400, post("/fax/done", with(callbackForm(faxID(1)), "FaxSid", "")))
			send(400, post("/fax", with(callbackForm(faxID(1)), "FaxSid", "")))
			send(413, multi(callbackForm(faxID(1)), part{"Media", "fax.pdf", strings.Repeat("x", 1001)}))
		}
		if lines := told()[10:]; len(lines) != 50 {
			t.Errorf("of what is rightly signed %d lines:\n%s", len(lines), strings.Join(lines, ""))
		}
	})
}
