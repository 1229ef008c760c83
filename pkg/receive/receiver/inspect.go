package receiver

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Job is a piece of work that is not done yet.
type Job struct {
	ID       int64      `json:"id"`
	Kind     string     `json:"kind"`  // fetch, aside, exec, forward, mail, backfill, prune or forget
	State    string     `json:"state"` // waiting, running, retrying or parked
	FaxID    string     `json:"fax_id,omitempty"`
	Status   fax.Status `json:"status,omitempty"`
	Attempts int        `json:"attempts"`
	Error    string     `json:"error,omitempty"`   // of the last attempt; of aside, why the document is
	File     string     `json:"file,omitempty"`    // path of the document that came with the callback, and waits for this
	Rule     string     `json:"rule,omitempty"`    // of mail: by which it is sent
	Address  string     `json:"address,omitempty"` // and to whom
	Created  time.Time  `json:"created"`
	Next     time.Time  `json:"next,omitzero"` // when it is tried again
}

// Stats is the state of a receiver in numbers.
type Stats struct {
	Faxes map[fax.Status]int `json:"faxes"` // by the status they reached
	Jobs  []JobCount         `json:"jobs"`
	Age   time.Duration      `json:"age"`             // how long the oldest job that could run has waited
	Prune *Pruned            `json:"prune,omitempty"` // the last one; nil: there was none

	Unmatched int `json:"unmatched"` // faxes of which no rule had anybody told by mail
}

// JobCount counts the jobs of a kind that are in the same state.
type JobCount struct {
	Kind  string `json:"kind"`
	State string `json:"state"` // as in Job
	Count int    `json:"count"`
}

// The states of a job, in words of ours.
const (
	Waiting  = "waiting"
	Running  = "running"
	Retrying = "retrying"
	Parked   = "parked"
)

func stateOf(s rivertype.JobState) string {
	switch s {
	case rivertype.JobStateRunning:
		return Running
	case rivertype.JobStateRetryable:
		return Retrying
	case rivertype.JobStateDiscarded, rivertype.JobStateCancelled:
		return Parked
	}
	return Waiting
}

// Desk is a look at a receiver's state from outside, while it runs or not: what
// is parked, and what to do about it.
type Desk struct {
	queue *queue
	dir   string // of the state
}

// Known reports whether a receiver may have its state in a folder.
func Known(stateDir string) bool {
	_, err := os.Stat(databasePath(stateDir))
	return !errors.Is(err, os.ErrNotExist)
}

// OpenDesk opens the state in a folder. fax.ErrNotFound: no receiver has ever
// run there. The caller closes the desk.
func OpenDesk(ctx context.Context, stateDir string) (*Desk, error) {
	stateDir, err := filepath.Abs(stateDir)
	if err != nil {
		return nil, err
	}
	path := databasePath(stateDir)
	if !Known(stateDir) {
		return nil, problem.With(fmt.Errorf("a receiver's state in %s: %w", stateDir, problem.ErrNotFound), problem.Say("start one: %s", problem.Command("serve")))
	}
	db, err := openStore(ctx, path)
	if err != nil {
		return nil, err
	}
	q, err := newQueue(ctx, db, nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Desk{q, stateDir}, nil
}

// Jobs lists what is not done, the oldest first.
func (d *Desk) Jobs(ctx context.Context) ([]Job, error) {
	all, err := d.queue.jobs(ctx)
	for i := range all {
		all[i] = d.located(all[i])
	}
	return all, err
}

// located makes a path of the name of a job's file.
func (d *Desk) located(j Job) Job {
	if j.File != "" {
		j.File = filepath.Join(uploadDir(d.dir), j.File)
	}
	return j
}

// Stats counts faxes and jobs.
func (d *Desk) Stats(ctx context.Context) (Stats, error) { return d.queue.stats(ctx) }

// Retry makes a job run as soon as the receiver can. fax.ErrNotFound: there is
// no such job. fax.ErrConflict: it is running, or done.
func (d *Desk) Retry(ctx context.Context, id int64) error { return d.queue.retry(ctx, id) }

// MayDiscard is the job that Discard would give up. It fails as Discard would.
func (d *Desk) MayDiscard(ctx context.Context, id int64) (Job, error) {
	j, err := d.queue.parked(ctx, id)
	return d.located(j), err
}

// Discard gives a parked job up for good, and deletes the document that waited for
// it: Job.File of what it returns; the event stays. Errors: as Retry, and
// fax.ErrConflict when the job is not parked.
func (d *Desk) Discard(ctx context.Context, id int64) (Job, error) {
	j, err := d.queue.discard(ctx, id)
	if j = d.located(j); err != nil || j.File == "" {
		return j, err
	}
	if err := os.Remove(j.File); err != nil && !errors.Is(err, os.ErrNotExist) { // then the next start removes it
		return j, fmt.Errorf("job %d is discarded, its document is not deleted: %w", id, err)
	}
	return j, nil
}

// Close closes the state.
func (d *Desk) Close() error { return d.queue.Close() }

func unfinished() []rivertype.JobState {
	return []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		rivertype.JobStatePending, rivertype.JobStateDiscarded, rivertype.JobStateCancelled,
	}
}

