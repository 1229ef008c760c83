package receiver

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"github.com/riverqueue/river"
)

// committer carries out many small changes in one transaction. Whoever comes while
// a commit is under way goes into the next one, so a lone change waits for
// nobody and a burst shares the price of writing to disk.
type committer struct {
	inTx    func(context.Context, func(context.Context, *sql.Tx) error) error
	insert  func(context.Context, *sql.Tx, []river.InsertManyParams) error
	waiting chan ticket
	done    sync.WaitGroup

	mu     sync.RWMutex // held for reading while a ticket is handed in
	closed bool
}

// change is a part of a transaction. It returns the jobs that follow from it,
// and may be carried out twice when the first transaction failed.
type change func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error)

type ticket struct {
	change change
	result chan error
}

// mostChanges bounds a transaction, and with it how long one waits.
const mostChanges = 256

// errClosed is a change that came while the receiver ends.
var errClosed = errors.New("the receiver is closed")

// newCommitter makes one that has so many transactions under way at once.
func newCommitter(atOnce int, inTx func(context.Context, func(context.Context, *sql.Tx) error) error, insert func(context.Context, *sql.Tx, []river.InsertManyParams) error) *committer {
	c := &committer{inTx: inTx, insert: insert, waiting: make(chan ticket, mostChanges)}
	for range atOnce {
		c.done.Go(c.run)
	}
	return c
}

// do returns when the change is committed, or cannot be. It cannot be hurried:
// whoever asks has to know what happened.
func (c *committer) do(what change) error {
	t := ticket{change: what, result: make(chan error, 1)}
	c.mu.RLock()
	if c.closed {
		c.mu.RUnlock()
		return errClosed
	}
	c.waiting <- t
	c.mu.RUnlock()
	return <-t.result
}

// stop settles what was handed in, and takes no more.
func (c *committer) stop() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.waiting)
	}
	c.mu.Unlock()
	c.done.Wait()
}

func (c *committer) run() {
	for first := range c.waiting {
		batch := []ticket{first}
		for len(batch) < mostChanges && len(c.waiting) > 0 {
			batch = append(batch, <-c.waiting)
		}
		c.settle(batch)
	}
}

// settle commits a batch. When it fails, each change is tried alone, so that a
// bad one does not take the others with it; unless the database is away.
func (c *committer) settle(batch []ticket) {
	err := c.commit(batch)
	for i, t := range batch {
		result := err
		if err != nil && len(batch) > 1 && !errors.Is(err, errAway) {
			if result = c.commit(batch[i : i+1]); errors.Is(result, errAway) {
				err = result
			}
		}
		t.result <- result
	}
}

func (c *committer) commit(batch []ticket) error {
	// The context is of nobody: each waits for what all share.
	return c.inTx(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
		var jobs []river.InsertManyParams
		for _, t := range batch {
			more, err := t.change(ctx, tx)
			if err != nil {
				return err
			}
			jobs = append(jobs, more...)
		}
		return c.insert(ctx, tx, jobs)
	})
}
