package receiver_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// far is a provider that takes 20 ms for an answer.
type far struct{ every }

const away = 20 * time.Millisecond

func (f far) Get(ctx context.Context, id string) (fax.Fax, error) {
	time.Sleep(away)
	return f.every.Get(ctx, id)
}

func (f far) Open(ctx context.Context, one fax.Fax, offset int64) (fax.Document, error) {
	time.Sleep(away)
	return f.every.Open(ctx, one, offset)
}

// BenchmarkDrain is how fast faxes that wait are archived, 16 at a time with two
// requests of 20 ms each, as a share of what bare requests and writes do.
//
//	go test ./pkg/receive/receiver -run '^$' -bench Drain -benchtime 2000x
func BenchmarkDrain(b *testing.B) { inEach(b, benchDrain) }

func benchDrain(b *testing.B) {
	provider := far{}
	s := newStation(b, func(c *receiver.Config) {
		provider.every = every{c.Provider.Faxes.(*cloud)}
		c.Provider.Faxes, c.Log, c.Jobs = provider, nil, 16
	})
	sideBySide(b, 64, b.N, func(n int) error {
		_, err := s.Record(delivery.Event{FaxID: faxID(n), Account: account, From: sender, To: ourNumber, Status: fax.Received, Received: time.Now()}, "")
		return err
	})
	bare := func(first int) time.Duration {
		begin := time.Now()
		sideBySide(b, 16, b.N/2+1, func(n int) error {
			f, err := provider.Get(b.Context(), faxID(first+n))
			if err == nil {
				_, err = s.archive.Save(b.Context(), provider, f)
			}
			return err
		})
		return time.Since(begin)
	}
	floor := bare(1_000_000)
	b.ResetTimer()
	begin := time.Now()
	s.run()
	for s.archive.count() < b.N+b.N/2+1 {
		time.Sleep(2 * time.Millisecond)
	}
	took := time.Since(begin)
	b.StopTimer()
	floor += bare(2_000_000)
	b.ReportMetric(float64(b.N)/took.Seconds(), "faxes/s")
	b.ReportMetric(floor.Seconds()/float64(2*(b.N/2+1))*float64(b.N)/took.Seconds(), "of-floor")
}

// sideBySide does something n times, so many at once.
func sideBySide(b *testing.B, atOnce, n int, do func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
}

// count is how many faxes are kept.
func (a *folder) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.saves)
}
