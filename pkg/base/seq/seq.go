// Package seq makes sequences.
//
// Use it where results are wanted one by one and in order, while several are
// worked on.
package seq

import (
	"context"
	"iter"
	"sync"
)

// InOrder runs do over items, at most jobs at a time, and yields the results in
// the order of the items. Breaking out cancels the calls under way and waits
// for them.
func InOrder[T, R any](ctx context.Context, jobs int, items []T, do func(context.Context, T) R) iter.Seq[R] {
	return func(yield func(R) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		results := make([]chan R, len(items))
		start := func(i int) {
			results[i] = make(chan R, 1)
			wg.Go(func() { results[i] <- do(ctx, items[i]) })
		}
		for i := range min(jobs, len(items)) {
			start(i)
		}
		for i := range items {
			if !yield(<-results[i]) {
				return
			}
			if i+jobs < len(items) {
				start(i + jobs)
			}
		}
	}
}
