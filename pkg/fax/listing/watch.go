package listing

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// WatchOptions tunes [Watch].
type WatchOptions struct {
	Interval time.Duration // from one look to the next; 0: 15 s
	Since    time.Time     // begin with the faxes made from then on; zero: with what comes now

	// Trouble hears of a look that failed because the provider was
	// unavailable; the next look makes up for it. It may be nil.
	Trouble func(error)
}

const (
	// lateness is how much later than a younger fax one may enter the
	// provider's list without being missed.
	lateness = time.Hour

	// patience is how long a fax may be in progress and still be waited for.
	patience = 24 * time.Hour
)

// Watch looks for faxes again and again and yields each one that q selects
// once, the oldest first, as soon as it has ended and its document is
// complete. A q with Statuses yields a fax as soon as it has one of those.
//
// What was there before is not yielded, unless Since says so; what was in
// progress then is. No fax is missed or comes twice within one Watch: every
// look covers the faxes since the oldest one in progress, and an hour before
// the newest one seen at the least, by the provider's clock or ours, whichever
// is behind; those known already are left out. A fax in progress for longer
// than a day is no longer waited for, and one without a date is never seen.
//
// Watch ends when ctx does, with its error. An error at the first look ends it
// too, and so does any later one that will not pass: only ErrUnavailable is
// sat out.
func Watch(ctx context.Context, faxes fax.Faxes, q fax.Filter, opt WatchOptions) iter.Seq2[fax.Fax, error] {
	return func(yield func(fax.Fax, error) bool) {
		w := newWatcher(faxes, q, opt)
		interval := opt.Interval
		if interval <= 0 {
			interval = 15 * time.Second
		}
		for first := true; ; first = false {
			fresh, err := w.look(ctx)
			switch {
			case err == nil:
			case ctx.Err() != nil: // whatever the look ran into
				yield(fax.Fax{}, ctx.Err())
				return
			case first, !errors.Is(err, problem.ErrUnavailable):
				yield(fax.Fax{}, err)
				return
			case opt.Trouble != nil:
				opt.Trouble(err)
			}
			for _, f := range fresh {
				if !yield(f, nil) {
					return
				}
			}
			select {
			case <-ctx.Done():
				yield(fax.Fax{}, ctx.Err())
				return
			case <-time.After(interval):
			}
		}
	}
}

// watcher remembers between two looks.
type watcher struct {
	faxes fax.Faxes
	q     fax.Filter // what to yield
	ask   fax.Filter // what to list: also what may become of interest
	since time.Time

	after  time.Time // the next look covers what was made after this
	newest time.Time
	seen   map[string]time.Time // what is settled, with its creation
	looked bool
}

func newWatcher(faxes fax.Faxes, q fax.Filter, opt WatchOptions) *watcher {
	w := &watcher{faxes: faxes, q: q, ask: q, since: opt.Since, seen: map[string]time.Time{}}
	w.ask.Statuses, w.ask.MinPages = nil, 0
	w.after = time.Now().Add(-patience)
	if !w.since.IsZero() && w.since.Before(w.after) {
		w.after = w.since.Add(-1)
	}
	if len(w.q.Statuses) == 0 {
		w.q.Statuses = slices.DeleteFunc(fax.Statuses(), func(s fax.Status) bool { return !s.Terminal() })
	}
	return w
}

// look lists once and picks what is new. When it fails, nothing is taken as
// seen that was not yielded.
func (w *watcher) look(ctx context.Context) ([]fax.Fax, error) {
	now := time.Now()
	w.ask.After = w.after
	all, err := fax.Collect(List(ctx, w.faxes, w.ask, Options{}))
	if err != nil {
		return nil, err
	}
	slices.Reverse(all)
	var fresh []fax.Fax
	oldest := now // of those in progress
	for _, f := range all {
		if at := f.Created; at.After(w.newest) {
			w.newest = earlier(at, now)
		}
		if _, known := w.seen[f.ID]; known {
			continue
		}
		wanted := w.q.Match(f)
		if !wanted && !f.Status.Terminal() {
			oldest = earlier(oldest, f.Created)
			continue
		}
		w.seen[f.ID] = f.Created
		if wanted && (w.looked || !w.since.IsZero() && !f.Created.Before(w.since)) {
			fresh = append(fresh, f)
		}
	}
	w.looked = true
	w.move(oldest)
	return fresh, nil
}

// move sets where the next look begins, oldest being the oldest fax to wait
// for, and forgets what cannot be met again.
func (w *watcher) move(oldest time.Time) {
	if w.newest.IsZero() {
		return
	}
	if limit := time.Now().Add(-patience); oldest.Before(limit) {
		oldest = limit
	}
	start := earlier(w.newest.Add(-lateness), oldest.Add(-1))
	if !start.After(w.after) {
		return
	}
	w.after = start
	maps.DeleteFunc(w.seen, func(_ string, made time.Time) bool { return !made.After(start) })
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
