package listing_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
)

func TestListYieldsExactlyWhatMatches(t *testing.T) {
	now := testNow()
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 24 * time.Hour}).Draw(t, "unit")
		fraction := rapid.SampledFrom([]time.Duration{0, 0, 1, 999_999_999, 700 * time.Millisecond})
		var faxes []fax.Fax
		undated := 0
		for range rapid.IntRange(0, 6).Draw(t, "clusters") {
			center := now.Add(-time.Duration(rapid.IntRange(-2, 4000).Draw(t, "center")) * unit)
			for range rapid.IntRange(0, 40).Draw(t, "members") {
				f := fax.Fax{
					ID:      fmt.Sprintf("FX%04d", len(faxes)),
					Created: center.Add(-time.Duration(rapid.IntRange(0, 30).Draw(t, "offset")) * time.Second).Add(fraction.Draw(t, "fraction")),
					Status:  rapid.SampledFrom([]fax.Status{fax.Received, fax.Failed}).Draw(t, "status"),
				}
				if rapid.IntRange(0, 50).Draw(t, "odd") == 0 {
					f.Created = rapid.SampledFrom([]time.Time{{}, time.Unix(0, 0), now.AddDate(700, 0, 0), time.Date(1, 1, 1, 0, 0, 9, 0, time.UTC)}).Draw(t, "odd date")
				}
				if f.Created.IsZero() {
					undated++
				}
				faxes = append(faxes, f)
			}
		}
		var q fax.Filter
		if rapid.Bool().Draw(t, "since") {
			q.After = now.Add(-time.Duration(rapid.IntRange(0, 4000).Draw(t, "after")) * unit).Add(fraction.Draw(t, "after fraction"))
		}
		if rapid.Bool().Draw(t, "to") {
			q.Until = now.Add(-time.Duration(rapid.IntRange(-10, 4000).Draw(t, "until")) * unit).Add(fraction.Draw(t, "until fraction"))
		}
		if rapid.Bool().Draw(t, "failed") {
			q.Statuses = []fax.Status{fax.Failed}
		}
		name := rapid.SampledFrom([]string{"newest first", "oldest first", "any", "by id"}).Draw(t, "order")
		orders()[name](faxes)
		d := &drawer{faxes: faxes, most: rapid.IntRange(1, 60).Draw(t, "most")}
		opt := listing.Options{
			Jobs: rapid.IntRange(1, 9).Draw(t, "jobs"), Now: now.AddDate(0, 0, 3),
			Retention: time.Duration(rapid.SampledFrom([]int{0, 1, 180}).Draw(t, "retention")) * 24 * time.Hour,
		}
		got, err := fax.Collect(listing.List(context.Background(), d, q, opt))
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want(faxes, q), ids(got)); diff != "" {
			t.Fatal(diff)
		}
		// Sequential paging would need this many; a cut may halve a window
		// once for each doubling of its length. Faxes without a date come with
		// every window.
		pages := int64(len(faxes)/d.most + 1)
		if most := (60 + 60*pages) * int64(1+undated/d.most); d.pages.Load() > most {
			t.Fatalf("%d requests for %d pages", d.pages.Load(), pages)
		}
		if d.peak.Load() > int64(opt.Jobs) {
			t.Fatalf("%d requests at once, %d jobs", d.peak.Load(), opt.Jobs)
		}
	})
}

