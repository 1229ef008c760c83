// Package usage adds faxes up: by number, sender, day, month or status, with pages, minutes
// and cost, and with what of them nobody knows.
//
// Use it for reports and bills; a list of faxes is fax/listing's.
package usage

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Grouping says what faxes are added up by.
type Grouping string

// The groupings.
const (
	ByNumber Grouping = "number" // the account's end of the line
	BySender Grouping = "sender"
	ByDay    Grouping = "day"   // of creation, in the zone asked for
	ByMonth  Grouping = "month" // likewise
	ByStatus Grouping = "status"
)

// Groupings lists every grouping.
func Groupings() []Grouping { return []Grouping{ByNumber, BySender, ByDay, ByMonth, ByStatus} }

// Usage is what a group of faxes adds up to. What the provider has not told is
// counted apart and never taken for nothing.
type Usage struct {
	Key            string      `json:"key"` // what the faxes have in common; empty: nothing known
	Faxes          int         `json:"faxes"`
	Inbound        int         `json:"inbound"`
	Outbound       int         `json:"outbound"`
	Unsuccessful   int         `json:"unsuccessful"`
	Pages          int         `json:"pages"`
	UnknownPages   int         `json:"unknown_pages"` // faxes without a page count
	Seconds        int         `json:"seconds"`
	UnknownSeconds int         `json:"unknown_seconds"` // faxes without a duration
	Cost           []fax.Money `json:"cost"`            // what is known of it, a sum for each currency
	UnknownCost    int         `json:"unknown_cost"`    // faxes without a price
}

// Summarize adds faxes up by group and returns the groups and the total. Days
// and months are those of zone and come in their order; other groups come with the
// largest first. Errors are those of faxes, and ErrInvalid for a price that is
// no amount.
func Summarize(faxes iter.Seq2[fax.Fax, error], by Grouping, zone *time.Location) (groups []Usage, total Usage, err error) {
	sums := map[string]*sum{}
	all := &sum{}
	for f, err := range faxes {
		if err != nil {
			return nil, Usage{}, err
		}
		key := by.key(f, zone)
		group := sums[key]
		if group == nil {
			group = &sum{Usage: Usage{Key: key}}
			sums[key] = group
		}
		for _, s := range []*sum{group, all} {
			if err := s.add(f); err != nil {
				return nil, Usage{}, fmt.Errorf("fax %s: %w", f.ID, err)
			}
		}
	}
	for _, s := range sums {
		groups = append(groups, s.usage())
	}
	slices.SortFunc(groups, func(a, b Usage) int {
		if by == ByDay || by == ByMonth {
			return cmp.Compare(a.Key, b.Key)
		}
		return cmp.Or(cmp.Compare(b.Faxes, a.Faxes), cmp.Compare(a.Key, b.Key))
	})
	return groups, all.usage(), nil
}

func (g Grouping) key(f fax.Fax, zone *time.Location) string {
	switch g {
	case BySender:
		return f.From
	case ByStatus:
		return string(f.Status)
	case ByDay:
		return date(f.Created, zone, time.DateOnly)
	case ByMonth:
		return date(f.Created, zone, "2006-01")
	case ByNumber:
	}
	return f.OurNumber()
}

// date is "" for no time.
func date(t time.Time, zone *time.Location, form string) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(form)
}

// sum is a usage in the making.
type sum struct {
	Usage
	cost map[string]*amount // by currency
}

// amount is an exact sum, and how many decimals to show of it.
type amount struct {
	total    big.Rat
	decimals int
}

func (s *sum) add(f fax.Fax) error {
	s.Faxes++
	switch f.Direction {
	case fax.Inbound:
		s.Inbound++
	case fax.Outbound:
		s.Outbound++
	}
	if f.Status.Unsuccessful() {
		s.Unsuccessful++
	}
	addKnown(&s.Pages, &s.UnknownPages, f.Pages)
	addKnown(&s.Seconds, &s.UnknownSeconds, f.Duration)
	if f.Price == nil {
		s.UnknownCost++
		return nil
	}
	price, err := f.Price.Exact()
	if err != nil {
		return err
	}
	if s.cost == nil {
		s.cost = map[string]*amount{}
	}
	currency := strings.ToUpper(f.Price.Currency)
	if s.cost[currency] == nil {
		s.cost[currency] = &amount{}
	}
	a := s.cost[currency]
	a.total.Add(&a.total, price)
	_, fraction, _ := strings.Cut(f.Price.Amount, ".")
	a.decimals = max(a.decimals, len(fraction))
	return nil
}

func addKnown(sum, unknown, n *int) {
	if n == nil {
		*unknown++
		return
	}
	*sum += *n
}

func (s *sum) usage() Usage {
	s.Cost = []fax.Money{}
	for _, currency := range slices.Sorted(maps.Keys(s.cost)) {
		a := s.cost[currency]
		s.Cost = append(s.Cost, fax.Money{Amount: a.total.FloatString(a.decimals), Currency: currency})
	}
	return s.Usage
}
