package retention

import (
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func testNow() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// aged is an inbound, received fax of that many days.
func aged(id string, days int, change ...func(*fax.Fax)) fax.Fax {
	pages := 2
	f := fax.Fax{ID: id, From: "+14155550100", To: "+14155550123", Direction: fax.Inbound, Status: fax.Received,
		Pages: &pages, Created: testNow().AddDate(0, 0, -days)}
	for _, c := range change {
		c(&f)
	}
	return f
}

func sequence(faxes ...fax.Fax) iter.Seq2[fax.Fax, error] {
	return func(yield func(fax.Fax, error) bool) {
		for _, f := range faxes {
			if !yield(f, nil) {
				return
			}
		}
	}
}

func undated(f *fax.Fax) { f.Created = time.Time{} }
func TestExpiring(t *testing.T) {
	const keeps = 180 * 24 * time.Hour
	faxes := sequence(aged("safe", 165), aged("edge", 166), aged("soon", 179), aged("undated", 0, undated))
	got := map[string]time.Time{}
	for e, err := range Expiring(faxes, keeps, 14*24*time.Hour, testNow()) {
		if err != nil {
			t.Fatal(err)
		}
		got[e.ID] = e.Expires
	}
	want := map[string]time.Time{"edge": testNow().AddDate(0, 0, 14), "soon": testNow().AddDate(0, 0, 1)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, err := range Expiring(faxes, 0, time.Hour, testNow()) {
		if !errors.Is(err, problem.ErrUnsupported) {
			t.Errorf("a provider that keeps faxes for ever: %v", err)
		}
	}
}
