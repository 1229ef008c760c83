package listing

import (
	"context"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// window is the range (after, until] of creation times; zero: open on that
// side.
type window struct {
	after, until time.Time
	lo, hi       int64 // the same in Unix seconds; an open side ends where it is likely to

	rate *rate // how densely faxes come here; nil: not known
	tail bool  // what is left of a longer range: windows are taken off it, see [lister.next]

	state state
	items []fax.Fax
	pages int       // how many pages items are
	whole bool      // items are all there is
	parts []*window // else: what to read in its place
	err   error
}

type state int8

const (
	unread state = iota
	reading
	done
)

func (w *window) contains(t time.Time) bool {
	return (w.after.IsZero() || t.After(w.after)) && (w.until.IsZero() || !t.After(w.until))
}

// split divides w at the given seconds, the latest first. Those that are not
// strictly inside are left out, and so is the one instant that, as a bound,
// means that there is none.
func (w *window) split(at ...int64) []*window {
	var parts []*window
	until, hi := w.until, w.hi
	for _, sec := range at {
		bound := time.Unix(sec, 0).UTC()
		if !w.contains(bound) || bound.Equal(until) || bound.IsZero() {
			continue
		}
		parts = append(parts, &window{after: bound, until: until, lo: sec, hi: hi, rate: w.rate})
		until, hi = bound, sec
	}
	return append(parts, &window{after: w.after, until: until, lo: w.lo, hi: hi, rate: w.rate})
}

const (
	// pagesEach is how many pages a window shall have. Where faxes come as expected,
	// a little less than one makes every window one request. The pages of larger
	// ones come one after another, and those of later windows wait for them in
	// memory.
	pagesEach = 0.9

	// few pages are not worth splitting.
	few = 2

	// A window that was thought to be small is split when readOn pages were read
	// of it and tooMany are left: faxes come in bursts, and what was read of a
	// window that is split was read in vain.
	readOn  = 3.5
	tooMany = 8

	// shares is how many parts a window of unknown density is split into.
	shares = 8
)

// read fetches the first page of w, a few more where they are likely to be the
// last, and all where the window cannot be split.
func (l *lister) read(ctx context.Context, w *window) error {
	q := l.ask
	q.After, q.Until = w.after, w.until
	if w.until != l.q.Until {
		// Providers show whole seconds and may compare fractions: a fax of
		// 10.7 s, shown as 10 s, belongs to the window that ends there.
		q.Until = w.until.Add(time.Second)
	}
	walk := fax.NewWalk()
	for cursor := ""; ; {
		page, err := l.faxes.Page(ctx, q, l.size, cursor)
		if err != nil {
			return err
		}
		w.pages++
		if page.Next != "" || w.pages > 1 {
			page.Items = slices.DeleteFunc(page.Items, func(f fax.Fax) bool { return !walk.New(f.ID) })
		}
		if w.pages == 1 {
			w.items = page.Items
		} else {
			w.items = slices.Concat(w.items, page.Items)
		}
		if page.Next == "" {
			w.whole = true
			return nil
		}
		if err := walk.On(page.Next, page.Sifted); err != nil {
			return err
		}
		if s := sampleOf(w); s.worthSplitting(w) {
			if w.parts = s.divide(w); len(w.parts) > 1 {
				return nil
			}
		}
		cursor = page.Next
	}
}

// A sample is what the pages read so far tell of a window, in Unix seconds.
type sample struct {
	order order
	seen  []int64 // ascending
	page  float64 // faxes a page
	pages float64 // how many of those were seen
}

// order is how a provider seems to page.
type order int8

const (
	noOrder     order = iota // no order at all, or nothing seen
	newestLeads              // the newest fax first
	oldestLeads
)

func sampleOf(w *window) sample {
	s := sample{page: float64(len(w.items)) / float64(w.pages)}
	for _, f := range w.items {
		if !f.Created.IsZero() && w.contains(f.Created) {
			s.seen = append(s.seen, f.Created.Unix())
		}
	}
	descending := func(a, b int64) int { return int(b - a) }
	switch {
	case len(s.seen) == 0:
	case slices.IsSortedFunc(s.seen, descending):
		s.order = newestLeads
		slices.Reverse(s.seen)
	case slices.IsSorted(s.seen):
		s.order = oldestLeads
	default:
		slices.Sort(s.seen)
	}
	s.pages = float64(len(s.seen)) / s.page
	return s
}

// worthSplitting tells whether to split w, whose pages so far are not all, rather
// than to read on. Without a date from inside the window there is nothing to
// go by.
func (s sample) worthSplitting(w *window) bool {
	if len(s.seen) == 0 {
		return false
	}
	if s.order == noOrder {
		return s.pages >= readOn
	}
	if w.rate == nil {
		return s.rest(w) > few
	}
	return s.pages >= readOn && s.rest(w) > tooMany
}

// span is the seconds between the first and the last fax seen. The outermost
// ones do not count: one odd date would stretch it to centuries.
func (s sample) span() float64 {
	n := len(s.seen)
	odd := n / 16
	inner := float64(s.seen[n-1-odd] - s.seen[odd] + 1)
	return inner * float64(n) / float64(n-2*odd)
}

// rest estimates how many pages are still unread.
func (s sample) rest(w *window) float64 {
	page := s.span() / s.pages
	switch s.order {
	case newestLeads:
		return float64(s.seen[0]-w.lo) / page
	case oldestLeads:
		return float64(w.hi-s.seen[len(s.seen)-1]) / page
	}
	return 0
}

// divide splits w, whose pages so far are not all, into two or more; the latest
// part comes first. A window that is too short for that stays one.
func (s sample) divide(w *window) []*window {
	// An open side reaches at least a little beyond what was seen there.
	oldest, newest := s.seen[0], s.seen[len(s.seen)-1]
	margin := int64(s.span()) + 1
	all := *w
	if all.after.IsZero() {
		all.lo = min(all.lo, oldest-margin)
	}
	if all.until.IsZero() {
		all.hi = max(all.hi, newest+margin)
	}
	tail := -1 // the part that is most likely long
	var parts []*window
	switch s.order {
	case newestLeads: // what was seen is all there is up to there, most likely
		all.rate = s.rate()
		parts = all.split(max(newest-all.rate.window(newest, oldest), oldest))
		tail = len(parts) - 1
	case oldestLeads:
		all.rate = s.rate()
		parts = all.split(newest)
		tail = 0
	default: // one of every part: split it into equal shares
		all.rate = nil
		var at []int64
		for i := shares - 1; i > 0; i-- {
			at = append(at, s.seen[i*len(s.seen)/shares])
		}
		parts = all.split(slices.Compact(at)...)
	}
	if len(parts) == 1 {
		return all.split(all.lo + (all.hi-all.lo)/2)
	}
	if tail >= 0 {
		parts[tail].tail = true
	}
	return parts
}

// rate guesses that what was not seen is as dense as what was.
func (s sample) rate() *rate {
	return newRate(len(s.seen), s.span(), s.page)
}

// shorten takes a good window off a tail, and returns it with the new tail; a short
// tail is a window itself.
func (w *window) shorten() []*window {
	w.tail = false
	size := w.rate.window(w.hi, w.lo)
	if (w.hi-w.lo)/3*2 < size {
		return []*window{w}
	}
	parts := w.split(w.hi - size)
	parts[len(parts)-1].tail = len(parts) > 1
	return parts
}
