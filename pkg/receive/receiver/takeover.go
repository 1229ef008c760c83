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
	place      = "place"      // the archive that it claimed last
	inheriting = "inheriting" // it has not learned yet what the one before it did
)

// identify gives the state an id, which it keeps: a copy of it, or one that comes
// back from a backup, is the same receiver.
func (r *Receiver) identify(ctx context.Context) (err error) {
	if r.id, err = r.queue.note(ctx, identity); err != nil || r.id != "" {
		return err
	}
	err = r.queue.commits.do(func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		_, err := r.queue.db.exec(ctx, tx, `INSERT INTO receiver_note (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, identity, rand.Text())
		return nil, err
	})
	if err == nil { // another replica may have been quicker
		r.id, err = r.queue.note(ctx, identity)
	}
	return err
}

// Place is the archive that a receiver serves, by its location, and for which account.
type Place struct {
	Archive string `json:"archive"`
	Account string `json:"account"`
}

// NotePlace notes which archive this receiver has claimed, for those who look at its state
// alone.
func (r *Receiver) NotePlace(ctx context.Context, archive string) error {
	value, err := json.Marshal(Place{archive, r.cfg.Account})
	if err != nil {
		return err
	}
	return r.queue.setNote(ctx, place, string(value))
}

// Place is the archive that the receiver of this state claimed last; none: it never did, or
// an earlier version has. The id is the receiver's.
func (d *Desk) Place(ctx context.Context) (p Place, id string, err error) {
	if id, err = d.queue.note(ctx, identity); err != nil {
		return p, id, err
	}
	p, err = d.queue.place(ctx)
	return p, id, err
}

// Place is the archive that this receiver claimed last, until it claims another one.
func (r *Receiver) Place(ctx context.Context) (Place, error) { return r.queue.place(ctx) }

func (q *queue) place(ctx context.Context) (p Place, err error) {
	noted, err := q.note(ctx, place)
	if err == nil && noted != "" {
		err = json.Unmarshal([]byte(noted), &p)
	}
	return p, err
}

// Knows reports whether this receiver has heard of any fax.
func (r *Receiver) Knows(ctx context.Context) (bool, error) {
	return r.queue.exists(ctx, `SELECT 1 FROM receiver_event LIMIT 1`)
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
			fresh, err := q.db.exec(ctx, tx, insertEvent, e.FaxID, string(e.Status), string(event), "")
			if err != nil {
				return nil, err
			}
			n += int(fresh)
		}
		return nil, nil
	})
	return n, err
}

// serves fails when the archive is another receiver's by now, or those who share the state
// have another one, which ends this one, or when nobody knows.
func (r *Receiver) serves(ctx context.Context) error {
	err := r.together(ctx)
	if err == nil && r.cfg.Serves != nil {
		err = r.cfg.Serves()
	}
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
func serving[A river.JobArgs](r *Receiver, limit time.Duration, work func(context.Context, *river.Job[A]) error) func(context.Context, *river.Job[A]) error {
	return func(ctx context.Context, job *river.Job[A]) error {
		done, err := r.queue.turns.take(ctx, job.Queue)
		if err != nil {
			return err
		}
		defer done()
		err = r.serves(ctx)
		switch {
		case errors.Is(err, problem.ErrConflict):
			return later(ctx, job.JobRow, time.Minute, err)
		case err != nil && job.Queue != fetchQueue: // its tries are those to tell somebody
			err = fmt.Errorf("%w: %w", delivery.ErrNotBegun, err)
		case err == nil:
			err = r.suspects.alone(ctx, r.queue, job.JobRow, func() error {
				ctx, cancel := context.WithTimeout(ctx, limit)
				defer cancel()
				return work(ctx, job)
			})
		}
		if errors.Is(err, delivery.ErrNotBegun) && !cutOff(ctx) {
			return r.wait(ctx, job.JobRow, err)
		}
		return r.last(ctx, job.JobRow, err)
	}
}
