package receiver_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/dir"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// unnoted has callbacks come while no event can be noted, and leaves their documents as if
// that was some minutes ago.
func (s *station) unnoted(reqs ...*http.Request) {
	s.t.Helper()
	schema := ""
	if s.config.Database != nil {
		schema = "faxctl_" + strings.ToLower(account) + "."
	}
	for _, table := range []string{"receiver_event", "receiver_aside"} {
		s.alter(`ALTER TABLE ` + schema + table + ` RENAME TO away_` + table)
	}
	for _, req := range reqs {
		if w := s.do(req); w.Code != http.StatusServiceUnavailable {
			s.t.Fatalf("answered %d", w.Code)
		}
	}
	for _, table := range []string{"receiver_event", "receiver_aside"} {
		s.alter(`ALTER TABLE ` + schema + `away_` + table + ` RENAME TO ` + table)
	}
	for _, path := range s.incoming() {
		_, rest, _ := strings.Cut(filepath.Base(path), "-")
		if err := os.Rename(path, filepath.Join(s.waits(), time.Now().Add(-6*time.Minute).UTC().Format("20060102T150405Z")+"-"+rest)); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *station) alter(statement string) {
	s.t.Helper()
	db := s.config.Database
	if db == nil {
		var err error
		if db, err = sql.Open("sqlite", filepath.Join(s.state, "receiver.db")); err != nil {
			s.t.Fatal(err)
		}
		defer db.Close()
	}
	if _, err := db.ExecContext(s.t.Context(), statement); err != nil {
		s.t.Fatal(err)
	}
}

// A document whose callback was answered 503, as its event could not be noted, is taken up:
// its provider may never call again.
func TestUnnotedDocuments(t *testing.T) { onEach(t, testUnnotedDocuments) }

func testUnnotedDocuments(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { soon(c); c.Backfill = time.Hour })
	known, unknown, doubted, nothing := faxID(1), faxID(2), faxID(3), faxID(4)
	for _, id := range []string{known, doubted} {
		s.cloud.add(id)
		s.cloud.change(id, func(f *fax.Fax) { f.MediaID = "" }) // it was to keep none
	}
	s.unnoted(
		multi(callbackForm(known), part{"Media", "fax.pdf", document(known)}),
		multi(callbackForm(unknown), part{"Media", "fax.pdf", document(unknown)}),
		multi(callbackForm(doubted), part{"Media", "fax.pdf", document(doubted)}, part{"Media", "2.pdf", document("2")}),
		multi(with(callbackForm(nothing), "FaxStatus", ""), part{"Media", "fax.pdf", document(nothing)}),
	)
	if files := s.incoming(); len(files) < 3 {
		t.Fatalf("what came waits as %v", files)
	}
	s.reopen(nil) // which removes none of them
	s.run()
	for _, id := range []string{known, unknown, doubted} {
		s.until("archived", func() bool { return s.archive.saved(id) > 0 })
		holds(t, filepath.Join(s.archive.dir, id+".pdf"), document(id))
	}
	s.until("those of which there is a doubt are parked", func() bool {
		n := 0
		for _, j := range s.asides() {
			if j.State == receiver.Parked && strings.Contains(j.Error, "could not be noted") {
				n++
			}
		}
		return n > 0 && n == len(s.incoming())
	})
	for _, id := range []string{known, unknown, doubted} {
		if n := s.archive.saved(id); n != 1 {
			t.Errorf("%s is archived %d times", id, n)
		}
	}
}

// What the archive has of an event that was noted in the meantime is not needed again, and
// what has just come is left to whoever is about to note it.
func TestUnnotedAndKept(t *testing.T) { onEach(t, testUnnotedAndKept) }

