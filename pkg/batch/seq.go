package batch

import (
	"context"
	"iter"
	"sync"
)

// Of is the sequence of the given items.
func Of[T any](items ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Until is items as long as ctx has not ended. It then yields the context's
// error, unless there were no more items.
func Until[T any](ctx context.Context, items iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range items {
			if end := ctx.Err(); end != nil {
				var zero T
				yield(zero, end)
				return
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// Ordered runs several sequences side by side, at most jobs of them, and
// yields their items one sequence after the other, in the order of sources: the
// output is the same as without concurrency, only sooner. A sequence gets at
// most a thousand items ahead of the reader, and no more than jobs sequences
// are ahead at all.
//
// The first error, in the order of the output, is yielded and ends everything.
// Each sequence is given a context that ends with ctx, with that error and when
// the reader breaks out of the loop. When the loop has ended, so have all
// sequences.
func Ordered[T any](ctx context.Context, jobs int, sources []func(context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	const ahead = 1000
	type entry struct {
		item T
		err  error
	}
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		places := make(chan struct{}, max(jobs, 1))
		started := make(chan chan entry, max(jobs, 1))
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()

		running.Go(func() {
			defer close(started)
			for _, source := range sources {
				select {
				case places <- struct{}{}:
				case <-ctx.Done():
					return
				}
				lane := make(chan entry, ahead)
				started <- lane
				running.Go(func() {
					defer close(lane)
					for item, err := range source(ctx) {
						select {
						case lane <- entry{item, err}:
						case <-ctx.Done():
							return
						}
					}
				})
			}
		})

		for lane := range started {
			for e := range lane {
				if !yield(e.item, e.err) || e.err != nil {
					return
				}
			}
			<-places
		}
		if err := ctx.Err(); err != nil {
			var zero T
			yield(zero, err)
		}
	}
}
