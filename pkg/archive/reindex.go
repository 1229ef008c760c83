package archive

import (
	"context"
	"maps"
	"slices"
)

// Rebuilt is what [Archive.Reindex] came to.
type Rebuilt struct {
	Entries    int // that the index lists
	Dropped    int // entries whose sidecar is gone
	Lost       []LostHold
	Unreadable []Finding // sidecars; what the index knew of them it still does
	Twins      []error   // faxes with several sidecars
}

// Reindex builds the index anew from the sidecars, and forgets the entries whose
// sidecar is gone, also of what is held: the hold is lost with it, as is one that a sidecar
// does not tell of.
func (a *Archive) Reindex(ctx context.Context) (Rebuilt, error) {
	if err := a.flushRows(ctx); err != nil {
		return Rebuilt{}, err
	}
	found, err := a.reconcile(ctx, true)
	if err == nil {
		err = a.index.Remove(ctx, found.gone)
	}
	if err == nil && a.common { // and what others kept meanwhile
		err = a.byListing(ctx)
	}
	if err != nil {
		return Rebuilt{}, err
	}
	done := Rebuilt{Dropped: len(found.gone), Unreadable: found.unreadable}
	for _, row := range found.gone {
		if row.Held {
			done.Lost = append(done.Lost, LostHold{Entry: lastKnown(row)})
		}
	}
	for _, e := range found.unheld {
		done.Lost = append(done.Lost, LostHold{Entry: e, Replaced: true})
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
