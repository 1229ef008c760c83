package receiver

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/faxctl/faxctl/pkg/base/child"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// queue is the durable side of a receiver: the events, and the jobs that follow
// from them, on River.
type queue struct {
	db      *state
	office  atomic.Pointer[office]
	commits *committer
	r       *Receiver
	turns   *turns
	works   atomic.Bool // the jobs are worked off

	faxes      tally[map[fax.Status]int]
	unfinished tally[backlog]

	// Of a shared database:
	silence func()     // ends what says that this replica lives
	moving  sync.Mutex // held while the replica begins anew
	ending  bool       // it does not, any more
}

// newQueue connects River to a state. Without a receiver it can be looked at and its
// jobs be moved, but not worked. What ran in the process that had a file before is given
// back.
func newQueue(ctx context.Context, db *state, r *Receiver) (*queue, error) {
	q := &queue{db: db, r: r}
	if r != nil {
		q.turns = newTurns(r.cfg.Jobs)
	}
	if err := q.open(""); err != nil {
		return nil, err
	}
	if r != nil && !db.shared() {
		if err := db.inTx(ctx, q.giveBack); err != nil {
			return nil, err
		}
	}
	q.commits = newCommitter(db.atOnce, db.inTx, q.insert)
	return q, nil
}

// silent is for what River says of its tables, and of jobs that are only looked at.
func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

