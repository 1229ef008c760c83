package receiver_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// Each document of a callback is asked about, also when its fax is known and others
// came along: another one than the first is kept.
func TestDocumentsOfAKnownFax(t *testing.T) { onEach(t, testDocumentsOfAKnownFax) }

func testDocumentsOfAKnownFax(t *testing.T) {
	s := newStation(t, soon)
	s.run()
	id := faxID(1)
	s.told(multi(callbackForm(id), part{"Media", "1.pdf", document(id)}))
	s.until("archived", func() bool { return s.archive.saved(id) == 1 && len(s.incoming()) == 0 })
	s.told(multi(callbackForm(id), part{"Media", "2.pdf", document("2")}, part{"Media", "3.pdf", document("3")}))
	var kept []string
	for _, j := range s.asides() {
		b, err := os.ReadFile(j.File)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, string(b))
	}
	slices.Sort(kept)
	if !slices.Equal(kept, []string{document("2"), document("3")}) {
		t.Errorf("kept aside: %q", kept)
	}
}

// The document of a known fax leaves no file when it comes again beside others.
func TestRepeatedBesideOthers(t *testing.T) { onEach(t, testRepeatedBesideOthers) }

func testRepeatedBesideOthers(t *testing.T) {
	s := newStation(t, soon)
	for range 3 {
		s.told(multi(callbackForm(faxID(1)), part{"Media", "1.pdf", document("1")}, part{"Media", "2.pdf", ""}))
	}
	if files := s.incoming(); len(files) != 2 {
		t.Errorf("the first and an empty one are on disk as %v", files)
	}
}

// The file that is kept may be lost: then the same bytes, when they come again, take
// its place.
func TestKeptFileIsLost(t *testing.T) {
	for name, lose := range map[string]func(path string) error{
		"removed": os.Remove,
		"emptied": func(path string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStation(t, soon)
			send := func() { s.told(multi(callbackForm(faxID(1)), part{"Media", "fax.pdf", "no document"})) }
			send()
			if err := lose(s.asides()[0].File); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				send()
				jobs := s.asides()
				if len(jobs) != 1 {
					t.Fatalf("%+v", jobs)
				}
				holds(t, jobs[0].File, "no document")
			}
			s.reopen(func(*sql.DB) {})
			if files := s.incoming(); len(files) != 1 {
				t.Errorf("on disk: %v", files)
			}
			holds(t, s.asides()[0].File, "no document")
		})
	}
}

// A document that was answered for stays its fax's when the archive has another one
// and nothing more may be kept aside.
func TestArchiveHasAnotherAndAsideIsFull(t *testing.T) {
	id := faxID(99)
	long := document(id)
	s := newStation(t, func(c *receiver.Config) {
		soon(c)
		c.Archive, c.MaxDocument = keeps{c.Archive}, int64(len(long))
	})
	for n := range 16 {
		s.told(multi(with(callbackForm(faxID(n)), "FaxStatus", "failed"), part{"Media", "fax.pdf", strings.Repeat("x", len(long))}))
	}
	s.told(multi(callbackForm(id), part{"Media", "fax.pdf", long}))
	stop := s.run()
	s.until("it failed", func() bool { return strings.Contains(s.log.String(), "as much is kept aside as may be") })
	stop()
	s.reopen(func(*sql.DB) {})
	jobs := slices.DeleteFunc(s.jobs(), func(j receiver.Job) bool { return j.Kind != "fetch" })
	if len(jobs) != 1 || !strings.Contains(jobs[0].Error, "as much is kept aside as may be") {
		t.Fatalf("%+v", jobs)
	}
	holds(t, jobs[0].File, long)
}

// The archive may have lost a document whose bytes come again: they are not thrown
// away, and go back into the archive.
func TestArchivedDocumentIsLost(t *testing.T) { onEach(t, testArchivedDocumentIsLost) }

func testArchivedDocumentIsLost(t *testing.T) {
	for name, lose := range map[string]func(path string) error{
		"removed": os.Remove,
		"damaged": func(path string) error { return os.WriteFile(path, []byte("%PDF-1.7"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t, soon)
			s.run()
			id := faxID(1)
			path := filepath.Join(s.archive.dir, id+".pdf")
			send := func() { s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)})) }
			send()
			s.until("archived", func() bool { return s.archive.saved(id) == 1 && len(s.incoming()) == 0 })
			if err := lose(path); err != nil {
				t.Fatal(err)
			}
			send()
			s.until("archived again", func() bool { return s.archive.saved(id) == 2 && len(s.incoming()) == 0 })
			holds(t, path, document(id))
			send()
			if files := s.incoming(); len(files) > 0 {
				t.Errorf("a repetition of what is archived is on disk: %v", files)
			}
		})
	}
}

