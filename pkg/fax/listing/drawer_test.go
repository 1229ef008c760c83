package listing_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// A drawer is the listing half of a provider: it selects by date, pages by
// position, and leaves the rest of the filter to Filter.Match.
type drawer struct {
	fax.Faxes
	faxes   []fax.Fax // in the order of paging
	sorted  bool      // newest first, all with a date
	most    int       // faxes a page
	latency time.Duration
	onPage  func(n int64) error

	pages  atomic.Int64
	flying atomic.Int64
	peak   atomic.Int64
}

func (d *drawer) Page(ctx context.Context, q fax.Filter, size int, cursor string) (fax.Page[fax.Fax], error) {
	n := d.pages.Add(1)
	defer d.flying.Add(-1)
	for now := d.flying.Add(1); ; {
		peak := d.peak.Load()
		if now <= peak || d.peak.CompareAndSwap(peak, now) {
			break
		}
	}
	if d.latency > 0 {
		select {
		// Each answer at a moment of its own: which of two comes first is no chance.
		case <-time.After(d.latency + time.Duration(q.Until.Unix()%1000)*time.Microsecond):
		case <-ctx.Done():
			return fax.Page[fax.Fax]{}, ctx.Err()
		}
	}
	if d.onPage != nil {
		if err := d.onPage(n); err != nil {
			return fax.Page[fax.Fax]{}, err
		}
	}
	if size = min(size, d.most); size == 0 {
		size = d.most
	}
	skip, _ := strconv.Atoi(cursor)
	var page fax.Page[fax.Fax]
	taken := 0
	server := fax.Filter{After: q.After, Until: q.Until, From: q.From, To: q.To, Undated: true}
	if d.sorted && !q.Until.IsZero() { // find the window at once: tests with many faxes
		skip = max(skip, sort.Search(len(d.faxes), func(i int) bool { return !d.faxes[i].Created.After(q.Until) }))
	}
	for i := skip; i < len(d.faxes); i++ {
		f := d.faxes[i]
		if !server.Match(f) {
			if d.sorted && !f.Created.After(q.After) {
				break
			}
			continue
		}
		if taken == size {
			page.Next = strconv.Itoa(i)
			break
		}
		taken++
		if q.Match(f) {
			page.Items = append(page.Items, f)
		}
	}
	return page, nil
}

// orders are ways a provider may page.
func orders() map[string]func([]fax.Fax) {
	byDate := func(a, b fax.Fax) int { return a.Created.Compare(b.Created) }
	return map[string]func([]fax.Fax){
		"newest first": func(f []fax.Fax) { slices.SortStableFunc(f, byDate); slices.Reverse(f) },
		"oldest first": func(f []fax.Fax) { slices.SortStableFunc(f, byDate) },
		"any": func(f []fax.Fax) {
			rng := rand.New(rand.NewPCG(1, uint64(len(f))))
			rng.Shuffle(len(f), func(i, j int) { f[i], f[j] = f[j], f[i] })
		},
		"by id": func(f []fax.Fax) {
			slices.SortFunc(f, func(a, b fax.Fax) int { return cmp.Compare(a.ID, b.ID) })
		},
	}
}

// want is what a listing must yield.
func want(faxes []fax.Fax, q fax.Filter) []string {
	var chosen []fax.Fax
	for _, f := range faxes {
		if q.Match(f) {
			chosen = append(chosen, f)
		}
	}
	slices.SortFunc(chosen, func(a, b fax.Fax) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return ids(chosen)
}

func ids(faxes []fax.Fax) []string {
	out := []string{}
	for _, f := range faxes {
		out = append(out, f.ID)
	}
	return out
}

func testNow() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// business is n faxes over the days before now, as an office sends them:
// working hours, working days.
func business(n, days int) []fax.Fax {
	rng := rand.New(rand.NewPCG(7, 7))
	faxes := make([]fax.Fax, 0, n)
	for len(faxes) < n {
		at := testNow().Add(-time.Duration(rng.Int64N(int64(days)*24*3600)) * time.Second)
		if h := at.Hour(); h < 7 || h > 18 || at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
			continue
		}
		faxes = append(faxes, fax.Fax{ID: fmt.Sprintf("FX%06d", len(faxes)), Created: at})
	}
	return faxes
}
