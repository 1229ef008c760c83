package archive

import (
	"bytes"
	"context"
	"time"
)

// Hold keeps a fax from being pruned until [Archive.Unhold], and returns the hold
// that was there (nil: none). It is written to the sidecar before Hold returns. A
// second hold replaces the reason. What is left of a fax that was being removed stays,
// too. Errors as of [Archive.Get].
func (a *Archive) Hold(ctx context.Context, id, reason string) (was *Hold, err error) {
	err = a.change(ctx, id, func(e *Entry) {
		since := time.Now().UTC().Truncate(time.Second)
		if was = e.Hold; was != nil {
			since = was.Since
		}
		e.Hold, e.Removing = &Hold{Reason: reason, Since: since}, time.Time{}
	})
	return was, err
}

// Unhold lets a fax be pruned again, and returns the hold that was there. Without
// one (nil) it changes nothing.
func (a *Archive) Unhold(ctx context.Context, id string) (was *Hold, err error) {
	err = a.change(ctx, id, func(e *Entry) { was, e.Hold = e.Hold, nil })
	return was, err
}

// change alters an entry, and writes it when that made a difference.
func (a *Archive) change(ctx context.Context, id string, alter func(*Entry)) error {
	if err := a.writable(id); err != nil {
		return err
	}
	defer a.lockFax(id)()
	before, key, err := a.getToChange(ctx, id)
	if err != nil {
		return err
	}
	e := before
	alter(&e)
	was, err := before.encode()
	if err != nil {
		return err
	}
	is, err := e.encode()
	if err != nil {
		return err
	}
	if bytes.Equal(was, is) {
		row, _, _, err := a.findRow(ctx, id)
		if err != nil {
			return err
		}
		return a.correctRow(ctx, key, row, before)
	}
	return a.put(ctx, key, nil, e)
}
