package archive

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Hold keeps a fax from being pruned until [Archive.Unhold], and returns the hold
// that was there (nil: none). It is written to the sidecar before Hold returns. A
// second hold replaces the reason. Where the bucket has object lock, document and sidecar are
// under a legal hold by then; a hold again sees to that, too. What is left of a fax that was being removed stays,
// too. Errors: [LeavingError], as it is too late; otherwise as of [Archive.Get]. A hold
// of a fax that is [Entry.Unsettled] keeps its copy, and whatever the provider has.
func (a *Archive) Hold(ctx context.Context, id, reason string) (was *Hold, err error) {
	err = a.change(ctx, id, func(e *Entry) error {
		if err := a.tooLate(*e); err != nil {
			return err
		}
		h := Hold{Reason: reason, Since: time.Now().UTC().Truncate(time.Millisecond)}
		if was = e.Hold; was != nil {
			h.Since = was.Since
		}
		e.hold(h)
		e.Removing = time.Time{}
		return nil
	})
	return was, err
}

// HoldOf is the hold of a fax, of which no more than the id has to be known; nil: nobody
// holds it, or there is no copy. [ErrDamagedCopy]: its sidecar cannot be read, which may tell
// of one.
func (a *Archive) HoldOf(ctx context.Context, f fax.Fax) (*Hold, error) {
	if err := fetch.CheckID(f.ID); err != nil {
		return nil, err
	}
	l, _, err := a.locate(ctx, f)
	return l.Hold, err
}

// MayHold finds a fax that [Archive.Hold] would hold now. Errors as of that.
func (a *Archive) MayHold(ctx context.Context, id string) (Entry, error) {
	e, err := a.Get(ctx, id)
	if err == nil {
		err = a.tooLate(e)
	}
	return e, err
}

// tooLate fails when a hold would come too late.
func (a *Archive) tooLate(e Entry) error {
	return cmp.Or(a.beingDeleted(e), a.beingRemoved(e), a.beingReleased(e))
}

// Unhold lets a fax be pruned again, and returns the hold that was there. Without
// one (nil) it changes nothing, but finishes what an earlier call has begun, and releases
// what is under a legal hold of the bucket without being held. Errors: [LeavingError], as
// somebody else is releasing it; otherwise as of [Archive.Get].
func (a *Archive) Unhold(ctx context.Context, id string) (was *Hold, err error) {
	if locks, err := a.locks(ctx); err != nil {
		return nil, err
	} else if locks {
		return a.release(ctx, id)
	}
	err = a.change(ctx, id, func(e *Entry) error {
		was = e.Hold
		e.letGo()
		return nil
	})
	return was, err
}

// A sidecar that does not tell of a hold proves nothing where an index knows of it: it may have
// been kept anew by a machine that knew of none, after the one that told of it was lost, or come
// from a backup; and what that machine holds and lets go then is another hold. That one was let
// go, a sidecar proves by when it began. No two of one fax begin at the same time.

// hold has the fax held, from when no other hold of it began if it was not before.
func (e *Entry) hold(h Hold) {
	for e.Hold == nil && e.tellsOf(h.Since) {
		h.Since = h.Since.Add(time.Millisecond)
	}
	e.holdAgain(h)
}

// holdAgain has the fax held as it is known to be.
func (e *Entry) holdAgain(h Hold) {
	e.note(h)
	e.Hold, e.Release = &h, nil
}

// letGo has the fax held no more, if it was.
func (e *Entry) letGo() {
	if e.Hold != nil {
		e.note(*e.Hold)
		e.Hold = nil
	}
}

// note has the sidecar tell of a hold from now on.
func (e *Entry) note(h Hold) {
	if !slices.ContainsFunc(e.Holds, h.Since.Equal) {
		e.Holds = append(slices.Clip(e.Holds), h.Since)
	}
}

// tellsOf reports whether the sidecar tells of the hold that began then.
func (e *Entry) tellsOf(since time.Time) bool {
	return e.Hold != nil && e.Hold.Since.Equal(since) || slices.ContainsFunc(e.Holds, since.Equal)
}

// unite has the fax held by another hold as well (nil: there is none).
func (e *Entry) unite(h *Hold) {
	if h == nil {
		return
	}
	e.note(*h)
	if e.Hold != nil {
		e.note(*e.Hold)
	}
	e.holdAgain(*bothHolds(e.Hold, h))
}

// knowing is what was read of a sidecar, held as the index knows it to be unless it tells what
// became of that.
func (l located) knowing(row Entry) located {
	if row.Hold == nil || l.tellsOf(row.Hold.Since) {
		return l
	}
	l.lost = true
	l.unite(row.Hold)
	return l
}

// change alters an entry, and writes it when that made a difference. It changes nothing
// when alter fails.
func (a *Archive) change(ctx context.Context, id string, alter func(*Entry) error) error {
	if err := a.writable(id); err != nil {
		return err
	}
	defer a.lockFax(id)()
	return whileChanged(func() error { return a.changeOnce(ctx, id, alter) })
}

func (a *Archive) changeOnce(ctx context.Context, id string, alter func(*Entry) error) error {
	before, err := a.getToChange(ctx, id)
	if err != nil {
		return err
	}
	e := before.Entry
	if err := alter(&e); err != nil {
		return err
	}
	was, err := before.encode()
	if err != nil {
		return err
	}
	is, err := e.encode()
	if err != nil {
		return err
	}
	protected, err := a.protected(ctx, before)
	if err != nil {
		return err
	}
	if bytes.Equal(was, is) && protected && !before.lost {
		row, _, _, err := a.findRow(ctx, id)
		if err != nil {
			return err
		}
		return a.correctRow(ctx, row, before)
	}
	return a.put(ctx, before, nil, e)
}
