package fax

import (
	"context"
	"iter"
)

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	Next  string // the cursor of the page after; empty: this is the last
}

// Pages turns a way to fetch one page into the sequence of all items. A page
// is fetched when its first item is asked for. Breaking out stops the
// fetching; ranging again starts over. An error is yielded once and last. A
// provider whose next cursor was used before would loop for ever: that is
// reported as ErrUnavailable.
func Pages[T any](ctx context.Context, fetch func(ctx context.Context, cursor string) (Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		seen := cursors{}
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
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == "" {
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
	return &APIError{Kind: ErrUnavailable, Message: "the provider's pages lead in a circle"}
}
