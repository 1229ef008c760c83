package market_test

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// stock is the numbers that a provider has for sale, kept in memory, and a record of
// what was asked. It can be asked for nothing else.
type stock struct {
	fax.Numbers

	offers []fax.Offer
	types  []fax.NumberType // what it sells; empty: all
	cut    int              // offers in an answer; 0: rows

	// before runs at the start of each search, to hold it up or to fail it.
	before func(context.Context, fax.Query) error

	mu    sync.Mutex
	calls []string
}

func (m *stock) note(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, fmt.Sprintf(format, args...))
}

const rows = 30

func (m *stock) Search(ctx context.Context, q fax.Query) iter.Seq2[fax.Offer, error] {
	return func(yield func(fax.Offer, error) bool) {
		m.note("search %s %s %s", q.Type, q.AreaCode, q.Contains)
		if m.before != nil {
			if err := m.before(ctx, q); err != nil {
				yield(fax.Offer{}, err)
				return
			}
		}
		if len(m.types) > 0 && !slices.Contains(m.types, q.Type) {
			yield(fax.Offer{}, fmt.Errorf("type %s: %w", q.Type, problem.ErrUnsupported))
			return
		}
		given, pattern := 0, like(q.Contains)
		for _, o := range m.offers {
			if given == m.Limits(q).Rows {
				return
			}
			if o.Country == q.Country && o.Type == q.Type && strings.HasPrefix(o.Phone, "+1"+q.AreaCode) && pattern.MatchString(o.Phone) {
				given++
				if !yield(o, nil) {
					return
				}
			}
		}
	}
}

// like is a pattern of Twilio's as a regular expression.
func like(pattern string) *regexp.Regexp {
	return regexp.MustCompile(strings.NewReplacer("+", `^\+`, "*", `\d`, "%", `\d*`).Replace(pattern))
}

// Prices knows the US, keeps Canada waiting, and has no other list.
func (m *stock) Prices(ctx context.Context, country string) (map[fax.NumberType]fax.Money, error) {
	m.note("prices %s", country)
	switch country {
	case "US":
	case "CA":
		<-ctx.Done()
		return nil, ctx.Err()
	default:
		return nil, fmt.Errorf("prices of %s: %w", country, problem.ErrUnsupported)
	}
	return map[fax.NumberType]fax.Money{fax.Local: {Amount: "1.15", Currency: "USD"}}, nil
}

func (m *stock) Limits(fax.Query) fax.SearchLimits {
	return fax.SearchLimits{Rows: cmp.Or(m.cut, rows), Digits: 2, Exact: true}
}
