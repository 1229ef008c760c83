package callback_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/callback"
	"github.com/faxctl/faxctl/pkg/receive/twiml"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const key = webhook.Key("12345")

// heard is a request as an application got it.
type heard struct {
	Method, Path string
	Form         url.Values
	Document     string
	Signed       bool
}

// application answers each path with its document, and remembers what it was
// told.
type application struct {
	answers map[string]string // of a path; "": 204
	heard   []heard
}

func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseMultipartForm(1 << 20)
	h := heard{Method: r.Method, Path: r.URL.Path, Form: r.Form}
	if f, _, err := r.FormFile("Media"); err == nil {
		all, _ := io.ReadAll(f)
		h.Document = string(all)
	}
	signed := r.PostForm
	if r.MultipartForm != nil {
		signed = r.MultipartForm.Value
	}
	h.Signed = webhook.Verify(key, "http://"+r.Host+r.RequestURI, signed, webhook.Twilio.Signature(r.Header))
	a.heard = append(a.heard, h)
	doc, known := a.answers[r.URL.Path]
	switch {
	case !known:
		w.WriteHeader(http.StatusForbidden)
	case strings.HasPrefix(doc, "->"):
		http.Redirect(w, r, doc[2:], http.StatusTemporaryRedirect)
	case doc == "":
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "text/xml")
		w.Header().Set("Server", webhook.Server)
		_, _ = io.WriteString(w, doc)
	}
}

func start(t *testing.T, d webhook.Dialect, answers map[string]string) (*application, string, callback.Sender) {
	t.Helper()
	a := &application{answers: answers}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return a, server.URL, callback.Sender{Client: server.Client(), Dialect: d, AccountID: "AC1", Key: key}
}

func received() fax.Fax {
	return fax.Fax{
		ID: "FX1", From: "+14158675309", To: "+18005551212", Direction: fax.Inbound, Status: fax.Received, Pages: new(2),
		MediaID: "ME1", MediaURL: "https://media.example/ME1?s=1", Updated: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
	}
}

func noDocument(context.Context) (webhook.Document, error) {
	return webhook.Document{}, errors.New("the document was asked for")
}

func TestDeliver(t *testing.T) {
	asked := url.Values{"FaxSid": {"FX1"}, "AccountSid": {"AC1"}, "From": {"+14158675309"}, "To": {"+18005551212"}, "ApiVersion": {"v1"}}
	told := with(asked, "FaxStatus", "received", "NumPages", "2", "MediaUrl", "https://media.example/ME1?s=1")
	without := with(asked, "FaxStatus", "received", "NumPages", "2")
	question := heard{Method: "POST", Path: "/in", Form: asked, Signed: true}
	pdf := func(context.Context) (webhook.Document, error) {
		return webhook.Document{Name: "FX1.pdf", ContentType: "application/pdf", Content: []byte("%PDF")}, nil
	}
	for name, c := range map[string]struct {
		dialect webhook.Dialect
		answers map[string]string
		open    func(context.Context) (webhook.Document, error)
		want    []heard
	}{
		"receive": {
			webhook.Twilio, map[string]string{"/in": `<Response><Receive action="/done"/></Response>`, "/done": ""}, noDocument,
			[]heard{question, {Method: "POST", Path: "/done", Form: told, Signed: true}},
		},
		"no action": {
			webhook.Twilio, map[string]string{"/in": `<Response><Receive/></Response>`}, noDocument,
			[]heard{question, {Method: "POST", Path: "/in", Form: told, Signed: true}},
		},
		"GET": {
			webhook.Twilio, map[string]string{"/in": `<Response><Receive action="done" method="GET"/></Response>`, "/done": ""}, noDocument,
			[]heard{question, {Method: "GET", Path: "/done", Form: told, Signed: true}},
		},
		"not stored": {
			webhook.Twilio, map[string]string{"/in": `<Response><Receive action="/done" storeMedia="false"/></Response>`, "/done": ""}, pdf,
			[]heard{question, {Method: "POST", Path: "/done", Form: without, Document: "%PDF", Signed: true}},
		},
		"reject": {webhook.Twilio, map[string]string{"/in": `<Response><Reject/></Response>`}, noDocument, []heard{question}},
		"redirected": {
			webhook.Twilio, map[string]string{"/in": "->/moved/in", "/moved/in": `<Response><Receive action="done"/></Response>`, "/moved/done": ""}, noDocument,
			[]heard{question, {Method: "POST", Path: "/moved/in", Form: asked, Signed: true}, {Method: "POST", Path: "/moved/done", Form: told, Signed: true}},
		},
		"signalwire": {
			webhook.SignalWire, map[string]string{"/in": `<Response><Receive action="/done"/></Response>`, "/done": ""}, noDocument,
			[]heard{question, {Method: "POST", Path: "/done", Form: with(told, "MediaSid", "ME1", "Timestamp", "2026-11-23T10:00:00Z"), Signed: true}},
		},
		"signalwire without action": {webhook.SignalWire, map[string]string{"/in": `<Response><Receive/></Response>`}, noDocument, []heard{question}},
	} {
		t.Run(name, func(t *testing.T) {
			app, at, sender := start(t, c.dialect, c.answers)
			if _, err := sender.Deliver(t.Context(), at+"/in", received(), c.open); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, app.heard); d != "" {
				t.Errorf("heard (-want +got):\n%s", d)
			}
		})
	}
}

