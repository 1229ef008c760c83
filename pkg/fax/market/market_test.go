package market_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
)

// offers are n local numbers in an area code, spread over its range.
func offers(area string, n int) []fax.Offer {
	var all []fax.Offer
	for i := range n {
		all = append(all, fax.Offer{Phone: fmt.Sprintf("+1%s%d%06d", area, 2+i%8, i*104729%1_000_000), Country: "US", Type: fax.Local})
	}
	return all
}

func queries(t *testing.T, s market.Search) []fax.Query {
	t.Helper()
	all, err := s.Queries()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func phones(all []fax.Offer) []string {
	var out []string
	for _, o := range all {
		out = append(out, o.Phone)
	}
	return out
}

// Six area codes take the time of one, and come in the order of the questions
// although the first answer is the last to arrive.
func TestSearchAllSideBySide(t *testing.T) {
	areas := []string{"212", "305", "415", "512", "628", "713"}
	m := &stock{}
	var want []string
	for _, a := range areas {
		m.offers = append(m.offers, offers(a, 3)...)
		want = append(want, phones(offers(a, 3))...)
	}
	synctest.Test(t, func(t *testing.T) {
		m.before = func(ctx context.Context, q fax.Query) error {
			latency := time.Second - time.Duration(slices.Index(areas, q.AreaCode))*100*time.Millisecond
			select {
			case <-time.After(latency):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		begin := time.Now()
		got, err := fax.Collect(market.SearchAll(t.Context(), m, queries(t, market.Search{AreaCodes: areas}), market.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != time.Second {
			t.Errorf("took %s, want the second of the slowest answer", took)
		}
		if d := cmp.Diff(want, phones(got)); d != "" {
			t.Errorf("offers (-want +got):\n%s", d)
		}

		begin = time.Now()
		if _, err := fax.Collect(market.SearchAll(t.Context(), m, queries(t, market.Search{AreaCodes: areas}), market.Options{Jobs: 1})); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 4500*time.Millisecond {
			t.Errorf("one at a time took %s, want 4.5s", took)
		}
	})
}

func TestSearchAllEachNumberOnce(t *testing.T) {
	m := &stock{offers: offers("415", 5)}
	got, err := fax.Collect(market.SearchAll(t.Context(), m, queries(t, market.Search{Patterns: []string{"+1415", "415", "000"}}), market.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(phones(offers("415", 5)), phones(got)); d != "" {
		t.Errorf("offers (-want +got):\n%s", d)
	}
}

func TestSearchAllEndsWithTheError(t *testing.T) {
	m := &stock{offers: append(offers("415", 2), offers("628", 2)...)}
	m.before = func(_ context.Context, q fax.Query) error {
		if q.AreaCode == "628" {
			return problem.ErrUnavailable
		}
		return nil
	}
	got, err := fax.Collect(market.SearchAll(t.Context(), m, queries(t, market.Search{AreaCodes: []string{"415", "628", "212"}}), market.Options{}))
	if !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("error %v, want problem.ErrUnavailable", err)
	}
	if len(got) != 2 {
		t.Errorf("%d offers before the error, want the 2 of the question before", len(got))
	}
}

// A type the provider does not sell is a gap, not the end; none that it sells
// is an error.
func TestSearchAllUnsupportedType(t *testing.T) {
	m := &stock{offers: offers("415", 2), types: []fax.NumberType{fax.Local}}
	var gaps []error
	opt := market.Options{Gap: func(err error) { gaps = append(gaps, err) }}
	got, err := fax.Collect(market.SearchAll(t.Context(), m, queries(t, market.Search{Types: []fax.NumberType{fax.Mobile, fax.Local}}), opt))
	if err != nil || len(got) != 2 {
		t.Errorf("%d offers, %v, want the 2 local ones", len(got), err)
	}
	if len(gaps) != 1 || !errors.Is(gaps[0], problem.ErrUnsupported) {
		t.Errorf("gaps %v, want problem.ErrUnsupported for the mobile numbers", gaps)
	}
	_, err = fax.Collect(market.SearchAll(t.Context(), m, queries(t, market.Search{Types: []fax.NumberType{fax.Mobile, fax.Voip}}), opt))
	if !errors.Is(err, problem.ErrUnsupported) || len(gaps) != 1 {
		t.Errorf("nothing it sells: %v and gaps %v, want problem.ErrUnsupported alone", err, gaps[1:])
	}
}

// When the bound on further questions is reached, or no narrower one is taken,
// the caller hears that there may be more.
func TestSearchAllTellsOfTheCut(t *testing.T) {
	refuse := func(_ context.Context, q fax.Query) error {
		if q.Contains != "" {
			return problem.ErrInvalid
		}
		return nil
	}
	for name, c := range map[string]struct {
		search market.Search
		opt    market.Options
		before func(context.Context, fax.Query) error
		stock  int
		cut    bool
	}{
		"all there is":      {market.Search{AreaCodes: []string{"415"}}, market.Options{}, nil, 200, false},
		"out of questions":  {market.Search{AreaCodes: []string{"415"}}, market.Options{MaxRefined: 3}, nil, 200, true},
		"refused":           {market.Search{AreaCodes: []string{"415"}}, market.Options{}, refuse, 200, true},
		"nothing narrower":  {market.Search{Patterns: []string{"+1415%$"}}, market.Options{}, nil, 50, true},
		"no more was asked": {market.Search{AreaCodes: []string{"415"}}, market.Options{Limit: 30, MaxRefined: 3}, nil, 200, false},
	} {
		cut := false
		c.opt.Gap = func(err error) { cut = cut || errors.Is(err, market.ErrCut) && problem.AdviceOf(err).String() != "" }
		m := &stock{offers: offers("415", c.stock), before: c.before}
		if _, err := fax.Collect(market.SearchAll(t.Context(), m, queries(t, c.search), c.opt)); err != nil || cut != c.cut {
			t.Errorf("%s: told of a cut: %t, %v, want %t", name, cut, err, c.cut)
		}
	}
}

// Breaking out cancels what is under way, and nothing is left running.
func TestSearchAllStops(t *testing.T) {
	defer goleak.VerifyNone(t)
	m := &stock{offers: append(offers("415", 2), offers("628", 2)...)}
	m.before = func(ctx context.Context, q fax.Query) error {
		if q.AreaCode == "415" {
			return nil
		}
		<-ctx.Done() // an answer that never comes
		return ctx.Err()
	}
	asked := queries(t, market.Search{AreaCodes: []string{"415", "628"}})
	for range market.SearchAll(t.Context(), m, asked, market.Options{}) {
		break
	}
	if got, err := fax.Collect(market.SearchAll(t.Context(), m, asked, market.Options{Limit: 2})); err != nil || len(got) != 2 {
		t.Errorf("limit 2: %d offers, %v", len(got), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range market.SearchAll(ctx, m, asked, market.Options{}) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("canceled: last error %v, want context.Canceled", last)
	}
}

func TestSearchAllPastTheCap(t *testing.T) {
	for name, c := range map[string]struct {
		search   market.Search
		opt      market.Options
		stock    []fax.Offer
		want     int
		requests int // at most
	}{
		"enough with one answer":      {market.Search{AreaCodes: []string{"415"}}, market.Options{Limit: 30}, offers("415", 100), 30, 1},
		"no more than there are":      {market.Search{AreaCodes: []string{"415"}}, market.Options{Limit: 50}, offers("415", 29), 29, 1},
		"a few more":                  {market.Search{AreaCodes: []string{"415"}}, market.Options{Limit: 40}, offers("415", 100), 40, 4},
		"all of an area code":         {market.Search{AreaCodes: []string{"415"}}, market.Options{}, offers("415", 200), 200, 9},
		"two digits deep":             {market.Search{AreaCodes: []string{"415"}}, market.Options{}, offers("415", 400), 400, 97},
		"all without an area code":    {market.Search{}, market.Options{}, offers("628", 300), 300, 101},
		"pattern at the end":          {market.Search{Patterns: []string{"0$"}}, market.Options{}, offers("628", 900), 90, 101},
		"pattern anywhere":            {market.Search{Patterns: []string{"628"}}, market.Options{}, offers("628", 200), 200, 12},
		"pattern with wildcards":      {market.Search{Patterns: []string{"+1628*******"}}, market.Options{}, offers("628", 200), 200, 11},
		"pattern with any":            {market.Search{Patterns: []string{"628%"}}, market.Options{}, offers("628", 200), 200, 12},
		"wildcards before the end":    {market.Search{Patterns: []string{"*00$"}}, market.Options{}, offers("628", 9000), 90, 11},
		"a whole number is not split": {market.Search{Patterns: []string{"+1628%$"}}, market.Options{}, offers("628", 50), 30, 1},
		// Four of the first thirty come again in the ten parts.
		"bounded": {market.Search{}, market.Options{MaxRefined: 10}, offers("628", 3000), 326, 11},
	} {
		t.Run(name, func(t *testing.T) {
			m := &stock{offers: c.stock}
			got, err := fax.Collect(market.SearchAll(t.Context(), m, queries(t, c.search), c.opt))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != c.want {
				t.Errorf("%d offers, want %d", len(got), c.want)
			}
			if len(m.calls) > c.requests {
				t.Errorf("%d requests, want at most %d:\n%s", len(m.calls), c.requests, strings.Join(m.calls, "\n"))
			}
			seen := phones(got)
			slices.Sort(seen)
			if len(slices.Compact(seen)) != len(got) {
				t.Error("a number came twice")
			}
			for _, call := range m.calls {
				if p := call[strings.LastIndex(call, " ")+1:]; len(p) > 16 {
					t.Errorf("pattern %q is longer than providers take", p)
				}
			}
		})
	}
}

// A provider that does not take our narrower patterns has given all it has;
// any other failure is told.
func TestSearchAllRefinementRefused(t *testing.T) {
	for kind, want := range map[error]error{problem.ErrInvalid: nil, problem.ErrUnsupported: nil, problem.ErrUnavailable: problem.ErrUnavailable} {
		m := &stock{offers: offers("415", 100)}
		m.before = func(_ context.Context, q fax.Query) error {
			if q.Contains != "" {
				return fmt.Errorf("pattern: %w", kind)
			}
			return nil
		}
		got, err := fax.Collect(market.SearchAll(t.Context(), m, queries(t, market.Search{AreaCodes: []string{"415"}}), market.Options{}))
		if !errors.Is(err, want) || (err == nil) != (want == nil) || len(got) != 30 {
			t.Errorf("refused as %v: %d offers, %v, want 30 and %v", kind, len(got), err, want)
		}
	}
}

func TestSearchAllPrices(t *testing.T) {
	m := &stock{offers: append(offers("415", 2), fax.Offer{Phone: "+18005550100", Country: "US", Type: fax.TollFree})}
	asked := queries(t, market.Search{Types: []fax.NumberType{fax.Local, fax.TollFree}})
	got, err := fax.Collect(market.SearchAll(t.Context(), m, asked, market.Options{Prices: true}))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range got {
		if priced := o.Price != nil && o.Price.String() == "1.15 USD"; priced != (o.Type == fax.Local) {
			t.Errorf("%s %s: price %v", o.Type, o.Phone, o.Price)
		}
	}
	if n := slices.Index(m.calls, "prices US"); n < 0 || slices.Contains(m.calls[n+1:], "prices US") {
		t.Errorf("the price list was not asked for exactly once: %v", m.calls)
	}
	// Canada's list never comes; whoever has seen enough need not wait for it.
	asked = append(asked, queries(t, market.Search{Query: fax.Query{Country: "CA"}})...)
	for range market.SearchAll(t.Context(), m, asked, market.Options{Prices: true}) {
		break
	}
	m.offers = []fax.Offer{{Phone: "+123", Country: "GB", Type: fax.Local}}
	_, err = fax.Collect(market.SearchAll(t.Context(), m, queries(t, market.Search{Query: fax.Query{Country: "GB"}}), market.Options{Prices: true}))
	if !errors.Is(err, problem.ErrUnsupported) {
		t.Errorf("no price list: %v, want problem.ErrUnsupported", err)
	}
}

// A provider knows its own cap: an answer below it is whole.
func TestSearchAllKnowsTheCap(t *testing.T) {
	m := &stock{offers: offers("628", 95), cut: 100}
	got, err := fax.Collect(market.SearchAll(t.Context(), m, queries(t, market.Search{}), market.Options{}))
	if err != nil || len(got) != 95 || len(m.calls) != 1 {
		t.Errorf("%d offers in %d requests, %v", len(got), len(m.calls), err)
	}
}
