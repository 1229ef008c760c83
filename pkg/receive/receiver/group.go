package receiver

import (
	"context"
	"errors"
	"sync"

	"github.com/riverqueue/river"
)

// group carries out many small changes in one transaction. Whoever comes while
// a commit is under way goes into the next one, so a lone change waits for
// nobody and a burst shares the price of writing to disk.
type group[TTx any] struct {
	inTx    func(context.Context, func(TTx) error) error
	insert  func(context.Context, TTx, []river.InsertManyParams) error
	waiting chan ticket[TTx]
	done    sync.WaitGroup

	mu     sync.RWMutex // held for reading while a ticket is handed in
	closed bool
}

// change is a part of a transaction. It returns the jobs that follow from it,
// and may be carried out twice when the first transaction failed.
type change[TTx any] func(ctx context.Context, tx TTx) ([]river.InsertManyParams, error)

type ticket[TTx any] struct {
	change change[TTx]
	result chan error
}

// groupMost bounds a transaction, and with it how long one waits.
const groupMost = 256

// errClosed is a change that came while the receiver ends.
var errClosed = errors.New("the receiver is closed")

func newGroup[TTx any](inTx func(context.Context, func(TTx) error) error, insert func(context.Context, TTx, []river.InsertManyParams) error) *group[TTx] {
	g := &group[TTx]{inTx: inTx, insert: insert, waiting: make(chan ticket[TTx], groupMost)}
	g.done.Go(g.run)
	return g
}

// do returns when the change is committed, or cannot be. It cannot be hurried:
// whoever asks has to know what happened.
func (g *group[TTx]) do(c change[TTx]) error {
	t := ticket[TTx]{change: c, result: make(chan error, 1)}
	g.mu.RLock()
	if g.closed {
		g.mu.RUnlock()
		return errClosed
	}
	g.waiting <- t
	g.mu.RUnlock()
	return <-t.result
}

// close settles what was handed in, and takes no more.
func (g *group[TTx]) close() {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.waiting)
	}
	g.mu.Unlock()
	g.done.Wait()
}

func (g *group[TTx]) run() {
	for first := range g.waiting {
		batch := []ticket[TTx]{first}
		for len(batch) < groupMost && len(g.waiting) > 0 {
			batch = append(batch, <-g.waiting)
		}
		g.settle(batch)
	}
}

// settle commits a batch. When it fails, each change is tried alone, so that a
// bad one does not take the others with it.
func (g *group[TTx]) settle(batch []ticket[TTx]) {
	err := g.commit(batch)
	for i, t := range batch {
		if err == nil || len(batch) == 1 {
			t.result <- err
			continue
		}
		t.result <- g.commit(batch[i : i+1])
	}
}

func (g *group[TTx]) commit(batch []ticket[TTx]) error {
	ctx := context.Background() // of nobody: each waits for what all share
	return g.inTx(ctx, func(tx TTx) error {
		var jobs []river.InsertManyParams
		for _, t := range batch {
			more, err := t.change(ctx, tx)
			if err != nil {
				return err
			}
			jobs = append(jobs, more...)
		}
		return g.insert(ctx, tx, jobs)
	})
}
