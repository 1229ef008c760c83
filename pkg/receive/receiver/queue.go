package receiver

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/faxctl/faxctl/pkg/base/child"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// queue is the durable side of a receiver: the events, and the jobs that follow
// from them.
type queue interface {
	// record commits an event and the jobs that follow from it, and tells
	// whether it was not known before. The name is that of the file its
	// document waits in, if it brought one; an event that was known without a
	// document, because a backfill was faster, gets it, and a job of its own.
	record(e Event, upload string) (fresh bool, err error)

	// load finds an event and its file. fax.ErrNotFound: there is none.
	load(ctx context.Context, faxID string, status fax.Status) (e Event, upload string, err error)

	// archived commits what became of an event's document, and the jobs that
	// follow from that. fax.ErrUnavailable: there was none to archive, and one
	// has come meanwhile.
	archived(e Event) error

	// setAside commits a document that is kept aside, and the job that is about
	// it, and names the file that is kept for it: another one when the same bytes
	// are there already, none when all of them together would be more than most
	// bytes.
	setAside(a aside, most int64) (file string, err error)
	// replaceAside commits that a file with the same bytes stands for one that was
	// lost, unless that is not kept aside any more.
	replaceAside(lost, file string) (done bool, err error)
	aside(ctx context.Context, key asideArgs) (aside, error) // fax.ErrNotFound: there is none

	// take commits that a document which was kept aside is that of its event,
	// and the jobs that follow, unless the event has one.
	take(a aside) (taken bool, err error)
	settle(a aside) error // its file is not needed any more
	// restore commits that a document, kept aside or not, is archived again in the
	// place of the same bytes, which the archive has lost. fax.ErrUnavailable: those
	// are not what the event has now.
	restore(a aside) error

	learn(events ...Event) (fresh int, err error) // with no jobs
	known(ctx context.Context, faxID string, status fax.Status) (bool, error)
	hasUpload(ctx context.Context, name string) (bool, error)
	// forget deletes the events received before a time that no job needs and
	// whose document, if it came along, is archived.
	forget(ctx context.Context, before time.Time) (n int, err error)

	note(ctx context.Context, name string) (string, error)
	setNote(ctx context.Context, name, value string) error

	start(ctx context.Context) error
	stop(ctx context.Context) error
	stats(ctx context.Context) (Stats, error)
	jobs(ctx context.Context, ids ...int64) ([]Job, error)
	retry(ctx context.Context, id int64) error
	parked(ctx context.Context, id int64) (Job, error) // an error tells that it is not
	discard(ctx context.Context, id int64) (Job, error)
	close() error
}

// jobQueue is a queue on River, over any database River knows.
type jobQueue[TTx any] struct {
	db     database[TTx]
	client *river.Client[TTx]
	group  *group[TTx]
	r      *Receiver
}

// newQueue brings the database up to date and connects River to it. Without a
// receiver it can be looked at and its jobs be moved, but not worked.
func newQueue[TTx any](ctx context.Context, db database[TTx], r *Receiver) (*jobQueue[TTx], error) {
	silent := slog.New(slog.DiscardHandler)
	migrator, err := rivermigrate.New(db.driver(), &rivermigrate.Config{Logger: silent})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("migrate the job tables: %w", err)
	}
	if one, ok := any(db).(interface{ releaseAll(context.Context) error }); ok && r != nil {
		if err := one.releaseAll(ctx); err != nil {
			return nil, err
		}
	}
	q := &jobQueue[TTx]{db: db, r: r}
	cfg := &river.Config{Logger: silent}
	if r != nil {
		cfg = q.config(r)
	}
	if q.client, err = river.NewClient(db.driver(), cfg); err != nil {
		return nil, err
	}
	q.group = newGroup(db.inTx, q.insert)
	return q, nil
}

