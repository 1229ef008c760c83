package listing_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
)

// pages is what a provider shows whatever it is asked for, in pages of two.
type pages struct {
	fax.Faxes
	all []fax.Fax
}

func (p pages) Page(_ context.Context, _ fax.Filter, _ int, cursor string) (fax.Page[fax.Fax], error) {
	start := 0
	_, _ = fmt.Sscan(cursor, &start)
	end := min(start+2, len(p.all))
	page := fax.Page[fax.Fax]{Items: append([]fax.Fax(nil), p.all[start:end]...)}
	if end < len(p.all) {
		page.Next = fmt.Sprint(end)
	}
	return page, nil
}

func (p pages) Get(_ context.Context, id string) (fax.Fax, error) {
	return fax.Fax{ID: id, Created: testNow()}, nil
}

// A list passes over a date that it did not ask for, and over a record that comes again,
// on the same page or on another one: they are noted all the same.
func TestNoteDates(t *testing.T) {
	old, young := testNow().AddDate(-6, 0, 0), testNow().AddDate(0, 0, -1)
	one := func(id string, at time.Time) fax.Fax { return fax.Fax{ID: id, Created: at} }
	for name, shown := range map[string][]fax.Fax{
		"the young one first":            {one("twice", young), one("twice", old), one("once", old)},
		"the old one first":              {one("twice", old), one("twice", young), one("once", old)},
		"the young one on another page":  {one("twice", old), one("once", old), one("twice", young)},
		"the old one on another page":    {one("twice", young), one("once", old), one("twice", old)},
		"one between, and one undated":   {one("twice", old), one("twice", old.AddDate(1, 0, 0)), one("once", old), one("once", time.Time{}), one("twice", young)},
		"both in all pages, and further": {one("twice", young), one("twice", old), one("once", old), one("twice", young), one("twice", old)},
	} {
		d := listing.NoteDates(pages{all: shown})
		got, err := fax.Collect(listing.List(t.Context(), d, fax.Filter{Until: testNow().AddDate(-5, 0, 0)}, listing.Options{Now: testNow()}))
		for _, f := range got {
			if err == nil && f.Created.After(testNow().AddDate(-5, 0, 0)) {
				t.Errorf("%s: %v is listed", name, f)
			}
		}
		if oldest, newest := d.Of("twice"); err != nil || !oldest.Equal(old) || !newest.Equal(young) {
			t.Errorf("%s: %s to %s, %v", name, oldest, newest, err)
		}
		if oldest, newest := d.Of("once"); !oldest.Equal(old) || !newest.Equal(old) {
			t.Errorf("%s: of one date it is told %s to %s", name, oldest, newest)
		}
		if oldest, newest := d.Of("never"); !oldest.IsZero() || !newest.IsZero() {
			t.Errorf("%s: of none it is told %s to %s", name, oldest, newest)
		}
		if _, err := d.Get(t.Context(), "once"); err != nil {
			t.Fatal(err)
		}
		if oldest, newest := d.Of("once"); !oldest.Equal(old) || !newest.Equal(testNow()) {
			t.Errorf("%s: its record tells another: %s to %s", name, oldest, newest)
		}
	}
}
