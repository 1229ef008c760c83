package listing_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
)

// A mailbox is a list of faxes that changes, with a clock of its own.
type mailbox struct {
	fax.Faxes
	mu    sync.Mutex
	faxes map[string]fax.Fax
	fails error
	looks int
	most  int // faxes listed in one look
}

func (m *mailbox) put(f fax.Fax) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.faxes == nil {
		m.faxes = map[string]fax.Fax{}
	}
	m.faxes[f.ID] = f
}

func (m *mailbox) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fails = err
}

func (m *mailbox) Page(_ context.Context, q fax.Filter, _ int, _ string) (fax.Page[fax.Fax], error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looks++
	var page fax.Page[fax.Fax]
	for _, f := range m.faxes {
		if q.Match(f) {
			page.Items = append(page.Items, f)
		}
	}
	m.most = max(m.most, len(page.Items))
	return page, m.fails
}

// watching collects what a watch yields until its context ends.
func watching(seq iter.Seq2[fax.Fax, error]) (seen func() []string, end func() error) {
	var (
		mu   sync.Mutex
		all  []string
		last error
	)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for f, err := range seq {
			mu.Lock()
			if err != nil {
				last = err
			} else {
				all = append(all, f.ID)
			}
			mu.Unlock()
		}
	}()
	return func() []string {
			mu.Lock()
			defer mu.Unlock()
			return append([]string(nil), all...)
		}, func() error {
			<-done
			return last
		}
}