const (
	insertEvent = `INSERT INTO receiver_event (fax_id, status, event, upload) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`
	addUpload   = `UPDATE receiver_event SET upload = ? WHERE fax_id = ? AND status = ? AND upload = '' AND event ->> 'sha256' IS NULL`
	putBack     = `UPDATE receiver_event SET upload = ? WHERE fax_id = ? AND status = ? AND upload = '' AND event ->> 'sha256' = ?`
	selectEvent = `SELECT event, upload FROM receiver_event WHERE fax_id = ? AND status = ?`
	updateEvent = `UPDATE receiver_event SET event = ?, upload = '' WHERE fax_id = ? AND status = ? AND (upload = '' OR ? <> '')`
	deleteEvent = `DELETE FROM receiver_event WHERE fax_id = ? AND status = ?`
	oldEvents   = `SELECT fax_id, status, 0 FROM receiver_event WHERE event ->> 'received' < ? AND upload = ''
		AND fax_id NOT IN (SELECT args ->> 'fax_id' FROM river_job WHERE state <> 'completed' AND queue <> 'upkeep') LIMIT 256`
	upsertNote = `INSERT INTO receiver_note (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
)

func (q *jobQueue[TTx]) record(e Event, upload string) (fresh bool, err error) {
	err = q.group.do(func(ctx context.Context, tx TTx) (jobs []river.InsertManyParams, err error) {
		fresh, jobs, err = q.put(ctx, tx, e, upload)
		return jobs, err
	})
	return fresh, err
}

// put is record within a transaction.
func (q *jobQueue[TTx]) put(ctx context.Context, tx TTx, e Event, upload string) (fresh bool, jobs []river.InsertManyParams, err error) {
	event, err := json.Marshal(e)
	if err != nil {
		return false, nil, err
	}
	n, err := q.db.exec(ctx, tx, insertEvent, e.FaxID, string(e.Status), string(event), upload)
	switch {
	case err != nil:
		return false, nil, err
	case n == 1:
		return true, q.r.follow(e), nil
	case upload == "":
		return false, nil, nil
	}
	if n, err = q.db.exec(ctx, tx, addUpload, upload, e.FaxID, string(e.Status)); err != nil || n == 0 {
		return false, nil, err
	}
	return false, fetching(e, upload), nil
}

func (q *jobQueue[TTx]) insert(ctx context.Context, tx TTx, jobs []river.InsertManyParams) error {
	if len(jobs) == 0 {
		return nil
	}
	_, err := q.client.InsertManyFastTx(ctx, tx, jobs)
	return err
}

func (q *jobQueue[TTx]) archived(e Event) error {
	event, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return q.group.do(func(ctx context.Context, tx TTx) ([]river.InsertManyParams, error) {
		n, err := q.db.exec(ctx, tx, updateEvent, string(event), e.FaxID, string(e.Status), e.SHA256)
		if err == nil && n == 0 {
			err = fmt.Errorf("fax %s: %w: its document came just now", e.FaxID, problem.ErrUnavailable)
		}
		return q.r.deliver(e), err
	})
}

func (q *jobQueue[TTx]) load(ctx context.Context, faxID string, status fax.Status) (e Event, upload string, err error) {
	var event string
	err = q.db.reads().QueryRowContext(ctx, selectEvent, faxID, string(status)).Scan(&event, &upload)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("fax %s, %s: %w", faxID, status, problem.ErrNotFound)
	}
	if err == nil {
		err = json.Unmarshal([]byte(event), &e)
	}
	return e, upload, err
}

func (q *jobQueue[TTx]) known(ctx context.Context, faxID string, status fax.Status) (bool, error) {
	return q.exists(ctx, `SELECT 1 FROM receiver_event WHERE fax_id = ? AND status = ?`, faxID, string(status))
}

func (q *jobQueue[TTx]) hasUpload(ctx context.Context, name string) (bool, error) {
	return q.exists(ctx, `SELECT 1 FROM receiver_event WHERE upload = ? AND upload <> '' UNION ALL SELECT 1 FROM receiver_aside WHERE file = ?`, name, name)
}

func (q *jobQueue[TTx]) exists(ctx context.Context, query string, args ...any) (bool, error) {
	var one int
	err := q.db.reads().QueryRowContext(ctx, query, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (q *jobQueue[TTx]) forget(ctx context.Context, before time.Time) (n int, err error) {
	for {
		var old []eventKey // found by looking, so that callbacks do not wait for it
		err := q.count(ctx, func(id, status string, _ int) { old = append(old, eventKey{id, fax.Status(status)}) },
			oldEvents, before.UTC().Format(time.RFC3339))
		if err != nil || len(old) == 0 {
			return n, err
		}
		err = q.group.do(func(ctx context.Context, tx TTx) ([]river.InsertManyParams, error) {
			for _, key := range old {
				if _, err := q.db.exec(ctx, tx, deleteEvent, key.FaxID, string(key.Status)); err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
		if err != nil {
			return n, err
		}
		n += len(old)
	}
}

func (q *jobQueue[TTx]) note(ctx context.Context, name string) (string, error) {
	var value string
	err := q.db.reads().QueryRowContext(ctx, `SELECT value FROM receiver_note WHERE name = ?`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

func (q *jobQueue[TTx]) setNote(ctx context.Context, name, value string) error {
	return q.group.do(func(_ context.Context, tx TTx) ([]river.InsertManyParams, error) {
		_, err := q.db.exec(ctx, tx, upsertNote, name, value)
		return nil, err
	})
}

func (q *jobQueue[TTx]) start(ctx context.Context) error { return q.client.Start(ctx) }

// stop lets running jobs finish until ctx ends, then cuts them off; they are
// tried again at the next start, which is no failure.
func (q *jobQueue[TTx]) stop(ctx context.Context) error {
	err := q.client.Stop(ctx)
	if ctx.Err() == nil {
		return err
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), child.Mercy+2*time.Second)
	defer cancel()
	if err = q.client.StopAndCancel(hard); hard.Err() != nil {
		return nil // what does not end now ends with the process
	}
	return err
}

func (q *jobQueue[TTx]) close() error {
	q.group.close()
	return q.db.close()
}

// patience says when a failed job is tried again: after a second, then twice as
// long each time, an hour at most, spread a little so that many that failed
// together do not come back together.
type patience struct{ first time.Duration }

// NextRetry implements river.ClientRetryPolicy.
func (p patience) NextRetry(job *rivertype.JobRow) time.Time {
	wait := p.first << min(len(job.Errors), 12)
	wait = min(wait, time.Hour)
	return time.Now().Add(wait + rand.N(wait/4+1))
}
