package receiver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Desk is a look at a receiver's state from outside, while it runs or not: what
// is parked, and what to do about it.
type Desk struct {
	queue *queue
	dir   string // of the documents that wait; of a database, in the archive
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
		return nil, fmt.Errorf("a receiver's state in %s: %w", stateDir, problem.ErrNotFound)
	}
	db, err := openFile(ctx, path)
	if err != nil {
		return nil, err
	}
	return openDesk(ctx, db, uploadDir(stateDir))
}

// OpenSharedDesk opens the state of an account's receivers in a database, which stays the
// caller's. fax.ErrNotFound: none has ever run with it.
func OpenSharedDesk(ctx context.Context, db *sql.DB, account string) (*Desk, error) {
	s := newShared(db, account)
	there, err := s.made(ctx)
	if err == nil && !there {
		err = fmt.Errorf("a receiver's state of account %s in the database: %w", account, problem.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	desk, err := openDesk(ctx, s, "")
	if err != nil {
		return nil, err
	}
	id, err := desk.queue.note(ctx, identity)
	if err != nil {
		return nil, errors.Join(err, desk.Close())
	}
	desk.dir = roomOf(id)
	return desk, nil
}

func openDesk(ctx context.Context, db *state, incoming string) (*Desk, error) {
	q, err := newQueue(ctx, db, nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Desk{q, incoming}, nil
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
		j.File = filepath.Join(d.dir, j.File)
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
	if d.queue.db.shared() { // the archive is elsewhere; the receivers remove what nothing mentions
		return j, nil
	}
	if err := os.Remove(j.File); err != nil && !errors.Is(err, os.ErrNotExist) { // then the next start removes it
		return j, fmt.Errorf("job %d is discarded, its document is not deleted: %w", id, err)
	}
	return j, nil
}

// Close closes the state.
func (d *Desk) Close() error { return d.queue.Close() }
