package receiver_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// program stands for the operator's program. It writes what it finds in its
// environment to the file that is its first argument, then fails while a file
// with that name and .fail is there.
func program(args []string) int {
	var found []string
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "FAX_") || strings.HasPrefix(v, "TWILIO_") {
			found = append(found, v)
		}
	}
	slices.Sort(found)
	if err := os.WriteFile(args[0], []byte(strings.Join(found, "\n")), 0o600); err != nil {
		return 2
	}
	if _, err := os.Stat(args[0] + ".fail"); err == nil {
		os.Stderr.WriteString("the printer\x1b[2J is out of paper for " + os.Getenv("FAX_FROM") + "\n")
		return 1
	}
	return 0
}

const programWord = "operators-program" // the first argument that makes the test binary the program

func TestExec(t *testing.T) { onEach(t, testExec) }

func testExec(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	s := newStation(t, func(c *receiver.Config) { c.Deliveries = running(os.Args[0], programWord, out) })
	s.run()
	id := faxID(1)
	s.cloud.add(id)
	if w := s.do(post("/fax/done", callbackForm(id))); w.Code != 204 {
		t.Fatalf("answered %d", w.Code)
	}
	var got string
	s.until("the program has run", func() bool {
		b, err := os.ReadFile(out)
		got = string(b)
		return err == nil && got != ""
	})
	for _, want := range []string{
		"FAX_ID=" + id, "FAX_FROM=" + sender, "FAX_TO=" + ourNumber, "FAX_STATUS=received", "FAX_PAGES=2", "FAX_ERROR_CODE=",
		"FAX_REMOTE_STATION=THEIR FAX", "FAX_DOCUMENT=" + filepath.Join(s.archive.dir, id+".pdf"), "FAX_CONTENT_TYPE=application/pdf",
	} {
		if !slices.Contains(strings.Split(got, "\n"), want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "TWILIO") {
		t.Error("the program can see the credentials")
	}
}

// TestPark: what keeps failing is parked, shown with its reason, and runs again
// when somebody says so.
func TestPark(t *testing.T) { onEach(t, testPark) }

func testPark(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(out+".fail", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := newStation(t, func(c *receiver.Config) {
		c.Deliveries, c.Attempts, c.Retry = running(os.Args[0], programWord, out), 2, time.Millisecond
	})
	s.run()
	form := callbackForm(faxID(1))
	form.Set("FaxStatus", "failed") // there is nothing to fetch: the program is told at once
	form.Set("ErrorCode", "34004")
	for range 2 {
		s.do(post("/fax/done", form))
	}
	desk, err := s.openDesk()
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	var jobs []receiver.Job
	s.until("parked", func() bool {
		jobs = jobsOf(t, desk)
		return len(jobs) == 1 && jobs[0].State == receiver.Parked
	})
	j := jobs[0]
	if j.Kind != "exec" || j.FaxID != faxID(1) || j.Status != fax.Failed || j.Attempts != 2 || !strings.Contains(j.Error, "the printer[2J is out of paper for +1415•••0100") {
		t.Errorf("parked: %+v", j)
	}
	stats, err := desk.Stats(t.Context())
	stats.Jobs = slices.DeleteFunc(stats.Jobs, func(c receiver.JobCount) bool { return c.Kind == "forget" }) // which comes by itself
	if err != nil || stats.Faxes[fax.Failed] != 1 || !cmp.Equal(stats.Jobs, []receiver.JobCount{{Kind: "exec", State: receiver.Parked, Count: 1}}) {
		t.Errorf("stats: %+v, %v", stats, err)
	}
	if err := os.Remove(out + ".fail"); err != nil {
		t.Fatal(err)
	}
	if err := desk.Retry(t.Context(), j.ID); err != nil {
		t.Fatal(err)
	}
	s.until("done after all", func() bool { return len(jobsOf(t, desk)) == 0 })
	if _, err := desk.Discard(t.Context(), j.ID); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("discarding what is done: %v", err)
	}
}

// TestStartedWithout: a job of a delivery that the receiver has no more says so, and
// is done by the next one that has it.
func TestStartedWithout(t *testing.T) { onEach(t, testStartedWithout) }

func testStartedWithout(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	s := newStation(t, func(c *receiver.Config) {
		c.Deliveries, c.Retry = running(os.Args[0], programWord, out), time.Millisecond
	})
	form := callbackForm(faxID(1))
	form.Set("FaxStatus", "failed")
	s.do(post("/fax/done", form))
	with := s.config.Deliveries
	s.config.Deliveries = nil
	s.reopen(func(*sql.DB) {})
	stop := s.run()
	s.until("the job fails", func() bool {
		return strings.Contains(s.log.String(), `kind=exec attempt=1 parked=false error="this receiver was started without what exec was for"`)
	})
	stop()
	s.config.Deliveries = with
	s.reopen(func(*sql.DB) {})
	s.run()
	s.until("the program has run", func() bool { _, err := os.Stat(out); return err == nil })
}

func TestDiscard(t *testing.T) { onEach(t, testDiscard) }

func testDiscard(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { c.Deliveries, c.Attempts = running("/nonexistent"), 1 })
	desk, err := s.openDesk()
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	form := callbackForm(faxID(1))
	form.Set("FaxStatus", "busy")
	s.do(post("/fax/done", form))
	jobs, err := desk.Jobs(t.Context())
	if err != nil || len(jobs) != 1 || jobs[0].State != receiver.Waiting {
		t.Fatalf("%+v, %v", jobs, err)
	}
	if _, err := desk.Discard(t.Context(), jobs[0].ID); !errors.Is(err, problem.ErrConflict) {
		t.Errorf("discarding what waits: %v", err)
	}
	s.run()
	s.until("parked", func() bool { _, err := desk.Discard(t.Context(), jobs[0].ID); return err == nil })
	left, err := desk.Jobs(t.Context()) // the receiver's own among them
	if err != nil || slices.ContainsFunc(left, func(j receiver.Job) bool { return j.ID == jobs[0].ID }) {
		t.Errorf("after discarding: %+v, %v", left, err)
	}
}

