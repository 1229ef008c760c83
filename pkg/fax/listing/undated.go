package listing

import (
	"context"
	"slices"
	"sync"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Undated is a provider's faxes without those that have no creation date. Where a
// filter has one, nobody knows whether they are meant: they are left out, and
// counted. Make it with [CountUndated].
type Undated struct {
	fax.Faxes

	of  fax.Filter
	mu  sync.Mutex
	ids map[string]struct{} // pages may overlap
}

// CountUndated leaves out the faxes without a date and counts those that q would
// select by everything else.
func CountUndated(faxes fax.Faxes, q fax.Filter) *Undated {
	q.Undated = true
	return &Undated{Faxes: faxes, of: q, ids: map[string]struct{}{}}
}

// Page implements [Faxes].
func (u *Undated) Page(ctx context.Context, q fax.Filter, size int, cursor string) (fax.Page[fax.Fax], error) {
	q.Undated = true
	page, err := u.Faxes.Page(ctx, q, size, cursor)
	page.Items = slices.DeleteFunc(page.Items, func(f fax.Fax) bool {
		if !f.Created.IsZero() {
			return false
		}
		if u.of.Match(f) {
			u.mu.Lock()
			u.ids[f.ID] = struct{}{}
			u.mu.Unlock()
		}
		return true
	})
	return page, err
}

// Count is how many there were in the pages that were read.
func (u *Undated) Count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.ids)
}