// Nor are they thrown away when they were kept aside and a person has them taken in.
func TestRetryAfterTheArchiveLostIt(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { soon(c); c.Answer.StoreMedia = nil })
	s.run()
	id := faxID(1)
	s.cloud.add(id)
	s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
	j := s.parkedAside()
	s.until("archived", func() bool { return s.archive.saved(id) == 1 && len(s.jobs()) == 1 })
	path := filepath.Join(s.archive.dir, id+".pdf")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := s.desk().Retry(t.Context(), j.ID); err != nil {
		t.Fatal(err)
	}
	s.until("archived again", func() bool { return s.archive.saved(id) == 2 && len(s.jobs()) == 0 && len(s.incoming()) == 0 })
	holds(t, path, document(id))
}

// While the archive cannot be looked at, what came again is kept aside, and compared
// when it can be.
func TestArchiveIsAway(t *testing.T) {
	away := &awayArchive{}
	s := newStation(t, func(c *receiver.Config) { soon(c); away.Archive = c.Archive; c.Archive = away })
	s.run()
	id := faxID(1)
	send := func() { s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)})) }
	send()
	s.until("archived", func() bool { return s.archive.saved(id) == 1 && len(s.incoming()) == 0 })
	away.times.Store(3)
	send()
	if !strings.Contains(s.log.String(), "it could not be compared with the document that came first: the disk is away") {
		t.Error("it was compared")
	}
	s.until("compared", func() bool { return len(s.jobs()) == 0 && len(s.incoming()) == 0 })
	if n := away.times.Load(); n > 0 {
		t.Errorf("the archive was not asked until it answered: %d", n)
	}
}

// awayArchive cannot be looked at so many times.
type awayArchive struct {
	receiver.Archive
	times atomic.Int32
}

func (a *awayArchive) Has(ctx context.Context, id, sum string) (bool, error) {
	if a.times.Add(-1) >= 0 {
		return false, errors.New("the disk is away")
	}
	return a.Archive.Has(ctx, id, sum)
}

// A damaged copy that the archive takes for whole costs no document either.
func TestDamagedCopyInTheWay(t *testing.T) {
	stuck := &stuckArchive{}
	s := newStation(t, func(c *receiver.Config) { soon(c); stuck.Archive = c.Archive; c.Archive = stuck })
	stop := s.run()
	id := faxID(1)
	send := func() { s.told(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)})) }
	send()
	s.until("archived", func() bool { return s.archive.saved(id) == 1 && len(s.incoming()) == 0 })
	stuck.damaged.Store(true)
	send()
	s.until("it failed", func() bool { return strings.Contains(s.log.String(), "the damaged copy in the archive is in the way") })
	stop()
	s.reopen(func(*sql.DB) {})
	if jobs := s.jobs(); len(jobs) != 1 || jobs[0].Kind != "fetch" {
		t.Fatalf("%+v", jobs)
	}
	holds(t, s.jobs()[0].File, document(id))
}

// stuckArchive does not see that its copy is damaged unless it reads it.
type stuckArchive struct {
	receiver.Archive
	damaged atomic.Bool
}

func (a *stuckArchive) Has(ctx context.Context, id, sum string) (bool, error) {
	if a.damaged.Load() {
		return false, nil
	}
	return a.Archive.Has(ctx, id, sum)
}

// Of a retry and a discard at once one is too late, and no document of a job that
// runs is deleted.
func TestRetryAndDiscardAtOnce(t *testing.T) {
	s := newStation(t, soon)
	stop := s.run()
	s.told(multi(callbackForm(faxID(1)), part{"Media", "fax.pdf", "no document"}))
	j := s.parkedAside()
	stop()
	db, err := sql.Open("sqlite", filepath.Join(s.state, "receiver.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	// What JobRetry writes, while the discard waits for its turn.
	if _, err := tx.ExecContext(t.Context(), `UPDATE river_job SET state = 'available', finalized_at = NULL WHERE id = ?`, j.ID); err != nil {
		t.Fatal(err)
	}
	desk, done := s.desk(), make(chan error)
	go func() {
		_, err := desk.Discard(context.Background(), j.ID)
		done <- err
	}()
	time.Sleep(500 * time.Millisecond) // so that it has looked; if it has not, it is a conflict all the same
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, problem.ErrConflict) {
		t.Errorf("discarding what was just retried: %v", err)
	}
	if left := s.asides(); len(left) != 1 || left[0].ID != j.ID {
		t.Errorf("%+v", left)
	}
	holds(t, j.File, "no document")
}