func TestForward(t *testing.T) { onEach(t, testForward) }

func testForward(t *testing.T) {
	type request struct {
		event struct {
			delivery.Event
			delivery.Document
		}
		signed, name, kind string
	}
	var mu sync.Mutex
	var got []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(req.Body)
		r := request{name: req.Header.Get(delivery.EventHeader), kind: req.Header.Get("Content-Type")}
		if req.Header.Get(delivery.SignatureHeader) == delivery.SignForward("forward key", req.Header.Get(delivery.TimeHeader), body) {
			r.signed = "rightly"
		}
		_ = json.Unmarshal(body, &r.event)
		if got = append(got, r); len(got) == 1 {
			http.Redirect(w, req, "/elsewhere", http.StatusTemporaryRedirect) // is no success, and is not followed
		}
	}))
	defer server.Close()
	s := newStation(t, func(c *receiver.Config) {
		c.Deliveries, c.Retry = forwarding(t, server.URL), time.Millisecond
	})
	s.run()
	id := faxID(1)
	s.cloud.add(id)
	s.do(post("/fax/done", callbackForm(id)))
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(got)
	}
	s.until("forwarded", func() bool { return count() == 2 })
	e := got[1].event
	if got[1].signed != "rightly" || got[1].name != id+"/received" || got[1].kind != "application/json" {
		t.Errorf("forwarded: %+v", got[1])
	}
	if e.FaxID != id || e.From != sender || e.To != ourNumber || e.Path != "" || len(e.SHA256) != 64 || e.Archived.IsZero() {
		t.Errorf("the event: %+v", e)
	}
}

// TestBackfill: a fax of which no callback came is fetched all the same, one
// that is known is not fetched again, and one we sent is none of our business.
func TestBackfill(t *testing.T) { onEach(t, testBackfill) }

func testBackfill(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { c.Backfill = time.Hour })
	told, lost, sent, moving := faxID(1), faxID(2), faxID(3), faxID(4)
	for _, id := range []string{told, lost, sent, moving} {
		s.cloud.add(id)
	}
	s.cloud.change(sent, func(f *fax.Fax) { f.Direction = fax.Outbound })
	s.cloud.change(moving, func(f *fax.Fax) { f.Status = fax.Receiving })
	s.do(post("/fax/done", callbackForm(told)))
	s.run()
	s.until("fetched", func() bool { return s.archive.saved(told) == 1 && s.archive.saved(lost) == 1 })
	if n := s.archive.saved(sent) + s.archive.saved(moving); n > 0 {
		t.Errorf("%d faxes too many were fetched", n)
	}
	s.until("counted", func() bool { // after the job is there, which others may be quick to do
		return strings.Contains(s.metric(), `faxctl_requests_total{outcome="recorded",request="backfill"} 1`)
	})
}

