package market_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
)

// loose is a stock whose search need not find what it is asked for exactly.
type loose struct{ *stock }

func (l loose) Limits(q fax.Query) fax.SearchLimits {
	limits := l.stock.Limits(q)
	limits.Exact = false
	return limits
}

// TestFind: a number is said not to be for sale only when all that could be asked was
// answered, in full, by a search that finds exactly what it is asked for.
func TestFind(t *testing.T) {
	m := func() *stock { return &stock{offers: offers("415", 3)} }
	failing := m()
	failing.before = func(_ context.Context, q fax.Query) error {
		if q.Type == fax.TollFree {
			return fmt.Errorf("search: %w", problem.ErrUnavailable)
		}
		return nil
	}
	few := m()
	few.types = []fax.NumberType{fax.Local}
	cut := m()
	cut.cut = 1
	cut.offers = append(cut.offers, fax.Offer{Phone: "+1415555019912", Country: "US", Type: fax.Local})
	for name, c := range map[string]struct {
		numbers fax.Numbers
		phone   string
		want    fax.Support
	}{
		"offered":                    {m(), offers("415", 1)[0].Phone, fax.Yes},
		"not offered":                {m(), "+14155550199", fax.No},
		"types that are not sold":    {few, "+14155550199", fax.No},
		"a question without answer":  {failing, "+14155550199", fax.Unknown},
		"an answer that is cut":      {cut, "+14155550199", fax.Unknown},
		"a search that is not exact": {loose{m()}, "+14155550199", fax.Unknown},
		"Jamaica, which looks alike": {m(), "+18765550199", fax.Unknown},
		"a country not known here":   {m(), "+2975550199", fax.Unknown},
	} {
		if _, got, err := market.Find(t.Context(), c.numbers, c.phone); got != c.want || err != nil {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
}
