package receiver

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	Error    string     `json:"error,omitempty"`   // of the last attempt, or why it was put off since; of aside, why the document is
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

	Replicas []Replica `json:"replicas,omitempty"` // that work on the jobs of a database; nil: the state is in a file
}

// Replica is one of the processes that work on the jobs of a database.
type Replica struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"` // of the process, as its log has it
	Host    string    `json:"host"`
	Started time.Time `json:"started"`
	Seen    time.Time `json:"seen"`  // by the database's clock, as Started
	State   string    `json:"state"` // working, draining or silent
	Leader  bool      `json:"leader"`
}

// The states of a replica. What runs at a silent one is about to be given back.
const (
	Working  = "working"
	Draining = "draining"
	Silent   = "silent"
)

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
		return q.river().JobListTx(ctx, tx, params)
	}
}

func (q *queue) jobs(ctx context.Context, ids ...int64) ([]Job, error) {
	return q.listed(ctx, q.river().JobList, ids...)
}

func (q *queue) listed(ctx context.Context, list lister, ids ...int64) ([]Job, error) {
	files, err := q.files(ctx)
	if err != nil {
		return nil, err
	}
	claimed, err := q.inLine(ctx, list)
	if err != nil {
		return nil, err
	}
	waits := map[int64]bool{}
	for _, row := range claimed {
		waits[row.ID] = true
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
			j := jobOf(row, files)
			if j.State == Running && waits[j.ID] {
				j.State = Waiting
			}
			all = append(all, j)
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
	j.Error = cmp.Or(putOff(row), lastError(row), j.Error)
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

// putOff is why a job was put off since it failed last; "": it was not.
func putOff(row *rivertype.JobRow) string {
	var p put
	if out := row.Output(); len(out) == 0 || json.Unmarshal(out, &p) != nil || p.Failed != len(row.Errors) {
		return ""
	}
	return p.Why
}

// one finds a job that is not done.
func (q *queue) one(ctx context.Context, list lister, id int64) (Job, error) {
	found, err := q.listed(ctx, list, id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("job %d: %w among those that are not done", id, problem.ErrNotFound)
	}
	if err != nil {
		return Job{}, err
	}
	return found[0], nil
}

func (q *queue) retry(ctx context.Context, id int64) error {
	j, err := q.one(ctx, q.river().JobList, id)
	if err != nil {
		return err
	}
	if j.State == Running {
		return fmt.Errorf("job %d is running: %w", id, problem.ErrConflict)
	}
	_, err = q.river().JobRetry(ctx, id)
	if errors.Is(err, river.ErrNotFound) {
		return fmt.Errorf("job %d was just discarded, or is done: %w", id, problem.ErrConflict)
	}
	return err
}

// parked finds a job that may be given up; an error tells that it may not.
func (q *queue) parked(ctx context.Context, id int64) (Job, error) {
	return q.parkedOf(ctx, q.river().JobList, id)
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
		if _, err := q.river().JobDeleteTx(ctx, tx, id); err != nil || j.File == "" {
			return nil, err
		}
		for _, statement := range []string{deleteAside, dropUpload} {
			if _, err := q.db.exec(ctx, tx, statement, j.File); err != nil {
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

func (q *queue) stats(ctx context.Context) (s Stats, err error) {
	if s.Faxes, err = q.faxes.get(func() (map[fax.Status]int, int, error) { return q.countFaxes(ctx) }); err != nil {
		return s, err
	}
	waiting, err := q.unfinished.get(func() (backlog, int, error) { return q.countJobs(ctx) })
	if err != nil {
		return s, err
	}
	s.Faxes, s.Jobs = maps.Clone(s.Faxes), slices.Clone(waiting.jobs) // others have them too
	if !waiting.oldest.IsZero() {
		s.Age = max(0, time.Since(waiting.oldest))
	}
	claimed, err := q.inLine(ctx, q.river().JobList)
	if err != nil {
		return s, err
	}
	for _, row := range claimed {
		s.Jobs = heldBack(s.Jobs, row.Kind)
		s.Age = max(s.Age, time.Since(row.ScheduledAt))
	}
	if s.Prune, err = q.lastPrune(ctx); err != nil {
		return s, err
	}
	if err := q.count(ctx, func(_, _ string, n int) { s.Unmatched = n }, `SELECT '', '', value FROM receiver_note WHERE name = $1`, unmatched); err != nil {
		return s, err
	}
	s.Replicas, err = q.replicas(ctx)
	return s, err
}

// countFaxes counts faxes by the status they reached.
func (q *queue) countFaxes(ctx context.Context) (faxes map[fax.Status]int, all int, err error) {
	faxes = map[fax.Status]int{}
	err = q.count(ctx, func(status, _ string, n int) {
		faxes[fax.Status(status)] = n
		all += n
	}, `SELECT status, '', count(*) FROM receiver_event GROUP BY status`)
	return faxes, all, err
}

// backlog is what is not done.
type backlog struct {
	jobs   []JobCount
	oldest time.Time // since when the oldest job waits that could run
}

func (q *queue) countJobs(ctx context.Context) (b backlog, all int, err error) {
	err = q.count(ctx, func(kind, state string, n int) {
		b.jobs = addCount(b.jobs, JobCount{kind, stateOf(rivertype.JobState(state)), n})
		all += n
	}, `SELECT kind, state, count(*) FROM river_job
		WHERE state IN ('available', 'running', 'retryable', 'scheduled', 'pending', 'discarded', 'cancelled')
		GROUP BY kind, state ORDER BY kind, state`)
	if err != nil {
		return b, all, err
	}
	oldest, err := q.river().JobList(ctx, river.NewJobListParams().States(rivertype.JobStateAvailable).
		OrderBy(river.JobListOrderByScheduledAt, river.SortOrderAsc).First(1))
	if err == nil && len(oldest.Jobs) > 0 {
		b.oldest = oldest.Jobs[0].ScheduledAt
	}
	return b, all, err
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

// heldBack counts one of those that run as waiting, unless it is done meanwhile.
func heldBack(all []JobCount, kind string) []JobCount {
	at := slices.IndexFunc(all, func(c JobCount) bool { return c.Kind == kind && c.State == Running })
	if at < 0 {
		return all
	}
	if all[at].Count--; all[at].Count == 0 {
		all = slices.Delete(all, at, at+1)
	}
	return addCount(all, JobCount{kind, Waiting, 1})
}

// count reads rows of two words and a number.
func (q *queue) count(ctx context.Context, each func(a, b string, n int), query string, args ...any) error {
	return q.db.each(ctx, query, args, func(scan func(...any) error) error {
		var a, b string
		var n int
		err := scan(&a, &b, &n)
		if err == nil {
			each(a, b, n)
		}
		return err
	})
}