// lister finds jobs: River's JobList, or that within a transaction.
type lister func(context.Context, *river.JobListParams) (*river.JobListResult, error)

func (q *queue) within(tx *sql.Tx) lister {
	return func(ctx context.Context, params *river.JobListParams) (*river.JobListResult, error) {
		return q.client.JobListTx(ctx, tx, params)
	}
}

func (q *queue) jobs(ctx context.Context, ids ...int64) ([]Job, error) {
	return q.listed(ctx, q.client.JobList, ids...)
}

func (q *queue) listed(ctx context.Context, list lister, ids ...int64) ([]Job, error) {
	files, err := q.files(ctx)
	if err != nil {
		return nil, err
	}
	var all []Job
	params := river.NewJobListParams().States(unfinished()...).OrderBy(river.JobListOrderByID, river.SortOrderAsc).First(1000)
	if len(ids) > 0 {
		params = params.IDs(ids...)
	}
	for {
		page, err := list(ctx, params)
		if err != nil {
			return nil, err
		}
		for _, row := range page.Jobs {
			all = append(all, jobOf(row, files))
		}
		if len(page.Jobs) < 1000 {
			return all, nil
		}
		params = params.After(page.LastCursor)
	}
}

func jobOf(row *rivertype.JobRow, files map[asideArgs]waiting) Job {
	key := keyOf(row)
	j := Job{
		ID: row.ID, Kind: row.Kind, State: stateOf(row.State), FaxID: key.FaxID, Status: key.Status,
		Attempts: row.Attempt, Created: row.CreatedAt,
	}
	if to := toldBy(row).Target; to != nil {
		j.Rule, j.Address = to.Rule, to.Address
	}
	if row.Kind == (fetchArgs{}).Kind() || row.Kind == key.Kind() {
		j.File, j.Error = files[key].file, files[key].reason
	}
	if len(row.Errors) > 0 {
		j.Error = lastError(row)
	}
	if row.State == rivertype.JobStateRetryable || row.State == rivertype.JobStateScheduled {
		j.Next = row.ScheduledAt
	}
	return j
}

// keyOf is what a job is about; one without a fax has none.
func keyOf(row *rivertype.JobRow) (key asideArgs) {
	_ = json.Unmarshal(row.EncodedArgs, &key)
	return key
}

// lastError is why a job failed last.
func lastError(row *rivertype.JobRow) string {
	if len(row.Errors) == 0 {
		return ""
	}
	return strings.TrimPrefix(row.Errors[len(row.Errors)-1].Error, "JobCancelError: ") // River's word for parked at once
}

// one finds a job that is not done.
func (q *queue) one(ctx context.Context, list lister, id int64) (Job, error) {
	found, err := q.listed(ctx, list, id)
	if err == nil && len(found) == 0 {
		err = problem.With(fmt.Errorf("job %d: %w among those that are not done", id, problem.ErrNotFound), problem.Say("see what there is: %s", problem.Command("serve", "jobs", "list")))
	}
	if err != nil {
		return Job{}, err
	}
	return found[0], nil
}

