package archive

import (
	"bytes"
	"cmp"
	"context"
	"time"

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
		since := time.Now().UTC().Truncate(time.Second)
		if was = e.Hold; was != nil {
			since = was.Since
		}
		e.hold(Hold{Reason: reason, Since: since})
		e.Removing = time.Time{}
		return nil
	})
	return was, err
}

// HoldOf is the hold of a fax, of which no more than the id has to be known; nil: nobody
// holds it, or there is no copy. [ErrDamagedCopy]: its sidecar cannot be read, which may tell
// of one.
func (a *Archive) HoldOf(ctx context.Context, f fax.Fax) (*Hold, error) {
	if err := checkID(f.ID); err != nil {
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
		if was = e.Hold; was != nil {
			e.letGo()
			e.Release.Done = e.Release.Begun
		}
		return nil
	})
	return was, err
}

// A sidecar without a hold proves nothing where an index knows of one: it may have been kept
// anew by a machine that knew of none, after the one that told of it was lost, or come from a
// backup. That a hold was let go, its release says, which is never older than the hold, and
// never as young as the next one, whatever the clocks of those who hold and let go say.

// hold has the fax held.
func (e *Entry) hold(h Hold) {
	if r := e.Release; r != nil && !h.Since.After(r.Begun) {
		h.Since = r.Begun.Truncate(time.Second).Add(time.Second)
	}
	e.Hold, e.Release = &h, nil
}

// letGo has the fax held no more, if it was; the release has begun.
func (e *Entry) letGo() {
	begun := time.Now().UTC().Truncate(time.Millisecond)
	if e.Hold != nil && begun.Before(e.Hold.Since) {
		begun = e.Hold.Since
	}
	e.Hold, e.Release = nil, &Release{Begun: begun}
}

// knowing is what was read of a sidecar, held as the index knows it to be unless it was let go.
func (l located) knowing(row Entry) located {
	if l.Hold != nil || row.Hold == nil || l.Release != nil && !l.Release.Begun.Before(row.Hold.Since) {
		return l
	}
	l.Hold, l.Release, l.lost = row.Hold, nil, true
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