func TestListWastesFewRequests(t *testing.T) {
	for _, tc := range []struct {
		faxes     int
		retention time.Duration
		most      map[string]int64
	}{
		{faxes: 999, most: map[string]int64{"newest first": 1, "oldest first": 1, "any": 1}},
		{faxes: 100_000, retention: 180 * 24 * time.Hour, most: map[string]int64{"newest first": 130}},
		{faxes: 1_000_000, retention: 180 * 24 * time.Hour, most: map[string]int64{"newest first": 1250}},
		{faxes: 100_000, most: map[string]int64{"newest first": 210}},
		{faxes: 2000, most: map[string]int64{"newest first": 30}},
		{faxes: 20_000, most: map[string]int64{"newest first": 80}},
		{faxes: 20_000, retention: 180 * 24 * time.Hour, most: map[string]int64{"oldest first": 60, "any": 60}},
		{faxes: 20_000, most: map[string]int64{"oldest first": 60, "any": 60}},
	} {
		for name, most := range tc.most {
			t.Run(fmt.Sprintf("%d %s %s", tc.faxes, name, tc.retention), func(t *testing.T) {
				faxes := business(tc.faxes, 179)
				orders()[name](faxes)
				synctest.Test(t, func(t *testing.T) {
					d := &drawer{faxes: faxes, sorted: name == "newest first", most: 1000, latency: 40 * time.Millisecond}
					start, n := time.Now(), 0
					for _, err := range listing.List(t.Context(), d, fax.Filter{}, listing.Options{Now: testNow(), Retention: tc.retention}) {
						if err != nil {
							t.Fatal(err)
						}
						n++
					}
					took := time.Since(start)
					if n != tc.faxes {
						t.Errorf("%d faxes, want %d", n, tc.faxes)
					}
					t.Logf("%d requests, %s", d.pages.Load(), took)
					if d.pages.Load() > most {
						t.Errorf("%d requests, want at most %d", d.pages.Load(), most)
					}
					// How fast a list is, BenchmarkSpeedListAll tells.
					if oneByOne := time.Duration(tc.faxes/1000+1) * d.latency; tc.faxes >= 100_000 && took > oneByOne/3 {
						t.Errorf("took %s, one page after another takes %s", took, oneByOne)
					}
				})
			})
		}
	}
}

// Where answers come one by one rather than all at once, as from a provider that
// works on two at a time, little is known when windows are begun. Still hardly a
// fax is read twice, whatever the hour and the day the listing begins at.
func TestListReadsFewFaxesTwice(t *testing.T) {
	const n = 50_000
	faxes := business(n, 80)
	orders()["newest first"](faxes)
	for hours := range 8 {
		now := testNow().Add(time.Duration(hours) * 19 * time.Hour)
		synctest.Test(t, func(t *testing.T) {
			d := &busy{drawer: &drawer{faxes: faxes, sorted: true, most: 500, latency: 40 * time.Millisecond}, hands: make(chan struct{}, 2)}
			start := time.Now()
			got, err := fax.Collect(listing.List(t.Context(), d, fax.Filter{}, listing.Options{Now: now, Retention: 180 * 24 * time.Hour}))
			t.Logf("%s: %d requests, %d faxes read, %s", now.Format("Mon 15:04"), d.pages.Load(), d.read.Load(), time.Since(start))
			if err != nil || len(got) != n {
				t.Errorf("%d faxes: %v", len(got), err)
			}
			if d.read.Load() > n*115/100 || d.pages.Load() > 2*n/500 {
				t.Errorf("%d requests, %d faxes read", d.pages.Load(), d.read.Load())
			}
		})
	}
}

// Thousands of faxes of one second, from a sender gone wild, tell nothing of the
// time before them.
func TestListBurst(t *testing.T) {
	for _, ago := range []time.Duration{time.Minute, 30 * 24 * time.Hour} {
		faxes := business(5000, 80)
		for i := range 4000 {
			faxes = append(faxes, fax.Fax{ID: fmt.Sprintf("FXB%05d", i), Created: testNow().Add(-ago)})
		}
		orders()["newest first"](faxes)
		synctest.Test(t, func(t *testing.T) {
			d := &drawer{faxes: faxes, sorted: true, most: 1000, latency: 40 * time.Millisecond}
			start := time.Now()
			got, err := fax.Collect(listing.List(t.Context(), d, fax.Filter{}, listing.Options{Now: testNow()}))
			t.Logf("%s ago: %d requests, %s", ago, d.pages.Load(), time.Since(start))
			if err != nil || len(got) != len(faxes) {
				t.Errorf("%d faxes: %v", len(got), err)
			}
			if d.pages.Load() > 130 {
				t.Errorf("%d requests for 9 pages", d.pages.Load())
			}
		})
	}
}

// What only we can select by costs the requests of the whole list, and no more: its pages
// tell where to split.
func TestListByPatternCostsAsTheWholeList(t *testing.T) {
	faxes := business(3000, 30)
	for i := range faxes {
		if faxes[i].From = "+16285550100"; i%1000 == 0 {
			faxes[i].From = "+14155550100"
		}
	}
	only, err := fax.ParsePattern("from=+1415*")
	if err != nil {
		t.Fatal(err)
	}
	requests := func(q fax.Filter) int64 {
		d := &drawer{faxes: faxes, most: 100}
		got, err := fax.Collect(listing.List(t.Context(), d, q, listing.Options{Now: testNow(), Jobs: 1}))
		if err != nil || len(got) != len(want(faxes, q)) {
			t.Errorf("%+v: %d faxes, %v", q, len(got), err)
		}
		return d.pages.Load()
	}
	all := requests(fax.Filter{})
	if n := requests(fax.Filter{Ends: []fax.Pattern{only}}); n != all {
		t.Errorf("%d requests, and %d for all", n, all)
	}
}

