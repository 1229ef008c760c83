package listing_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
)

// shelf is the faxes of a provider whose own selection knows no dates, in pages.
type shelf struct {
	fax.Faxes
	all []fax.Fax
}

func (s shelf) Page(_ context.Context, q fax.Filter, size int, cursor string) (fax.Page[fax.Fax], error) {
	start := 0
	_, _ = fmt.Sscan(cursor, &start)
	var page fax.Page[fax.Fax]
	end := min(start+size, len(s.all))
	for _, f := range s.all[start:end] {
		if q.Match(f) {
			page.Items = append(page.Items, f)
		}
	}
	if end < len(s.all) {
		page.Next = fmt.Sprint(end)
	}
	return page, nil
}

// However a list is read, in one page or in windows, the faxes without a date are
// left out of one with dates, and are counted once.
func TestCountUndated(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var s shelf
	undated := 0
	for i := range 300 {
		f := fax.Fax{ID: fmt.Sprintf("FX%03d", i), Direction: fax.Inbound, Status: fax.Received, Created: now.Add(-time.Duration(i) * time.Hour)}
		if i%10 == 3 {
			f.Created = time.Time{}
			if i%20 == 3 {
				f.Direction = fax.Outbound
			} else {
				undated++
			}
		}
		s.all = append(s.all, f)
	}
	q := fax.Filter{After: now.Add(-200 * time.Hour), Until: now, Direction: fax.Inbound}
	for _, size := range []int{1000, 20} {
		counted := listing.CountUndated(s, q)
		got, err := fax.Collect(listing.List(t.Context(), counted, q, listing.Options{Now: now, PageSize: size, Retention: 300 * time.Hour}))
		if err != nil {
			t.Fatal(err)
		}
		if counted.Count() != undated || len(got) != 180 {
			t.Errorf("pages of %d: %d faxes and %d without a date, want 180 and %d", size, len(got), counted.Count(), undated)
		}
		q.Undated = true // and who asks for them gets them, once
		got, err = fax.Collect(listing.List(t.Context(), s, q, listing.Options{Now: now, PageSize: size, Retention: 300 * time.Hour}))
		if err != nil || len(got) != 180+undated {
			t.Errorf("pages of %d: %d faxes with those without a date, %v; want %d", size, len(got), err, 180+undated)
		}
		q.Undated = false
	}
	counted := listing.CountUndated(s, q)
	first, more, err := listing.First(t.Context(), counted, q, 5)
	if err != nil || !more || len(first) != 5 || first[4].Created.IsZero() {
		t.Errorf("the first are %v, %v, %v", first, more, err)
	}
}