const (
	insertEvent = `INSERT INTO receiver_event (fax_id, status, event, upload) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	addUpload   = `UPDATE receiver_event SET upload = $1 WHERE fax_id = $2 AND status = $3 AND upload = '' AND event ->> 'sha256' IS NULL`
	putBack     = `UPDATE receiver_event SET upload = $1 WHERE fax_id = $2 AND status = $3 AND upload = '' AND event ->> 'sha256' = $4`
	selectEvent = `SELECT event, upload FROM receiver_event WHERE fax_id = $1 AND status = $2`
	updateEvent = `UPDATE receiver_event SET event = $1, upload = '' WHERE fax_id = $2 AND status = $3 AND (upload = '' OR $4 <> '')`
	deleteEvent = `DELETE FROM receiver_event WHERE fax_id = $1 AND status = $2`
	oldEvents   = `SELECT fax_id, status, 0 FROM receiver_event WHERE event ->> 'received' < $1 AND upload = ''
		AND fax_id NOT IN (SELECT args ->> 'fax_id' FROM river_job WHERE state <> 'completed' AND queue <> 'upkeep') LIMIT 256`
	upsertNote = `INSERT INTO receiver_note (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`
)

// record commits an event and the jobs that follow from it, and tells
// whether it was not known before. The name is that of the file its
// document waits in, if it brought one; an event that was known without a
// document, because a backfill was faster, gets it, and a job of its own.
func (q *queue) record(e delivery.Event, upload string) (fresh bool, err error) {
	err = q.commits.do(func(ctx context.Context, tx *sql.Tx) (jobs []river.InsertManyParams, err error) {
		fresh, jobs, err = q.put(ctx, tx, e, upload)
		return jobs, err
	})
	return fresh, err
}

// put is record within a transaction.
func (q *queue) put(ctx context.Context, tx *sql.Tx, e delivery.Event, upload string) (fresh bool, jobs []river.InsertManyParams, err error) {
	event, err := json.Marshal(e)
	if err != nil {
		return false, nil, err
	}
	n, err := q.db.exec(ctx, tx, insertEvent, e.FaxID, string(e.Status), string(event), upload)
	switch {
	case err != nil:
		return false, nil, err
	case n == 1:
		jobs, err = q.r.follow(ctx, tx, e)
		return true, jobs, err
	case upload == "":
		return false, nil, nil
	}
	if n, err = q.db.exec(ctx, tx, addUpload, upload, e.FaxID, string(e.Status)); err != nil || n == 0 {
		return false, nil, err
	}
	return false, fetching(e, upload), nil
}

func (q *queue) insert(ctx context.Context, tx *sql.Tx, jobs []river.InsertManyParams) error {
	if len(jobs) == 0 {
		return nil
	}
	_, err := q.river().InsertManyFastTx(ctx, tx, jobs)
	return err
}

// archived commits what became of an event's document, and the jobs that
// follow from that. fax.ErrUnavailable: there was none to archive, and one
// has come meanwhile.
func (q *queue) archived(n delivery.News) error {
	event, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return q.commits.do(func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		changed, err := q.db.exec(ctx, tx, updateEvent, string(event), n.FaxID, string(n.Status), n.SHA256)
		if err == nil && changed == 0 {
			err = fmt.Errorf("fax %s: %w: its document came just now", n.FaxID, problem.ErrUnavailable)
		}
		if err != nil {
			return nil, err
		}
		return q.r.deliver(ctx, tx, n)
	})
}

// load finds an event and its file. fax.ErrNotFound: there is none.
func (q *queue) load(ctx context.Context, faxID string, status fax.Status) (n delivery.News, upload string, err error) {
	var event string
	err = q.db.one(ctx, selectEvent, []any{faxID, string(status)}, &event, &upload)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("fax %s, %s: %w", faxID, status, problem.ErrNotFound)
	}
	if err == nil {
		err = json.Unmarshal([]byte(event), &n)
	}
	return n, upload, err
}

// known reports whether an event is.
func (q *queue) known(ctx context.Context, faxID string, status fax.Status) (bool, error) {
	return q.exists(ctx, `SELECT 1 FROM receiver_event WHERE fax_id = $1 AND status = $2`, faxID, string(status))
}

// hasUpload reports whether anything needs the document in this file.
func (q *queue) hasUpload(ctx context.Context, name string) (bool, error) {
	return q.exists(ctx, `SELECT 1 FROM receiver_event WHERE upload = $1 AND upload <> '' UNION ALL SELECT 1 FROM receiver_aside WHERE file = $1`, name)
}

func (q *queue) exists(ctx context.Context, query string, args ...any) (bool, error) {
	var one int
	err := q.db.one(ctx, query, args, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// forget deletes the events received before a time that no job needs and
// whose document, if it came along, is archived.
func (q *queue) forget(ctx context.Context, before time.Time) (n int, err error) {
	for {
		var old []eventKey // found by looking, so that callbacks do not wait for it
		err := q.count(ctx, func(id, status string, _ int) { old = append(old, eventKey{id, fax.Status(status)}) },
			oldEvents, before.UTC().Format(time.RFC3339))
		if err != nil || len(old) == 0 {
			return n, err
		}
		err = q.commits.do(func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
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

// note is what was noted under a name; empty: nothing.
func (q *queue) note(ctx context.Context, name string) (string, error) {
	var value string
	err := q.db.one(ctx, `SELECT value FROM receiver_note WHERE name = $1`, []any{name}, &value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

func (q *queue) setNote(ctx context.Context, name, value string) error {
	return q.commits.do(func(_ context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		_, err := q.db.exec(ctx, tx, upsertNote, name, value)
		return nil, err
	})
}

func (q *queue) start(ctx context.Context) error {
	if err := q.noteSlots(ctx); err != nil {
		return err
	}
	if err := q.begin(ctx); err != nil || !q.db.shared() {
		return err
	}
	alive, silence := context.WithCancel(ctx)
	var beating sync.WaitGroup
	beating.Go(func() { q.beat(alive) })
	q.silence = func() {
		silence()
		beating.Wait()
	}
	return nil
}

// errEnding is a receiver whose jobs are not worked off: not yet, or not any more.
var errEnding = errors.New("the jobs are not worked off")

// working fails when nothing works off the jobs.
func (q *queue) working() error {
	if !q.works.Load() {
		return errEnding
	}
	return nil
}

// stop lets running jobs finish until ctx ends, then cuts them off; they are
// tried again at the next start, or by another replica, which is no failure.
func (q *queue) stop(ctx context.Context) error {
	q.works.Store(false)
	if !q.db.shared() {
		return q.finish(ctx)
	}
	q.moving.Lock()
	q.ending = true
	q.moving.Unlock()
	after := context.WithoutCancel(ctx)
	if _, err := q.say(after, drainReplica); err != nil {
		q.r.log.Warn("the other replicas are not told that this one ends", "error", err)
	}
	err := q.finish(ctx)
	q.silence()
	if bad := q.leave(after); bad != nil {
		q.r.log.Warn("what runs here still is given back when the other replicas miss this one", "after", goneAfter, "error", bad)
	}
	return err
}

func (q *queue) finish(ctx context.Context) error {
	q.turns.end()
	err := q.river().Stop(ctx)
	if ctx.Err() == nil {
		return err
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), child.Mercy+2*time.Second)
	defer cancel()
	if err = q.river().StopAndCancel(hard); hard.Err() != nil {
		return nil // what does not end now ends with the process
	}
	return err
}

// Close settles what is under way and closes the database.
func (q *queue) Close() error {
	q.commits.stop()
	return q.db.Close()
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
