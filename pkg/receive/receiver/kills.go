package receiver

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// A process that was killed while it worked on sixteen jobs, or had claimed them, does not
// tell which of them ended it, if any did. Two kills in a row make a suspect of a job that
// it had at both.
// Suspects run one at a time, and whichever does is marked before: one that five kills
// found marked is parked. The others have done nothing, and go on. The kills of a job are
// counted in its metadata, with what tells those in a row: how often it had failed, or
// was cut off, before.
const killsToSuspect = 2

// suspects is where those of this process wait for each other.
type suspects chan struct{}

// alone works on a job, at once if it is no suspect, else in its turn.
func (s suspects) alone(ctx context.Context, q *queue, job *rivertype.JobRow, work func() error) error {
	if !suspected(job) {
		return work()
	}
	select {
	case s <- struct{}{}:
		defer func() { <-s }()
	case <-ctx.Done(): // it has not had its turn, which is no failure
		return river.JobSnooze(0)
	}
	for {
		marked, err := q.mark(ctx, job.ID)
		switch {
		case err != nil:
			return err
		case marked:
			return work()
		}
		select {
		case <-time.After(time.Second): // a suspect of another replica has its turn
		case <-ctx.Done():
			return river.JobSnooze(0)
		}
	}
}

// mark notes that a suspect has its turn, unless another one has.
func (q *queue) mark(ctx context.Context, id int64) (marked bool, err error) {
	err = q.db.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := q.db.execAll(ctx, tx, q.db.turn); err != nil {
			return err
		}
		n, err := q.db.exec(ctx, tx, q.db.mark, id)
		marked = n > 0
		return err
	})
	return marked, err
}

// suspected tells whether kills in a row have found a job running.
func suspected(job *rivertype.JobRow) bool {
	counted := countsOf(job)
	return counted.Kills >= killsToSuspect && counted.Since != nil && *counted.Since == len(job.Errors)+counted.Snoozes
}

// counts are what is noted of a job beside its attempts; Since is how many of those and of
// snoozes there were at the last kill.
type counts struct {
	Kills   int  `json:"kills"`
	Since   *int `json:"kills_since"`
	Snoozes int  `json:"snoozes"`
}

// countsOf reads them; none are noted of most jobs.
func countsOf(job *rivertype.JobRow) (c counts) {
	_ = json.Unmarshal(job.Metadata, &c)
	return c
}

// giveBack gives back what a process that was killed had taken. A job that was
// interrupted has not failed, but one that never survives is parked.
func (q *queue) giveBack(ctx context.Context, tx *sql.Tx) error {
	if err := q.db.execAll(ctx, tx, q.db.found); err != nil {
		return err
	}
	if err := q.parkKilled(ctx, tx); err != nil {
		return err
	}
	return q.db.execAll(ctx, tx, q.db.givenBack)
}

// parkKilled parks the jobs that have not survived their turn five times in a row.
func (q *queue) parkKilled(ctx context.Context, tx *sql.Tx) error {
	const why = "the receiver was killed while it ran, seven times in a row"
	running, err := q.river().JobListTx(ctx, tx, river.NewJobListParams().States(rivertype.JobStateRunning).First(10_000).
		Where(q.db.sql(q.db.hopeless)))
	if err != nil {
		return err
	}
	for _, job := range running.Jobs {
		jobs, err := q.tellParked(ctx, tx, job, why)
		if err != nil {
			return err
		}
		if err := q.insert(ctx, tx, jobs); err != nil {
			return err
		}
		if _, err := q.db.exec(ctx, tx, q.db.park, why, job.ID); err != nil {
			return err
		}
	}
	return nil
}
