package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/provider/transport"
)

// crowd is a provider that takes so many calls at once and answers 429 beyond.
type crowd struct {
	takes   atomic.Int64
	delay   time.Duration // of every call that is taken
	refusal time.Duration // how long a 429 takes
	strict  bool          // a call counts while it is being refused, too

	busy, refused, done atomic.Int64
}

func (c *crowd) RoundTrip(req *http.Request) (*http.Response, error) {
	defer c.busy.Add(-1)
	if c.busy.Add(1) > c.takes.Load() {
		c.refused.Add(1)
		if !c.strict {
			c.busy.Add(-1)
			defer c.busy.Add(1)
		}
		time.Sleep(c.refusal)
		return answer(req, http.StatusTooManyRequests, ""), nil
	}
	time.Sleep(c.delay)
	c.done.Add(1)
	return answer(req, http.StatusNoContent, ""), nil
}

// deleteAll sends n DELETEs from as many workers as there are jobs and counts
// those that were answered with 204.
func deleteAll(t testing.TB, rt http.RoundTripper, url string, n, jobs int) (deleted int64) {
	var workers sync.WaitGroup
	var left, ok atomic.Int64
	left.Store(int64(n))
	for range jobs {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				res, err := rt.RoundTrip(request(t, http.MethodDelete, url, nil))
				if err != nil {
					t.Error(err)
					return
				}
				_ = res.Body.Close()
				if res.StatusCode == http.StatusNoContent {
					ok.Add(1)
				}
			}
		})
	}
	workers.Wait()
	return ok.Load()
}

// TestConverges deletes ten thousand things at a provider that takes some at
// once and does not say how many, and compares with the time it would take
// with that number known.
func TestConverges(t *testing.T) {
	for _, tt := range []struct {
		name    string
		takes   int64
		refusal time.Duration
		strict  bool
		jobs    int
		most    float64
	}{
		{name: "refusals take as long", takes: 20, refusal: 40 * time.Millisecond, jobs: 64, most: 1.1},
		{name: "refusals count", takes: 20, refusal: 40 * time.Millisecond, strict: true, jobs: 64, most: 1.15},
		{name: "refusals are quick", takes: 20, refusal: time.Millisecond, jobs: 64, most: 1.1},
		{name: "many more jobs than places", takes: 20, refusal: 40 * time.Millisecond, jobs: 500, most: 1.1},
		{name: "few places", takes: 3, refusal: time.Millisecond, jobs: 64, most: 1.35},
		{name: "one place", takes: 1, refusal: time.Millisecond, jobs: 16, most: 2},
		{name: "a hundred places", takes: 100, refusal: 40 * time.Millisecond, jobs: 200, most: 1.15},
		{name: "no limit but our own", takes: 1000, refusal: 40 * time.Millisecond, jobs: 32, most: 1.02},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n, delay = 10_000, 40 * time.Millisecond
				server := &crowd{delay: delay, refusal: tt.refusal, strict: tt.strict}
				server.takes.Store(tt.takes)
				rt := transport.Stack(server, transport.Retry(time.Hour, nil), transport.Limit(tt.jobs))

				start := time.Now()
				if got := deleteAll(t, rt, "https://api.example/x", n, tt.jobs); got != n || server.done.Load() != n {
					t.Errorf("%d of %d deleted, the server counts %d", got, n, server.done.Load())
				}
				best := n * delay / time.Duration(min(tt.takes, int64(tt.jobs)))
				ratio := float64(time.Since(start)) / float64(best)
				t.Logf("%.3f times the best possible, %d refused", ratio, server.refused.Load())
				if ratio > tt.most {
					t.Errorf("%.3f times the best possible, want at most %.2f", ratio, tt.most)
				}
			})
		})
	}
}

