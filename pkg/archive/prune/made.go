package prune

import (
	"fmt"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// rounding is how far apart two dates of one fax may be: providers tell whole seconds in
// one place, and more in another.
const rounding = time.Second

// made is when a fax was made, by all that is told of it: by a list, perhaps twice, by its
// sidecar, by its record. The zero value is not known.
type made struct{ oldest, newest time.Time }

// also takes in another date; the zero time is none.
func (m made) also(at time.Time) made {
	if at.IsZero() {
		return m
	}
	if m.oldest.IsZero() || at.Before(m.oldest) {
		m.oldest = at
	}
	if at.After(m.newest) {
		m.newest = at
	}
	return m
}

// apart reports whether these are several dates, not one that was rounded.
func (m made) apart() bool { return m.newest.Sub(m.oldest) > rounding }

// byDate reports whether p selects by when faxes were made.
func (p Policy) byDate() bool { return p.OlderThan > 0 || p.KeepLast > 0 || p.Filter.Dates() }

// until is when a fax that goes was made at the latest; zero: at any time.
func (p Policy) until(now time.Time) time.Time {
	edge := now.Add(-p.OlderThan)
	if p.OlderThan == 0 || !p.Filter.Until.IsZero() && p.Filter.Until.Before(edge) {
		return p.Filter.Until
	}
	return edge
}

// due reports whether a fax of this date meets the conditions of age and date. Of one
// without a date nobody knows.
func (p Policy) due(at, now time.Time) bool {
	return fax.Filter{After: p.Filter.After, Until: p.until(now), Undated: true}.Match(fax.Fax{Created: at})
}

// mayBeDue reports whether any date of a fax meets them.
func (p Policy) mayBeDue(f fax.Fax, m made, now time.Time) bool {
	return p.due(f.Created, now) || m.apart() && (p.due(m.oldest, now) || p.due(m.newest, now))
}

// contradiction fails with fax.ErrContradiction when p selects a fax by one of its dates
// and not by another. What is newer than last is among those that KeepLast protects; zero:
// nothing is.
func (p Policy) contradiction(id string, m made, last, now time.Time) error {
	selects := func(at time.Time) bool { return p.due(at, now) && (last.IsZero() || !at.After(last)) }
	if !m.apart() || selects(m.oldest) && selects(m.newest) {
		return nil
	}
	return problem.With(fmt.Errorf("fax %s: %w: it was made at %s, and at %s, and the policy selects it by one date alone",
		id, fax.ErrContradiction, m.oldest.UTC().Format(time.RFC3339), m.newest.UTC().Format(time.RFC3339)),
		problem.Say("look at it with %s; when it may go, delete it by its id", problem.Command("faxes", "get").Arg(id)))
}