func testUnnotedAndKept(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { soon(c); c.Backfill = time.Hour })
	id := faxID(1)
	s.cloud.add(id)
	first := multi(callbackForm(id), part{"Media", "fax.pdf", document(id)})
	s.unnoted(first)
	stop := s.run()
	s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
	s.until("archived, and no file waits", func() bool { return s.archive.saved(id) == 1 && len(s.incoming()) == 0 })
	stop()
	young := filepath.Join(s.waits(), time.Now().UTC().Format("20060102T150405Z")+"-AAAA-"+faxID(2)+".pdf")
	if err := os.MkdirAll(s.waits(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(young, []byte(document("2")), 0o600); err != nil {
		t.Fatal(err)
	}
	s.reopen(nil)
	if err := s.TakeUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files, jobs := s.incoming(), s.jobs(); len(files) != 1 || len(jobs) != 0 {
		t.Errorf("on the shelf: %v; to do: %+v", files, jobs)
	}
}

// While nothing can be noted, as many documents of a fax wait as may be kept aside, whoever
// sends its callback again and again, and those of other faxes beside them.
func TestUnnotedAreBounded(t *testing.T) { onEach(t, testUnnotedAreBounded) }

func testUnnotedAreBounded(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { soon(c); c.Backfill = time.Hour })
	again, once := faxID(1), faxID(2)
	var reqs []*http.Request
	for i := range 24 {
		reqs = append(reqs, multi(callbackForm(again), part{"Media", "fax.pdf", document(strconv.Itoa(i))}))
	}
	s.unnoted(append(reqs, multi(callbackForm(once), part{"Media", "fax.pdf", document(once)}))...)
	of := map[string]int{}
	for _, file := range s.incoming() {
		of[strings.SplitN(strings.TrimSuffix(filepath.Base(file), ".pdf"), "-", 3)[2]]++
	}
	if of[again] != 16 || of[once] != 1 {
		t.Errorf("there wait %v", of)
	}
	s.told(multi(callbackForm(faxID(3)), part{"Media", "fax.pdf", document("3")}))
	s.told(multi(callbackForm(again), part{"Media", "fax.pdf", document("17")}))
}

// A document that waits to be noted, and finds as much kept aside as may be, stays for a day,
// in which somebody may make room, and not for ever.
func TestUnnotedAndFull(t *testing.T) { onEach(t, testUnnotedAndFull) }

func testUnnotedAndFull(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { soon(c); c.Backfill, c.MaxDocument = time.Hour, int64(len(document("x"))) })
	id := faxID(1)
	for i := range 17 { // the first is that of the fax
		s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(string(rune('a' + i)))}))
	}
	for _, tt := range []struct {
		age   time.Duration
		stays bool
	}{{6 * time.Minute, true}, {25 * time.Hour, false}} {
		waits := filepath.Join(s.waits(), time.Now().Add(-tt.age).UTC().Format("20060102T150405Z")+"-AAAA-"+id+".aside.pdf")
		if err := os.WriteFile(waits, []byte(document("z")), 0o600); err != nil {
			t.Fatal(err)
		}
		err := s.TakeUp(t.Context())
		if _, gone := os.Stat(waits); (err != nil) != tt.stays || (gone == nil) != tt.stays {
			t.Errorf("after %s: %v; %v", tt.age, err, gone)
		}
		if err := errors.Join(os.RemoveAll(waits), s.TakeUp(t.Context())); err != nil {
			t.Errorf("without it: %v", err)
		}
	}
}

// hanging is where nothing that is put is answered, until it speaks.
type hanging struct {
	store.Store
	speaks chan struct{}
}

func (h hanging) Put(ctx context.Context, name string, content store.Content, when store.Condition) (string, error) {
	select {
	case <-h.speaks:
		return h.Store.Put(ctx, name, content, when)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// A provider waits for 15 s, and asks nobody else when it is not answered by then; what it
// sent is kept all the same, should it be possible.
func TestAnswerInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hanging{dir.New(t.TempDir(), durable.OS{}), make(chan struct{})}
		s := newStation(t, func(c *receiver.Config) { c.Incoming = h })
		id := faxID(1)
		begun := time.Now()
		w := s.do(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
		if took := time.Since(begun); w.Code != http.StatusServiceUnavailable || took < 9*time.Second || took > 11*time.Second {
			t.Errorf("answered %d after %s", w.Code, took)
		}
		close(h.speaks)
		synctest.Wait()
		if log := s.log.String(); !strings.Contains(log, "what a callback brought is kept, after its provider was told that it was not") {
			t.Error(log)
		}
		stats, err := s.desk().Stats(t.Context())
		if err != nil || len(stats.Faxes) != 1 {
			t.Errorf("recorded: %v, %v", stats.Faxes, err)
		}
	})
}
