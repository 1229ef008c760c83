package archive

import (
	"context"
	"maps"
	"slices"

	"github.com/faxctl/faxctl/pkg/archive/index"
)

// Rebuilt is what [Archive.Reindex] came to.
type Rebuilt struct {
	Entries    int        // that the index lists, without those of the Lost whose sidecar is gone
	Dropped    int        // entries whose sidecar is gone, with those of the Lost
	Lost       []LostHold // still in force: see [Archive.Forget]
	Unreadable []Finding  // sidecars; what the index knew of them it still does
	Twins      []error    // faxes with several sidecars
}

// Reindex builds the index anew from the sidecars, and forgets the entries whose
// sidecar is gone, unless they are held.
func (a *Archive) Reindex(ctx context.Context) (Rebuilt, error) {
	if err := a.flushRows(ctx); err != nil {
		return Rebuilt{}, err
	}
	found, err := a.reconcile(ctx, true)
	if err != nil {
		return Rebuilt{}, err
	}
	done := Rebuilt{Dropped: len(found.gone), Lost: found.unheld, Unreadable: found.unreadable}
	for _, row := range found.gone {
		if row.Held {
			done.Lost = append(done.Lost, lostWith(row))
			done.Entries--
		}
	}
	if err := a.index.Remove(ctx, slices.DeleteFunc(found.gone, held)); err != nil {
		return Rebuilt{}, err
	}
	for _, id := range slices.Sorted(maps.Keys(found.twins)) {
		done.Twins = append(done.Twins, a.errTwins(id, found.twins[id][0], found.twins[id][1]))
	}
	for _, err := range a.index.Stamps(ctx) {
		if err != nil {
			return done, err
		}
		done.Entries++
	}
	return done, nil
}

// Forget has the index forget holds that were lost, of which somebody was told: it believes
// the sidecars then, and where there are none, forgets the faxes.
func (a *Archive) Forget(ctx context.Context, lost []LostHold) error {
	var gone, news []index.Row
	for _, l := range lost {
		if !l.Replaced {
			gone = append(gone, l.row)
			continue
		}
		e, stamp, err := a.readAnySidecar(ctx, l.row.Key)
		if err != nil {
			return err
		}
		row, err := rowOf(e, l.row.Key, stamp)
		if err != nil {
			return err
		}
		news = append(news, row)
	}
	err := a.index.Remove(ctx, gone)
	if err == nil {
		err = a.index.Put(ctx, news)
	}
	if err == nil && a.common { // and what others kept meanwhile
		err = a.byListing(ctx)
	}
	return err
}
