package archive

import (
	"context"
	"iter"
	"strings"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Listed is a fax on its way to [Archive.SaveListed], with what the index knew of it a
// moment before.
type Listed struct {
	fax.Fax
	noted *noted // nil: nothing
	asked bool   // it could be asked
}

// noted is a row of the index.
type noted struct{ index.Row }

// LookUp yields faxes with what the index knows of them, which it is asked of a page of
// them at a time.
func (a *Archive) LookUp(ctx context.Context, faxes iter.Seq2[fax.Fax, error]) iter.Seq2[Listed, error] {
	const page = 250 // about one of the provider's
	return func(yield func(Listed, error) bool) {
		for some, err := range seq.Chunks(faxes, page) {
			if err != nil {
				yield(Listed{}, err)
				return
			}
			known, asked := a.known(ctx, some)
			for _, f := range some {
				if !yield(Listed{f, known[f.ID], asked}, nil) {
					return
				}
			}
		}
	}
}

// known is what the index knows of some faxes, by id, while it is our turn. Where it cannot
// be asked it is nothing: saving them tells why.
func (a *Archive) known(ctx context.Context, faxes []fax.Fax) (known map[string]*noted, asked bool) {
	if a.checkTurn() != nil {
		return nil, false
	}
	ids := make([]string, len(faxes))
	for i, f := range faxes {
		ids[i] = f.ID
	}
	rows, err := a.index.Among(ctx, ids)
	if err != nil {
		return nil, false
	}
	known = make(map[string]*noted, len(rows))
	for _, r := range rows {
		known[r.Fax.ID] = &noted{r}
	}
	return known, true
}

// SaveListed is [Archive.Save] of a fax that was looked up. When that says all there is to
// say, the index is not asked again; nor when it knew of none, and a folder is written to by
// nobody else. Of a bucket the sidecar is not asked for either then, which would be a third of
// all requests: if there is one after all, the condition on it says so, and what is there
// decides. Until then a document may have been put beside it that was not there. Where
// somebody else keeps the same faxes, that is met once, and from then on each is looked for
// before it is fetched.
func (a *Archive) SaveListed(ctx context.Context, faxes fax.Faxes, l Listed) (e Entry, existed bool, err error) {
	if l.noted != nil && a.writes {
		row, err := a.entryIn(l.noted.Row)
		if err != nil {
			return Entry{}, false, err
		}
		if upToDate, err := a.upToDate(ctx, strings.TrimSuffix(l.noted.Key, sidecarExt), row, l.Fax); err != nil {
			return Entry{}, false, err
		} else if upToDate {
			return row, true, nil
		}
	}
	alone := a.turn != nil && !a.shared || a.bucket != nil && !a.rivals.Load()
	return a.save(ctx, l.Fax, saving{faxes: faxes, absent: l.asked && l.noted == nil && alone})
}
