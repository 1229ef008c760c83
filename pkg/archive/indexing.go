package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

const (
	batch = 256                    // rows a transaction
	delay = 250 * time.Millisecond // a row waits for others
)

// rowBuffer collects rows so that many share a transaction. What is lost of
// it is found in the sidecars again.
type rowBuffer struct {
	mu      sync.Mutex
	pending map[string]index.Row
	timer   *time.Timer
	failed  error

	writing sync.Mutex // held during a transaction
}

// indexSoon has the index take in the row soon.
func (a *Archive) indexSoon(ctx context.Context, row index.Row) error {
	b := &a.newRows
	b.mu.Lock()
	if b.pending == nil {
		b.pending = map[string]index.Row{}
	}
	b.pending[row.Fax.ID] = row
	n := len(b.pending)
	if b.timer == nil {
		later := context.WithoutCancel(ctx)
		b.timer = time.AfterFunc(delay, func() {
			_ = a.flushRows(later) // a failure is kept for the next call
		})
	}
	failed := b.failed
	b.mu.Unlock()
	if failed != nil || n < batch {
		return failed
	}
	return a.flushRows(ctx)
}

// flushRows brings the rows remembered so far into the index.
func (a *Archive) flushRows(ctx context.Context) error {
	b := &a.newRows
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	rows := make([]index.Row, 0, len(b.pending))
	for _, r := range b.pending {
		rows = append(rows, r)
	}
	b.mu.Unlock()
	err := a.index.Put(ctx, rows)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.failed = fmt.Errorf("archive index: %w", err)
		return b.failed
	}
	for _, r := range rows {
		if b.pending[r.Fax.ID].Stamp == r.Stamp {
			delete(b.pending, r.Fax.ID)
		}
	}
	b.failed = nil
	return nil
}

// findRow looks an entry up. The record as the provider sent it is in the sidecar
// only.
func (a *Archive) findRow(ctx context.Context, id string) (e Entry, key string, found bool, err error) {
	a.newRows.mu.Lock()
	row, found := a.newRows.pending[id]
	a.newRows.mu.Unlock()
	if !found {
		if row, found, err = a.index.Get(ctx, id); err != nil || !found {
			return Entry{}, "", false, err
		}
	}
	err = json.Unmarshal(row.Entry, &e)
	return e, strings.TrimSuffix(row.Key, sidecarExt), true, err
}

// rowOf is what the index keeps of an entry.
func rowOf(e Entry, sidecar, stamp string) (index.Row, error) {
	e.Record = nil
	entry, err := json.Marshal(e)
	return index.Row{Fax: e.Fax, Key: sidecar, Stamp: stamp, Held: e.Hold != nil, Entry: entry}, err
}

// reconcile makes the index say what the sidecars say: those that have changed,
// or all of them anew. Rows stay whose sidecar cannot be read, and those whose
// sidecar is gone: both are returned, and [Archive.Verify] tells of them. What the
// index learns is on the disk: whoever finds it there relies on that.
func (a *Archive) reconcile(ctx context.Context, anew bool) (unreadable []Finding, gone []index.Row, err error) {
	known := map[string]index.Row{} // by sidecar
	for row, err := range a.index.Stamps(ctx) {
		if err != nil {
			return nil, nil, err
		}
		known[row.Key] = row
	}
	var rows []index.Row
	settled := map[string]bool{} // folders
	for o, err := range sidecars(a.store.Walk(ctx)) {
		if err != nil {
			return nil, nil, err
		}
		if known[o.Name].Stamp == o.Stamp && !anew {
			delete(known, o.Name)
			continue
		}
		e, err := a.readAnySidecar(ctx, o.Name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed while we looked
		}
		delete(known, o.Name)
		if errors.Is(err, ErrDamagedCopy) {
			unreadable = append(unreadable, unreadableSidecar(o.Name, err))
			continue
		} else if err != nil {
			return nil, nil, err
		}
		if dir := path.Dir(o.Name); a.turn != nil && !settled[dir] {
			if err := a.store.Settle(ctx, o.Name); err != nil {
				return nil, nil, err
			}
			settled[dir] = true
		}
		row, err := rowOf(e, o.Name, o.Stamp)
		if err != nil {
			return nil, nil, err
		}
		if rows = append(rows, row); len(rows) == batch {
			if err := a.index.Put(ctx, rows); err != nil {
				return nil, nil, err
			}
			rows = rows[:0]
		}
	}
	if err := a.index.Put(ctx, rows); err != nil {
		return nil, nil, err
	}
	for _, row := range known {
		now, found, err := a.index.Get(ctx, row.Fax.ID)
		if err != nil {
			return nil, nil, err
		}
		if found && now.Key == row.Key { // otherwise its sidecar is in another folder by now
			gone = append(gone, row)
		}
	}
	return unreadable, gone, nil
}

