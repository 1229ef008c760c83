package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

const us, them = "+14155550100", "+12125550123"

// app is an application that answers faxes. It checks every signature with the
// client's own package.
type app struct {
	t       *testing.T
	box     *Sandbox
	answers map[string]string // of a path: XML, a status, -> a place, or "hang"

	mu    sync.Mutex
	heard []heard
	asked func() // unless nil, is called when a request was heard
}

type heard struct {
	what     string // method and path
	form     url.Values
	document string // its first bytes and its name
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseMultipartForm(8 << 20)
	h := heard{what: r.Method + " " + r.URL.Path, form: r.Form}
	signed := r.PostForm
	if r.MultipartForm != nil {
		signed = r.MultipartForm.Value
		if f, head, err := r.FormFile("Media"); err == nil {
			first := make([]byte, 5)
			_, _ = io.ReadFull(f, first)
			h.document = string(first) + " " + head.Header.Get("Content-Type")
		}
	}
	header := a.box.dialect.signature
	if !webhook.Verify(webhook.Key(a.box.Account().SigningKey), "http://"+r.Host+r.RequestURI, signed, r.Header.Get(header)) {
		a.t.Errorf("%s: the signature is wrong", h.what)
	}
	a.mu.Lock()
	a.heard = append(a.heard, h)
	a.mu.Unlock()
	if a.asked != nil {
		a.asked()
	}
	answer := a.answers[r.URL.Path]
	var status int
	switch {
	case strings.HasPrefix(answer, "->"):
		http.Redirect(w, r, answer[2:], http.StatusTemporaryRedirect)
	case answer == "hang":
		<-r.Context().Done()
	case answer == "drop":
		panic(http.ErrAbortHandler)
	case answer == "html":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html></html>")
	default:
		if n, _ := fmt.Sscan(answer, &status); n == 1 {
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, answer)
	}
}

