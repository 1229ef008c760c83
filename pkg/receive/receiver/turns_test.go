package receiver_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// gate is a provider whose faxes are had once it is open.
type gate struct {
	every
	open chan struct{} // lets one out at a time, and all when it is closed

	mu     sync.Mutex
	inside int
	most   int       // that were inside at once
	last   time.Time // until when whoever came last may take
}

func (g *gate) Get(ctx context.Context, id string) (fax.Fax, error) {
	end, _ := ctx.Deadline()
	g.mu.Lock()
	g.inside++
	g.most, g.last = max(g.most, g.inside), end
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.inside--
		g.mu.Unlock()
	}()
	select {
	case <-g.open:
		return g.every.Get(ctx, id)
	case <-ctx.Done():
		return fax.Fax{}, ctx.Err()
	}
}

func (g *gate) now() (inside, most int, last time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside, g.most, g.last
}

// TestClaimedAhead: more jobs are claimed than may run, and no more run. What waits for its turn
// is told as waiting, its time begins when its work does, and it is given back when the
// receiver ends, as what was cut off.
func TestClaimedAhead(t *testing.T) { onEach(t, testClaimedAhead) }

func testClaimedAhead(t *testing.T) {
	const faxes, jobs, limit = 12, 2, 15 * time.Minute
	claimed := 2 * jobs
	if shares(t) {
		claimed = jobs + 4
	}
	g := &gate{open: make(chan struct{})}
	s := newStation(t, func(c *receiver.Config) {
		g.every = every{c.Provider.Faxes.(*cloud)}
		c.Provider.Faxes, c.Jobs, c.Drain = g, jobs, time.Millisecond
	})
	for i := range faxes {
		if w := s.do(post("/fax/done", callbackForm(faxID(i)))); w.Code != 204 {
			t.Fatalf("answered %d", w.Code)
		}
	}
	stop := s.run()
	s.until("as many are claimed as may be", func() bool {
		inside, _, _ := g.now()
		return inside == jobs && s.inState("running") == claimed
	})
	desk, err := s.openDesk()
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	s.tells(desk, jobs, faxes-jobs)
	time.Sleep(2 * time.Second) // all the while they wait
	s.tells(desk, jobs, faxes-jobs)
	if stats, err := desk.Stats(t.Context()); err != nil || stats.Age < 2*time.Second {
		t.Errorf("the oldest waits for %s, %v", stats.Age, err)
	}
	leaves := time.Now()
	g.open <- struct{}{} // one may leave, and the next begins
	s.until("the next works", func() bool { inside, _, _ := g.now(); return inside == jobs && s.inState("completed") == 1 })
	if _, _, last := g.now(); last.Before(leaves.Add(limit)) {
		t.Errorf("its time ends %s before it had to", leaves.Add(limit).Sub(last))
	}
	stop()
	if n := s.inState("available"); n != faxes-1 {
		t.Errorf("%d are given back", n)
	}
	all, err := desk.Jobs(t.Context())
	all = slices.DeleteFunc(all, func(j receiver.Job) bool { return j.Kind != "fetch" })
	for _, j := range all {
		if j.Attempts > 0 || j.Error != "" {
			t.Errorf("given back: %+v", j)
		}
	}
	if err != nil || len(all) != faxes-1 {
		t.Errorf("%d jobs, %v", len(all), err)
	}
	s.config.Drain = time.Minute
	s.reopen(func(*sql.DB) {})
	stop = s.run()
	s.until("two work again", func() bool { inside, _, _ := g.now(); return inside == jobs && s.inState("running") == claimed })
	ended := make(chan struct{})
	go func() { stop(); close(ended) }()
	s.until("the others are given back while they do", func() bool { return s.inState("available") == faxes-1-jobs })
	close(g.open)
	<-ended
	if n := s.archive.count(); n != 1+jobs {
		t.Errorf("%d are archived while the receiver ends", n)
	}
	s.reopen(func(*sql.DB) {})
	s.run()
	s.until("all are archived", func() bool { return s.archive.count() == faxes })
	if _, most, _ := g.now(); most != jobs {
		t.Errorf("%d worked at once", most)
	}
}

// tells checks that so many jobs run and wait, in the words of the desk and of the metrics.
func (s *station) tells(desk *receiver.Desk, running, waiting int) {
	s.t.Helper()
	all, err := desk.Jobs(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	found := map[string]int{}
	for _, j := range all {
		if j.Kind == "fetch" {
			found[j.State]++
		}
	}
	if found[receiver.Running] != running || found[receiver.Waiting] != waiting {
		s.t.Errorf("the desk tells of %v", found)
	}
	for state, n := range map[string]int{receiver.Running: running, receiver.Waiting: waiting} {
		if want := fmt.Sprintf(`faxctl_jobs{kind="fetch",state=%q} %d`, state, n); !strings.Contains(s.metric(), want+"\n") {
			s.t.Errorf("the metrics lack %s", want)
		}
	}
}

// inState counts the documents' jobs of a state, in River's words.
func (s *station) inState(state string) (n int) {
	s.t.Helper()
	db, table := s.config.Database, "faxctl_"+strings.ToLower(account)+".river_job"
	if db == nil {
		var err error
		if db, err = sql.Open("sqlite", filepath.Join(s.state, "receiver.db")); err != nil {
			s.t.Fatal(err)
		}
		defer db.Close()
		table = "river_job"
	}
	if err := db.QueryRowContext(s.t.Context(), `SELECT count(*) FROM `+table+` WHERE kind = 'fetch' AND state = $1`, state).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}
