package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// series are the names and labels of our own metrics.
func series(metrics string) []string {
	var names []string
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "faxctl_") {
			names = append(names, line[:strings.LastIndex(line, " ")])
		}
	}
	return names
}

// ofTLS is there when the receiver serves with a certificate.
const ofTLS = "faxctl_certificate_not_after_timestamp_seconds"

// watch fails the test when what happens in it makes a series that was not there from
// the start: an alert would not see its first count.
func (s *station) watch() {
	s.t.Helper()
	before := series(s.metric())
	s.t.Cleanup(func() {
		for _, name := range series(s.metric()) {
			if !slices.Contains(before, name) && name != ofTLS {
				s.t.Errorf("%s was not there from the start", name)
			}
		}
	})
}

// A parser of Prometheus's takes the metrics, and its linter finds nothing to say.
func TestMetricsAreWellFormed(t *testing.T) { onEach(t, testMetricsAreWellFormed) }

func testMetricsAreWellFormed(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) {
		c.Backfill, c.Build = time.Minute, receiver.Build{Version: "v1.2.3", Commit: "abc", Go: "go1.99"}
		c.Prune = func(context.Context) (receiver.Pruned, error) { return receiver.Pruned{}, nil }
	})
	metrics := s.metric()
	problems, err := promlint.New(strings.NewReader(metrics)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "faxctl_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	for _, want := range []string{
		`faxctl_build_info{commit="abc",go="go1.99",version="v1.2.3"} 1`,
		`faxctl_requests_total{outcome="recorded",request="callback"} 0`,
		`faxctl_requests_total{outcome="failed",request="backfill"} 0`,
		`faxctl_faxes{status="received"} 0`,
		`faxctl_jobs{kind="exec",state="parked"} 0`,
		`faxctl_backfill_last_success_timestamp_seconds 0`,
		`faxctl_prune_last_success_timestamp_seconds 0`,
		`faxctl_prune_faxes{outcome="held_back"} 0`,
		`faxctl_prune_refused{reason="clock"} 0`,
		`faxctl_disk_free_bytes{place="archive"} 1.099511627776e+12`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if !strings.Contains(metrics, `faxctl_disk_free_bytes{place="state"} `) {
		t.Error("the room for the state is not told")
	}
}

// What a receiver does not do is not counted, so that no alert waits for it.
func TestMetricsOfWhatIsDone(t *testing.T) {
	metrics := newStation(t, nil).metric()
	for _, no := range []string{"faxctl_backfill_last", "faxctl_prune_", "faxctl_certificate"} {
		if strings.Contains(metrics, "\n"+no) {
			t.Errorf("there is %s", no)
		}
	}
	// Jobs that an earlier start has left are counted, and what comes of them.
	for _, yes := range []string{
		`faxctl_jobs{kind="prune",state="waiting"} 0`, `faxctl_jobs{kind="exec",state="parked"} 0`,
		`faxctl_requests_total{outcome="failed",request="backfill"} 0`,
	} {
		if !strings.Contains(metrics, "\n"+yes+"\n") {
			t.Errorf("there is no %s", yes)
		}
	}
}

// The last success outlives failures and the process.
func TestLastSuccess(t *testing.T) { onEach(t, testLastSuccess) }

func testLastSuccess(t *testing.T) {
	var fails bool
	runs := make(chan struct{}, 100)
	s := newStation(t, func(c *receiver.Config) {
		c.Backfill = time.Hour
		c.Prune = func(context.Context) (receiver.Pruned, error) {
			runs <- struct{}{}
			if fails {
				return receiver.Pruned{}, errors.New("no")
			}
			return receiver.Pruned{Deleted: 1}, nil
		}
	})
	last := func(what string) string {
		_, after, _ := strings.Cut(s.metric(), "\nfaxctl_"+what+"_last_success_timestamp_seconds ")
		value, _, _ := strings.Cut(after, "\n")
		return value
	}
	stop := s.run()
	s.until("both succeed", func() bool { return last("backfill") != "0" && last("prune") != "0" })
	stop()
	pruned := last("prune")
	fails = true
	<-runs
	s.reopen(nil)
	s.run()
	<-runs
	s.until("the failure is noted", func() bool {
		return strings.Contains(s.metric(), `faxctl_requests_total{outcome="failed",request="prune"} 1`)
	})
	if now := last("prune"); now != pruned {
		t.Errorf("the last success was at %s, and is at %s after a failure", pruned, now)
	}
}

// TestMetricsOfReplicas: who shares a database tells of the others, and of the
// connections to it.
func TestMetricsOfReplicas(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	share := func(c *receiver.Config) { c.Database = db }
	one, other := newStation(t, share), newStation(t, share)
	one.run()
	end := other.run()
	host, _ := os.Hostname()
	name := fmt.Sprintf("%s-%d", host, os.Getpid())
	one.until("one leads", func() bool {
		return strings.Contains(one.metric()+other.metric(), `faxctl_leader{replica="`+name+`"} 1`) && strings.Contains(one.metric(), `faxctl_replicas{state="working"} 2`)
	})
	for _, want := range []string{`faxctl_replicas{state="silent"} 0`, `faxctl_database_connections{state="idle"} `, "faxctl_database_waits_total ", `faxctl_incoming_errors_total{operation="keep"} 0`} {
		if !strings.Contains(one.metric(), want) {
			t.Errorf("no %s", want)
		}
	}
	end()
	if !strings.Contains(one.metric(), `faxctl_replicas{state="working"} 1`) {
		t.Error("the one that ended is counted")
	}
	alone := newStation(t, nil).metric()
	for _, no := range []string{"faxctl_replicas", "faxctl_leader", "faxctl_database"} {
		if strings.Contains(alone, no) {
			t.Errorf("a receiver with a file tells of %s", no)
		}
	}
}
