package receiver

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// deliverArgs tell somebody of an event, or of a job about it that was given up. The
// delivery, which is part of no argument, names the kind of the job.
type deliverArgs struct {
	eventKey
	Target   *delivery.Target `json:"target,omitempty"`
	Parked   *parkedArgs      `json:"parked,omitempty"`
	delivery string
}

// parkedArgs name a parking of a job: a job that is retried may be parked again.
type parkedArgs struct {
	Job     int64 `json:"job"`
	Attempt int   `json:"attempt"`
}

// Kind names the job in the database.
func (a deliverArgs) Kind() string { return a.delivery }

// unmatched is the note that counts the events of which a delivery with targets told
// nobody.
const (
	unmatched  = "unmatched"
	countNote  = `INSERT INTO receiver_note (name, value) VALUES ($1, '1') ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(receiver_note.value AS bigint) + 1 AS text)`
	notWaiting = time.Second // until it is looked again whether a job is parked
)

// deliver is whom to tell of an event whose document, if any, is archived, or of a job
// that is about to be parked. An event that is nobody's is counted with the commit, and
// told to the log. Whoever could not be told is not told of that.
func (r *Receiver) deliver(ctx context.Context, tx *sql.Tx, n delivery.News) ([]river.InsertManyParams, error) {
	var jobs []river.InsertManyParams
	for _, d := range r.cfg.Deliveries {
		args := deliverArgs{eventKey: eventKey{n.FaxID, n.Status}, delivery: d.Name}
		if d.Targets == nil {
			if n.Parked == nil {
				jobs = append(jobs, river.InsertManyParams{Args: args, InsertOpts: options(deliverQueue, r.cfg.Attempts)})
			}
			continue
		}
		if n.Parked != nil {
			args.Parked = &parkedArgs{n.Parked.Job, n.Parked.Attempt}
		}
		targets := slices.DeleteFunc(d.Targets(n), func(to delivery.Target) bool {
			return n.Parked != nil && n.Parked.Target != nil && strings.EqualFold(to.Address, n.Parked.Target.Address)
		})
		for _, to := range targets {
			args.Target = &to
			jobs = append(jobs, river.InsertManyParams{Args: args, InsertOpts: options(mailQueue, fetchAttempts)})
		}
		if len(targets) == 0 && n.Parked == nil {
			if _, err := r.queue.db.exec(ctx, tx, countNote, unmatched); err != nil {
				return nil, err
			}
			r.log.Info("no rule matches", "kind", d.Name, "fax", n.FaxID, "status", n.Status, "from", fax.MaskPhone(n.From), "to", fax.MaskPhone(n.To))
		}
	}
	return jobs, nil
}

// deliverer works on the jobs of a delivery.
func (r *Receiver) deliverer(name string) worker[deliverArgs] {
	d := r.delivery(name)
	return worker[deliverArgs]{work: serving(r, d.Limit, func(ctx context.Context, job *river.Job[deliverArgs]) error {
		n, err := r.queue.newsFor(ctx, job.Args)
		if err != nil || n == nil {
			return err
		}
		var to delivery.Target
		if job.Args.Target != nil {
			to = *job.Args.Target
		}
		err = d.Deliver(ctx, *n, to)
		if d.Targets != nil && !cutOff(ctx) && !errors.Is(err, delivery.ErrNotBegun) {
			r.metrics.request(name, outcomeOf(err))
		}
		if errors.Is(err, delivery.ErrRefused) {
			return r.park(ctx, job.JobRow, err)
		}
		return err
	})}
}

// mostWait is the longest that a delivery which could not begin waits for the next time.
const mostWait = time.Minute

// wait has a job that could not begin come again, which is no attempt: longer each time, as
// there may be thousands.
func (r *Receiver) wait(ctx context.Context, job *rivertype.JobRow, err error) error {
	r.rarely("wait for "+job.Kind, func(times int) {
		r.log.Warn("jobs wait", "kind", job.Kind, "times", times, "error", err)
	})
	return later(ctx, job, min(r.cfg.Retry<<min(countsOf(job).Snoozes, 12), mostWait), err)
}

// later has a job come again, which is no attempt, and notes why for who lists the jobs:
// River notes the errors of attempts alone.
func later(ctx context.Context, job *rivertype.JobRow, after time.Duration, why error) error {
	if err := river.RecordOutput(ctx, put{why.Error(), len(job.Errors)}); err != nil {
		return err // it is no job of River's
	}
	return river.JobSnooze(after)
}

