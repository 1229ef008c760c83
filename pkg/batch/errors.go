package batch

import (
	"errors"
	"fmt"
)

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

// Tally counts results. The zero value is ready for use.
type Tally struct {
	Done    int `json:"done"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`

	first error
}

// Add counts the result with the given error.
func (t *Tally) Add(err error) {
	switch {
	case err == nil:
		t.Done++
	case Skipped(err):
		t.Skipped++
	default:
		t.Failed++
		if t.first == nil {
			t.first = err
		}
	}
}

// Err is nil when nothing failed, else a [*PartialError].
func (t *Tally) Err() error {
	if t.Failed == 0 {
		return nil
	}
	return &PartialError{Done: t.Done, Failed: t.Failed, Skipped: t.Skipped, First: t.first}
}

// PartialError says that some items failed, possibly all.
type PartialError struct {
	Done, Failed, Skipped int
	First                 error // of those that failed
}

// Error reads "2 of 10 failed".
func (e *PartialError) Error() string {
	return fmt.Sprintf("%d of %d failed", e.Failed, e.Done+e.Failed+e.Skipped)
}

// Unwrap is the first failure, so that a batch of one is told by its kind.
func (e *PartialError) Unwrap() error { return e.First }
