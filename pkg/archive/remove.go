package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// ErrStripped is a fax of which nothing is left in the archive but its row in the index:
// its sidecar is gone, and so is its document.
var ErrStripped = errors.New("nothing of it is left but its line in the index")

// MayGo finds a kept fax that may be removed, and reads its document again: damage is why
// that is not what was kept, and is [ErrDamagedCopy]. Errors: [HeldError]; [ErrStripped],
// with what the index knows; [ErrDamagedCopy] for a sidecar that cannot be read or is
// gone, since a hold may be noted in it; otherwise as of [Archive.Get].
func (a *Archive) MayGo(ctx context.Context, id string) (e Entry, damage, err error) {
	e, key, err := a.notHeld(ctx, id)
	if err != nil || e.Document == nil || !e.Removing.IsZero() {
		return e, nil, err
	}
	if finding := a.checkDocument(ctx, id, documentName(key, e.Document), e.Document, io.Discard); finding != nil {
		damage = problem.With(finding.err(), problem.Say("look at it, or bring it back from a backup; %s removes such faxes too", problem.Field("allow-damaged")))
	}
	return e, damage, ctx.Err()
}

// notHeld finds a fax that nobody holds, by its sidecar, and its key. Errors as of
// [Archive.MayGo].
func (a *Archive) notHeld(ctx context.Context, id string) (Entry, string, error) {
	e, key, err := a.getToChange(ctx, id)
	if errors.Is(err, problem.ErrNotFound) {
		e, key, err = a.withoutSidecar(ctx, id, err)
	}
	if e.Hold != nil && (err == nil || errors.Is(err, ErrStripped)) {
		err = &HeldError{id, e.Hold.Reason}
	}
	return e, key, err
}

// withoutSidecar tells what it means that a fax has no sidecar: a loss of power may have
// brought the row of one back that was removed.
func (a *Archive) withoutSidecar(ctx context.Context, id string, missing error) (Entry, string, error) {
	row, key, found, err := a.findRow(ctx, id)
	if err != nil || !found {
		return Entry{}, "", errors.Join(missing, err)
	}
	for _, ext := range []string{".pdf", ".tiff"} {
		if a.there(ctx, key+ext) {
			return Entry{}, "", problem.With(fmt.Errorf("fax %s: %w: its sidecar is gone, and its document is not", id, ErrDamagedCopy),
				problem.Say("bring it back from a backup, since a hold may be noted in it; %s forgets it", problem.Command("archive", "reindex").Arg(a.dir)))
		}
	}
	return row, key, fmt.Errorf("fax %s: %w", id, ErrStripped)
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
	e, key, err := a.notHeld(ctx, id) // as of now
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // the rest takes a moment
	if e.Removing.IsZero() {
		e.Removing = time.Now().UTC().Truncate(time.Millisecond)
		if err := a.put(ctx, key, nil, e); err != nil {
			return err
		}
	}
	if err := a.turn.check(); err != nil {
		return err
	}
	if err := a.store.Strip(ctx, key); err != nil {
		return err
	}
	if err := a.forgetRow(ctx, id); err != nil { // before the sidecar: a row without one is missed
		return err
	}
	if err := a.store.Remove(ctx, key); err != nil {
		row, encode := rowOf(e, key+sidecarExt, "")
		return errors.Join(err, cmp.Or(encode, a.indexSoon(ctx, row))) // it can be found
	}
	return nil
}

// forgetStripped removes the row of a fax of which nothing else is left; that this is so
// is on the disk then.
func (a *Archive) forgetStripped(ctx context.Context, id string) error {
	_, key, found, err := a.findRow(ctx, id)
	if err == nil && found {
		err = a.store.Remove(ctx, key)
	}
	return cmp.Or(err, a.forgetRow(ctx, id))
}

// forgetRow removes the row of a fax from the index, and from what is on its way there.
func (a *Archive) forgetRow(ctx context.Context, id string) error {
	_, key, found, err := a.findRow(ctx, id)
	if err != nil || !found {
		return err
	}
	b := &a.newRows
	b.writing.Lock()
	defer b.writing.Unlock()
	b.mu.Lock()
	delete(b.pending, id)
	b.mu.Unlock()
	var row index.Row
	row.Fax.ID, row.Key = id, key+sidecarExt
	if err := a.index.Remove(ctx, []index.Row{row}); err != nil {
		return fmt.Errorf("archive index: %w", err)
	}
	return nil
}