// put is why a job was put off. It is what is to be told of it until an attempt more has failed
// than had by then.
type put struct {
	Why    string `json:"why"`
	Failed int    `json:"failed"` // attempts
}

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "sent"
	case errors.Is(err, delivery.ErrRefused):
		return "refused"
	}
	return "retried"
}

// delivery finds one by its name. A job may be of one that this receiver was started
// without, and waits as long as any for it.
func (r *Receiver) delivery(name string) delivery.Delivery {
	for _, d := range r.cfg.Deliveries {
		if d.Name == name {
			return d
		}
	}
	return delivery.Delivery{Limit: time.Minute, Deliver: func(context.Context, delivery.News, delivery.Target) error {
		return fmt.Errorf("this receiver was started without what %s was for", name)
	}}
}

// last notes, before the last attempt of a job ends in vain, those who are to be told
// that it is parked. Where that cannot be, the job is tried once more.
func (r *Receiver) last(ctx context.Context, job *rivertype.JobRow, err error) error {
	if err == nil || job.Attempt < job.MaxAttempts || cutOff(ctx) ||
		errors.As(err, new(*river.JobCancelError)) || errors.As(err, new(*river.JobSnoozeError)) {
		return err
	}
	if bad := r.noteParked(ctx, job, err.Error()); bad != nil {
		r.failed(ctx, job, false, errors.Join(err, bad))
		return later(ctx, job, time.Minute, errors.Join(err, bad))
	}
	return err
}

// noteParked commits the jobs that tell of one that is about to be parked.
func (r *Receiver) noteParked(ctx context.Context, job *rivertype.JobRow, why string) error {
	return r.queue.commits.do(func(_ context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		return r.queue.tellParked(context.WithoutCancel(ctx), tx, job, why)
	})
}

// tellParked is whom to tell that a job is parked. What tells of that is parked in
// silence, lest a server that takes nothing has ever more to refuse.
func (q *queue) tellParked(ctx context.Context, tx *sql.Tx, job *rivertype.JobRow, why string) ([]river.InsertManyParams, error) {
	told := toldBy(job)
	if told.Parked != nil {
		return nil, nil
	}
	n, err := q.newsOf(ctx, job)
	if errors.Is(err, problem.ErrNotFound) { // it is of no fax any more
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n.Parked = &delivery.Parked{Job: job.ID, Attempt: job.Attempt, Kind: job.Kind, Target: told.Target, Problem: why}
	return q.r.deliver(ctx, tx, n)
}

// toldBy is what a job is to tell, and whom; that of another kind tells nobody.
func toldBy(job *rivertype.JobRow) (a deliverArgs) {
	_ = json.Unmarshal(job.EncodedArgs, &a)
	return a
}

// newsFor is what a job is to tell; nil: nothing any more, since the parked job that it
// is about was retried or discarded. That one may also not be parked yet: it was about
// to be when the process was killed.
func (q *queue) newsFor(ctx context.Context, a deliverArgs) (*delivery.News, error) {
	if a.Parked == nil {
		n, _, err := q.load(ctx, a.FaxID, a.Status)
		return &n, err
	}
	job, err := q.river().JobGet(ctx, a.Parked.Job)
	if errors.Is(err, river.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	now := stateOf(job.State)
	switch {
	case now == Parked && job.Attempt <= a.Parked.Attempt:
		n, err := q.newsOf(ctx, job)
		n.Parked = &delivery.Parked{Job: job.ID, Attempt: a.Parked.Attempt, Kind: job.Kind, Target: toldBy(job).Target, Problem: lastError(job)}
		return &n, err
	case now == Running && job.Attempt == a.Parked.Attempt, job.Attempt < a.Parked.Attempt:
		return nil, river.JobSnooze(notWaiting)
	}
	return nil, nil
}

// newsOf is the event that a job is about. fax.ErrNotFound: it is forgotten, or the
// document that was kept aside is not any more.
func (q *queue) newsOf(ctx context.Context, job *rivertype.JobRow) (delivery.News, error) {
	key := keyOf(job)
	if job.Kind == key.Kind() {
		a, err := q.aside(ctx, key)
		return delivery.News{Event: a.Event}, err
	}
	n, _, err := q.load(ctx, key.FaxID, key.Status)
	return n, err
}
