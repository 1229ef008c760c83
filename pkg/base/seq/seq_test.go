package seq_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/base/seq"
)

// The slow first one holds nobody up but the reader, and no more than jobs run.
func TestInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var running, most int
		items := []int{5, 1, 4, 2, 3}
		begin := time.Now()
		got := slices.Collect(seq.InOrder(t.Context(), 3, items, func(_ context.Context, n int) int {
			count := func(by int) {
				mu.Lock()
				defer mu.Unlock()
				running += by
				most = max(most, running)
			}
			count(1)
			defer count(-1)
			time.Sleep(time.Duration(n) * time.Second)
			return 10 * n
		}))
		if want := []int{50, 10, 40, 20, 30}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		if most != 3 {
			t.Errorf("%d ran at once, want 3", most)
		}
		if took := time.Since(begin); took >= 15*time.Second {
			t.Errorf("it took %s, as long as one after the other", took)
		}
	})
}

// A reader that has enough waits for the calls under way, which are told.
func TestInOrderBrokenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun, told atomic.Int32
		for range seq.InOrder(t.Context(), 2, []int{0, 1, 2, 3}, func(ctx context.Context, n int) int {
			if begun.Add(1); n > 0 {
				<-ctx.Done()
				told.Add(1)
			}
			return n
		}) {
			break
		}
		if begun.Load() != 2 || told.Load() != 1 {
			t.Errorf("%d calls were made, and %d were told to end", begun.Load(), told.Load())
		}
	})
}

// Chunks have all that comes before the end, or before an error, which comes last.
func TestChunks(t *testing.T) {
	broken := errors.New("broken")
	for n := range 8 {
		for _, end := range []error{nil, broken} {
			var got, lengths []int
			var last error
			for chunk, err := range seq.Chunks(func(yield func(int, error) bool) {
				for i := range n {
					if !yield(i, nil) {
						return
					}
				}
				if end != nil {
					yield(0, end)
				}
			}, 3) {
				got, last = append(got, chunk...), err
				if err == nil {
					lengths = append(lengths, len(chunk))
				}
			}
			want := []int{3, 3, 3}[:(n+2)/3]
			if n%3 > 0 {
				want[len(want)-1] = n % 3
			}
			if len(got) != n || !slices.IsSorted(got) || !slices.Equal(lengths, want) || !errors.Is(last, end) {
				t.Errorf("%d: %v in %v, and %v", n, got, lengths, last)
			}
		}
	}
	for range seq.Chunks(seq.Of([]int{1, 2, 3, 4, 5}), 2) {
		break
	}
}
