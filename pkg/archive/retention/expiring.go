// Package retention is about how old a fax is, and how long it is kept: it reads
// the ages and times that people write ([ParseAge], [ParseSince], [ParseUntil]), and
// tells what a provider is about to drop by itself ([Expiring]). All of it is pure:
// nothing is fetched, and the clock is a parameter.
package retention

import (
	"fmt"
	"iter"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Expiry is a fax and when the provider drops it.
type Expiry struct {
	fax.Fax
	Expires time.Time `json:"expires"`
}

// Horizon is the creation time of the youngest fax that a provider which keeps
// faxes for keeps drops within the given time from now: list until there.
func Horizon(keeps, within time.Duration, now time.Time) time.Time {
	return now.Add(within - keeps)
}

// Expiring yields those faxes that the provider drops within the given time
// from now, with the moment of it, in the order they come. keeps is the
// provider's retention; fax.ErrUnsupported when it is 0: that provider drops
// nothing. A fax without a date is left out, its end is not known.
func Expiring(faxes iter.Seq2[fax.Fax, error], keeps, within time.Duration, now time.Time) iter.Seq2[Expiry, error] {
	return func(yield func(Expiry, error) bool) {
		if keeps <= 0 {
			yield(Expiry{}, fmt.Errorf("expiring faxes: %w: this provider keeps faxes until they are deleted", problem.ErrUnsupported))
			return
		}
		edge := Horizon(keeps, within, now)
		for f, err := range faxes {
			if err != nil {
				yield(Expiry{}, err)
				return
			}
			if f.Created.IsZero() || f.Created.After(edge) {
				continue
			}
			if !yield(Expiry{f, f.Created.Add(keeps)}, nil) {
				return
			}
		}
	}
}