// dialed is a sandbox with one number, and an application to answer for it.
func dialed(t *testing.T, d Dialect, answers map[string]string, set map[string]string) (*Caller, *app) {
	t.Helper()
	box, err := Open(t.Context(), Options{Dialect: d})
	if err != nil {
		t.Fatal(err)
	}
	a := &app{t: t, box: box, answers: answers}
	server := httptest.NewServer(a)
	caller := box.NewCaller("http://127.0.0.1:8080")
	t.Cleanup(func() {
		caller.Close()
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	n := number{ID: newID(), Phone: us, Type: "Local", Mode: "fax", Can: capabilities{Voice: true, Fax: true}, Set: map[string]string{}}
	for param, value := range set {
		if param == "Mode" {
			n.Mode = value
			continue
		}
		if strings.HasPrefix(value, "/") {
			value = server.URL + value
		}
		n.Set[param] = value
	}
	if err := box.state.addNumbers(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return caller, a
}

func receive(attributes string) string { return "<Response><Receive " + attributes + "/></Response>" }

func TestCallIsReceived(t *testing.T) {
	for _, d := range Dialects() {
		t.Run(string(d), func(t *testing.T) {
			c, a := dialed(t, d, map[string]string{"/in": receive(`action="done?a=1" pageSize="a4"`), "/done": "204"}, map[string]string{"VoiceUrl": "/in?team=x"})
			got, err := c.Call(t.Context(), Incoming{From: them, To: us, Pages: 2, Station: "ACME"})
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != "received" || got.Answer != "receive" || !got.Told || got.Lost || got.Pages != 2 || len(got.Requests) != 2 {
				t.Errorf("%+v", got)
			}
			if len(a.heard) != 2 || a.heard[0].what != "POST /in" || a.heard[1].what != "POST /done" {
				t.Fatalf("heard %+v", a.heard)
			}
			asked := url.Values{"FaxSid": {got.FaxID}, "AccountSid": {a.box.Account().Account}, "From": {them}, "To": {us}, "ApiVersion": {"v1"}, "team": {"x"}}
			if diff := cmp.Diff(asked, a.heard[0].form); diff != "" {
				t.Errorf("question (-want +got):\n%s", diff)
			}
			told := a.heard[1].form
			for name, want := range map[string]string{"FaxStatus": "received", "NumPages": "2", "RemoteStationId": "ACME", "a": "1"} {
				if told.Get(name) != want {
					t.Errorf("%s is %q, want %q", name, told.Get(name), want)
				}
			}
			if code := told.Get("ErrorCode"); code != "" && code != "0" {
				t.Errorf("ErrorCode is %q", code)
			}
			if (told.Get("MediaSid") != "") != (d == SignalWire) || (told.Get("Timestamp") != "") != (d == SignalWire) {
				t.Errorf("MediaSid %q, Timestamp %q", told.Get("MediaSid"), told.Get("Timestamp"))
			}
			// The link opens the document, and the record says the same.
			link := strings.Replace(told.Get("MediaUrl"), "http://127.0.0.1:8080", "", 1)
			w := httptest.NewRecorder()
			a.box.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, link, nil))
			if w.Code != 200 || !bytes.HasPrefix(w.Body.Bytes(), []byte("%PDF")) {
				t.Errorf("GET %s: %d %.40q", link, w.Code, w.Body)
			}
			row, err := a.box.state.fax(t.Context(), a.box.dialect.hex("FX", got.FaxID), 0)
			if err != nil || row.Status != "received" || row.Pages != 2 || row.PageSize != "a4" || row.MediaID == "" || row.Direction != "inbound" {
				t.Errorf("record %+v, %v", row, err)
			}
		})
	}
}

// A document that is not stored comes with the callback, and is nowhere else.
func TestCallWithoutStoring(t *testing.T) {
	for _, in := range []Incoming{
		{From: them, To: us},
		{From: them, To: us, Document: []byte("II*\x00tiff"), ContentType: "image/tiff"},
	} {
		c, a := dialed(t, Twilio, map[string]string{"/in": receive(`action="/done" method="GET" storeMedia="false"`), "/done": "204"}, map[string]string{"VoiceUrl": "/in"})
		got, err := c.Call(t.Context(), in)
		if err != nil || !got.Told || got.Lost {
			t.Fatalf("%+v, %v", got, err)
		}
		want := "%PDF- application/pdf"
		if in.Document != nil {
			want = "II*\x00t image/tiff"
		}
		if told := a.heard[1]; told.what != "POST /done" || told.document != want || told.form.Has("MediaUrl") {
			t.Errorf("told %+v", told)
		}
		row, err := a.box.state.fax(t.Context(), a.box.dialect.hex("FX", got.FaxID), 0)
		if err != nil || row.MediaID != "" || row.document != "" {
			t.Errorf("record %+v, %v", row, err)
		}
		a.answers["/done"] = "503"
		if got, err := c.Call(t.Context(), in); err != nil || got.Told || !got.Lost || got.Requests[1].Code != codeHTTP {
			t.Errorf("a document that was not taken: %+v, %v", got, err)
		}
	}
}

func TestCallKeepsTheDocumentGiven(t *testing.T) {
	c, a := dialed(t, SignalWire, map[string]string{"/in": receive(""), "/done": "204"}, map[string]string{"VoiceUrl": "/in", "VoiceMethod": "GET"})
	got, err := c.Call(t.Context(), Incoming{From: them, To: us, Document: []byte("%PDF-mine"), ContentType: "application/pdf", Pages: 7})
	if err != nil || len(a.heard) != 1 || a.heard[0].what != "GET /in" || a.heard[0].form.Get("FaxSid") != got.FaxID {
		t.Fatalf("%+v, %v, heard %+v; SignalWire calls nobody back who named no action", got, err, a.heard)
	}
	row, err := a.box.state.fax(t.Context(), a.box.dialect.hex("FX", got.FaxID), 0)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := a.box.documentOf(t.Context(), row); err != nil || string(data) != "%PDF-mine" || row.Pages != 7 {
		t.Errorf("document %q, %v", data, err)
	}
}

func TestCallOutcomes(t *testing.T) {
	for outcome, want := range map[Outcome]struct {
		status, code, pages string
	}{
		OutcomeFailed:  {"failed", "34108", "0"},
		OutcomeBusy:    {"busy", "34002", "0"},
		OutcomePartial: {"failed", "34004", "2"},
		OutcomeSlow:    {"received", "", "4"},
	} {
		c, a := dialed(t, Twilio, map[string]string{"/in": receive(`storeMedia="false"`)}, map[string]string{"VoiceUrl": "/in"})
		got, err := c.Call(t.Context(), Incoming{From: them, To: us, Pages: 4, Outcome: outcome, Takes: time.Millisecond})
		if err != nil || len(a.heard) != 2 {
			t.Fatalf("%s: %+v, %v, heard %v", outcome, got, err, a.heard)
		}
		told := a.heard[1]
		if code := told.form.Get("ErrorCode"); told.form.Get("FaxStatus") != want.status || told.form.Get("NumPages") != want.pages || code != want.code && code != "0" {
			t.Errorf("%s: told %v", outcome, told.form)
		}
		if (told.document != "") != (want.status == "received") || got.Status != want.status || told.form.Has("MediaUrl") {
			t.Errorf("%s: document %q, %+v", outcome, told.document, got)
		}
	}
}

// What the application does wrong is in the record, with the provider's code.
func TestCallTroubles(t *testing.T) {
	for name, c := range map[string]struct {
		answers map[string]string
		url     string
		code    int
	}{
		"no verb":      {map[string]string{"/in": "<Response/>"}, "/in", codeNoVerb},
		"no XML":       {map[string]string{"/in": "ok"}, "/in", codeParse},
		"root":         {map[string]string{"/in": "<html/>"}, "/in", codeRoot},
		"content type": {map[string]string{"/in": "html"}, "/in", codeContentType},
		"too big":      {map[string]string{"/in": receive("") + strings.Repeat(" ", maxTwiML)}, "/in", codeTooBig},
		"schema":       {map[string]string{"/in": receive(`pageSize="a3"`)}, "/in", codeSchema},
		"action":       {map[string]string{"/in": receive(`action="mailto:x"`)}, "/in", codeSchema},
		"status":       {map[string]string{"/in": "500"}, "/in", codeHTTP},
		"redirects":    {map[string]string{"/in": "->/in"}, "/in", codeRedirects},
		"lost":         {map[string]string{"/in": "drop"}, "/in", codeConnect},
		"refused":      {nil, "http://127.0.0.1:1/in", codeConnect},
		"not public":   {nil, "http://203.0.113.7/in", codeConnect},
		"host":         {nil, "http://host-.invalid/in", codeDNS}, // no host's name: nobody is asked, who may take long
		"late":         {map[string]string{"/in": "hang"}, "/in", codeHTTP},
	} {
		t.Run(name, func(t *testing.T) {
			caller, a := dialed(t, Twilio, c.answers, map[string]string{"VoiceUrl": c.url})
			if c.answers["/in"] == "hang" {
				a.box.dialect.callLimit = 300 * time.Millisecond
			}
			got, err := caller.Call(t.Context(), Incoming{From: them, To: us})
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != "failed" || got.ErrorCode != c.code || got.ErrorMessage == "" || got.Answer != "" || got.Requests[0].Code != c.code {
				t.Errorf("%+v, want %d", got, c.code)
			}
			row, err := a.box.state.fax(t.Context(), a.box.dialect.hex("FX", got.FaxID), 0)
			if err != nil || row.Status != "failed" || row.ErrorCode != c.code || row.MediaID != "" {
				t.Errorf("record %+v, %v", row, err)
			}
		})
	}
}

func TestCallFallback(t *testing.T) {
	c, a := dialed(t, Twilio, map[string]string{"/in": "<Response/>", "/backup": "<Response><Reject/></Response>"},
		map[string]string{"VoiceUrl": "/in", "VoiceFallbackUrl": "/backup"})
	got, err := c.Call(t.Context(), Incoming{From: them, To: us})
	if err != nil || got.Status != "canceled" || got.Answer != "reject" || len(got.Requests) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if form := a.heard[1].form; form.Get("ErrorCode") != "34106" || !strings.HasSuffix(form.Get("ErrorUrl"), "/in") {
		t.Errorf("the fallback URL heard %v", form)
	}
}

func TestCallFollowsRedirects(t *testing.T) {
	c, a := dialed(t, SignalWire, map[string]string{"/in": "->/a/b", "/a/b": "->/a/c", "/a/c": "->/a/d", "/a/d": receive(`action="e"`), "/a/e": "204"}, map[string]string{"VoiceUrl": "/in"})
	got, err := c.Call(t.Context(), Incoming{From: them, To: us})
	if err != nil || got.Status != "received" || !got.Told || a.heard[4].what != "POST /a/e" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCallNobody(t *testing.T) {
	for name, c := range map[string]struct {
		set map[string]string
		to  string
		is  error
	}{
		"not ours":    {nil, "+14155550999", ErrNotOwned},
		"voice":       {map[string]string{"Mode": "voice", "VoiceUrl": "/in"}, us, ErrNoFaxHere},
		"trunk":       {map[string]string{"TrunkSid": "TK1", "VoiceUrl": "/in"}, us, ErrNoFaxHere},
		"application": {map[string]string{"VoiceApplicationSid": "AP1", "VoiceUrl": "/in"}, us, ErrNoFaxHere},
		"no URL":      {nil, us, ErrNoFaxHere},
	} {
		caller, a := dialed(t, Twilio, nil, c.set)
		if got, err := caller.Call(t.Context(), Incoming{From: them, To: c.to}); !errors.Is(err, c.is) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if n, err := a.box.state.countFaxes(t.Context()); n != 0 || err != nil || len(a.heard) != 0 {
			t.Errorf("%s: %d records, %d requests, %v", name, n, len(a.heard), err)
		}
	}
}

func TestCallInterrupted(t *testing.T) {
	c, a := dialed(t, Twilio, map[string]string{"/in": receive("")}, map[string]string{"VoiceUrl": "/in"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a.asked = func() { time.AfterFunc(50*time.Millisecond, cancel) } // while it is received
	got, err := c.Call(ctx, Incoming{From: them, To: us, Outcome: OutcomeSlow})
	if !errors.Is(err, context.Canceled) || got.Status != "canceled" || len(a.heard) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}
