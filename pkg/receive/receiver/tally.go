package receiver

import (
	"sync"
	"time"
)

// tally is a count that is taken anew when it is old. Each row that is counted takes a
// microsecond or two, which is nothing where there are few and would be half a second at
// each look at the metrics where there are a million: a count lives a hundred times as long
// as it took, about.
type tally[T any] struct {
	mu    sync.Mutex
	until time.Time
	last  T
}

const (
	fewRows     = 10_000 // are counted each time
	rowLives    = 100 * time.Microsecond
	oldestTally = time.Minute
)

// get is the count, by a function that also tells how many rows it counted.
func (t *tally[T]) get(count func() (T, int, error)) (T, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.until) {
		return t.last, nil
	}
	found, rows, err := count()
	if err == nil && rows > fewRows {
		t.last, t.until = found, time.Now().Add(min(time.Duration(rows)*rowLives, oldestTally))
	}
	return found, err
}
