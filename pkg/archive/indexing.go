package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
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
	if a.common {
		return a.indexNow(ctx, row)
	}
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

// indexNow has an index that is common know of a sidecar before it returns. Somebody else
// may have written that since, and the row of it before: what is there counts. That nothing
// is there is believed when it is said twice: some servers lose sight of what they replace.
func (a *Archive) indexNow(ctx context.Context, row index.Row) error {
	for {
		if err := a.index.Put(ctx, []index.Row{row}); err != nil {
			return fmt.Errorf("archive index: %w", err)
		}
		now, err := a.files.Stat(ctx, row.Key)
		if err == nil && now.Stamp == row.Stamp {
			return nil
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		e, stamp, err := a.readAnySidecar(ctx, row.Key)
		if errors.Is(err, fs.ErrNotExist) {
			return a.forget(ctx, row)
		} else if err != nil {
			return err
		}
		known, err := entryOf(row.Entry)
		if err == nil {
			row, err = rowOf(located{Entry: e}.knowing(known).Entry, row.Key, stamp)
		}
		if err != nil {
			return err
		}
	}
}

// forget has the index forget a row, unless it was written anew.
func (a *Archive) forget(ctx context.Context, row index.Row) error {
	if err := a.index.Remove(ctx, []index.Row{row}); err != nil {
		return fmt.Errorf("archive index: %w", err)
	}
	return nil
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
// only. Errors are also those of [Archive.believed].
func (a *Archive) findRow(ctx context.Context, id string) (e Entry, key string, found bool, err error) {
	row, found := a.pendingRow(id)
	if !found {
		if row, found, err = a.index.Get(ctx, id); err != nil || !found {
			return Entry{}, "", false, err
		}
	}
	e, err = a.entryIn(row)
	return e, strings.TrimSuffix(row.Key, sidecarExt), true, err
}

// pendingRow is a row on its way to the index.
func (a *Archive) pendingRow(id string) (row index.Row, found bool) {
	a.newRows.mu.Lock()
	defer a.newRows.mu.Unlock()
	row, found = a.newRows.pending[id]
	return row, found
}

// reconcile makes the index say what the sidecars say: those that have changed,
// or all of them anew. Rows stay whose sidecar cannot be read, and those whose
// sidecar is gone: both are returned, and [Archive.Verify] tells of them. What is held stays
// held until a sidecar says that it was let go. What the
// index learns is on the disk: whoever finds it there relies on that.
func (a *Archive) reconcile(ctx context.Context, anew bool) (reconciled, error) {
	r := reconciling{a: a, known: map[string]version{}, settled: map[string]bool{}, reconciled: reconciled{twins: twins{}}}
	for row, err := range a.index.Stamps(ctx) {
		if err != nil {
			return reconciled{}, err
		}
		if a.believed(row) != nil {
			r.astray = append(r.astray, row)
		} else {
			r.known[row.Key] = version{row.Fax.ID, row.Stamp}
		}
	}
	var news []string
	for f, err := range a.sidecars(ctx) {
		if err != nil {
			return reconciled{}, err
		}
		if r.known[f.Name].stamp == f.Stamp && !anew {
			delete(r.known, f.Name)
			continue
		}
		if news = append(news, f.Name); len(news) == batch {
			if err := r.read(ctx, news); err != nil {
				return reconciled{}, err
			}
			news = news[:0]
		}
	}
	if err := r.read(ctx, news); err != nil {
		return reconciled{}, err
	}
	return r.reconciled, r.missed(ctx)
}

// reconciled is what came of a reconcile.
type reconciled struct {
	learnt     int         // rows
	unreadable []Finding   // sidecars
	gone       []index.Row // whose sidecar is, or is another fax's
	unheld     []LostHold  // of which the sidecars do not tell
	twins      twins
}

// reconciling is a reconcile under way.
type reconciling struct {
	a       *Archive
	known   map[string]version // by sidecar: rows whose sidecar was not met yet
	astray  []index.Row        // that are not believed
	settled map[string]bool    // folders
	reconciled
}

// version is which sidecar a row was made from.
type version struct{ id, stamp string }

// read brings sidecars into the index.
func (r *reconciling) read(ctx context.Context, names []string) error {
	a := r.a
	type sidecar struct {
		name, stamp string
		entry       Entry
		err         error
	}
	var rows []index.Row
	for s := range seq.InOrder(ctx, a.readers, names, func(ctx context.Context, name string) (s sidecar) {
		s.name = name
		s.entry, s.stamp, s.err = a.readAnySidecar(ctx, name)
		return s
	}) {
		if errors.Is(s.err, fs.ErrNotExist) {
			continue // removed while we looked
		}
		delete(r.known, s.name)
		if errors.Is(s.err, ErrDamagedCopy) {
			r.unreadable = append(r.unreadable, unreadableSidecar(s.name, s.err))
			continue
		} else if s.err != nil {
			return s.err
		}
		if dir := path.Dir(s.name); a.writes && !r.settled[dir] {
			if err := a.files.settle(ctx, s.name); err != nil {
				return err
			}
			r.settled[dir] = true
		}
		row, err := rowOf(s.entry, s.name, s.stamp)
		if err != nil {
			return err
		}
		rows = append(rows, row)
		if a.reading != nil {
			a.reading(1)
		}
	}
	before := len(r.unheld)
	news, err := r.single(ctx, rows)
	if err != nil {
		return err
	}
	r.learnt += len(news) - (len(r.unheld) - before)
	return a.index.Put(ctx, news)
}

// missed finds the rows whose sidecar was not met, and those that are not of their fax.
func (r *reconciling) missed(ctx context.Context) error {
	missed := r.astray
	for name, v := range r.known {
		row := index.Row{Key: name, Stamp: v.stamp}
		row.Fax.ID = v.id
		missed = append(missed, row)
	}
	for _, row := range missed {
		now, found, err := r.a.index.Get(ctx, row.Fax.ID)
		if err != nil {
			return err
		}
		if found && now.Key == row.Key && now.Stamp == row.Stamp { // otherwise it is in another folder by now, or was written meanwhile
			r.gone = append(r.gone, now)
		}
	}
	return nil
}

// copyRows takes over what another index knows.
func (a *Archive) copyRows(ctx context.Context, from *index.Index) error {
	var rows []index.Row
	for r, err := range from.List(ctx, fax.Filter{}) {
		if err == nil && a.believed(r) != nil { // what is there of its fax is read anew
			continue
		}
		var e Entry
		if err == nil {
			e, err = entryOf(r.Entry)
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
func (a *Archive) readAnySidecar(ctx context.Context, name string) (e Entry, stamp string, err error) {
	if e, stamp, err = a.readSidecar(ctx, name); errors.Is(err, errLater) {
		err = nil
	}
	return e, stamp, err
}

// readSidecar reads a sidecar, and tells its stamp. Errors: fs.ErrNotExist,
// [ErrDamagedCopy] for one that cannot be read or not understood, also together with
// [errLater] and what is understood of it, and that of ctx.
func (a *Archive) readSidecar(ctx context.Context, name string) (e Entry, stamp string, err error) {
	data, file, err := readSmall(ctx, a.files, name)
	if err == nil {
		e, err = decode(name, data)
	}
	stamp, e.written = file.Stamp, file.Written
	switch {
	case err == nil:
		return e, stamp, nil
	case errors.Is(err, fs.ErrNotExist):
		return Entry{}, "", err
	case ctx.Err() != nil:
		return Entry{}, "", ctx.Err()
	case away(ctx, err):
		return Entry{}, "", err
	case errors.Is(err, errLater):
		return e, stamp, problem.With(fmt.Errorf("%w: its sidecar is not understood: %w", ErrDamagedCopy, err), newer())
	}
	// One file's trouble is no longer the disk's, which would end a whole run.
	return Entry{}, "", fmt.Errorf("%w: its sidecar cannot be read: %v", ErrDamagedCopy, err) //nolint:errorlint // see above
}

// located is an entry, where it is kept, and of which version of the sidecar it is.
type located struct {
	Entry
	key, stamp string // stamp is empty when there is no sidecar
	lost       bool   // the index alone knows that it is held: see [located.knowing]
}

// unchanged is the condition that the sidecar is still what was read, or not there.
func (l located) unchanged() store.Condition {
	if l.stamp == "" {
		return store.Absent()
	}
	return store.Unchanged(l.stamp)
}

// sidecarOrRow is the entry of a fax as its sidecar has it, which may know more than
// the row that the index has. Without a sidecar it is the row.
func (a *Archive) sidecarOrRow(ctx context.Context, row Entry, key string, found bool) (located, bool, error) {
	e, stamp, err := a.readSidecar(ctx, key+sidecarExt)
	if errors.Is(err, fs.ErrNotExist) {
		return located{Entry: row, key: key}, found, nil
	} else if err != nil {
		return located{}, false, fmt.Errorf("fax %s: %w", path.Base(key), err)
	}
	return located{Entry: e, key: key, stamp: stamp}.knowing(row), true, nil
}

// readKnown reads the sidecar of a fax, which is held as the index knows it to be if that
// leads there. The index is asked first: it never knows a sidecar before that is there.
// Errors as of [Archive.readSidecar].
func (a *Archive) readKnown(ctx context.Context, name string) (located, error) {
	key := strings.TrimSuffix(name, sidecarExt)
	row, listed, _, err := a.findRow(ctx, path.Base(key))
	if errors.Is(err, errAstray) || listed != key {
		row = Entry{}
	}
	if err != nil && !errors.Is(err, errAstray) {
		return located{}, err
	}
	e, stamp, err := a.readSidecar(ctx, name)
	return located{Entry: e, key: key, stamp: stamp}.knowing(row), err
}
