package fax

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	Next  string // the cursor of the page after; empty: this is the last

	// Sifted: things that were on the page are not among the items, so that it may
	// have shown something new.
	Sifted bool
}

// Pages turns a way to fetch one page into the sequence of all items. A page
// is fetched when its first item is asked for. Breaking out stops the
// fetching; ranging again starts over. An error is yielded once and last. A
// provider whose next cursor was used before would loop for ever, and so may one
// that shows nothing new on a thousand pages in a row, by what key tells of an item:
// both are reported as ErrUnavailable.
func Pages[T any](ctx context.Context, key func(T) string, fetch func(ctx context.Context, cursor string) (Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		seen, shown := cursors{}, newNews()
		for cursor := ""; ; {
			if err := ctx.Err(); err != nil {
				yield(zero, err)
				return
			}
			page, err := fetch(ctx, cursor)
			if err != nil {
				yield(zero, err)
				return
			}
			shown.fresh = page.Sifted
			for _, item := range page.Items {
				shown.add(key(item))
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			if shown.staleFor() >= mostStale {
				yield(zero, errNothingNew())
				return
			}
			if seen.again(page.Next) {
				yield(zero, errSamePage())
				return
			}
			cursor = page.Next
		}
	}
}

// Collect reads a sequence to its end. On an error it returns what came
// before, and the error.
func Collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}

// cursors are those that a list has used.
type cursors map[string]bool

// again reports whether a cursor was used before; now it was.
func (c cursors) again(cursor string) bool {
	used := c[cursor]
	c[cursor] = true
	return used
}

// errSamePage is a provider whose list would never end.
func errSamePage() error {
	return &APIError{Kind: problem.ErrUnavailable, Message: "the provider's pages lead in a circle"}
}

// mostStale is how many pages in a row may show nothing that was not seen before.
const mostStale = 1000

// news tells which of the things that a list shows are new.
type news struct {
	seed  maphash.Seed
	seen  map[uint64]struct{} // hashes: lists are long
	fresh bool                // something on this page was
	stale int                 // pages in a row on which nothing was
}

func newNews() *news { return &news{seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}} }

// add takes in what a page shows, and reports whether it is new.
func (n *news) add(key string) bool {
	hash := maphash.String(n.seed, key)
	_, known := n.seen[hash]
	n.seen[hash] = struct{}{}
	n.fresh = n.fresh || !known
	return !known
}

// staleFor ends a page, and is how many in a row showed nothing new.
func (n *news) staleFor() int {
	if n.stale++; n.fresh {
		n.stale = 0
	}
	n.fresh = false
	return n.stale
}

// errNothingNew is a provider whose list may never end.
func errNothingNew() error {
	return &APIError{Kind: problem.ErrUnavailable, Message: fmt.Sprintf("the provider's list goes on, with nothing new on %d pages", mostStale)}
}
