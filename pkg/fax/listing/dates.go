package listing

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Dates is a provider's faxes, and knows of each which dates the pages and records told that
// were read. A list passes over a date that it has not asked for, and over a record that comes
// again: who decides by age has to know of them. Make it with [NoteDates].
type Dates struct {
	fax.Faxes

	mu    sync.Mutex
	seed  maphash.Seed
	first map[uint64]int64    // by the hash of an id, in Unix seconds: lists are long
	wide  map[uint64][2]int64 // the oldest and the newest of those that were told several
}

// NoteDates notes the dates of the faxes that are read.
func NoteDates(faxes fax.Faxes) *Dates {
	return &Dates{Faxes: faxes, seed: maphash.MakeSeed(), first: map[uint64]int64{}, wide: map[uint64][2]int64{}}
}

// Page implements [Faxes].
func (d *Dates) Page(ctx context.Context, q fax.Filter, size int, cursor string) (fax.Page[fax.Fax], error) {
	page, err := d.Faxes.Page(ctx, q, size, cursor)
	d.note(page.Items...)
	return page, err
}

// Get implements [Faxes].
func (d *Dates) Get(ctx context.Context, id string) (fax.Fax, error) {
	f, err := d.Faxes.Get(ctx, id)
	if err == nil {
		d.note(f)
	}
	return f, err
}

func (d *Dates) note(faxes ...fax.Fax) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range faxes {
		if !f.Created.IsZero() {
			d.add(maphash.String(d.seed, f.ID), f.Created.Unix())
		}
	}
}

func (d *Dates) add(id uint64, at int64) {
	first, known := d.first[id]
	if !known {
		d.first[id] = at
	}
	if !known || at == first {
		return
	}
	span, several := d.wide[id]
	if !several {
		span = [2]int64{first, first}
	}
	d.wide[id] = [2]int64{min(span[0], at), max(span[1], at)}
}

// Of is the oldest and the newest date of a fax, in whole seconds; zero: none was told.
func (d *Dates) Of(id string) (oldest, newest time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	hash := maphash.String(d.seed, id)
	if span, several := d.wide[hash]; several {
		return time.Unix(span[0], 0).UTC(), time.Unix(span[1], 0).UTC()
	}
	if first, known := d.first[hash]; known {
		at := time.Unix(first, 0).UTC()
		return at, at
	}
	return time.Time{}, time.Time{}
}
