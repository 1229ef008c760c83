package cli_test

import (
	"flag"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

var scaleOutage = flag.Duration("scale-outage", 8*time.Second, "how long PostgreSQL is away in TestOutageOfReplicas")

// TestOutageOfReplicas takes PostgreSQL away from three receivers while faxes come, whose
// callbacks nobody can take. Soon after it is back each of them is kept once and told once,
// although the next look at the provider's list is due in an hour only. It is read for all
// three, and once more at most, by who begins to lead them. For a thorough look:
//
//	go test ./pkg/cli -run TestOutageOfReplicas -scale-outage 40s -v
func TestOutageOfReplicas(t *testing.T) {
	s := newScale(t, "--backfill", "1h")
	const reads = `(SELECT count(*) FROM river_job WHERE kind = 'backfill' AND state = 'completed')`
	s.until(t, "all work, and the list is read", time.Minute, func() bool {
		return s.ask(t, reads) == 1 && s.ask(t, `(SELECT count(*) FROM receiver_replica)`) == replicas
	})
	before := s.pids()

	s.outages[0].kill(t)
	began := time.Now()
	const faxes = 60
	missed := s.callInVain(t, faxes, *scaleOutage)
	time.Sleep(time.Until(began.Add(*scaleOutage)))
	s.outages[0].start(t)
	back := time.Now()
	s.until(t, "somebody was told of each", time.Minute, func() bool { return s.heard.count(missed) == faxes })
	t.Logf("after %s", time.Since(back).Round(100*time.Millisecond))

	s.until(t, "nothing is left to do", time.Minute, func() bool {
		return s.ask(t, `(SELECT count(*) FROM river_job WHERE state <> 'completed')`) == 0
	})
	if n := s.ask(t, reads) - 1; n < 1 || n > 2 {
		t.Errorf("the provider's list was read %d times since", n)
	}
	if !slices.Equal(before, s.pids()) {
		t.Error("a receiver has ended meanwhile")
	}
	for _, r := range s.receivers {
		r.stop(t)
	}
	s.check(t)
	lost, twice := s.count()
	for id := range missed {
		if n := s.heard.times(id); n != 1 {
			t.Errorf("fax %s was told %d times", id, n)
		}
	}
	if len(s.sidecars) != faxes || lost+twice > 0 {
		t.Errorf("of %d faxes %d are kept, %d lost, %d twice", faxes, len(s.sidecars), lost, twice)
	}
}

// callInVain lets faxes come, spread over a time, of which no receiver can take the news.
func (s *scale) callInVain(t *testing.T, faxes int, within time.Duration) (missed map[string]string) {
	t.Helper()
	missed = map[string]string{}
	caller := s.NewCaller(s.url)
	defer caller.Close()
	var mu sync.Mutex
	var calls sync.WaitGroup
	tick := time.NewTicker(within / time.Duration(faxes+1))
	defer tick.Stop()
	for i := range faxes {
		<-tick.C
		calls.Go(func() {
			call, err := caller.Call(t.Context(), sandbox.Incoming{From: "+14155550199", To: linePhone, Document: s.sheets[i%len(s.sheets)], ContentType: "application/pdf"})
			if err != nil || call.Told || call.Status != "received" {
				t.Errorf("call %d: %+v, %v", i, call, err)
			}
			mu.Lock()
			defer mu.Unlock()
			missed[call.FaxID] = ""
		})
	}
	calls.Wait()
	return missed
}

// pids are the processes of the receivers.
func (s *scale) pids() (all []int) {
	for _, r := range s.receivers {
		r.mu.Lock()
		all = append(all, r.cmd.Process.Pid)
		r.mu.Unlock()
	}
	return all
}

// ask is a number that the database of all receivers knows.
func (s *scale) ask(t *testing.T, question string) (n int) {
	t.Helper()
	db, err := postgres.Open(t.Context(), s.database, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	schema := "faxctl_" + strings.ToLower(s.Account().Account)
	if err := db.QueryRowContext(t.Context(), "SELECT "+strings.ReplaceAll(question, "FROM ", "FROM "+schema+".")).Scan(&n); err != nil {
		return -1
	}
	return n
}

func (s *scale) until(t *testing.T, what string, within time.Duration, is func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

// times is how often the application was told of a fax.
func (h *heard) times(id string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.set[id]
}
