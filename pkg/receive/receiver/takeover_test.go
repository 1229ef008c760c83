package receiver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// A receiver is the same when it is started again, and with a copy of its state; with
// another state it is another.
func TestID(t *testing.T) {
	s := newStation(t, nil)
	id := s.ID()
	if len(id) < 20 {
		t.Errorf("the id is %q", id)
	}
	s.reopen(func(*sql.DB) {})
	if s.ID() != id {
		t.Errorf("%q became %q", id, s.ID())
	}
	if other := newStation(t, nil); other.ID() == id {
		t.Error("two receivers have one id")
	}
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(s.state)); err != nil {
		t.Fatal(err)
	}
	if again := newStation(t, func(c *receiver.Config) { c.StateDir = copied }); again.ID() != id {
		t.Errorf("a copy of %q is %q", id, again.ID())
	}
}

// A receiver whose archive is another's runs no program and fetches nothing: it ends,
// and its jobs stay. While nobody knows whose it is, they wait.
func TestServes(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	var answer atomic.Pointer[error]
	answer.Store(new(fmt.Errorf("%w: the disk is away", problem.ErrUnavailable)))
	s := newStation(t, func(c *receiver.Config) {
		c.Deliveries, c.Retry = running(os.Args[0], programWord, out), 10*time.Millisecond
		c.Serves = func() error { return *answer.Load() }
	})
	received, failed := faxID(1), faxID(2)
	s.cloud.add(received)
	form := callbackForm(failed)
	form.Set("FaxStatus", "failed")
	for _, request := range []map[string][]string{callbackForm(received), form} {
		if w := s.do(post("/fax/done", request)); w.Code != 204 {
			t.Fatalf("answered %d", w.Code)
		}
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context()) }()
	s.until("one waits, and the other is tried again", func() bool {
		log := s.log.String()
		return strings.Contains(log, `msg="jobs wait" kind=exec`) && strings.Contains(log, "kind=fetch attempt=2")
	})
	answer.Store(new(fmt.Errorf("%w: it is another's", problem.ErrConflict)))
	select {
	case err := <-done:
		if !errors.Is(err, problem.ErrConflict) {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) || s.archive.saved(received) != 0 {
		t.Errorf("it has acted: %v, saved %d times", err, s.archive.saved(received))
	}

	answer.Store(new(error)) // and it was given back
	s.reopen(func(db *sql.DB) {
		var n int
		if err := db.QueryRow(`SELECT count(*) FROM river_job WHERE queue IN ('fetch', 'deliver') AND state IN ('available', 'scheduled', 'retryable')`).Scan(&n); err != nil || n != 2 {
			t.Errorf("%d jobs are left, %v", n, err)
		}
		if _, err := db.Exec(`UPDATE river_job SET state = 'available', scheduled_at = datetime('now', '-1 second') WHERE queue IN ('fetch', 'deliver')`); err != nil {
			t.Error(err)
		}
	})
	s.run()
	s.until("the fax is archived", func() bool { return s.archive.saved(received) == 1 })
	s.until("the program has run", func() bool { _, err := os.Stat(out); return err == nil })
}

// Only what a delivery has tried counts: as long as nobody can tell whose the archive is, or
// the archive does not hand the document over, it waits, and then it has all its tries.
func TestAwayIsNoTry(t *testing.T) { onEach(t, testAwayIsNoTry) }

