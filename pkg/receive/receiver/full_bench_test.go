package receiver_test

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// BenchmarkRestart is how long a receiver takes until it is ready, with 90,000 jobs that
// wait, as a multiple of what it takes with none.
//
//	go test ./pkg/receive/receiver -run '^$' -bench Restart -benchtime 10x
func BenchmarkRestart(b *testing.B) { inEach(b, benchRestart) }

func benchRestart(b *testing.B) {
	empty, full := newShut(b), newShut(b)
	full.fill(90_000, 90_000)
	var none, many time.Duration
	for b.Loop() {
		none += empty.restart()
		many += full.restart()
	}
	b.ReportMetric(none.Seconds()*1000/float64(b.N), "empty-ms")
	b.ReportMetric(many.Seconds()*1000/float64(b.N), "full-ms")
	b.ReportMetric(float64(many)/float64(none), "of-empty")
}

// BenchmarkScrape is what a look at the metrics takes, with 1,000,000 faxes that were
// received and 90,000 jobs that wait, as a multiple of what it takes with none.
//
//	go test ./pkg/receive/receiver -run '^$' -bench Scrape -benchtime 20x
func BenchmarkScrape(b *testing.B) { inEach(b, benchScrape) }

func benchScrape(b *testing.B) {
	empty, full := newShut(b), newShut(b)
	full.fill(1_000_000, 90_000)
	var none, many time.Duration
	for b.Loop() {
		none += empty.scrape()
		many += full.scrape()
	}
	b.ReportMetric(none.Seconds()*1000/float64(b.N), "empty-ms")
	b.ReportMetric(many.Seconds()*1000/float64(b.N), "full-ms")
	b.ReportMetric(float64(many)/float64(none), "of-empty")
}

// newShut is a receiver whose provider never answers.
func newShut(b *testing.B) *station {
	b.Helper()
	return newStation(b, func(c *receiver.Config) {
		c.Provider.Faxes = &gate{every: every{c.Provider.Faxes.(*cloud)}, open: make(chan struct{})}
		c.Log, c.Drain = nil, time.Millisecond
	})
}

// fill makes events of one, and of its job so many that wait.
func (s *station) fill(events, jobs int) {
	s.t.Helper()
	first := delivery.Event{FaxID: faxID(1), Account: account, From: sender, To: ourNumber, Status: fax.Received, Received: time.Now()}
	if _, err := s.Record(first, ""); err != nil {
		s.t.Fatal(err)
	}
	s.reopen(func(db *sql.DB) {
		schema := ""
		if shares(s.t) {
			schema = "faxctl_" + strings.ToLower(account) + "."
		}
		const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) `
		for statement, n := range map[string]int{
			numbers + `INSERT INTO @receiver_event (fax_id, status, event)
				SELECT 'FX' || i, status, event FROM n, (SELECT * FROM @receiver_event LIMIT 1) AS one`: events - 1,
			numbers + `INSERT INTO @river_job (args, created_at, kind, max_attempts, metadata, priority, queue, state, scheduled_at, tags)
				SELECT args, created_at, kind, max_attempts, metadata, priority, queue, state, scheduled_at, tags FROM n, (SELECT * FROM @river_job LIMIT 1) AS one`: jobs - 1,
		} {
			if _, err := db.ExecContext(s.t.Context(), strings.ReplaceAll(statement, "@", schema), n); err != nil {
				s.t.Fatal(err)
			}
		}
		if shares(s.t) {
			if _, err := db.ExecContext(s.t.Context(), `VACUUM ANALYZE`); err != nil {
				s.t.Fatal(err)
			}
		}
	})
}

// restart opens the receiver again, and is how long it took until that was ready.
func (s *station) restart() time.Duration {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Fatal(err)
	}
	begin := time.Now()
	r, err := receiver.Open(s.t.Context(), s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Receiver = r
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	for !r.Works() {
		time.Sleep(time.Millisecond)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "/readyz", http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	if w := s.do(req); w.Code != http.StatusOK {
		s.t.Fatalf("answered %d: %s", w.Code, w.Body)
	}
	took := time.Since(begin)
	stop()
	if err := <-done; err != nil {
		s.t.Fatal(err)
	}
	return took
}

func (s *station) scrape() time.Duration {
	s.t.Helper()
	begin := time.Now()
	if !strings.Contains(s.metric(), `faxctl_faxes{status="received"}`) {
		s.t.Fatal("faxes are not counted")
	}
	return time.Since(begin)
}
