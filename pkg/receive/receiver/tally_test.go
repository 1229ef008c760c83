package receiver

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestTally: few rows are counted each time, many when the count is old, and what could
// not be counted is counted again.
func TestTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var many tally[int]
		times, rows, fails := 0, fewRows, error(nil)
		get := func() (int, error) {
			return many.get(func() (int, int, error) { times++; return times, rows, fails })
		}
		for want := 1; want <= 3; want++ {
			if n, err := get(); n != want || err != nil {
				t.Errorf("count %d of few: %d, %v", want, n, err)
			}
		}
		rows, fails = 1_000_000, errors.New("the database is away")
		if _, err := get(); !errors.Is(err, fails) {
			t.Errorf("it fails: %v", err)
		}
		fails = nil
		for _, step := range []struct {
			wait time.Duration
			want int
		}{{0, 5}, {0, 5}, {oldestTally - time.Second, 5}, {time.Second, 6}} {
			time.Sleep(step.wait)
			if n, err := get(); n != step.want || err != nil {
				t.Errorf("%s later: count %d, not %d, %v", step.wait, n, step.want, err)
			}
		}
		rows = 2 * fewRows
		time.Sleep(oldestTally)
		before, _ := get()
		time.Sleep(2 * fewRows * rowLives)
		if n, _ := get(); n != before+1 {
			t.Errorf("a count of fewer rows is as old as one of many: %d after %d", n, before)
		}
	})
}
