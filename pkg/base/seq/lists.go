package seq

import "iter"

// Of is a slice as a sequence without errors.
func Of[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// Head is the first n items of a sequence (0: all); cut tells, once the
// sequence was read, whether there were more. It reads one item further to
// know.
func Head[T any](seq iter.Seq2[T, error], n int) (first iter.Seq2[T, error], cut *bool) {
	cut = new(bool)
	if n <= 0 {
		return seq, cut
	}
	return func(yield func(T, error) bool) {
		left := n
		for v, err := range seq {
			if err == nil && left == 0 {
				*cut = true
				return
			}
			left--
			if !yield(v, err) {
				return
			}
		}
	}, cut
}

// Filter keeps the items that keep accepts, and the errors.
func Filter[T any](seq iter.Seq2[T, error], keep func(T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			if (err != nil || keep(v)) && !yield(v, err) {
				return
			}
		}
	}
}

// Each does something with each item of a sequence, and returns the error that it
// ended with.
func Each[T any](seq iter.Seq2[T, error], do func(T)) error {
	for v, err := range seq {
		if err != nil {
			return err
		}
		do(v)
	}
	return nil
}

// Chunks are the items of a sequence, n at a time, and fewer at its end or before an
// error. A chunk is good until the next.
func Chunks[T any](seq iter.Seq2[T, error], n int) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		var chunk []T
		for v, err := range seq {
			if err == nil {
				if chunk = append(chunk, v); len(chunk) < n {
					continue
				}
			}
			if len(chunk) > 0 && !yield(chunk, nil) {
				return
			}
			if chunk = chunk[:0]; err != nil {
				yield(nil, err)
				return
			}
		}
		if len(chunk) > 0 {
			yield(chunk, nil)
		}
	}
}