func (q *queue) retry(ctx context.Context, id int64) error {
	j, err := q.one(ctx, q.client.JobList, id)
	if err != nil {
		return err
	}
	if j.State == Running {
		return fmt.Errorf("job %d is running: %w", id, problem.ErrConflict)
	}
	_, err = q.client.JobRetry(ctx, id)
	if errors.Is(err, river.ErrNotFound) {
		return fmt.Errorf("job %d was just discarded, or is done: %w", id, problem.ErrConflict)
	}
	return err
}

// parked finds a job that may be given up; an error tells that it may not.
func (q *queue) parked(ctx context.Context, id int64) (Job, error) {
	return q.parkedOf(ctx, q.client.JobList, id)
}

// parkedOf names no file when another job needs it as well.
func (q *queue) parkedOf(ctx context.Context, list lister, id int64) (Job, error) {
	j, err := q.one(ctx, list, id)
	switch {
	case err != nil:
		return j, err
	case j.State != Parked:
		return j, fmt.Errorf("job %d is %s, not parked: %w", id, j.State, problem.ErrConflict)
	case j.File == "":
		return j, nil
	}
	all, err := q.listed(ctx, list)
	if slices.ContainsFunc(all, func(other Job) bool { return other.ID != id && other.File == j.File }) {
		j.File = ""
	}
	return j, err
}

// discard looks at the job in the transaction that deletes it: somebody else may have
// it retried, or discard it, at the same time.
func (q *queue) discard(ctx context.Context, id int64) (Job, error) {
	if j, err := q.parked(ctx, id); err != nil {
		return j, err
	}
	var j Job
	err := q.commits.do(func(ctx context.Context, tx *sql.Tx) (_ []river.InsertManyParams, err error) {
		j, err = q.parkedOf(ctx, q.within(tx), id)
		if errors.Is(err, problem.ErrNotFound) {
			err = fmt.Errorf("job %d was just discarded, or is done: %w", id, problem.ErrConflict)
		}
		if err != nil {
			return nil, err
		}
		if _, err := q.client.JobDeleteTx(ctx, tx, id); err != nil || j.File == "" {
			return nil, err
		}
		for _, statement := range []string{deleteAside, dropUpload} {
			if _, err := exec(ctx, tx, statement, j.File); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	if err != nil {
		j.File = "" // it stays
	}
	return j, err
}

func (q *queue) stats(ctx context.Context) (Stats, error) {
	s := Stats{Faxes: map[fax.Status]int{}}
	err := q.count(ctx, func(status, _ string, n int) { s.Faxes[fax.Status(status)] = n },
		`SELECT status, '', count(*) FROM receiver_event GROUP BY status`)
	if err != nil {
		return s, err
	}
	err = q.count(ctx, func(kind, state string, n int) {
		s.Jobs = addCount(s.Jobs, JobCount{kind, stateOf(rivertype.JobState(state)), n})
	}, `SELECT kind, state, count(*) FROM river_job
		WHERE state IN ('available', 'running', 'retryable', 'scheduled', 'pending', 'discarded', 'cancelled')
		GROUP BY kind, state ORDER BY kind, state`)
	if err != nil {
		return s, err
	}
	if s.Prune, err = q.lastPrune(ctx); err != nil {
		return s, err
	}
	if err := q.count(ctx, func(_, _ string, n int) { s.Unmatched = n }, `SELECT '', '', value FROM receiver_note WHERE name = ?`, unmatched); err != nil {
		return s, err
	}
	oldest, err := q.client.JobList(ctx, river.NewJobListParams().States(rivertype.JobStateAvailable).
		OrderBy(river.JobListOrderByScheduledAt, river.SortOrderAsc).First(1))
	if err == nil && len(oldest.Jobs) > 0 {
		s.Age = max(0, time.Since(oldest.Jobs[0].ScheduledAt))
	}
	return s, err
}

// addCount merges counts that are the same in our words.
func addCount(all []JobCount, c JobCount) []JobCount {
	for i := range all {
		if all[i].Kind == c.Kind && all[i].State == c.State {
			all[i].Count += c.Count
			return all
		}
	}
	return append(all, c)
}

// count reads rows of two words and a number.
func (q *queue) count(ctx context.Context, each func(a, b string, n int), query string, args ...any) error {
	rows, err := q.db.read.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var a, b string
		var n int
		if err := rows.Scan(&a, &b, &n); err != nil {
			return err
		}
		each(a, b, n)
	}
	return rows.Err()
}
