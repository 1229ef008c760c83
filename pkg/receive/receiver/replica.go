package receiver

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/faxctl/faxctl/pkg/base/child"
)

// Several processes may work on the jobs of a shared database. Each is a replica under an
// id, which River notes in the jobs that it takes, and says every few seconds that it
// lives. What runs at one that did not say so for long, by the database's clock, any other
// gives back; should it live after all, it notices and begins anew.
const (
	beatEvery = 5 * time.Second
	goneAfter = 20 * time.Second // also in the statements below
)

const (
	joinReplica  = `INSERT INTO receiver_replica (id, host) VALUES ($1, $2)`
	beatReplica  = `UPDATE receiver_replica SET seen = now() WHERE id = $1`
	drainReplica = `UPDATE receiver_replica SET seen = now(), draining = true WHERE id = $1`
	goneReplicas = `DELETE FROM receiver_replica WHERE seen < now() - interval '20 seconds' RETURNING id`
	leaveReplica = `DELETE FROM receiver_replica WHERE id = $1`

	// What waits longer than any job does was queued under a clock that was ahead.
	clockAhead = `UPDATE river_job SET scheduled_at = now() WHERE state IN ('retryable', 'scheduled') AND scheduled_at > now() + interval '90 minutes'`

	anyLost = `SELECT EXISTS (SELECT FROM receiver_replica WHERE seen < now() - interval '20 seconds')
		OR EXISTS (SELECT FROM river_job WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] NOT IN (SELECT id FROM receiver_replica))`
)

const allReplicas = `SELECT id, host, started, seen,
		CASE WHEN seen < now() - interval '20 seconds' THEN 'silent' WHEN draining THEN 'draining' ELSE 'working' END,
		id IN (SELECT leader_id FROM river_leader WHERE expires_at > now())
	FROM receiver_replica ORDER BY started, id`

// replicas are those that work on the jobs, the oldest first; of a file there are none.
func (q *queue) replicas(ctx context.Context) (all []Replica, err error) {
	if !q.db.shared() {
		return nil, nil
	}
	all = []Replica{}
	err = q.db.each(ctx, allReplicas, nil, func(scan func(...any) error) error {
		var r Replica
		err := scan(&r.ID, &r.Host, &r.Started, &r.Seen, &r.State, &r.Leader)
		r.Name = nameOf(r.ID)
		all = append(all, r)
		return err
	})
	return all, err
}

// thisReplica is what people call the replica that this process is: by the host and the
// process, as whoever looks for it does. It stays when the replica begins anew.
func thisReplica() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s-%d", host[:min(len(host), mostHost)], os.Getpid())
}

const mostHost = 60 // bytes; River takes an id of a hundred

// nameOf is the name in the id of a replica: [thisReplica], and what no other has had.
func nameOf(id string) string { return id[:max(strings.LastIndex(id, "-"), 0)] }

// office is in which jobs are put, and worked on once it has begun.
type office struct {
	id     string // of the replica; "" in a file, and before it begins
	client *river.Client[*sql.Tx]
}

// river is the client to put jobs and to look at them.
func (q *queue) river() *river.Client[*sql.Tx] { return q.office.Load().client }

// begin works on the jobs, in a shared database under an id that nobody has had.
func (q *queue) begin(ctx context.Context) error {
	id := ""
	if q.db.shared() {
		host, _ := os.Hostname() // which is for people
		id = thisReplica() + "-" + rand.Text()
		err := q.db.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
			if _, err := q.db.exec(ctx, tx, joinReplica, id, host); err != nil {
				return err
			}
			_, err := q.db.exec(ctx, tx, clockAhead)
			return err
		})
		if err != nil {
			return err
		}
		if err := q.open(id); err != nil {
			return err
		}
	}
	err := q.river().Start(ctx)
	q.works.Store(err == nil)
	if err == nil && id != "" {
		q.r.log.Info("the jobs are worked off", "replica", nameOf(id))
	}
	return q.db.explain(err)
}

// open makes a client of River.
func (q *queue) open(id string) error {
	cfg := &river.Config{Logger: silent(), Schema: q.db.schema}
	if q.r != nil {
		cfg = q.config(q.r)
		cfg.ID, cfg.Schema = id, q.db.schema
	}
	client, err := river.NewClient(q.db.driver, cfg)
	if err == nil {
		q.office.Store(&office{id, client})
	}
	return err
}

