// Package listing reads every fax of a provider: side by side by date, in the
// order of time whatever order the provider pages in, and as they arrive.
//
// Use [List] for all that a filter selects, [First] for the newest few, [Watch]
// for those to come, and [LastReceived] for when numbers received theirs.
package listing

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// pageSize is how many faxes are asked for at a time. A provider may give fewer.
const pageSize = 1000

// Options tunes [List]. The zero value is good; nothing here changes which
// faxes are listed, or in which order.
type Options struct {
	Jobs      int           // windows asked for side by side; 0: 24, or 4 when it is frugal
	PageSize  int           // faxes a request; 0: 1000, or 250 when it is frugal
	Retention time.Duration // how long the provider keeps a fax; 0: until deleted
	Now       time.Time     // the end of an open range; zero: the present

	// Frugal is for a list whose reader takes longer than it does. Records that wait
	// take memory, with all that the provider sent: of these it holds a twentieth, for
	// four times as many requests.
	Frugal bool
}

// First asks for the provider's first n faxes that q selects, newest first,
// and tells whether there are more. Without a filter of our own it costs one
// request up to the provider's largest page. Which n these are is the
// provider's choice: no provider documents the order of its pages, though all
// are known to begin with the newest.
func First(ctx context.Context, faxes fax.Faxes, q fax.Filter, n int) (found []fax.Fax, more bool, err error) {
	size := min(n, pageSize)
	if sifted(q) {
		size = pageSize
	}
	next := ""
	for f, err := range fax.Pages(ctx, idOf, func(ctx context.Context, cursor string) (fax.Page[fax.Fax], error) {
		page, err := faxes.Page(ctx, q, size, cursor)
		next = page.Next
		return page, err
	}) {
		if err != nil {
			return found, false, err
		}
		if len(found) == n {
			more = true
			break
		}
		if found = append(found, f); len(found) == n && next != "" {
			more = true
			break
		}
	}
	return newestFirst(found), more, nil
}

func idOf(f fax.Fax) string { return f.ID }

// sifted reports whether q has a condition that providers leave to us.
func sifted(q fax.Filter) bool {
	return q.Number != "" || len(q.Ends) > 0 || q.Direction != "" || len(q.Statuses) > 0 || q.MinPages > 0
}

