package receiver

import (
	"context"
	"errors"
	"sync"
)

// pending is an event on its way into the database, with the file its document
// waits in, if it brought one.
type pending struct {
	Event
	upload string

	fresh bool // set by the commit: it was not known before
}

// group commits many callbacks with one transaction. Whoever comes while a
// commit is under way goes into the next one, so a lone callback waits for
// nobody and a burst shares the price of writing to disk.
type group struct {
	commit  func(context.Context, []*pending) error
	waiting chan ticket
	done    sync.WaitGroup

	mu     sync.RWMutex // held for reading while a ticket is handed in
	closed bool
}

type ticket struct {
	item   *pending
	result chan error
}

// groupMost bounds a transaction, and with it how long one waits.
const groupMost = 256

// errClosed is a callback that came while the receiver ends.
var errClosed = errors.New("the receiver is closed")

func newGroup(commit func(context.Context, []*pending) error) *group {
	g := &group{commit: commit, waiting: make(chan ticket, groupMost)}
	g.done.Go(g.run)
	return g
}

// add returns when the item is committed, or cannot be. It cannot be hurried:
// whoever asks has to know what happened.
func (g *group) add(item *pending) error {
	t := ticket{item: item, result: make(chan error, 1)}
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
func (g *group) close() {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.waiting)
	}
	g.mu.Unlock()
	g.done.Wait()
}

func (g *group) run() {
	for first := range g.waiting {
		batch := []ticket{first}
		for len(batch) < groupMost && len(g.waiting) > 0 {
			if t, ok := <-g.waiting; ok {
				batch = append(batch, t)
			}
		}
		g.settle(batch)
	}
}

// settle commits a batch. When it fails, each item is tried alone, so that one
// bad item does not take the others with it.
func (g *group) settle(batch []ticket) {
	ctx := context.Background() // of nobody: each waits for what all share
	items := make([]*pending, len(batch))
	for i, t := range batch {
		items[i] = t.item
	}
	err := g.commit(ctx, items)
	for i, t := range batch {
		if err == nil || len(batch) == 1 {
			t.result <- err
			continue
		}
		t.result <- g.commit(ctx, items[i:i+1])
	}
}