// A page may hold next to nothing of what was asked for, here as most of it has no
// date. That must not make windows of seconds of years.
func TestListPagesWithLittleInThem(t *testing.T) {
	var faxes []fax.Fax
	for i := range 40 {
		f := fax.Fax{ID: fmt.Sprintf("FX%04d", i)}
		if i%10 == 0 {
			f.Created = testNow().AddDate(-7, 0, 0).Add(time.Duration(i) * time.Second)
		}
		faxes = append(faxes, f)
	}
	orders()["oldest first"](faxes)
	d := &drawer{faxes: faxes, most: 1, onPage: func(n int64) error {
		if n > 10_000 {
			return errors.New("there is no end to it")
		}
		return nil
	}}
	q := fax.Filter{After: testNow().AddDate(-8, 0, 0), Until: testNow()}
	got, err := fax.Collect(listing.List(t.Context(), d, q, listing.Options{Now: testNow()}))
	if err != nil || len(got) != 4 {
		t.Errorf("%d faxes: %v", len(got), err)
	}
}

// busy needs a hand for every answer, for 10 µs a fax.
type busy struct {
	*drawer
	hands chan struct{}
	read  atomic.Int64
}

func (d *busy) Page(ctx context.Context, q fax.Filter, size int, cursor string) (fax.Page[fax.Fax], error) {
	page, err := d.drawer.Page(ctx, q, size, cursor)
	d.hands <- struct{}{}
	time.Sleep(time.Duration(len(page.Items)) * 10 * time.Microsecond)
	<-d.hands
	d.read.Add(int64(len(page.Items)))
	return page, err
}

