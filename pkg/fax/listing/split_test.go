package listing

import (
	"testing"
	"time"
)

// Parts of a window cover it and do not overlap. The zero time, which as a bound
// means that there is none, is never one.
func TestSplit(t *testing.T) {
	at := func(sec int64) time.Time { return time.Unix(sec, 0).UTC() }
	zero := time.Time{}.Unix()
	for _, c := range []struct {
		w    window
		at   []int64
		want int // parts
	}{
		{window{after: at(0), until: at(10), lo: 0, hi: 10}, []int64{7, 3}, 3},
		{window{after: at(0), until: at(10), lo: 0, hi: 10}, []int64{10, 0, -1, 11}, 1},
		{window{after: at(0).Add(time.Millisecond), until: at(1).Add(time.Millisecond), lo: 0, hi: 1}, []int64{1, 0}, 2},
		{window{lo: zero - 10, hi: 10}, []int64{5, zero, zero - 5}, 3},
	} {
		parts := c.w.split(c.at...)
		if len(parts) != c.want {
			t.Errorf("%v at %v: %d parts, want %d", c.w, c.at, len(parts), c.want)
		}
		until := c.w.until
		for i, p := range parts {
			last := i == len(parts)-1
			if !p.until.Equal(until) || !last && p.after.IsZero() {
				t.Errorf("part %d is (%s, %s], and the one before ends at %s", i, p.after, p.until, until)
			}
			until = p.after
		}
		if !until.Equal(c.w.after) {
			t.Errorf("the last part ends at %s, the window at %s", until, c.w.after)
		}
	}
}