// List yields all faxes that q selects: newest first, those made at the same
// instant by id, those without a date last, none twice.
//
// When everything fits one page, it costs one request. When not, the range is
// split into disjoint windows (after, until] of about a page that are asked
// for side by side and put together in order; a window that is too large is split
// again. The provider may page in any order: where to split is estimated from the
// dates it shows, and a wrong estimate costs requests, never faxes. At most Jobs
// windows are read at once, and none is begun while these and the pages that
// wait for their turn make four thirds of Jobs. Faxes that arrive meanwhile
// are left out.
//
// Breaking out or ending ctx stops all requests before List returns. An error
// is yielded once and last; the errors are those of [Faxes].
func List(ctx context.Context, faxes fax.Faxes, q fax.Filter, opt Options) iter.Seq2[fax.Fax, error] {
	return func(yield func(fax.Fax, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		l := newLister(faxes, q, opt)
		out := make(chan []fax.Fax)
		var err error
		go func() {
			defer close(out)
			err = l.run(ctx, out)
		}()
		defer func() {
			cancel()
			for range out { // until the lister has gone
			}
		}()
		for batch := range out {
			for _, f := range batch {
				if !yield(f, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(fax.Fax{}, err)
		}
	}
}

// lister is one listing under way.
type lister struct {
	faxes fax.Faxes
	q     fax.Filter // what the caller selects
	ask   fax.Filter // the part of it that is the provider's
	jobs  int
	size  int
	start time.Time // arrivals after this are left out
	floor time.Time // nothing is expected before this

	queue   []*window // in the order of yielding
	results chan *window
	flying  int // windows being read
	ready   int // pages read whose window is not yielded yet
	undated map[string]fax.Fax
}

func newLister(faxes fax.Faxes, q fax.Filter, opt Options) *lister {
	l := &lister{faxes: faxes, q: q, ask: q, jobs: opt.Jobs, size: opt.PageSize, start: opt.Now, undated: map[string]fax.Fax{}}
	jobs, size := 24, pageSize
	if opt.Frugal {
		jobs, size = 4, 250
	}
	if l.jobs <= 0 {
		l.jobs = jobs
	}
	if l.size <= 0 {
		l.size = size
	}
	if l.start.IsZero() {
		l.start = time.Now()
	}
	keeps := opt.Retention
	if keeps <= 0 {
		keeps = 10 * 365 * 24 * time.Hour
	}
	l.floor = l.start.Add(-keeps - 24*time.Hour)
	l.results = make(chan *window, l.jobs)
	// Providers select by number and date only. Asking for the rest as well
	// would hide the dates that tell where to split.
	l.ask.Direction, l.ask.Statuses, l.ask.MinPages, l.ask.Ends = "", nil, 0, nil
	l.ask.Undated = l.q.Undated || !l.q.Dates()
	return l
}

// run reads everything into out and returns when no request is left running.
func (l *lister) run(ctx context.Context, out chan<- []fax.Fax) error {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()

	all := &window{after: l.q.After, until: l.q.Until, lo: l.floor.Unix(), hi: l.start.Unix()}
	if !all.after.IsZero() {
		all.lo = all.after.Unix()
	}
	if !all.until.IsZero() {
		all.hi = all.until.Unix()
	}
	l.queue = []*window{all}
	for len(l.queue) > 0 {
		for w := l.next(); w != nil; w = l.next() {
			w.state, l.flying = reading, l.flying+1
			running.Go(func() {
				w.err = l.read(ctx, w)
				l.results <- w // has room for every window in flight
			})
		}
		var deliver chan<- []fax.Fax
		var items []fax.Fax // of the head, which is not ours to look at before it is done
		head := l.queue[0]
		if head.state == done {
			deliver, items = out, head.items
		}
		select {
		case w := <-l.results:
			l.flying--
			if w.err != nil {
				return w.err
			}
			if w == all {
				l.start = latest(l.start, w.items)
			}
			l.settle(w)
		case deliver <- items:
			head.items = nil // the backing array of the queue still holds head
			l.queue, l.ready = l.queue[1:], l.ready-head.pages
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case out <- l.rest():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// next is the window to read next, or nil when enough is under way. The head
// of the queue may always be read: all others wait for it.
func (l *lister) next() *window {
	if l.flying >= l.jobs {
		return nil
	}
	for i, w := range l.queue {
		if w.state == unread {
			if i > 0 && l.flying+l.ready >= l.jobs+l.jobs/3 {
				return nil
			}
			if w.tail {
				l.queue = slices.Replace(l.queue, i, i+1, w.shorten()...)
			}
			return l.queue[i]
		}
	}
	return nil
}

// settle takes in a window that was read: it is ready to be yielded, or is
// replaced by smaller ones.
func (l *lister) settle(w *window) {
	var dated []int64
	for _, f := range w.items {
		if !f.Created.IsZero() && w.contains(f.Created) {
			dated = append(dated, f.Created.Unix())
		} else if f.Created.IsZero() && l.q.Match(f) {
			l.undated[f.ID] = f
		}
	}
	if w.rate != nil && (w.whole || len(dated) > 0) {
		from := w.lo
		if !w.whole { // no more than what was seen, and that perhaps
			from = slices.Min(dated)
		}
		w.rate.learn(dated, from, w.hi)
	}
	if w.whole {
		w.items = newestFirst(l.wanted(w))
		w.state, l.ready = done, l.ready+w.pages
		return
	}
	i := slices.Index(l.queue, w)
	l.queue = slices.Replace(l.queue, i, i+1, w.parts...)
	w.items = nil
}

// wanted picks the faxes of the window that the caller wants.
func (l *lister) wanted(w *window) []fax.Fax {
	now := time.Now()
	return slices.DeleteFunc(w.items, func(f fax.Fax) bool {
		// What is dated after now cannot be an arrival: it has an odd date.
		arrived := f.Created.After(l.start) && !f.Created.After(now)
		return f.Created.IsZero() || !w.contains(f.Created) || arrived || !l.q.Match(f)
	})
}

// rest is the faxes without a date.
func (l *lister) rest() []fax.Fax {
	var rest []fax.Fax
	for _, f := range l.undated {
		rest = append(rest, f)
	}
	return newestFirst(rest)
}

// newestFirst sorts and drops what is there twice: a provider that counts
// pages by position repeats a fax when another arrives between two pages.
func newestFirst(faxes []fax.Fax) []fax.Fax {
	slices.SortFunc(faxes, func(a, b fax.Fax) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(faxes, func(a, b fax.Fax) bool { return a.ID == b.ID })
}

// latest is t or the newest creation time of the faxes: the provider's clock
// may be ahead of ours, though hardly by more than an hour.
func latest(t time.Time, faxes []fax.Fax) time.Time {
	limit := t.Add(time.Hour)
	for _, f := range faxes {
		if f.Created.After(t) && f.Created.Before(limit) {
			t = f.Created
		}
	}
	return t
}