func TestListStopsCleanly(t *testing.T) {
	broken := errors.New("broken")
	faxes := business(5000, 30)
	for _, tc := range []struct {
		name   string
		onPage func(cancel func()) func(int64) error
		brk    int // break after so many; 0: never
		want   error
	}{
		{name: "early break", brk: 1},
		{name: "late break", brk: 2500},
		{name: "the first page fails", want: broken, onPage: func(func()) func(int64) error {
			return func(int64) error { return broken }
		}},
		{name: "a later page fails", want: broken, onPage: func(func()) func(int64) error {
			return func(n int64) error {
				if n == 20 {
					return broken
				}
				return nil
			}
		}},
		{name: "canceled", want: context.Canceled, onPage: func(cancel func()) func(int64) error {
			return func(n int64) error {
				if n == 20 {
					cancel()
				}
				return nil
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			d := &drawer{faxes: faxes, most: 100}
			if tc.onPage != nil {
				d.onPage = tc.onPage(cancel)
			}
			n, ends := 0, 0
			var last error
			for _, err := range listing.List(ctx, d, fax.Filter{}, listing.Options{Now: testNow()}) {
				if last = err; err != nil {
					ends++
					continue
				}
				if n++; n == tc.brk {
					break
				}
			}
			if !errors.Is(last, tc.want) {
				t.Errorf("ended with %v, want %v", last, tc.want)
			}
			if tc.want != nil && ends != 1 {
				t.Errorf("%d errors yielded", ends)
			}
			if d.flying.Load() != 0 {
				t.Errorf("%d requests still running", d.flying.Load())
			}
		})
	}
}

// TestListHoldsFewPages lets the reader fall asleep: the listing must not run
// ahead of it.
func TestListHoldsFewPages(t *testing.T) {
	const jobs = 4
	synctest.Test(t, func(t *testing.T) {
		faxes := business(50_000, 100)
		orders()["newest first"](faxes)
		d := &drawer{faxes: faxes, most: 500, latency: time.Millisecond}
		for _, err := range listing.List(t.Context(), d, fax.Filter{}, listing.Options{Jobs: jobs, Now: testNow()}) {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			// One window may have been cut meanwhile for each page it holds.
			if n := d.pages.Load(); n > 8*jobs {
				t.Errorf("%d requests before the second fax was read", n)
			}
			break
		}
	})
}

// A fax that arrives while the list is read is left out, and the one that it
// pushes to the next page is not listed twice.
func TestListLeavesOutArrivals(t *testing.T) {
	for _, n := range []int{45, 100} {
		now := time.Now().Add(-10 * time.Minute)
		var faxes []fax.Fax
		for i := range n {
			faxes = append(faxes, fax.Fax{ID: fmt.Sprintf("FX%03d", i), Created: now.Add(-time.Duration(i) * time.Hour)})
		}
		q := fax.Filter{After: now.Add(-time.Duration(n) * time.Hour)}
		d := &drawer{faxes: faxes, most: 30}
		d.onPage = func(n int64) error {
			if n == 2 {
				d.faxes = append([]fax.Fax{{ID: "FXnew", Created: time.Now().Add(-time.Minute)}}, d.faxes...)
			}
			return nil
		}
		got, err := fax.Collect(listing.List(t.Context(), d, q, listing.Options{Jobs: 1, Now: now}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want(faxes, q), ids(got)); diff != "" {
			t.Errorf("%d faxes: %s", n, diff)
		}
	}
}

// A provider may compare fractions of a second that it does not show.
func TestListLosesNoHiddenFraction(t *testing.T) {
	var hidden []fax.Fax
	for i := range 500 {
		hidden = append(hidden, fax.Fax{ID: fmt.Sprintf("FX%03d", i), Created: testNow().Add(-time.Duration(i) * 1700 * time.Millisecond)})
	}
	d := truncating{&drawer{faxes: hidden, most: 20}}
	got, err := fax.Collect(listing.List(t.Context(), d, fax.Filter{}, listing.Options{Now: testNow()}))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(hidden) {
		t.Errorf("%d faxes, want %d", len(got), len(hidden))
	}
}

// truncating shows whole seconds.
type truncating struct{ *drawer }

func (d truncating) Page(ctx context.Context, q fax.Filter, size int, cursor string) (fax.Page[fax.Fax], error) {
	page, err := d.drawer.Page(ctx, q, size, cursor)
	for i := range page.Items {
		page.Items[i].Created = page.Items[i].Created.Truncate(time.Second)
	}
	return page, err
}

func TestFirstCostsOneRequest(t *testing.T) {
	faxes := business(300, 30)
	orders()["newest first"](faxes)
	for i := range faxes {
		faxes[i].Status = []fax.Status{fax.Received, fax.Failed}[i%2]
	}
	for _, tc := range []struct {
		n        int
		q        fax.Filter
		most     int
		len      int
		more     bool
		requests int64
	}{
		{n: 20, most: 1000, len: 20, more: true, requests: 1},
		{n: 300, most: 1000, len: 300, more: false, requests: 1},
		{n: 299, most: 1000, len: 299, more: true, requests: 1},
		{n: 20, most: 5, len: 20, more: true, requests: 4},
		{n: 20, most: 1000, q: fax.Filter{Statuses: []fax.Status{fax.Failed}}, len: 20, more: true, requests: 1},
		{n: 200, most: 100, q: fax.Filter{Statuses: []fax.Status{fax.Failed}}, len: 150, more: false, requests: 3},
	} {
		d := &drawer{faxes: faxes, most: tc.most}
		got, more, err := listing.First(t.Context(), d, tc.q, tc.n)
		if err != nil || len(got) != tc.len || more != tc.more || d.pages.Load() != tc.requests {
			t.Errorf("First(%d) of pages of %d: %d faxes, more %v, %d requests, %v; want %d, %v, %d", tc.n, tc.most, len(got), more, d.pages.Load(), err, tc.len, tc.more, tc.requests)
		}
		if diff := gocmp.Diff(want(faxes, tc.q)[:tc.len], ids(got)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestListRefusesAnEndlessList(t *testing.T) {
	for name, next := range map[string]map[string]string{
		"to itself":   {"": "a", "a": "a"},
		"in a circle": {"": "a", "a": "b", "b": "c", "c": "a"},
	} {
		d := circle{next: next}
		_, err := fax.Collect(listing.List(t.Context(), d, fax.Filter{}, listing.Options{}))
		if !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), "page") {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := listing.First(t.Context(), d, fax.Filter{}, 5); !errors.Is(err, problem.ErrUnavailable) {
			t.Errorf("%s, the first: %v", name, err)
		}
	}
}

// circle has pages that lead back to where they began.
type circle struct {
	fax.Faxes
	next map[string]string
}

func (c circle) Page(_ context.Context, _ fax.Filter, _ int, cursor string) (fax.Page[fax.Fax], error) {
	return fax.Page[fax.Fax]{Next: c.next[cursor]}, nil
}
