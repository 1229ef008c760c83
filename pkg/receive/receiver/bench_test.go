package receiver_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// The numbers a receiver is measured by. On two cores:
//
//	go test ./pkg/receive/receiver -run '^$' -bench . -benchtime 20000x -cpu 2
//
// Callbacks must reach at least half of what Insert does, which is a bare
// handler with one row a request; with a file as with a database.

// BenchmarkInsert is the yardstick.
func BenchmarkInsert(b *testing.B) { inEach(b, benchInsert) }

// inEach measures with the state in a file and in a database.
func inEach(b *testing.B, bench func(b *testing.B)) {
	b.Helper()
	b.Run("file", bench)
	b.Run(inDatabase, bench)
}

func benchInsert(b *testing.B) { hammer(b, bareHandler(b, benchDatabase(b)), b.N, 0) }

// bareHandler inserts a row for each request.
func bareHandler(b *testing.B, db *sql.DB) (url string) {
	b.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err == nil {
			err = insertRow(req.Context(), db, string(body))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	b.Cleanup(s.Close)
	return s.URL
}

// BenchmarkCallbacks is how many callbacks are made durable, one after the
// other as fast as they can be sent, while the jobs run beside.
func BenchmarkCallbacks(b *testing.B) {
	inEach(b, func(b *testing.B) { hammer(b, benchReceiver(b), b.N, 0) })
}

// BenchmarkHalfLoad sends half of what Callbacks showed, evenly, for the time
// an answer takes.
func BenchmarkHalfLoad(b *testing.B) {
	url := benchReceiver(b)
	begin := time.Now()
	most := min(b.N, 4000)
	hammer(b, url, most, 0)
	perSecond := float64(most) / time.Since(begin).Seconds() / 2
	hammer(b, url, b.N, time.Duration(float64(time.Second)/perSecond))
	b.ReportMetric(perSecond, "load/s")
}

const bareTable = `CREATE TABLE event (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body TEXT NOT NULL)`

func benchDatabase(b *testing.B) *sql.DB {
	b.Helper()
	if shares(b) {
		db := connect(b, server.Database(b))
		if _, err := db.ExecContext(b.Context(), bareTable); err != nil {
			b.Fatal(err)
		}
		return db
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { db.Close() })
	if _, err := db.ExecContext(b.Context(), `CREATE TABLE event (id INTEGER PRIMARY KEY, body TEXT NOT NULL)`); err != nil {
		b.Fatal(err)
	}
	return db
}

func insertRow(ctx context.Context, db *sql.DB, body string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `INSERT INTO event (body) VALUES ($1)`, body); err != nil {
		return err
	}
	return tx.Commit()
}

// benchReceiver serves a receiver whose provider has every fax.
func benchReceiver(b *testing.B) string {
	b.Helper()
	s := newStation(b, func(c *receiver.Config) {
		c.Provider.Faxes = every{c.Provider.Faxes.(*cloud)}
		c.Log = nil
	})
	l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, l, nil) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	return "http://" + l.Addr().String() + "/fax/done"
}

// hammer sends n callbacks over 64 connections, one every pace (0: without a
// pause), and reports the rate, the slowest percent, and what the heap grew by.
func hammer(b *testing.B, url string, n int, pace time.Duration) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.Cleanup(client.CloseIdleConnections)
	took := make([]time.Duration, n)
	var next atomic.Int64
	var workers sync.WaitGroup
	before := heap()
	b.ResetTimer()
	begin := time.Now()
	for range 64 {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				due := begin.Add(time.Duration(i) * pace)
				time.Sleep(time.Until(due))
				if pace == 0 {
					due = time.Now()
				}
				if err := send(client, url, benchID.Add(1)); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(due)
			}
		})
	}
	workers.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "req/s")
	b.ReportMetric(float64(took[n*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric((heap()-before)/float64(1<<20), "heap-MiB")
}

var benchID atomic.Int64

func send(client *http.Client, url string, n int64) error {
	form := callbackForm(faxID(int(n)))
	body := form.Encode()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set(webhook.Twilio.Header(), webhook.Sign(key, publicURL+"/fax/done", form))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
