package resolve

import (
	"context"
	"iter"
	"slices"

	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Resolved is what became of a ref.
type Resolved struct {
	Ref    string
	Number fax.Number
	Err    error // those of [Number]
}

const (
	// resolvers is how many refs are looked up at a time.
	resolvers = 8

	// fewRefs are looked up one by one, which takes two requests for each; for
	// more of them the account is listed, once.
	fewRefs = 20
)

// Numbers is [Number] for many refs: it finds their numbers side by side and
// yields them in the order of the refs. Above a few the account's numbers are
// listed once, and only what the list does not have is asked for by itself. An
// error about one ref stops nothing; when the list fails, so does every ref.
// Breaking out cancels what is under way; no goroutine outlives the loop.
func Numbers(ctx context.Context, numbers fax.Numbers, refs []string, how Reading) iter.Seq[Resolved] {
	owned := every(ctx, numbers)
	find := func(ctx context.Context, ref string) Resolved {
		n, err := number(ctx, numbers, ref, how, owned)
		return Resolved{ref, n, err}
	}
	return func(yield func(Resolved) bool) {
		resolve := find
		if len(refs) > fewRefs {
			known, err := list(ctx, numbers, refs)
			resolve = func(ctx context.Context, ref string) Resolved {
				if n, has, ambiguous := known.find(ref); err != nil {
					return Resolved{Ref: ref, Err: err}
				} else if has || ambiguous != nil {
					return Resolved{ref, n, ambiguous}
				}
				return find(ctx, ref)
			}
		}
		seq.InOrder(ctx, resolvers, refs, resolve)(yield)
	}
}

// listed are the numbers that refs may mean, by what they may mean them by.
type listed map[meaning][]fax.Number

// list goes through the account's numbers and keeps those that refs may mean.
func list(ctx context.Context, numbers fax.Numbers, refs []string) (listed, error) {
	known := listed{}
	for _, ref := range refs {
		for _, m := range meanings(ref) {
			known[m] = nil
		}
	}
	for n, err := range numbers.List(ctx, fax.NumberFilter{WithMode: true}) {
		if err != nil {
			return nil, err
		}
		for _, m := range []meaning{{asPhone, n.Phone}, {asID, n.ID}, {asName, n.Name}} {
			// A list that grows while it is read has a number twice.
			if all, wanted := known[m]; wanted && !slices.ContainsFunc(all, func(o fax.Number) bool { return o.ID == n.ID }) {
				known[m] = append(all, n)
			}
		}
	}
	return known, nil
}

// find is the number that ref means, if the list has it.
func (l listed) find(ref string) (n fax.Number, found bool, err error) {
	for _, m := range meanings(ref) {
		if all := l[m]; len(all) > 0 {
			n, err = single(ref, all)
			return n, err == nil, err
		}
	}
	return fax.Number{}, false, nil
}
