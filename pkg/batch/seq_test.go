package batch_test

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/batch"
)

type source = func(context.Context) iter.Seq2[string, error]

// after waits, then yields the items, then err if there is one.
func after(d time.Duration, err error, items ...string) source {
	return func(ctx context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			select {
			case <-time.After(d):
			case <-ctx.Done():
				yield("", ctx.Err())
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if err != nil {
				yield("", err)
			}
		}
	}
}

func TestOrdered(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name    string
		jobs    int
		sources []source
		want    []string
		last    error
		took    time.Duration
	}{
		{name: "none", jobs: 2},
		{name: "the slow one first", jobs: 3, sources: []source{after(3*s, nil, "a", "b"), after(1*s, nil), after(2*s, nil, "c")},
			want: []string{"a", "b", "c"}, took: 3 * s},
		{name: "one at a time", jobs: 0, sources: []source{after(3*s, nil, "a"), after(1*s, nil, "b"), after(2*s, nil, "c")},
			want: []string{"a", "b", "c"}, took: 6 * s},
		{name: "an error keeps its place", jobs: 3, sources: []source{after(3*s, nil, "a"), after(1*s, errBroken, "b"), after(9*s, nil, "c")},
			want: []string{"a", "b"}, last: errBroken, took: 3 * s},
		{name: "an error ends the others", jobs: 3, sources: []source{after(1*s, errBroken), after(9*s, nil, "b")},
			last: errBroken, took: 1 * s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var got []string
				var last error
				for item, err := range batch.Ordered(t.Context(), tt.jobs, tt.sources) {
					if last = err; err == nil {
						got = append(got, item)
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if !errors.Is(last, tt.last) {
					t.Errorf("last error %v, want %v", last, tt.last)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

func TestOrderedEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var last error
		for _, err := range batch.Ordered(ending(t, time.Second), 1, []source{after(time.Hour, nil, "a"), after(0, nil, "b")}) {
			last = err
		}
		if took := time.Since(start); !errors.Is(last, context.Canceled) || took != time.Second {
			t.Errorf("%v after %v", last, took)
		}
	})
}

// TestOrderedAhead checks that nobody runs away from the reader, and that a
// reader who leaves takes everybody along.
func TestOrderedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made, begun atomic.Int64
		endless := func(context.Context) iter.Seq2[string, error] {
			begun.Add(1)
			return func(yield func(string, error) bool) {
				for yield("x", nil) {
					made.Add(1)
				}
			}
		}
		many := make([]source, 50)
		for i := range many {
			many[i] = endless
		}
		for range batch.Ordered(t.Context(), 4, many) {
			synctest.Wait()
			break
		}
		if begun.Load() != 4 || made.Load() > 4*1001 {
			t.Errorf("%d sequences begun, %d items made", begun.Load(), made.Load())
		}
	})
}
