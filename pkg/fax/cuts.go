package fax

import (
	"context"
	"slices"
	"time"
)

// window is the range (after, until] of creation times; zero: open on that
// side.
type window struct {
	after, until time.Time

	state state
	items []Fax
	pages int  // how many pages items are
	whole bool // items are all there is
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

// split divides w at the given instants, the latest first.
func (w *window) split(cuts []time.Time) []*window {
	var parts []*window
	until := w.until
	for _, c := range cuts {
		parts = append(parts, &window{after: c, until: until})
		until = c
	}
	return append(parts, &window{after: w.after, until: until})
}

// read fetches the first page of w, a few more where they are likely to be the
// last, and all where the window cannot be cut.
func (l *lister) read(ctx context.Context, w *window) error {
	q := l.ask
	q.After, q.Until = w.after, w.until
	if w.until != l.q.Until {
		// Providers show whole seconds and may compare fractions: a fax of
		// 10.7 s, shown as 10 s, belongs to the window that ends there.
		q.Until = w.until.Add(time.Second)
	}
	for cursor := ""; ; {
		page, err := l.faxes.Page(ctx, q, l.size, cursor)
		switch {
		case err != nil:
			return err
		case page.Next == cursor && cursor != "":
			return errSamePage()
		}
		w.items, w.pages = append(w.items, page.Items...), w.pages+1
		if page.Next == "" {
			w.whole = true
			return nil
		}
		if l.worthCutting(w) {
			return nil
		}
		cursor = page.Next
	}
}

// worthCutting tells whether to cut w, whose pages so far are not all, rather
// than to read on. Without a date from inside the window there is nothing to
// go by.
func (l *lister) worthCutting(w *window) bool {
	s := l.sketch(w)
	if len(s.seen) == 0 || w.pages < readOn && s.rest() < 2 {
		return false
	}
	return len(l.cuts(w)) > 0
}

const (
	// fill is how full the pages of new windows shall be: a window that turns
	// out a little denser than expected must not overflow.
	fill = 0.9

	// readOn is how many pages of a window are read before it is cut, where
	// the rest looks small: two windows cost more than a second page.
	readOn = 3
)

// A sketch is what the pages read so far tell of a window, in Unix seconds.
type sketch struct {
	order          order
	lo, hi         int64 // the window, its open sides bounded by what is likely
	oldest, newest int64 // the faxes seen
	pages          int
	seen           []int64 // ascending
}

// order is how a provider seems to page.
type order int8

const (
	noOrder     order = iota // no order at all, or nothing seen
	newestLeads              // the newest fax first
	oldestLeads
)

func (l *lister) sketch(w *window) sketch {
	s := sketch{lo: l.floor.Unix(), hi: l.start.Unix(), pages: w.pages}
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
	case slices.IsSorted(s.seen):
		s.order = oldestLeads
	}
	slices.Sort(s.seen)
	if len(s.seen) > 0 {
		s.oldest, s.newest = s.seen[0], s.seen[len(s.seen)-1]
		// An open side reaches at least a little beyond what was seen there.
		margin := s.newest - s.oldest + 2
		s.lo, s.hi = min(s.lo, s.oldest-margin), max(s.hi, s.newest+margin)
	}
	if !w.after.IsZero() {
		s.lo = w.after.Unix()
	}
	if !w.until.IsZero() {
		s.hi = w.until.Unix()
	}
	return s
}

// rest estimates how many pages are still unread.
func (s sketch) rest() float64 {
	span := float64(s.newest-s.oldest+1) / float64(s.pages)
	switch s.order {
	case newestLeads:
		return float64(s.oldest-s.lo) / span
	case oldestLeads:
		return float64(s.hi-s.newest) / span
	}
	return 0
}

// cuts says where to divide w: whole seconds strictly inside it, the latest
// first; none when it is too short.
func (l *lister) cuts(w *window) []time.Time {
	s := l.sketch(w)
	unit := int64(float64(s.newest-s.oldest) / float64(s.pages) * fill)
	var at []int64
	switch s.order {
	case newestLeads: // what was seen has a known density; guess that the rest is alike
		for _, d := range steps(unit, s.newest-s.lo) {
			at = append(at, s.newest-d)
		}
	case oldestLeads:
		for _, d := range steps(unit, s.hi-s.oldest) {
			at = append(at, s.oldest+d)
		}
	default: // a sample of the whole: cut it into equal shares
		for i := 1; i < shares; i++ {
			at = append(at, s.seen[i*len(s.seen)/shares])
		}
	}
	if at = s.inside(w, at); len(at) == 0 {
		at = s.inside(w, []int64{s.lo + (s.hi-s.lo)/2})
	}
	cuts := make([]time.Time, 0, len(at))
	for _, sec := range at {
		cuts = append(cuts, time.Unix(sec, 0).UTC())
	}
	return cuts
}

// inside sorts the cuts, the latest first, and drops those not strictly inside
// the window.
func (sketch) inside(w *window, at []int64) []int64 {
	at = slices.DeleteFunc(at, func(sec int64) bool {
		t := time.Unix(sec, 0)
		return !w.after.IsZero() && !t.After(w.after) || !w.until.IsZero() && !t.Before(w.until)
	})
	slices.Sort(at)
	slices.Reverse(at)
	return slices.Compact(at)
}

const (
	shares = 8  // of a window whose size is unknown
	evenly = 48 // windows of equal length at most, before they grow
)

// steps divides a length into pieces of one unit and returns where they end.
// Where that would be very many, it is a guess stretched too far: after a few
// the pieces double, and what turns out too large is cut again.
func steps(unit, length int64) []int64 {
	unit = max(unit, 1)
	even := length/unit <= evenly
	var ends []int64
	for end, piece := unit, unit; end < length; end += piece {
		ends = append(ends, end)
		if !even && len(ends) >= shares {
			piece *= 2
		}
	}
	return ends
}