func with(form url.Values, pairs ...string) url.Values {
	all := url.Values{}
	for k, v := range form {
		all[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		all.Set(pairs[i], pairs[i+1])
	}
	return all
}

func TestDeliverInProgress(t *testing.T) {
	app, at, sender := start(t, webhook.Twilio, map[string]string{"/in": `<Response><Receive/></Response>`})
	f := received()
	f.Status = fax.Receiving
	if d, err := sender.Deliver(t.Context(), at+"/in", f, noDocument); err != nil || d.Told != nil || len(app.heard) != 1 {
		t.Errorf("%+v, %v, %d requests; want the question only", d, err, len(app.heard))
	}
}

// What goes wrong has a kind, and says why without the URL's query.
func TestErrors(t *testing.T) {
	_, at, sender := start(t, webhook.Twilio, map[string]string{
		"/music": `<Response><Play/></Response>`, "/204": "", "/loop": "->/loop", "/in": `<Response><Receive action="mailto:a@b.example"/></Response>`,
	})
	code := func(err error) string {
		var bad *twiml.Error
		if errors.As(err, &bad) {
			return bad.Code
		}
		return ""
	}
	for path, is := range map[string]func(error) bool{
		"/music": func(err error) bool { return code(err) == twiml.CodeNoVerb },
		"/204":   func(err error) bool { return code(err) == twiml.CodeContentType },
		"/in":    func(err error) bool { return code(err) == twiml.CodeSchema },
		"/forbidden": func(err error) bool {
			return errors.Is(err, problem.ErrAuth) && strings.Contains(err.Error(), "403 Forbidden")
		},
		"/loop": func(err error) bool {
			return errors.Is(err, problem.ErrUnavailable) && strings.Contains(err.Error(), "redirects")
		},
	} {
		if _, err := sender.Deliver(t.Context(), at+path+"?secret=hunter2", received(), noDocument); !is(err) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if errors.Is(callback.StatusError(500), problem.ErrAuth) {
		t.Error("a 500 is not a matter of authorization")
	}
	if _, err := sender.Ask(t.Context(), "PUT", at, webhook.Event{}); !errors.Is(err, problem.ErrInvalid) {
		t.Errorf("PUT: %v", err)
	}
}

func TestAnswerIsJudgedInTime(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else nobody notices that the other side hangs up
		<-r.Context().Done()
	}))
	defer server.Close()
	sender := callback.Sender{Client: server.Client(), Dialect: webhook.Twilio, Key: key, Patience: 20 * time.Millisecond}
	_, err := sender.Ask(t.Context(), "POST", server.URL, webhook.Event{})
	if !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), "no answer within 20ms") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sender.Ask(ctx, "POST", server.URL, webhook.Event{}); !errors.Is(err, context.Canceled) || errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestAnswer(t *testing.T) {
	_, at, sender := start(t, webhook.Twilio, map[string]string{"/in": `<Response><Reject/></Response>`})
	a, err := sender.Ask(t.Context(), "POST", at+"/in", webhook.Event{})
	if err != nil || !a.Ours || a.Verb != "reject" || a.Status != 200 || a.Took <= 0 {
		t.Errorf("%+v, %v", a, err)
	}
}
