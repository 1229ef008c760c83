package archive

import (
	"context"
	"iter"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/fax"
)

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
		if a.writes {
			if err := a.flushRows(ctx); err != nil {
				yield(Entry{}, err)
				return
			}
		}
		for row, err := range rows() {
			var e Entry
			if err == nil {
				e, err = a.entryIn(row)
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
