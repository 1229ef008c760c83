package archive

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/faxctl/faxctl/pkg/archive/index"
)

// openIndex opens the index for writing and makes good what an unfinished run
// left.
func (a *Archive) openIndex(ctx context.Context) error {
	name := filepath.Join(a.dir, indexFile)
	x, err := index.Open(ctx, name, true)
	whole := false
	if err == nil {
		var state index.State
		state, err = x.State(ctx)
		if whole = err == nil && state == index.Whole && !a.turn.unfinished; err == nil && !whole {
			err = x.Intact(ctx)
		}
		if err != nil {
			err = errors.Join(err, x.Close())
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, index.ErrDamaged):
		if x, err = index.Create(ctx, name); err != nil {
			return err
		}
		whole = false
	case err != nil:
		return err
	}
	a.index = x
	if !whole {
		err = a.recover(ctx)
	}
	if err == nil {
		_, err = x.SetState(ctx, index.Growing(a.turn.name))
	}
	if err != nil {
		return errors.Join(err, x.Close())
	}
	return nil
}

// recover puts in order what an unfinished run left.
func (a *Archive) recover(ctx context.Context) error {
	if err := a.files.clear(ctx); err != nil {
		return err
	}
	_, err := a.reconcile(ctx, false)
	return err
}
