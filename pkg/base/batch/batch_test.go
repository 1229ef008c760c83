package batch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/faxctl/faxctl/pkg/base/batch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errBroken = errors.New("broken")
	errDenied = errors.New("denied")
)

// numbers yields 1 to n, and then err if there is one.
func numbers(n int, err error) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i+1, nil) {
				return
			}
		}
		if err != nil {
			yield(0, err)
		}
	}
}

type runner func(context.Context, int, iter.Seq2[int, error], func(context.Context, int) (string, error)) iter.Seq2[batch.Result[int, string], error]

func runners() map[string]runner {
	return map[string]runner{"Run": batch.Run[int, string], "RunOrdered": batch.RunOrdered[int, string]}
}

// gather reads results to their end: the items in the order of their results,
// the count, and the last error.
func gather(seq iter.Seq2[batch.Result[int, string], error]) (items []int, tally batch.Tally, last error) {
	for r, err := range seq {
		if last != nil {
			panic("something came after the error")
		}
		if last = err; err == nil {
			items = append(items, r.Item)
			tally.Add(r.Err)
		}
	}
	return items, tally, last
}

func counts(t batch.Tally) [3]int { return [3]int{t.Done, t.Failed, t.Skipped} }

func TestOutcomes(t *testing.T) {
	for _, tt := range []struct {
		name  string
		items iter.Seq2[int, error]
		jobs  int
		do    func(int) error
		want  [3]int // done, failed, skipped
		last  error
	}{
		{name: "nothing to do", items: numbers(0, nil), jobs: 4},
		{name: "all is well", items: numbers(100, nil), jobs: 4, want: [3]int{100, 0, 0}},
		{name: "no jobs means one", items: numbers(3, nil), jobs: 0, want: [3]int{3, 0, 0}},
		{name: "a failure stops nothing", items: numbers(10, nil), jobs: 3, want: [3]int{5, 5, 0}, do: func(i int) error {
			if i%2 == 0 {
				return errBroken
			}
			return nil
		}},
		{name: "left alone on purpose", items: numbers(4, nil), jobs: 3, want: [3]int{3, 0, 1}, do: func(i int) error {
			if i == 2 {
				return batch.Skip(errBroken)
			}
			return nil
		}},
		{name: "the items break off", items: numbers(7, errBroken), jobs: 3, want: [3]int{7, 0, 0}, last: errBroken},
		{name: "nothing but an error", items: numbers(0, errBroken), jobs: 3, last: errBroken},
		{name: "one that dooms the rest", items: numbers(1000, nil), jobs: 1, want: [3]int{4, 1, 0}, last: errDenied, do: func(i int) error {
			if i == 5 {
				return fmt.Errorf("fax %d: %w", i, batch.Stop(errDenied))
			}
			return nil
		}},
	} {
		for name, run := range runners() {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				_, tally, last := gather(run(t.Context(), tt.jobs, tt.items, func(_ context.Context, i int) (string, error) {
					if tt.do == nil {
						return "", nil
					}
					return "", tt.do(i)
				}))
				if got := counts(tally); got != tt.want {
					t.Errorf("done, failed, skipped = %v, want %v", got, tt.want)
				}
				if last != tt.last { //nolint:errorlint // the very same error
					t.Errorf("last error %v, want %v", last, tt.last)
				}
			})
		}
	}
}

// sleepFor is work of the given length that obeys its context.
func sleepFor(length func(int) time.Duration) func(context.Context, int) (string, error) {
	return func(ctx context.Context, i int) (string, error) {
		select {
		case <-time.After(length(i)):
			return fmt.Sprint("slept ", i), nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

func TestOrderAndTime(t *testing.T) {
	length := func(i int) time.Duration {
		return []time.Duration{0, 40, 30, 20, 15}[i] * time.Second
	}
	for _, tt := range []struct {
		run  runner
		jobs int
		want []int
		took time.Duration
	}{
		{batch.Run[int, string], 4, []int{4, 3, 2, 1}, 40 * time.Second},
		{batch.Run[int, string], 2, []int{2, 1, 3, 4}, 55 * time.Second},
		{batch.Run[int, string], 1, []int{1, 2, 3, 4}, 105 * time.Second},
		{batch.RunOrdered[int, string], 4, []int{1, 2, 3, 4}, 40 * time.Second},
		{batch.RunOrdered[int, string], 2, []int{1, 2, 3, 4}, 60 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			got, _, err := gather(tt.run(t.Context(), tt.jobs, numbers(4, nil), sleepFor(length)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%d jobs: (-want +got)\n%s", tt.jobs, diff)
			}
			if took := time.Since(start); took != tt.took {
				t.Errorf("%d jobs took %v, want %v", tt.jobs, took, tt.took)
			}
		})
	}
}

// TestBounds checks that no more than jobs items run at once and that none is
// taken from the sequence before it can run.
func TestBounds(t *testing.T) {
	const jobs = 3
	for name, run := range runners() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var taken, running, finished atomic.Int64
				items := func(yield func(int, error) bool) {
					for i := range 50 {
						if ahead := taken.Add(1) - finished.Load(); ahead > jobs {
							t.Errorf("%d items taken that have not finished", ahead)
						}
						if !yield(i, nil) {
							return
						}
					}
				}
				for _, err := range run(t.Context(), jobs, items, func(context.Context, int) (string, error) {
					if n := running.Add(1); n > jobs {
						t.Errorf("%d at once", n)
					}
					time.Sleep(time.Second)
					running.Add(-1)
					finished.Add(1)
					return "", nil
				}) {
					if err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

func TestRunAgain(t *testing.T) {
	seq := batch.RunOrdered(t.Context(), 2, numbers(3, nil), func(_ context.Context, i int) (string, error) {
		return fmt.Sprint(i), nil
	})
	for range 2 {
		var got []string
		for r, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.Value)
		}
		if want := []string{"1", "2", "3"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func TestTally(t *testing.T) {
	var tally batch.Tally
	for _, err := range []error{nil, batch.Skip(errBroken), fmt.Errorf("first: %w", errDenied), errBroken} {
		tally.Add(err)
	}
	if want := (batch.Tally{Done: 1, Failed: 2, Skipped: 1}); tally != want {
		t.Errorf("got %+v, want %+v", tally, want)
	}
	if batch.Stop(nil) != nil || batch.Skip(nil) != nil {
		t.Error("no error became one")
	}
}