// TestLimitAdapts checks that the limit follows a provider that takes less for
// a while, and that one burst of refusals counts once.
func TestLimitAdapts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &crowd{delay: 40 * time.Millisecond, refusal: 40 * time.Millisecond}
		server.takes.Store(40)
		rt := transport.Stack(server, transport.Retry(time.Hour, nil), transport.Limit(64))
		for _, tt := range []struct {
			takes int64
			most  float64
		}{{40, 1.2}, {4, 1.2}, {40, 1.5}} {
			server.takes.Store(tt.takes)
			const n = 4000
			start := time.Now()
			deleteAll(t, rt, api, n, 64)
			ratio := float64(time.Since(start)) / float64(n*server.delay/time.Duration(tt.takes))
			t.Logf("%d places: %.3f times the best possible", tt.takes, ratio)
			if ratio > tt.most {
				t.Errorf("%d places: %.3f times the best possible, want at most %.2f", tt.takes, ratio, tt.most)
			}
		}
	})
}

// TestBurstCountsOnce refuses sixteen requests of one moment and counts how
// many go at once afterwards.
func TestBurstCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := http.StatusOK
		var busy, most int
		var mu sync.Mutex
		rt := transport.Stack(network(func(req *http.Request) (*http.Response, error) {
			mu.Lock()
			busy++
			most = max(most, busy)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			busy--
			mu.Unlock()
			return answer(req, status, ""), nil
		}), transport.Limit(10))
		for _, tt := range []struct{ status, most int }{
			{http.StatusTooManyRequests, 10}, // ten are refused
			{http.StatusNotFound, 6},         // halved once, and grown a little
		} {
			status, most = tt.status, 0
			deleteAll(t, rt, api, 10, 10)
			if most > tt.most || most < tt.most-1 {
				t.Errorf("%d at once, want %d", most, tt.most)
			}
		}
	})
}

// TestLimitHoldsUntilTheBodyEnds checks what ends a call: the end of its body,
// its closing, or an error; and that the end of a context frees who waits.
func TestLimitHoldsUntilTheBodyEnds(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name string
		body string
		err  error
		free func(*http.Response)
		held bool
	}{
		{name: "not read", body: "words", held: true},
		{name: "half read", body: "words", held: true, free: func(res *http.Response) { _, _ = res.Body.Read(make([]byte, 2)) }},
		{name: "read", body: "words", free: func(res *http.Response) { _, _ = io.Copy(io.Discard, res.Body) }},
		{name: "closed", body: "words", free: func(res *http.Response) { _ = res.Body.Close() }},
		{name: "read and closed twice", body: "words", free: func(res *http.Response) {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			_ = res.Body.Close()
		}},
		{name: "failed", err: broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := transport.Stack(network(func(req *http.Request) (*http.Response, error) {
					if tt.err != nil {
						return nil, tt.err
					}
					return answer(req, http.StatusOK, tt.body), nil
				}), transport.Limit(1))
				res, err := rt.RoundTrip(request(t, http.MethodGet, api, nil))
				if !errors.Is(err, tt.err) {
					t.Fatal(err)
				}
				if tt.free != nil {
					tt.free(res)
				}
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err = rt.RoundTrip(request(t, http.MethodGet, api, nil).WithContext(ctx))
				waited := time.Since(start) == time.Second && errors.Is(err, context.DeadlineExceeded)
				if waited != tt.held {
					t.Errorf("the next one: %v after %v, want held %v", err, time.Since(start), tt.held)
				}
				if !tt.held {
					return
				}
				_ = res.Body.Close()
				if _, err = rt.RoundTrip(request(t, http.MethodGet, api, nil)); err != nil {
					t.Errorf("after the body was closed: %v", err)
				}
			})
		})
	}
}

// BenchmarkDelete deletes a thousand things over loopback, 40 ms each, at a
// server that takes twenty at once, and reports how many times longer it took
// than it would with the twenty known.
func BenchmarkDelete(b *testing.B) {
	const n, jobs, takes, delay = 1000, 64, 20, 40 * time.Millisecond
	busy := make(chan struct{}, takes)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case busy <- struct{}{}:
			time.Sleep(delay)
			<-busy
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	base := transport.Base(jobs)
	defer base.CloseIdleConnections()
	for b.Loop() {
		rt := transport.Stack(base, transport.Retry(time.Minute, nil), transport.Limit(jobs))
		if got := deleteAll(b, rt, server.URL, n, jobs); got != n {
			b.Fatalf("%d of %d deleted", got, n)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(n*delay/takes), "times-best")
}
