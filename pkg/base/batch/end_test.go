package batch_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/base/batch"
)

func TestInterrupts(t *testing.T) {
	second := func(int) time.Duration { return time.Second }
	for _, tt := range []struct {
		name       string
		soft, hard time.Duration // when the contexts end; 0: never
		want       [3]int
		took       time.Duration
	}{
		{name: "never", want: [3]int{10, 0, 0}, took: 5 * time.Second},
		{name: "first: what runs is finished", soft: 1500 * time.Millisecond, want: [3]int{4, 0, 0}, took: 2 * time.Second},
		{name: "second: what runs is stopped", soft: 1500 * time.Millisecond, hard: 1700 * time.Millisecond, want: [3]int{2, 2, 0}, took: 1700 * time.Millisecond},
		{name: "only the second", hard: 1700 * time.Millisecond, want: [3]int{2, 2, 0}, took: 1700 * time.Millisecond},
		{name: "when the last ones run", hard: 4500 * time.Millisecond, want: [3]int{8, 2, 0}, took: 4500 * time.Millisecond},
		{name: "when nothing is left to start", soft: 4500 * time.Millisecond, want: [3]int{10, 0, 0}, took: 5 * time.Second},
	} {
		for name, run := range runners() {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					start := time.Now()
					soft, hard := ending(t, tt.soft), ending(t, tt.hard)
					_, tally, last := gather(run(hard, 2, batch.Until(soft, numbers(10, nil)), sleepFor(second)))
					if got := counts(tally); got != tt.want {
						t.Errorf("done, failed, skipped = %v, want %v", got, tt.want)
					}
					if cut := tt.want[0] < 10; cut != errors.Is(last, context.Canceled) {
						t.Errorf("last error %v", last)
					}
					if took := time.Since(start); took != tt.took {
						t.Errorf("took %v, want %v", took, tt.took)
					}
				})
			})
		}
	}
}

// ending is a context that is canceled after d; never when d is 0.
func ending(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	if d > 0 {
		time.AfterFunc(d, cancel)
	}
	return ctx
}

// TestInterruptWithPlacesLeft ends the context when all items have been taken
// and places are free: what was running still says that it was cut off.
func TestInterruptWithPlacesLeft(t *testing.T) {
	for name, run := range runners() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				length := func(i int) time.Duration { return time.Duration(i) * time.Second }
				_, tally, last := gather(run(ending(t, 1500*time.Millisecond), 5, numbers(2, nil), sleepFor(length)))
				if got, want := counts(tally), [3]int{1, 1, 0}; got != want || !errors.Is(last, context.Canceled) {
					t.Errorf("done, failed, skipped = %v, %v", got, last)
				}
			})
		})
	}
}

// TestStopLetsTheRestFinish checks that a fatal error waits for what runs.
func TestStopLetsTheRestFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, tally, last := gather(batch.Run(t.Context(), 3, numbers(100, nil), func(ctx context.Context, i int) (string, error) {
			if i == 1 {
				time.Sleep(time.Millisecond) // by then the three that have a place run
				return "", batch.Stop(errDenied)
			}
			return sleepFor(func(int) time.Duration { return time.Second })(ctx, i)
		}))
		if got, want := counts(tally), [3]int{2, 1, 0}; got != want || !errors.Is(last, errDenied) {
			t.Errorf("done, failed, skipped = %v, %v", got, last)
		}
	})
}

// TestBreak checks that a reader who leaves takes everybody along.
func TestBreak(t *testing.T) {
	for name, run := range runners() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var told atomic.Int64
				for range run(t.Context(), 5, numbers(100, nil), func(ctx context.Context, i int) (string, error) {
					_, err := sleepFor(func(i int) time.Duration { return time.Duration(i*i) * time.Second })(ctx, i)
					if err != nil {
						told.Add(1)
					}
					return "", err
				}) {
					break
				}
				if took := time.Since(start); took != time.Second || told.Load() != 4 {
					t.Errorf("took %v, %d were told", took, told.Load())
				}
			})
		})
	}
}

// early is a context that has ended before its children know.
type early struct {
	context.Context

	ended *atomic.Bool
}

func (e early) Err() error {
	if e.ended.Load() {
		return context.Canceled
	}
	return e.Context.Err()
}

// TestEndBeforeItsChildrenKnow checks that nothing is started in the moment
// between the end of a context and that of the contexts made from it.
func TestEndBeforeItsChildrenKnow(t *testing.T) {
	for name, run := range runners() {
		t.Run(name, func(t *testing.T) {
			ctx := early{t.Context(), new(atomic.Bool)}
			_, tally, last := gather(run(ctx, 1, numbers(10, nil), func(_ context.Context, i int) (string, error) {
				ctx.ended.Store(i == 2)
				return "", nil
			}))
			if got, want := counts(tally), [3]int{2, 0, 0}; got != want || !errors.Is(last, context.Canceled) {
				t.Errorf("done, failed, skipped = %v, %v", got, last)
			}
		})
	}
}
