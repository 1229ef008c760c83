package plan

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
)

// shelf is what is for sale, asked for as it is needed; it is not for use by
// several at once. Whoever opens one stops it.
type shelf struct {
	next func() (fax.Offer, error, bool)
	stop func()

	read     []fax.Offer // and not taken
	fax      bool        // those that surely receive faxes come first
	unpriced func()      // opens it without prices; nil when this is it
	err      error       // why there is no more
}

// openShelf asks for at most most offers, with prices where there is a list.
func openShelf(ctx context.Context, numbers fax.Numbers, query fax.Query, most int, prices bool, gap func(error)) *shelf {
	s := &shelf{fax: query.Fax}
	open := func(prices bool) {
		s.next, s.stop = iter.Pull2(market.SearchAll(ctx, numbers, []fax.Query{query}, market.Options{Limit: most, Prices: prices, Gap: gap}))
	}
	open(prices)
	if prices {
		s.unpriced = func() { s.stop(); s.unpriced = nil; open(false) }
	}
	return s
}

// more reads one more offer.
func (s *shelf) more() bool {
	for s.err == nil {
		switch o, err, more := s.next(); {
		case market.NoPriceList(err) && s.unpriced != nil: // before the first offer
			s.unpriced()
		case err != nil:
			s.err = err
		case !more:
			s.err = nothingForSale()
		default:
			s.read = append(s.read, o)
			return true
		}
	}
	return false
}

// take is the next offer that fits, and one that surely receives faxes if there is
// one. fax.ErrNotFound: there is no other; else why the first does not fit.
func (s *shelf) take(fits func(fax.Offer) error) (fax.Offer, error) {
	var why error
	unsure := -1
	for i := 0; i < len(s.read) || s.more(); i++ {
		switch err := fits(s.read[i]); {
		case err != nil:
			why = cmp.Or(why, err)
		case !s.fax || s.read[i].Capabilities.Fax == fax.Yes:
			return s.pick(i), nil
		case unsure < 0:
			unsure = i
		}
	}
	switch {
	case !errors.Is(s.err, problem.ErrNotFound):
		return fax.Offer{}, s.err
	case unsure >= 0:
		return s.pick(unsure), nil
	case why != nil && why != errTaken: //nolint:errorlint // it is made here
		return fax.Offer{}, why
	}
	return fax.Offer{}, s.err
}

func (s *shelf) pick(i int) fax.Offer {
	o := s.read[i]
	s.read = slices.Delete(s.read, i, i+1)
	return o
}

// errTaken says that another entry of the file is to have an offer.
var errTaken = errors.New("another entry is to have it")

// shelfKey is equal for equal questions.
type shelfKey struct {
	fax.Query
	noBeta bool
}

func keyOf(q fax.Query) shelfKey {
	key := shelfKey{Query: q, noBeta: q.Beta != nil && !*q.Beta}
	key.Beta = nil
	return key
}
