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
		walk := NewWalk()
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
			for _, item := range page.Items {
				walk.New(key(item))
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			if err := walk.On(page.Next, page.Sifted); err != nil {
				yield(zero, err)
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

// Walk is what was seen on the way through the pages of one list, by which one
// that never ends is noticed. [NewWalk] begins one.
type Walk struct {
	cursors map[string]bool
	seed    maphash.Seed
	seen    map[uint64]struct{} // hashes: lists are long
	fresh   bool                // something on this page was new
	stale   int                 // pages in a row on which nothing was
}

// mostStale is how many pages in a row may show nothing that was not seen before.
const mostStale = 1000

// NewWalk is a walk that has seen nothing.
func NewWalk() *Walk {
	return &Walk{cursors: map[string]bool{}, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
}

// New takes in what a page shows, and reports whether it was not seen before.
func (w *Walk) New(key string) bool {
	hash := maphash.String(w.seed, key)
	_, known := w.seen[hash]
	w.seen[hash] = struct{}{}
	w.fresh = w.fresh || !known
	return !known
}

// On ends a page that another one follows. Sifted is that of the page.
// ErrUnavailable: the pages lead in a circle, or a thousand of them showed nothing
// new.
func (w *Walk) On(next string, sifted bool) error {
	if w.stale++; w.fresh || sifted {
		w.stale = 0
	}
	w.fresh = false
	if w.cursors[next] {
		return &APIError{Kind: problem.ErrUnavailable, Message: "the provider's pages lead in a circle"}
	}
	if w.stale >= mostStale {
		return &APIError{Kind: problem.ErrUnavailable, Message: fmt.Sprintf("the provider's list goes on, with nothing new on %d pages", mostStale)}
	}
	w.cursors[next] = true
	return nil
}
