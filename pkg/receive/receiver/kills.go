package receiver

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// A process that was killed while it worked on sixteen jobs does not tell which of them
// ended it, if any did. Two kills in a row make a suspect of a job that ran at both.
// Suspects run one at a time, and whichever does is marked before: one that five kills
// found marked is parked. The others have done nothing, and go on.
const killsToSuspect = 2

// The kills of a job are counted in its metadata, with what tells those in a row: how
// often it had failed, or was cut off, before.
const (
	sinceKill = `(coalesce(json_array_length(errors), 0) + coalesce(metadata ->> '$.snoozes', 0))`
	inARow    = `(metadata ->> '$.kills_since' IS ` + sinceKill + `)`
	countKill = `UPDATE river_job SET metadata = jsonb_set(jsonb_remove(metadata, '$.marked'),
		'$.kills', iif(` + inARow + `, metadata ->> '$.kills', 0) + 1,
		'$.kills_marked', iif(` + inARow + `, coalesce(metadata ->> '$.kills_marked', 0), 0) + (metadata ->> '$.marked' IS ` + sinceKill + `),
		'$.kills_since', ` + sinceKill + `) WHERE state = 'running'`
	markSuspect = `UPDATE river_job SET metadata = jsonb_set(metadata, '$.marked', ` + sinceKill + `) WHERE id = ?`
	parkKilled  = `UPDATE river_job SET state = 'discarded', finalized_at = datetime('now', 'subsec'),
		errors = jsonb_insert(coalesce(errors, jsonb('[]')), '$[#]', jsonb_object('at', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
			'attempt', attempt, 'error', ?, 'trace', '')) WHERE id = ?`
	releaseJobs = `UPDATE river_job SET state = 'available', attempt = max(attempt - 1, 0) WHERE state = 'running'`
)

// suspects is where they wait for each other.
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
	err := q.commits.do(func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		_, err := exec(ctx, tx, markSuspect, job.ID)
		return nil, err
	})
	if err != nil {
		return err
	}
	return work()
}

// suspected tells whether kills in a row have found a job running.
func suspected(job *rivertype.JobRow) bool {
	var counted struct {
		Kills   int  `json:"kills"`
		Since   *int `json:"kills_since"`
		Snoozes int  `json:"snoozes"`
	}
	err := json.Unmarshal(job.Metadata, &counted)
	return err == nil && counted.Kills >= killsToSuspect && counted.Since != nil && *counted.Since == len(job.Errors)+counted.Snoozes
}

// releaseAll gives back what a process that was killed had taken: its running
// jobs and its office. Only who holds the lock of the state may do this. A job
// that was interrupted has not failed, but one that never survives is parked; what
// comes back by itself does so. What waits longer than any job does was queued under
// a clock that was ahead.
func (q *queue) releaseAll(ctx context.Context) error {
	return q.db.inTx(ctx, func(tx *sql.Tx) error {
		for _, statement := range []string{`DELETE FROM river_job WHERE queue = 'upkeep'`, countKill} {
			if _, err := exec(ctx, tx, statement); err != nil {
				return err
			}
		}
		if err := q.parkKilled(ctx, tx); err != nil {
			return err
		}
		for _, statement := range []string{
			releaseJobs,
			`UPDATE river_job SET scheduled_at = datetime('now', 'subsec') WHERE scheduled_at > datetime('now', '+90 minutes')`,
			`DELETE FROM river_leader`,
		} {
			if _, err := exec(ctx, tx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// parkKilled parks the jobs that have not survived their turn five times in a row.
func (q *queue) parkKilled(ctx context.Context, tx *sql.Tx) error {
	const why = "the receiver was killed while it ran, seven times in a row"
	running, err := q.client.JobListTx(ctx, tx, river.NewJobListParams().States(rivertype.JobStateRunning).First(10_000).
		Where(`metadata ->> '$.kills_marked' >= 5`))
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
		if _, err := exec(ctx, tx, parkKilled, why, job.ID); err != nil {
			return err
		}
	}
	return nil
}
