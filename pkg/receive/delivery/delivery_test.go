package delivery_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

const word = "operators-program" // the first argument that makes the test binary the program

// TestMain makes the test binary play a program: it writes what it finds into a file.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == word {
		input, err := io.ReadAll(os.Stdin)
		if err == nil {
			found := strings.Join(os.Environ(), "\x00") + "\x00\x00" + string(input) + "\x00\x00" + strings.Join(os.Args[3:], "\x00")
			err = os.WriteFile(os.Args[2], []byte(found), 0o600)
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func event() delivery.News {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	e := delivery.Event{
		FaxID: "FX1", From: "+14155550100", To: "+14155550199", Status: fax.Received, Pages: new(2),
		RemoteStation: "THEIR\nFAX", Received: at,
	}
	return delivery.News{Event: e, Document: delivery.Document{Archived: at, Path: "/archive/a\nb.pdf", ContentType: "application/pdf", SHA256: "00ff", Size: 7}}
}

// A program finds everything of the event, in variables that are all there and one
// line each, but for the path, which is as it is; and none of our secrets.
func TestExec(t *testing.T) {
	t.Setenv("TWILIO_AUTH_TOKEN", "secret")
	out := filepath.Join(t.TempDir(), "out")
	n := event()
	if err := delivery.Exec(delivery.Program{os.Args[0], word, out}).Deliver(t.Context(), n, delivery.Target{}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	environ, rest, _ := strings.Cut(string(b), "\x00\x00")
	input, _, _ := strings.Cut(rest, "\x00\x00")
	got := strings.Split(environ, "\x00")
	for _, want := range []string{
		"FAX_ID=FX1", "FAX_FROM=+14155550100", "FAX_TO=+14155550199", "FAX_DIRECTION=inbound", "FAX_STATUS=received", "FAX_PAGES=2",
		"FAX_DURATION=", "FAX_QUALITY=", "FAX_MEDIA_ID=", "FAX_CREATED=", "FAX_REMOTE_STATION=THEIR FAX", "FAX_ERROR_CODE=",
		"FAX_ERROR_MESSAGE=", "FAX_RECEIVED=2026-11-23T10:00:00Z", "FAX_DOCUMENT=/archive/a\nb.pdf", "FAX_CONTENT_TYPE=application/pdf", "FAX_SHA256=00ff",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in\n%q", want, got)
		}
	}
	if strings.Contains(environ, "secret") {
		t.Error("the program can see the credentials")
	}
	const want = `{"fax_id":"FX1","from":"+14155550100","to":"+14155550199","status":"received","pages":2,"remote_station":"THEIR\nFAX",` +
		`"received":"2026-11-23T10:00:00Z","archived":"2026-11-23T10:00:00Z","document":"/archive/a\nb.pdf","content_type":"application/pdf","sha256":"00ff","size":7}` + "\n"
	if input != want {
		t.Errorf("it reads %s, want %s", input, want)
	}
}

// Whoever runs a program for a fax, it finds the same variables.
func TestEnviron(t *testing.T) {
	f := fax.Fax{
		ID: "FX1", From: "\x1b]0;x\a+1", To: "+14155550199", Direction: fax.Inbound, Status: fax.Failed, Pages: new(0), Duration: new(31),
		Quality: "fine", MediaID: "ME1", ErrorCode: "34004", ErrorMessage: "no carrier",
		Created: time.Date(2026, 11, 23, 10, 0, 0, 0, time.FixedZone("", 3600)),
	}
	want := []string{
		"FAX_ID=FX1", "FAX_FROM=^[]0;x^G+1", "FAX_TO=+14155550199", "FAX_DIRECTION=inbound", "FAX_STATUS=failed", "FAX_PAGES=0",
		"FAX_DURATION=31", "FAX_QUALITY=fine", "FAX_MEDIA_ID=ME1", "FAX_CREATED=2026-11-23T09:00:00Z", "FAX_REMOTE_STATION=",
		"FAX_ERROR_CODE=34004", "FAX_ERROR_MESSAGE=no carrier", "FAX_RECEIVED=", "FAX_CONTENT_TYPE=", "FAX_SHA256=", "FAX_DOCUMENT=",
	}
	if got := delivery.Environ(f); !slices.Equal(got, want) {
		t.Errorf("got %q,\nwant %q", got, want)
	}
}

// A server is told the same, signed, without the path, which means nothing there.
func TestForward(t *testing.T) {
	var got map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err == nil {
			err = json.Unmarshal(body, &got)
		}
		h := req.Header
		if err != nil || h.Get(delivery.SignatureHeader) != delivery.SignForward("key", h.Get(delivery.TimeHeader), body) || h.Get(delivery.EventHeader) != "FX1/received" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	d, err := delivery.Forward(server.URL, "key")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	n := event()
	if err := d.Deliver(t.Context(), n, delivery.Target{}); err != nil {
		t.Fatal(err)
	}
	if _, there := got["document"]; there || got["fax_id"] != "FX1" || got["sha256"] != "00ff" {
		t.Errorf("told %v", got)
	}
	other, err := delivery.Forward(server.URL, "another key")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Deliver(t.Context(), n, delivery.Target{}); err == nil || err.Error() != "forward: the server answers HTTP 403" {
		t.Errorf("a refusal is %v", err)
	}
}

func TestForwardRefuses(t *testing.T) {
	for url, key := range map[string]webhook.Key{"https://example.com": "", "example.com": "key", "https://example.com/?a=b": "key"} {
		if _, err := delivery.Forward(url, key); !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("%s, %v", url, err)
		}
	}
}
