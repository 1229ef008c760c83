// Package batch does one thing to many items, a few at a time, and counts.
//
// Use it to delete a hundred thousand faxes, to download five thousand
// documents or to configure fifty numbers. [Run] takes a sequence of items and
// gives a sequence of results; it holds no more than the items under way.
//
//	var tally batch.Tally
//	for r, err := range batch.Run(ctx, jobs, faxes, remove) {
//		if err != nil {
//			return err
//		}
//		tally.Add(r.Err)
//	}
//	fmt.Printf("%d of %d failed", tally.Failed, tally.Done+tally.Failed)
//
// The failure of one item is a result like any other and stops nothing. Work
// ends early in four ways:
//
//   - the items end with an error: what runs is finished and reported, and the
//     error comes last;
//   - an item fails with an error made by [Stop], because the next ones would
//     fail alike: the same;
//   - the context ends: what runs is told so, its results come, and the
//     context's error comes last;
//   - the reader breaks out of the loop: what runs is told so.
//
// In each case everything that was started has ended when the loop has. To let
// a first interrupt stop new work while running calls finish, and a second
// stop those as well, use two contexts, the first one around the items:
//
//	batch.Run(hard, jobs, batch.Until(soft, faxes), remove)
package batch

import (
	"cmp"
	"context"
	"iter"
	"sync"
)

// Result is what became of one item. Value means something when Err is nil.
type Result[T, R any] struct {
	Item  T
	Value R
	Err   error
}

// Run calls do with every item, with at most jobs items at once, and yields
// the results as they come. A place is free again when the result has been
// read, and an item is taken from the sequence only when there is a place for
// it: nothing is read ahead, and one job means one after another. A panic in
// do or in items is not caught.
func Run[T, R any](ctx context.Context, jobs int, items iter.Seq2[T, error], do func(context.Context, T) (R, error)) iter.Seq2[Result[T, R], error] {
	return func(yield func(Result[T, R], error) bool) {
		lane := make(chan Result[T, R], max(jobs, 1))
		run(ctx, jobs, items, do, func() chan Result[T, R] { return lane }, yield)
	}
}

// RunOrdered is Run with the results in the order of the items. One that takes
// long holds up the others when they are jobs ahead of it.
func RunOrdered[T, R any](ctx context.Context, jobs int, items iter.Seq2[T, error], do func(context.Context, T) (R, error)) iter.Seq2[Result[T, R], error] {
	return func(yield func(Result[T, R], error) bool) {
		run(ctx, jobs, items, do, func() chan Result[T, R] { return make(chan Result[T, R], 1) }, yield)
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

// run takes one result for each started item from the lane of that item. With
// one lane for all, that is the order of completion; with a lane for each, it
// is the order of the items. Every lane has room for its results, so no sender
// ever waits.
func run[T, R any](outer context.Context, jobs int, items iter.Seq2[T, error], do func(context.Context, T) (R, error),
	lane func() chan Result[T, R], yield func(Result[T, R], error) bool,
) {
	jobs = max(jobs, 1)
	ctx, cancel := context.WithCancel(outer)
	fresh, seal := context.WithCancel(ctx) // over: nothing new is started
	var (
		end     error // why, once sealed
		once    sync.Once
		running sync.WaitGroup
	)
	defer running.Wait()
	defer cancel()
	halt := func(err error) { once.Do(func() { end = err; seal() }) }

	places := make(chan struct{}, jobs)
	started := make(chan chan Result[T, R], jobs)
	open := func() bool {
		// A context tells those who wait for it before it tells its children:
		// items may already have ended by outer while fresh has not.
		if err := cmp.Or(outer.Err(), fresh.Err()); err != nil {
			halt(err)
			return false
		}
		return true
	}
	place := func() bool {
		select {
		case places <- struct{}{}:
		case <-fresh.Done():
		}
		return open()
	}
	running.Go(func() {
		defer close(started)
		if !place() {
			return
		}
		for item, err := range items {
			if err != nil {
				halt(err)
			}
			if !open() {
				return
			}
			to := lane()
			started <- to
			running.Go(func() {
				value, err := do(ctx, item)
				if fatal := stopped(err); fatal != nil {
					halt(fatal)
				}
				to <- Result[T, R]{item, value, err}
			})
			if !place() {
				return
			}
		}
	})

	cut := false // an item failed when the context had ended
	for from := range started {
		r := <-from
		cut = cut || r.Err != nil && outer.Err() != nil
		if !yield(r, nil) {
			return
		}
		<-places
	}
	if end == nil && cut {
		end = outer.Err()
	}
	if end != nil {
		yield(Result[T, R]{}, end)
	}
}
