package receiver_test

import (
	"database/sql"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// soon has what failed tried again at once.
func soon(c *receiver.Config) { c.Retry = time.Millisecond }

// told sends a callback that must be acknowledged.
func (s *station) told(req *http.Request) {
	s.t.Helper()
	if w := s.do(req); w.Code != http.StatusNoContent {
		s.t.Fatalf("answered %d %s", w.Code, w.Body)
	}
}

// receiving has the provider's record of a fax say that it is still coming in.
func (s *station) receiving(id string) {
	s.cloud.add(id)
	s.cloud.change(id, func(f *fax.Fax) { f.Status, f.MediaID = fax.Receiving, "" })
}

// A callback may be faster than the provider's record of the same fax.
func TestSlowRecord(t *testing.T) {
	s := newStation(t, soon)
	s.run()
	id := faxID(1)
	s.receiving(id)
	s.told(post("/fax/done", callbackForm(id)))
	s.until("it waits for the record", func() bool { return strings.Contains(s.log.String(), "is behind, at receiving") })
	if n := s.archive.saved(id); n != 0 {
		t.Errorf("saved %d times without a document", n)
	}
	s.cloud.change(id, func(f *fax.Fax) { f.Status, f.MediaID = fax.Received, "ME" })
	s.until("the fax is archived", func() bool { return s.archive.saved(id) == 1 })
}

// Of a document that came along there is no other copy: it is kept whatever the
// record says, and as one of a fax that was received.
func TestSlowRecordOfADocumentThatCameAlong(t *testing.T) {
	s := newStation(t, soon)
	s.run()
	id := faxID(1)
	s.receiving(id)
	s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
	s.until("the fax is archived", func() bool { return s.archive.saved(id) == 1 })
	s.archive.mu.Lock()
	defer s.archive.mu.Unlock()
	if as := s.archive.as[id]; as != fax.Received {
		t.Errorf("archived as %s", as)
	}
}

// An event whose document comes in the very moment in which there seemed to be none
// is not done with.
func TestDocumentComesJustNow(t *testing.T) { onEach(t, testDocumentComesJustNow) }

func testDocumentComesJustNow(t *testing.T) {
	s := newStation(t, nil)
	e := delivery.Event{FaxID: faxID(1), Status: fax.Received}
	for _, upload := range []string{"", "1.pdf"} { // a backfill, then the callback
		if _, err := s.Record(e, upload); err != nil {
			t.Fatal(err)
		}
	}
	d := delivery.Document{Archived: time.Now()}
	if err := s.Archived(e, d); !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("archived without its document: %v", err)
	}
	d.SHA256 = strings.Repeat("0", 64)
	if err := s.Archived(e, d); err != nil {
		t.Errorf("archived with it: %v", err)
	}
}

// Tables that cannot be prepared are an error, and nothing worse.
func TestOpenOverForeignTables(t *testing.T) {
	cfg := newStation(t, nil).config
	cfg.StateDir = t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(cfg.StateDir, "receiver.db"))
	if err == nil {
		_, err = db.ExecContext(t.Context(), "CREATE TABLE river_migration (nothing_of_ours)")
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if r, err := receiver.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "migrate the job tables") {
		t.Errorf("%v, %v", r, err)
	}
}

// What a server refuses today it may give tomorrow: no fax is parked for it at once.
func TestServerRefuses(t *testing.T) {
	s := newStation(t, soon)
	s.run()
	id := faxID(1)
	s.cloud.add(id)
	s.cloud.fail(&fax.APIError{Kind: problem.ErrInvalid, Status: http.StatusBadRequest, Message: "not today"})
	s.told(post("/fax/done", callbackForm(id)))
	s.until("it failed", func() bool { return strings.Contains(s.log.String(), "not today") })
	s.cloud.fail(nil)
	s.until("the fax is archived", func() bool { return s.archive.saved(id) == 1 })
}

// A document that comes after its fax was given up is archived all the same.
func TestLateDocument(t *testing.T) { onEach(t, testLateDocument) }

func testLateDocument(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(s *station, id string)
		given   string
	}{
		"of a fax that was archived without": {
			func(s *station, id string) {
				s.cloud.add(id)
				s.cloud.change(id, func(f *fax.Fax) { f.MediaID = "" })
			}, "msg=archived",
		},
		"of a fax that is parked": {func(*station, string) {}, "parked=true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t, soon)
			s.run()
			id := faxID(1)
			tc.prepare(s, id)
			s.told(post("/fax/done", callbackForm(id)))
			s.until("given up", func() bool { return strings.Contains(s.log.String(), tc.given) })
			s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
			s.until("archived, and no copy of it waits", func() bool { return s.archive.saved(id) == 1 && len(s.incoming()) == 0 })
			if got, err := os.ReadFile(filepath.Join(s.archive.dir, id+".pdf")); err != nil || string(got) != document(id) {
				t.Errorf("archived: %q, %v", got, err)
			}
		})
	}
}

// A program that ends well has done its work, whatever it left running.
func TestExecLeavesAChild(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh")
	}
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	s := newStation(t, func(c *receiver.Config) {
		soon(c)
		c.Deliveries = running("sh", "-c", "echo run >> "+out+"; sleep 15 & exit 0")
	})
	s.run()
	form := callbackForm(faxID(1))
	form.Set("FaxStatus", "failed")
	s.told(post("/fax/done", form))
	desk, err := s.openDesk()
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	s.until("done", func() bool {
		jobs, err := desk.Jobs(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			if j.Kind == "exec" {
				return false
			}
		}
		return true
	})
	if got, err := os.ReadFile(out); err != nil || string(got) != "run\n" {
		t.Errorf("it ran: %q, %v", got, err)
	}
}

// What was queued while the clock was ahead does not wait until it is right.
func TestClockWasAhead(t *testing.T) {
	s := newStation(t, nil)
	id := faxID(1)
	s.cloud.add(id)
	s.told(post("/fax/done", callbackForm(id)))
	s.reopen(func(db *sql.DB) {
		if _, err := db.Exec(`UPDATE river_job SET scheduled_at = datetime(scheduled_at, '+30 days')`); err != nil {
			t.Fatal(err)
		}
	})
	s.run()
	s.until("the fax is archived", func() bool { return s.archive.saved(id) == 1 })
}
