// Package market searches the numbers that a provider has for sale: many questions
// side by side, and narrower ones where an answer is cut.
//
// Use [Search.Queries] for what a person asks for, [SearchAll] for the offers, and
// [Find] for one number that is known already.
package market

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Options is how many questions are asked at a time, and for how much.
type Options struct {
	Jobs   int  // questions at a time; 0: 8
	Limit  int  // offers wanted; 0: all that can be found
	Prices bool // look up each country's prices and set Offer.Price

	// MaxRefined bounds the questions asked beyond those given; 0: 100.
	MaxRefined int
	// Gap is told, from within the loop, what is missing from the sequence
	// and why: offers without a number, ErrUnsupported for one of several
	// questions, [ErrCut] for
	// answers that stayed cut. nil: nobody is told.
	Gap func(error)
}

// ErrNameless says that offers came without their phone number.
var ErrNameless = errors.New("came without their number and are left out")

// ErrCut says that a provider may have more than it gave.
var ErrCut = errors.New("there may be more numbers than these")

// SearchAll asks all questions side by side and yields the offers in the order
// of the questions, each phone number once. The order does not depend on which
// answer comes first. The first question that fails ends the sequence with its
// error, after the offers of the questions before it; but where the provider
// lacks a type (ErrUnsupported), the others are answered all the same, and that
// is an error only when none is. Breaking out cancels what is under way; no
// goroutine outlives the loop. Offers that surely lack a required capability are
// left out, but they count when it is asked whether an answer is cut.
//
// A provider cuts each answer at its cap (fax.Numbers.Limits) and has no second
// page. When the limit is not reached after all answers, a question that was
// answered to the cap is asked again in narrower parts, with one more digit in
// the pattern (or, without a pattern, with the exchange after the area code, or
// as many of the last digits as a pattern has at least), for as long as offers
// are missing and at most MaxRefined times: with a limit, no
// more parts at a time than could fill it. A provider that refuses such a part
// (ErrInvalid, ErrUnsupported) has no more to give for that question, which is
// a gap and not an error. Where all offers say whether they do fax, so do those
// of the parts ([fax.Query.Sure]).
//
// With Prices, a country whose price list cannot be had is an error.
func SearchAll(ctx context.Context, numbers fax.Numbers, queries []fax.Query, opt Options) iter.Seq2[fax.Offer, error] {
	opt.Jobs = orElse(opt.Jobs, 8)
	opt.MaxRefined = orElse(opt.MaxRefined, 100)
	if opt.Gap == nil {
		opt.Gap = func(error) {}
	}
	return func(yield func(fax.Offer, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		price := func(string, *fax.Offer) error { return nil }
		if opt.Prices {
			price = priceLists(ctx, &wg, numbers, queries)
		}

		round := make([]question, len(queries))
		for i, q := range queries {
			round[i].Query = q
		}
		seen := map[string]bool{}
		jobs, budget := opt.Jobs, opt.MaxRefined
		var cut int      // questions whose answers stay cut
		var nameless int // offers without a number
		defer func() {
			if nameless > 0 {
				opt.Gap(fmt.Errorf("%d offers %w", nameless, ErrNameless))
			}
		}()
		var unsupported []error
		for len(round) > 0 {
			var next []question
			for a := range seq.InOrder(ctx, jobs, round, ask(numbers)) {
				if a.refined && (errors.Is(a.err, problem.ErrInvalid) || errors.Is(a.err, problem.ErrUnsupported)) {
					cut++
					continue
				}
				if errors.Is(a.err, problem.ErrUnsupported) {
					unsupported = append(unsupported, a.err)
					continue
				}
				for _, o := range a.offers {
					if o.Phone == "" {
						nameless++
					}
					if o.Phone == "" || seen[o.Phone] || !a.Allows(o.Capabilities) {
						continue
					}
					seen[o.Phone] = true
					if err := price(a.Country, &o); err != nil {
						yield(fax.Offer{}, err)
						return
					}
					if !yield(o, nil) || len(seen) == opt.Limit {
						return
					}
				}
				if a.err != nil {
					yield(fax.Offer{}, a.err)
					return
				}
				if limits := numbers.Limits(a.Query); len(a.offers) >= limits.Rows {
					parts := a.refine(limits.Digits)
					if len(parts) == 0 {
						cut++
					}
					next = append(next, parts...)
				}
			}
			if err := ctx.Err(); err != nil {
				yield(fax.Offer{}, err)
				return
			}
			round = next[:min(len(next), budget)]
			budget -= len(round)
			cut += len(next) - len(round)
			if opt.Limit > 0 {
				missing := opt.Limit - len(seen)
				rows := numbers.Limits(queries[0]).Rows
				jobs = min(opt.Jobs, (missing+rows-1)/rows)
			}
		}
		if len(unsupported) == len(queries) && len(queries) > 0 {
			yield(fax.Offer{}, unsupported[0])
			return
		}
		for _, err := range unsupported {
			opt.Gap(err)
		}
		if cut > 0 {
			opt.Gap(problem.With(ErrCut, problem.Say("the provider cuts each answer; ask for less at a time, with %s or %s", problem.Field("area-code"), problem.Field("contains"))))
		}
	}
}

func orElse(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// question is a query, and whether we made it up to get past the cap.
type question struct {
	fax.Query
	refined bool
}

// answer is all the provider gave for one question, and how it ended.
type answer struct {
	question
	offers []fax.Offer
	err    error
}

func ask(numbers fax.Numbers) func(context.Context, question) answer {
	return func(ctx context.Context, q question) answer {
		offers, err := fax.Collect(numbers.Search(ctx, q.Query))
		return answer{q, offers, err}
	}
}

// refine cuts the question into parts that together cover it, or none when it
// cannot be cut further. Wildcards stay at the ends of a pattern, where
// Twilio wants them.
func (a answer) refine(digits int) []question {
	q := a.Query
	q.Sure = q.Sure || !slices.ContainsFunc(a.offers, func(o fax.Offer) bool { return o.Capabilities.Fax == fax.Unknown })
	var patterns []string
	p := q.Contains
	switch body, atEnd := strings.CutSuffix(p, "$"); {
	case p == "" && q.AreaCode != "": // the exchange never begins with 0 or 1
		for d := 2; d <= 9; d++ {
			patterns = append(patterns, q.AreaCode+strconv.Itoa(d))
		}
	case p == "":
		for d := range tens(digits) {
			patterns = append(patterns, fmt.Sprintf("%0*d$", digits, d))
		}
	case atEnd && strings.HasPrefix(p, "+"): // a whole number, nothing to add
	case atEnd:
		wild, rest := cutLeading(body)
		for d := range 10 {
			patterns = append(patterns, wild+strconv.Itoa(d)+rest+"$")
		}
	default:
		body, wild := cutTrailing(p)
		for d := range 10 {
			patterns = append(patterns, body+strconv.Itoa(d)+wild)
		}
		if !strings.HasPrefix(p, "+") && wild == "" && !strings.HasSuffix(p, "*") {
			patterns = append(patterns, body+"$")
		}
	}
	var parts []question
	for _, pattern := range patterns {
		if len(pattern) <= 16 && pattern != p {
			part := question{q, true}
			part.Contains = pattern
			parts = append(parts, part)
		}
	}
	return parts
}

// tens is ten to the power of n.
func tens(n int) int {
	all := 1
	for range n {
		all *= 10
	}
	return all
}

// cutTrailing takes the wildcards off the end of a pattern: what is before
// them, and what remains of them once a digit has taken the place of the first
// one. Any number of digits (%) needs no place.
func cutTrailing(p string) (body, wild string) {
	body = strings.TrimRight(p, "*%")
	wild = p[len(body):]
	if strings.HasPrefix(wild, "*") {
		return body, wild[1:]
	}
	return body, ""
}

// cutLeading does the same at the start.
func cutLeading(p string) (wild, body string) {
	body = strings.TrimLeft(p, "*%")
	wild = p[:len(p)-len(body)]
	if strings.HasSuffix(wild, "*") {
		return wild[:len(wild)-1], body
	}
	return "", body
}

// PriceListError says that a country's price list could not be had.
type PriceListError struct {
	Country string
	Err     error
}

// Error names the list.
func (e *PriceListError) Error() string {
	return fmt.Sprintf("price list of %s: %v", e.Country, e.Err)
}

// Unwrap is the cause.
func (e *PriceListError) Unwrap() error { return e.Err }

// NoPriceList reports whether err says that there is no price list for these
// credentials: the provider has none, or not of this country, or does not show it.
func NoPriceList(err error) bool {
	var list *PriceListError
	return errors.As(err, &list) && (errors.Is(err, problem.ErrUnsupported) || errors.Is(err, problem.ErrAuth) || errors.Is(err, problem.ErrNotFound))
}

// priceLists starts looking up each country's prices once, beside the
// searches, and returns what sets an offer's price, waiting for the list.
func priceLists(ctx context.Context, wg *sync.WaitGroup, numbers fax.Numbers, queries []fax.Query) func(country string, o *fax.Offer) error {
	lists := map[string]func() (map[fax.NumberType]fax.Money, error){}
	for _, q := range queries {
		if lists[q.Country] != nil {
			continue
		}
		list := sync.OnceValues(func() (map[fax.NumberType]fax.Money, error) {
			prices, err := numbers.Prices(ctx, q.Country)
			if err != nil {
				err = &PriceListError{q.Country, err}
			}
			if NoPriceList(err) {
				err = problem.With(err, problem.Say("search without %s", problem.Field("price")))
			}
			return prices, err
		})
		lists[q.Country] = list
		wg.Go(func() { _, _ = list() })
	}
	return func(country string, o *fax.Offer) error {
		prices, err := lists[country]()
		if m, ok := prices[o.Type]; ok {
			o.Price = &m
		}
		return err
	}
}