func testAwayIsNoTry(t *testing.T) {
	const outage = 4 // how often the archive is asked in vain, which is more than Attempts
	for name, tt := range map[string]struct {
		away    func() (claim, document error)
		answers error // of the program
		runs    int64
		parked  bool
	}{
		"the claim cannot be read": {away: func() (error, error) {
			return fmt.Errorf("%w: the disk is away", problem.ErrUnavailable), nil
		}, runs: 1},
		"the document cannot be read": {away: func() (error, error) {
			return nil, fmt.Errorf("%w: the disk is away", delivery.ErrNotBegun)
		}, runs: 1},
		"and then the program fails": {away: func() (error, error) {
			return fmt.Errorf("%w: the disk is away", problem.ErrUnavailable), nil
		}, answers: errors.New("out of paper"), runs: 2, parked: true},
	} {
		t.Run(name, func(t *testing.T) {
			var asked, runs atomic.Int64
			s := newStation(t, func(c *receiver.Config) {
				c.Attempts, c.Retry = 2, time.Millisecond
				c.Serves = func() error {
					if asked.Add(1) <= outage {
						claim, _ := tt.away()
						return claim
					}
					return nil
				}
				c.Deliveries = []delivery.Delivery{{Name: delivery.Names()[0], Limit: time.Minute,
					Deliver: func(context.Context, delivery.News, delivery.Target) error {
						if asked.Load() <= outage {
							if _, document := tt.away(); document != nil {
								return document
							}
						}
						runs.Add(1)
						return tt.answers
					},
				}}
			})
			if w := s.do(post("/fax/done", with(callbackForm(faxID(1)), "FaxStatus", "failed"))); w.Code != 204 {
				t.Fatalf("answered %d", w.Code)
			}
			s.run()
			s.until("the program has run", func() bool { return runs.Load() == tt.runs })
			s.until("the job is done with", func() bool {
				return strings.Contains(s.log.String(), "parked=true") == tt.parked
			})
			if log := s.log.String(); !strings.Contains(log, `msg="jobs wait" kind=exec times=1`) || !tt.parked && strings.Contains(log, "job failed") {
				t.Errorf("the log says:\n%s", log)
			}
		})
	}
}

// A job that waits says why, in the words of the log, until a try of it has failed: then why
// that one did.
func TestWhyAJobWaits(t *testing.T) { onEach(t, testWhyAJobWaits) }

func testWhyAJobWaits(t *testing.T) {
	var there atomic.Bool
	s := newStation(t, func(c *receiver.Config) {
		c.Attempts, c.Retry = 3, 10*time.Millisecond
		c.Serves = func() error {
			if !there.Load() {
				return fmt.Errorf("%w: the disk is away", problem.ErrUnavailable)
			}
			return nil
		}
		c.Deliveries = []delivery.Delivery{{Name: delivery.Names()[0], Limit: time.Minute,
			Deliver: func(context.Context, delivery.News, delivery.Target) error { return errors.New("out of paper") },
		}}
	})
	if w := s.do(post("/fax/done", with(callbackForm(faxID(1)), "FaxStatus", "failed"))); w.Code != 204 {
		t.Fatalf("answered %d", w.Code)
	}
	s.run()
	told := func(state, why string, attempts int) {
		t.Helper()
		s.until("the job tells "+why, func() bool {
			return slices.ContainsFunc(s.jobs(), func(j receiver.Job) bool {
				return j.Kind == delivery.Names()[0] && j.Error == why && (state == "" || j.State == state && j.Attempts == attempts)
			})
		})
	}
	told("", "not begun: unavailable: the disk is away", 0)
	there.Store(true)
	told(receiver.Parked, "out of paper", 3)
}

// Each kind of job that acts upon faxes asks whose the archive is, by itself: when it is
// another's nothing is done, the receiver ends, and the job stays.
func TestEachJobAsks(t *testing.T) { onEach(t, testEachJobAsks) }

