package batch

import "errors"

// Stop marks the error of an item as one that the items after it would meet as
// well, such as refused credentials. Nothing new is started; what runs is
// finished, and err is the last thing [Run] yields. Stop(nil) is nil.
func Stop(err error) error {
	if err == nil {
		return nil
	}
	return &stopError{err}
}

type stopError struct{ error }

func (e *stopError) Unwrap() error { return e.error }

// Stops reports whether err was made by [Stop].
func Stops(err error) bool { return stopped(err) != nil }

// stopped is the error inside the mark, or nil.
func stopped(err error) error {
	var s *stopError
	if errors.As(err, &s) {
		return s.error
	}
	return nil
}

// Skip marks the reason why an item was left alone on purpose: it is neither
// done nor failed. Skip(nil) is nil.
func Skip(why error) error {
	if why == nil {
		return nil
	}
	return &skipError{why}
}

type skipError struct{ error }

func (e *skipError) Unwrap() error { return e.error }

// Skipped reports whether err was made by [Skip].
func Skipped(err error) bool {
	var s *skipError
	return errors.As(err, &s)
}

// Pass is the error of an item that was selected among others and has nothing to
// do: it counts as skipped, and a [Trouble] does not tell of it.
func Pass() error { return Skip(errPassed) }

var errPassed = errors.New("passed over")

// Tally counts results. The zero value is ready for use.
type Tally struct{ Done, Failed, Skipped int }

// Add counts the result with the given error.
func (t *Tally) Add(err error) {
	switch {
	case err == nil:
		t.Done++
	case Skipped(err):
		t.Skipped++
	default:
		t.Failed++
	}
}

// Seen is how many results were counted.
func (t Tally) Seen() int { return t.Done + t.Failed + t.Skipped }

// Left is how many of all were not begun.
func (t Tally) Left(all int) int { return all - t.Seen() }