// copyRows takes over what another index knows.
func (a *Archive) copyRows(ctx context.Context, from *index.Index) error {
	var rows []index.Row
	for r, err := range from.List(ctx, fax.Filter{}) {
		var e Entry
		if err == nil {
			err = json.Unmarshal(r.Entry, &e)
		}
		if err != nil {
			return err
		}
		r.Fax = e.Fax
		if rows = append(rows, r); len(rows) == batch {
			if err := a.index.Put(ctx, rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	return a.index.Put(ctx, rows)
}

// readAnySidecar is readSidecar for those who only look: a sidecar of a later version is good enough.
func (a *Archive) readAnySidecar(ctx context.Context, name string) (Entry, error) {
	e, err := a.readSidecar(ctx, name)
	if errors.Is(err, errLater) {
		return e, nil
	}
	return e, err
}

// readSidecar reads a sidecar. Errors: fs.ErrNotExist, [ErrDamagedCopy] for one that
// cannot be read or not understood, also together with [errLater] and what is
// understood of it, and that of ctx.
func (a *Archive) readSidecar(ctx context.Context, name string) (Entry, error) {
	var e Entry
	data, err := a.store.Read(ctx, name)
	if err == nil {
		e, err = decode(name, data)
	}
	switch {
	case err == nil:
		return e, nil
	case errors.Is(err, fs.ErrNotExist):
		return Entry{}, err
	case ctx.Err() != nil:
		return Entry{}, ctx.Err()
	case errors.Is(err, errLater):
		return e, problem.With(fmt.Errorf("%w: its sidecar is not understood: %w", ErrDamagedCopy, err), newer())
	}
	// One file's trouble is no longer the disk's, which would end a whole run.
	return Entry{}, fmt.Errorf("%w: its sidecar cannot be read: %v", ErrDamagedCopy, err) //nolint:errorlint // see above
}

// sidecarOrRow is the entry of a fax as its sidecar has it, which may know more than
// the row that the index has, and where it is. Without a sidecar it is the row.
func (a *Archive) sidecarOrRow(ctx context.Context, row Entry, key string, found bool) (Entry, bool, error) {
	e, err := a.readSidecar(ctx, key+sidecarExt)
	if errors.Is(err, fs.ErrNotExist) {
		return row, found, nil
	} else if err != nil {
		return Entry{}, false, fmt.Errorf("fax %s: %w", path.Base(key), err)
	}
	return e, true, nil
}

// sidecars leaves the documents out.
func sidecars(all iter.Seq2[Object, error]) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for o, err := range all {
			if (err != nil || path.Ext(o.Name) == sidecarExt) && !yield(o, err) {
				return
			}
		}
	}
}

// Rebuilt is what [Archive.Reindex] came to.
type Rebuilt struct {
	Entries    int       // that the index lists
	Dropped    int       // entries whose sidecar is gone
	Unreadable []Finding // sidecars; what the index knew of them it still does
}

// Reindex builds the index anew from the sidecars, and forgets the entries whose
// sidecar is gone.
func (a *Archive) Reindex(ctx context.Context) (Rebuilt, error) {
	if err := a.flushRows(ctx); err != nil {
		return Rebuilt{}, err
	}
	unreadable, gone, err := a.reconcile(ctx, true)
	if err != nil {
		return Rebuilt{}, err
	}
	if err := a.index.Remove(ctx, gone); err != nil {
		return Rebuilt{}, err
	}
	done := Rebuilt{Dropped: len(gone), Unreadable: unreadable}
	for _, err := range a.index.Stamps(ctx) {
		if err != nil {
			return done, err
		}
		done.Entries++
	}
	return done, nil
}

// List yields the entries that q selects, newest first, then by id. The record
// as the provider sent it is left out; [Archive.Get] has it.
func (a *Archive) List(ctx context.Context, q fax.Filter) iter.Seq2[Entry, error] {
	return a.entries(ctx, func() iter.Seq2[index.Row, error] { return a.index.List(ctx, q) }, q)
}

// Held yields the entries that a person asked to keep.
func (a *Archive) Held(ctx context.Context) iter.Seq2[Entry, error] {
	return a.entries(ctx, func() iter.Seq2[index.Row, error] { return a.index.Held(ctx) }, fax.Filter{})
}

func (a *Archive) entries(ctx context.Context, rows func() iter.Seq2[index.Row, error], q fax.Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if a.turn != nil {
			if err := a.flushRows(ctx); err != nil {
				yield(Entry{}, err)
				return
			}
		}
		for row, err := range rows() {
			var e Entry
			if err == nil {
				err = json.Unmarshal(row.Entry, &e)
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if q.Match(e.Fax) && !yield(e, nil) {
				return
			}
		}
	}
}