func TestWatch(t *testing.T) {
	minutesAgo := func(n int) time.Time { return time.Now().Add(-time.Duration(n) * time.Minute).Truncate(time.Second) }
	received := func(id string, at time.Time) fax.Fax {
		return fax.Fax{ID: id, Status: fax.Received, Created: at, Direction: fax.Inbound}
	}
	receiving := func(id string, at time.Time) fax.Fax {
		return fax.Fax{ID: id, Status: fax.Receiving, Created: at, Direction: fax.Inbound}
	}
	for name, c := range map[string]struct {
		q      fax.Filter
		since  time.Duration // before now
		before func(m *mailbox)
		play   func(m *mailbox)
		want   []string
	}{
		"what comes": {before: func(m *mailbox) { m.put(received("old", minutesAgo(50))) }, play: func(m *mailbox) {
			time.Sleep(time.Minute)
			m.put(received("a", minutesAgo(0)))
			time.Sleep(time.Minute)
			m.put(received("b", minutesAgo(0)))
		}, want: []string{"a", "b"}},
		"the oldest first": {play: func(m *mailbox) {
			time.Sleep(time.Second)
			m.put(received("later", minutesAgo(0)))
			m.put(received("sooner", minutesAgo(1)))
		}, want: []string{"sooner", "later"}},
		"once it has ended": {before: func(m *mailbox) { m.put(receiving("early", minutesAgo(180))) }, play: func(m *mailbox) {
			at := minutesAgo(0)
			m.put(receiving("a", at))
			time.Sleep(5 * time.Minute)
			m.put(received("b", minutesAgo(0)))
			time.Sleep(5*time.Minute + time.Second) // no look may come between the two
			m.put(received("a", at))
			m.put(received("early", at.Add(-3*time.Hour)))
		}, want: []string{"b", "early", "a"}},
		"in progress for hours, while others come": {play: func(m *mailbox) {
			at := minutesAgo(0)
			m.put(receiving("slow", at))
			for i := range 10 {
				time.Sleep(time.Hour)
				m.put(received(fmt.Sprint(i), minutesAgo(0)))
			}
			time.Sleep(time.Minute)
			m.put(received("slow", at))
		}, want: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "slow"}},
		"listed late": {before: func(m *mailbox) { m.put(received("a", minutesAgo(0))) }, play: func(m *mailbox) {
			time.Sleep(time.Minute)
			m.put(received("b", minutesAgo(0)))
			time.Sleep(time.Minute)
			m.put(received("late", minutesAgo(40)))
		}, want: []string{"b", "late"}},
		"provider's clock behind": {play: func(m *mailbox) {
			time.Sleep(time.Minute)
			m.put(received("a", minutesAgo(600)))
		}, want: []string{"a"}},
		"provider's clock ahead": {play: func(m *mailbox) {
			time.Sleep(time.Minute)
			m.put(received("a", minutesAgo(-600)))
			time.Sleep(time.Minute)
			m.put(received("b", minutesAgo(-1)))
		}, want: []string{"a", "b"}},
		"since": {since: 30 * time.Minute, before: func(m *mailbox) {
			m.put(received("before", minutesAgo(31)))
			m.put(received("after", minutesAgo(29)))
		}, want: []string{"after"}},
		"by status": {q: fax.Filter{Statuses: []fax.Status{fax.Receiving}}, play: func(m *mailbox) {
			time.Sleep(time.Minute)
			at := minutesAgo(0)
			m.put(receiving("a", at))
			time.Sleep(time.Minute)
			m.put(received("a", at))
		}, want: []string{"a"}},
		"pages that are known at the end": {q: fax.Filter{MinPages: 2}, play: func(m *mailbox) {
			at := minutesAgo(0)
			m.put(receiving("a", at))
			time.Sleep(time.Minute)
			f, two := received("a", at), 2
			f.Pages = &two
			m.put(f)
		}, want: []string{"a"}},
		"provider away for a while": {play: func(m *mailbox) {
			time.Sleep(time.Minute)
			m.fail(&fax.APIError{Kind: problem.ErrUnavailable})
			m.put(received("a", minutesAgo(0)))
			time.Sleep(3 * time.Hour)
			m.put(received("b", minutesAgo(0)))
			m.fail(nil)
		}, want: []string{"a", "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				m := &mailbox{}
				if c.before != nil {
					c.before(m)
				}
				var opt listing.WatchOptions
				if c.since > 0 {
					opt.Since = time.Now().Add(-c.since)
				}
				seen, end := watching(listing.Watch(ctx, m, c.q, opt))
				synctest.Wait()
				if c.play != nil {
					c.play(m)
				}
				time.Sleep(30 * time.Second)
				synctest.Wait()
				if diff := gocmp.Diff(c.want, seen()); diff != "" {
					t.Errorf("seen (-want +got):\n%s", diff)
				}
				cancel()
				if err := end(); !errors.Is(err, context.Canceled) {
					t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

// A watch of days looks at little and forgets what it has told.
func TestWatchStaysSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := &mailbox{}
		seen, end := watching(listing.Watch(ctx, m, fax.Filter{}, listing.WatchOptions{Interval: time.Minute}))
		const days, every = 3, 5 * time.Minute
		for i := range int(days * 24 * time.Hour / every) {
			time.Sleep(every)
			m.put(fax.Fax{ID: fmt.Sprint(i), Status: fax.Received, Created: time.Now()})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, want := len(seen()), int(days*24*time.Hour/every); got != want {
			t.Errorf("%d faxes seen, want %d", got, want)
		}
		if hour := int(time.Hour/every) + 2; m.most > hour {
			t.Errorf("%d faxes listed in one look, want at most %d", m.most, hour)
		}
		cancel()
		_ = end()
	})
}

func TestWatchEnds(t *testing.T) {
	for name, c := range map[string]struct {
		at   time.Duration
		err  error
		ends bool
	}{
		"unavailable at the first look": {0, problem.ErrUnavailable, true},
		"unavailable later":             {time.Minute, problem.ErrUnavailable, false},
		"credentials refused later":     {time.Minute, problem.ErrAuth, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				m, told := &mailbox{}, 0
				if c.at == 0 {
					m.fail(&fax.APIError{Kind: c.err})
				}
				_, end := watching(listing.Watch(ctx, m, fax.Filter{}, listing.WatchOptions{Trouble: func(error) { told++ }}))
				time.Sleep(c.at)
				m.fail(&fax.APIError{Kind: c.err})
				err := end()
				if ended := errors.Is(err, c.err); ended != c.ends {
					t.Errorf("ended with %v", err)
				}
				if !c.ends && told == 0 {
					t.Error("nobody was told")
				}
			})
		})
	}
}