// beat says that this replica lives until ctx ends, and looks after the others.
func (q *queue) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	var last, steady time.Time // when it was said, and since when without a gap
	var mute time.Time         // since when it could not be; zero: it could
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		known, err := q.say(ctx, beatReplica)
		if err == nil && (!known || !q.works.Load()) { // or it could not begin anew the last time
			err = q.again(ctx)
		}
		if err != nil {
			if mute.IsZero() {
				mute = time.Now()
			}
			q.r.rarely("beat", func(times int) {
				q.r.log.Warn("this replica cannot say that it lives; what it works on may run elsewhere too", "error", err, "times", times)
			})
			continue
		}
		now := time.Now()
		if !mute.IsZero() {
			q.r.log.Info("this replica can say again that it lives", "after", now.Sub(mute).Round(time.Millisecond))
			mute = time.Time{}
			q.r.missed.Store(true)
		}
		q.makeGood(ctx)
		if now.Sub(last) > 2*beatEvery {
			steady = now
		}
		// Who was away himself, with the database or without, gives the others time.
		if last = now; now.Sub(steady) >= goneAfter {
			if err := q.relieve(ctx); err != nil {
				q.r.log.Warn("what ran at a replica that is gone is not given back yet", "error", err)
			}
		}
	}
}

// settling is how long after an outage the provider's list is read: all replicas have
// noticed its end by then, and want the same.
const settling = 10 * time.Second

// makeGood has the provider's list read soon, once for all replicas, if callbacks may have
// been missed. A backfill that runs already may have passed them by.
func (q *queue) makeGood(ctx context.Context) {
	if q.r.cfg.Backfill == 0 || !q.r.missed.CompareAndSwap(true, false) {
		return
	}
	how := upkeeping()
	how.ScheduledAt = time.Now().Add(settling)
	put, err := q.river().Insert(ctx, backfillArgs{}, how)
	if err != nil || put.UniqueSkippedAsDuplicate && put.Job.State == rivertype.JobStateRunning {
		q.r.missed.Store(true)
	}
}

// say tells something of this replica, and whether the others know it still.
func (q *queue) say(ctx context.Context, what string) (known bool, err error) {
	err = q.db.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := q.db.exec(ctx, tx, what, q.office.Load().id)
		known = n > 0
		return err
	})
	return known, err
}

// again begins anew after the others have taken this replica for gone. What it works on
// runs elsewhere by now, or will, and is ended here.
func (q *queue) again(ctx context.Context) error {
	q.moving.Lock()
	defer q.moving.Unlock()
	if q.ending {
		return nil
	}
	q.r.log.Warn("this replica was silent, and the others took it for gone; it begins anew", "after", goneAfter)
	q.works.Store(false)
	hard, cancel := context.WithTimeout(ctx, child.Mercy+2*time.Second)
	defer cancel()
	if err := q.river().StopAndCancel(hard); err != nil {
		return err
	}
	return q.begin(context.WithoutCancel(ctx))
}

// relieve gives back what runs at replicas that are gone.
func (q *queue) relieve(ctx context.Context) error {
	var lost bool
	if err := q.db.one(ctx, anyLost, nil, &lost); err != nil || !lost {
		return err
	}
	var gone []string
	err := q.db.inTx(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if gone, err = q.removeGone(ctx, tx); err != nil {
			return err
		}
		return q.giveBack(ctx, tx)
	})
	if err != nil {
		return err
	}
	q.r.log.Warn("a replica is gone; what it worked on goes on elsewhere", "replica", strings.Join(gone, ", "))
	return nil
}

// removeGone forgets the replicas that are gone, and names them: none, when they did not
// get so far as to be one.
func (q *queue) removeGone(ctx context.Context, tx *sql.Tx) (names []string, err error) {
	rows, err := tx.QueryContext(ctx, q.db.sql(goneReplicas))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		names = append(names, nameOf(id))
	}
	return names, rows.Err()
}

// leave gives back at once what runs here still, in the end.
func (q *queue) leave(ctx context.Context) error {
	return q.db.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := q.db.exec(ctx, tx, leaveReplica, q.office.Load().id); err != nil {
			return err
		}
		return q.giveBack(ctx, tx)
	})
}
