package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// ErrStripped is a fax of which nothing is left in the archive but its row in the index:
// its sidecar is gone, and so is its document.
var ErrStripped = errors.New("nothing of it is left but its line in the index")

// MayGo finds a kept fax that may be removed, and reads its document again: damage is why
// that is not what was kept, and is [ErrDamagedCopy]. Errors: [HeldError]; [LeavingError],
// as the copy is the last one when the fax is deleted at the provider; [ErrKept]; [ErrStripped],
// with what the index knows; [ErrDamagedCopy] for a sidecar that cannot be read or is
// gone, since a hold may be noted in it; otherwise as of [Archive.Get].
func (a *Archive) MayGo(ctx context.Context, id string) (e Entry, damage, err error) {
	l, err := a.notHeld(ctx, id)
	e = l.Entry
	if err != nil || e.Document == nil || !e.Removing.IsZero() {
		return e, nil, err
	}
	damage = a.damage(ctx, id, documentName(l.key, e.Document), e.Document)
	if damage != nil && !errors.Is(damage, ErrDamagedCopy) {
		return e, nil, damage
	}
	if damage != nil {
		damage = problem.With(damage, problem.Say("look at it, or bring it back from a backup; %s removes such faxes too", problem.Field("allow-damaged")))
	}
	return e, damage, ctx.Err()
}

// notHeld finds a fax that nobody holds, by its sidecar, nor is being rid of. Errors as of [Archive.MayGo].
func (a *Archive) notHeld(ctx context.Context, id string) (located, error) {
	l, err := a.getToChange(ctx, id)
	if errors.Is(err, problem.ErrNotFound) {
		l, err = a.withoutSidecar(ctx, id, err)
	}
	if l.Hold != nil && (err == nil || errors.Is(err, ErrStripped)) {
		err = &HeldError{id, l.Hold.Reason}
	}
	if err == nil {
		err = a.alone(ctx, l.Fax, l, l.key)
	}
	if err == nil {
		err = a.tooLate(l.Entry)
	}
	if err == nil {
		err = a.mayBeRemoved(ctx, l)
	}
	return l, err
}

// withoutSidecar tells what it means that a fax has no sidecar: a loss of power may have
// brought the row of one back that was removed.
func (a *Archive) withoutSidecar(ctx context.Context, id string, missing error) (located, error) {
	row, key, found, err := a.findRow(ctx, id)
	if err != nil || !found {
		return located{}, errors.Join(missing, err)
	}
	for _, ext := range []string{".pdf", ".tiff"} {
		if a.there(ctx, key+ext) {
			return located{}, problem.With(fmt.Errorf("fax %s: %w: its sidecar is gone, and its document is not", id, ErrDamagedCopy),
				problem.Say("bring it back from a backup, since a hold may be noted in it; %s forgets it", problem.Command("archive", "reindex").Arg(a.dir)))
		}
	}
	return located{Entry: row, key: key}, fmt.Errorf("fax %s: %w", id, ErrStripped)
}

// Remove removes a fax from the archive for good, with all that is there because of it:
// its document, its row in the index, its sidecar, folders that this leaves empty. What
// may go, [Archive.MayGo] says. before is called when all is ready, told of damage, and
// keeps the fax with an error; a hold counts that was set until it returned. When
// [ErrStripped] keeps a fax from being removed, its row is.
//
// It may be cut off at any moment. The sidecar says first that the fax is being removed,
// and goes last: until then [Archive.Verify] finds what is left, and a second call
// removes it. Calls for several faxes may run side by side, but nothing is saved
// meanwhile.
func (a *Archive) Remove(ctx context.Context, id string, before func(e Entry, damage error) error) error {
	if err := a.writable(id); err != nil {
		return err
	}
	defer a.lockFax(id)()
	e, damage, err := a.MayGo(ctx, id)
	if errors.Is(err, ErrStripped) {
		return cmp.Or(a.forgetStripped(ctx, id), err)
	}
	if err == nil {
		err = before(e, damage)
	}
	err = cmp.Or(err, ctx.Err())
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // the rest takes a moment
	var l located
	err = whileChanged(func() error { l, err = a.markRemoving(ctx, id); return err })
	if a.shared { // later somebody else may have kept it again, or hold it
		var end context.CancelFunc
		ctx, end = context.WithDeadline(ctx, l.Removing.Add(removingFor))
		defer end()
	}
	if err == nil {
		err = a.checkTurn()
	}
	if err == nil {
		if err = a.files.strip(ctx, l.key); err != nil {
			err = a.stays(context.WithoutCancel(ctx), l, err)
		}
	}
	if err == nil {
		err = a.forgetRow(ctx, id) // before the sidecar: a row without one is missed
	}
	if err != nil {
		return err
	}
	if err := a.files.Remove(ctx, l.key+sidecarExt); err != nil {
		row, encode := rowOf(l.Entry, l.key+sidecarExt, "")
		return errors.Join(err, cmp.Or(encode, a.indexSoon(ctx, row))) // it can be found
	}
	return nil
}

// markRemoving has the sidecar of a fax that nobody holds by now say that it is being
// removed.
func (a *Archive) markRemoving(ctx context.Context, id string) (located, error) {
	l, err := a.notHeld(ctx, id)
	if err != nil || !l.Removing.IsZero() && !a.shared {
		return l, err
	}
	e := l.Entry
	e.Removing = time.Now().UTC().Truncate(time.Millisecond)
	return located{Entry: e, key: l.key}, a.put(ctx, l, nil, e)
}

// forgetStripped removes the row of a fax of which nothing else is left; that this is so
// is on the disk then. Where others write, one of them may have kept it again.
func (a *Archive) forgetStripped(ctx context.Context, id string) error {
	_, key, found, err := a.findRow(ctx, id)
	if err == nil && found && !a.shared {
		err = a.files.Remove(ctx, key+sidecarExt)
	}
	return cmp.Or(err, a.forgetRow(ctx, id))
}

// forgetRow removes the row of a fax from the index, and from what is on its way there.
func (a *Archive) forgetRow(ctx context.Context, id string) error {
	b := &a.newRows
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	delete(b.pending, id)
	b.mu.Unlock()
	row, found, err := a.index.Get(ctx, id)
	if err == nil && found {
		err = a.believed(row)
	}
	if err != nil || !found {
		return err
	}
	return a.forget(ctx, row)
}