// TestProviderAway: a document that cannot be fetched now is fetched later; one
// that is not there yet is not given up.
func TestProviderAway(t *testing.T) { onEach(t, testProviderAway) }

func testProviderAway(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) {
		c.Retry = time.Millisecond
		c.Provider.Faxes = &notYet{every: every{c.Provider.Faxes.(*cloud)}, answers: []error{
			&fax.APIError{Kind: problem.ErrUnavailable, Status: 503}, &fax.APIError{Kind: problem.ErrNotFound, Status: 404},
		}}
	})
	s.run()
	id := faxID(1)
	s.told(post("/fax/done", callbackForm(id)))
	s.until("archived", func() bool { return s.archive.saved(id) == 1 })
	for i, answer := range []string{"HTTP 503", "HTTP 404"} {
		if want := fmt.Sprintf("attempt=%d parked=false", i+1); !slices.ContainsFunc(strings.Split(s.log.String(), "\n"), func(line string) bool {
			return strings.Contains(line, want) && strings.Contains(line, answer)
		}) {
			t.Errorf("no %s of %s in the log", want, answer)
		}
	}
}

// notYet is a provider that has these answers before it has the fax: it goes by how often
// it is asked, as a time would be over when the machine is slow.
type notYet struct {
	every
	mu      sync.Mutex
	answers []error
}

func (n *notYet) Get(ctx context.Context, id string) (fax.Fax, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.answers) > 0 {
		err := n.answers[0]
		n.answers = n.answers[1:]
		return fax.Fax{}, err
	}
	return n.every.Get(ctx, id)
}

// TestRestart: what was acknowledged goes on where it was; what was left
// half-written is removed.
func TestRestart(t *testing.T) {
	s := newStation(t, nil)
	id := faxID(1)
	if w := s.do(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)})); w.Code != 204 {
		t.Fatalf("answered %d", w.Code)
	}
	cut := filepath.Join(s.state, "incoming", "123.pdf.part")
	if err := os.WriteFile(cut, []byte("%PDF"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := receiver.Open(t.Context(), s.config); !errors.Is(err, problem.ErrConflict) {
		t.Fatalf("a second receiver on the same state: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if w := s.do(post("/fax/done", callbackForm(faxID(2)))); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("a closed receiver answers %d", w.Code)
	}
	r, err := receiver.Open(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	s.Receiver = r
	if _, err := os.Stat(cut); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a cut off file: %v", err)
	}
	s.run()
	s.until("archived", func() bool { return s.archive.saved(id) == 1 })
}

func TestOpenRefuses(t *testing.T) {
	good := newStation(t, nil).config
	for _, tt := range []struct {
		name   string
		change func(*receiver.Config)
		want   error
	}{
		{"no public URL", func(c *receiver.Config) { c.PublicURL = "" }, problem.ErrInvalid},
		{"a path that is not clean", func(c *receiver.Config) { c.PublicURL = "https://fax.example.com/a//b" }, problem.ErrInvalid},
		{"a host alone", func(c *receiver.Config) { c.PublicURL = "fax.example.com" }, problem.ErrInvalid},
		{"a query", func(c *receiver.Config) { c.PublicURL = "https://fax.example.com/?a=b" }, problem.ErrInvalid},
		{"no key", func(c *receiver.Config) { c.Keys = nil }, problem.ErrAuth},
		{"an empty key", func(c *receiver.Config) { c.Keys = []webhook.Key{""} }, problem.ErrAuth},
		{"no faxes", func(c *receiver.Config) { c.Provider.Faxes = nil }, problem.ErrUnsupported},
		{"no archive", func(c *receiver.Config) { c.Archive = nil }, problem.ErrInvalid},
		{"a page size nobody knows", func(c *receiver.Config) { c.Answer.PageSize = "a5" }, problem.ErrInvalid},
	} {
		cfg := good
		cfg.StateDir = t.TempDir()
		tt.change(&cfg)
		if r, err := receiver.Open(t.Context(), cfg); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
			if err == nil {
				r.Close()
			}
		}
	}
	if _, err := receiver.OpenDesk(t.Context(), t.TempDir()); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("a desk without a receiver: %v", err)
	}
}