func testEachJobAsks(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	var forwarded, pruned atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { forwarded.Add(1) }))
	defer server.Close()
	failed := with(callbackForm(faxID(1)), "FaxStatus", "failed")
	for name, tt := range map[string]struct {
		request *http.Request
		change  func(*receiver.Config)
	}{
		"fetch":   {post("/fax/done", callbackForm(faxID(1))), nil},
		"exec":    {post("/fax/done", failed), func(c *receiver.Config) { c.Deliveries = running(os.Args[0], programWord, out) }},
		"forward": {post("/fax/done", failed), func(c *receiver.Config) { c.Deliveries = forwarding(t, server.URL) }},
		"aside":   {multi(failed, part{"Media", "fax.pdf", document("1")}), nil},
		"prune": {nil, func(c *receiver.Config) {
			c.Prune = func(context.Context) (receiver.Pruned, error) {
				pruned.Add(1)
				return receiver.Pruned{}, nil
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStation(t, func(c *receiver.Config) {
				c.Serves = func() error { return fmt.Errorf("%w: it is another's", problem.ErrConflict) }
				if tt.change != nil {
					tt.change(c)
				}
			})
			s.cloud.add(faxID(1))
			if tt.request != nil {
				s.told(tt.request)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := s.Run(ctx); !errors.Is(err, problem.ErrConflict) {
				t.Errorf("it ended with %v", err)
			}
			_, err := os.Stat(out)
			if !errors.Is(err, os.ErrNotExist) || forwarded.Load()+pruned.Load() != 0 || s.archive.saved(faxID(1)) != 0 {
				t.Errorf("it has acted: %v, forwarded %d, pruned %d, saved %d", err, forwarded.Load(), pruned.Load(), s.archive.saved(faxID(1)))
			}
			if tt.request == nil {
				return // what comes back by itself need not stay
			}
			if jobs := s.jobs(); len(jobs) != 1 || jobs[0].Kind != name || jobs[0].State != receiver.Waiting {
				t.Errorf("left are %+v", jobs)
			}
		})
	}
}

// What the receiver before has archived is known and done with, and so is what failed
// until then. What it did not get is not.
func TestInherit(t *testing.T) {
	told := filepath.Join(t.TempDir(), "out")
	s := newStation(t, func(c *receiver.Config) {
		c.Deliveries, c.Backfill = running(os.Args[0], programWord, told), time.Hour
	})
	kept, without, failed, later := faxID(1), faxID(2), faxID(3), faxID(4)
	for _, id := range []string{kept, without, failed} {
		s.cloud.add(id)
	}
	fail := func(f *fax.Fax) { f.Status, f.MediaID, f.Created = fax.Failed, "", time.Now().Add(-time.Minute) }
	s.cloud.change(failed, fail)
	if err := s.TakeOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.reopen(func(*sql.DB) {}) // it is cut off, and goes on
	if due, err := s.Inherits(t.Context()); err != nil || !due {
		t.Fatalf("nothing is to be inherited: %v, %v", due, err)
	}
	if _, err := s.Inherit(t.Context(), func(yield func(receiver.Inheritance, error) bool) {
		yield(receiver.Inheritance{}, problem.ErrUnavailable)
	}); !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if due, err := s.Inherits(t.Context()); err != nil || !due {
		t.Fatalf("what went wrong is taken for done: %v, %v", due, err)
	}
	inheritance := func(ids ...string) iter.Seq2[receiver.Inheritance, error] {
		return func(yield func(receiver.Inheritance, error) bool) {
			for _, id := range ids {
				f, err := s.cloud.Get(t.Context(), id)
				i := receiver.Inheritance{Fax: f}
				if id != without {
					i.Kept.SHA256 = strings.Repeat("0", 64)
				}
				if !yield(i, err) {
					return
				}
			}
		}
	}
	for _, want := range []int{1, 0} {
		if n, err := s.Inherit(t.Context(), inheritance(kept, without)); n != want || err != nil {
			t.Errorf("inherited %d, %v, want %d", n, err, want)
		}
	}
	if due, err := s.Inherits(t.Context()); err != nil || due {
		t.Errorf("it is to be inherited again: %v, %v", due, err)
	}
	s.cloud.add(later)
	s.cloud.change(later, func(f *fax.Fax) { f.Status, f.MediaID, f.Created = fax.Failed, "", time.Now().Add(time.Second) })
	s.run()
	var jobs map[string]bool
	s.until("what is new is done", func() bool {
		var err error
		jobs, err = sqlJobs(s.state)
		return err == nil && jobs["backfill "] && jobs["fetch "+without] && jobs["exec "+without] && jobs["exec "+later]
	})
	for _, not := range []string{"fetch " + kept, "exec " + kept, "exec " + failed} {
		if _, there := jobs[not]; there {
			t.Errorf("there is a job: %s", not)
		}
	}
}

// sqlJobs are the jobs that ever were, by kind and fax; true: it is done.
func sqlJobs(state string) (map[string]bool, error) {
	db, err := sql.Open("sqlite", filepath.Join(state, "receiver.db"))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	found, err := db.Query(`SELECT kind, coalesce(args ->> 'fax_id', ''), state FROM river_job`)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	jobs := map[string]bool{}
	for found.Next() {
		var kind, id, state string
		if err := found.Scan(&kind, &id, &state); err != nil {
			return nil, err
		}
		jobs[kind+" "+id] = state == "completed"
	}
	return jobs, found.Err()
}
