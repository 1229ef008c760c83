package receiver

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/riverqueue/river"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// The notes of who this receiver is, and what it took over.
const (
	identity   = "id"
	tookOver   = "took over"  // when it last did, by the provider's clock
	inheriting = "inheriting" // it has not learned yet what the one before it did
)

// identify gives the state an id, which it keeps: a copy of it, or one that comes
// back from a backup, is the same receiver.
func (r *Receiver) identify(ctx context.Context) (err error) {
	if r.id, err = r.queue.note(ctx, identity); err != nil || r.id != "" {
		return err
	}
	r.id = rand.Text()
	return r.queue.setNote(ctx, identity, r.id)
}

// ID tells this receiver from every other, also after it was started again.
func (r *Receiver) ID() string { return r.id }

// TakeOver notes, before an archive becomes this receiver's, that it was another's:
// what that one did is to be inherited, and it is done with the faxes that failed
// until now.
func (r *Receiver) TakeOver(ctx context.Context) error {
	now, err := r.providerNow(ctx)
	if err != nil {
		return fmt.Errorf("ask the provider for the time: %w", err)
	}
	if err := r.queue.setNote(ctx, tookOver, now.UTC().Format(time.RFC3339Nano)); err != nil {
		return err
	}
	return r.queue.setNote(ctx, inheriting, "yes")
}

// Inherits reports whether [Receiver.Inherit] is due: before, nothing may run.
func (r *Receiver) Inherits(ctx context.Context) (bool, error) {
	due, err := r.queue.note(ctx, inheriting)
	return due != "", err
}

// Inheritance is what an archive has of a fax.
type Inheritance struct {
	Fax  fax.Fax
	Kept Kept
}

// Inherit takes the faxes of an archive that was another receiver's for known and done
// with, so that no program is run for them again, and counts those of which it had not
// heard. What was received and is there without a document is not done.
func (r *Receiver) Inherit(ctx context.Context, all iter.Seq2[Inheritance, error]) (n int, err error) {
	now := time.Now().UTC()
	var events []delivery.News
	for i, err := range all {
		if err != nil {
			return n, err
		}
		e := fromRecord(i.Fax, now)
		if !e.Status.Terminal() || !isWord(e.FaxID, maxID) || e.HasDocument() && i.Kept.SHA256 == "" {
			continue
		}
		if events = append(events, delivery.News{Event: e, Document: i.Kept.at(now)}); len(events) == mostChanges {
			fresh, err := r.queue.learn(events...)
			if n += fresh; err != nil {
				return n, err
			}
			events = events[:0]
		}
	}
	fresh, err := r.queue.learn(events...)
	if n += fresh; err != nil {
		return n, err
	}
	return n, r.queue.setNote(ctx, inheriting, "")
}

// inherited reports whether the news of a fax that failed is the business of the
// receiver before this one. The archive knows of those that were received.
func (r *Receiver) inherited(ctx context.Context, e delivery.Event, created time.Time) (bool, error) {
	if e.HasDocument() {
		return false, nil
	}
	at, err := r.queue.note(ctx, tookOver)
	if err != nil || at == "" {
		return false, err
	}
	since, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return false, fmt.Errorf("the note of the take-over: %w", err)
	}
	return created.Before(since), nil
}

// learn commits events from which nothing follows, and counts those that were not
// known.
func (q *queue) learn(events ...delivery.News) (n int, err error) {
	err = q.commits.do(func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		n = 0
		for _, e := range events {
			event, err := json.Marshal(e)
			if err != nil {
				return nil, err
			}
			fresh, err := exec(ctx, tx, insertEvent, e.FaxID, string(e.Status), string(event), "")
			if err != nil {
				return nil, err
			}
			n += int(fresh)
		}
		return nil, nil
	})
	return n, err
}

// serves fails when the archive is another receiver's by now, which ends this one, or
// when nobody knows.
func (r *Receiver) serves() error {
	if r.cfg.Serves == nil {
		return nil
	}
	err := r.cfg.Serves()
	if errors.Is(err, problem.ErrConflict) {
		select {
		case r.lost <- err:
		default: // it is ending already
		}
	}
	return err
}

// serving is work that only the receiver does that the archive is served by. A job
// that it may not do any more is left for its state to tell of.
func serving[A river.JobArgs](r *Receiver, work func(context.Context, *river.Job[A]) error) func(context.Context, *river.Job[A]) error {
	return func(ctx context.Context, job *river.Job[A]) error {
		err := r.serves()
		if errors.Is(err, problem.ErrConflict) {
			return river.JobSnooze(time.Minute)
		}
		if err == nil {
			err = r.suspects.alone(ctx, r.queue, job.JobRow, func() error { return work(ctx, job) })
		}
		return r.last(ctx, job.JobRow, err)
	}
}
