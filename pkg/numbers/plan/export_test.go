package plan

import (
	"context"
	"time"
)

// AgeNotes makes every purchase that is noted older.
func AgeNotes(ctx context.Context, s Notes, by time.Duration) error {
	all, err := s.read(ctx)
	for _, n := range all {
		n.Time, n.Asked = n.Time.Add(-by), n.Asked.Add(-by)
		if err == nil {
			err = s.write(ctx, n)
		}
	}
	return err
}

// SetClock makes every purchase that is noted older by the clock of the notes alone, as
// when that is set.
func SetClock(ctx context.Context, s Notes, by time.Duration) error {
	all, err := s.read(ctx)
	for _, n := range all {
		n.Time = n.Time.Add(-by)
		if err == nil {
			err = s.write(ctx, n)
		}
	}
	return err
}

// LockNotes is another run that buys, until it calls done.
func LockNotes(ctx context.Context, s Notes) (done func(), err error) {
	_, done, err = s.lock(ctx)
	return done, err
}
