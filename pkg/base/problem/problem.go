// Package problem tells why something cannot be done, and what to do about it.
//
// Use it for every error that a person is to read. A [Kind] says what sort of
// failure it is, so that a program can decide; [Advice] says what to do next.
// Advice is a value, not a sentence: the settings and commands it names are
// parts of it, and each surface writes them in its own words. A command line
// writes --fax-url, a file fax-url: and a page the label of its input.
//
//	return problem.Invalid(problem.Say("leave %s out, or %s", problem.Field("max-price"), problem.Command("numbers", "search").Switch("price")),
//		"price of %s", country)
package problem

import (
	"errors"
	"fmt"
)

// The kinds of failure. Compare with [errors.Is]. An error that is of none is
// one that nobody foresaw.
var (
	ErrInvalid     = errors.New("invalid")        // the request is wrong and will stay wrong
	ErrAuth        = errors.New("not authorized") // credentials missing, refused or without the right
	ErrNotFound    = errors.New("not found")      // no such thing, or not ours
	ErrConflict    = errors.New("conflict")       // refused in the present state, or not confirmed
	ErrUnavailable = errors.New("unavailable")    // the other side or the way to it; worth running again
	ErrUnsupported = errors.New("not supported")  // it cannot be done there
)

// ErrTold marks a failure that a person was told of already: only its kind is left.
var ErrTold = errors.New("told")

// ErrUntrusted marks a server that is not proven to be itself, or has no TLS where it is to
// have it. Who runs on tries again, since a server is mended while it runs; who only begins
// has been told of a wrong server, or of too few authorities.
var ErrUntrusted = errors.New("not trusted")

// Invalid is an [ErrInvalid] with advice. Its text reads on from "invalid":
// Invalid(Say("three digits, as in 415"), "area code %q", "41").
func Invalid(a Advice, format string, args ...any) error {
	return With(fmt.Errorf("%w "+format, append([]any{ErrInvalid}, args...)...), a)
}

// Error is a problem in words of its own.
type Error struct {
	Kind   error  // one of the kinds above, or what wraps one
	Text   string // what is wrong, one line for each mistake
	Cause  error  // what the system said; may be nil
	Advice Advice // what to do about it; may be empty
}

// Error is the text, and the cause behind it.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Text + ": " + e.Cause.Error()
	}
	return e.Text
}

// NextStep is the advice.
func (e *Error) NextStep() Advice { return e.Advice }

// Unwrap is the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// Of gives err a kind, or anything else that [errors.Is] is to find, without a
// change to its text.
func Of(kind, err error) error {
	if err == nil {
		return nil
	}
	return &kindError{kind, err}
}

type kindError struct{ kind, err error }

func (e *kindError) Error() string   { return e.err.Error() }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.err} }

// KindOf is the kind of err: one of those above, the first that it is of, or nil.
func KindOf(err error) error {
	for _, kind := range []error{ErrInvalid, ErrAuth, ErrNotFound, ErrConflict, ErrUnavailable, ErrUnsupported} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}

// With adds to err what to do next. The text of err stays as it is; [AdviceOf]
// finds the advice.
func With(err error, a Advice) error {
	if err == nil {
		return nil
	}
	return &advised{err, a}
}

type advised struct {
	error
	advice Advice
}

func (e *advised) Unwrap() error    { return e.error }
func (e *advised) NextStep() Advice { return e.advice }

// AdviceOf is the advice that came with err, outermost first; empty when there
// is none. An error of another package gives its own by a method NextStep.
func AdviceOf(err error) Advice {
	// errors.As stops at the first that could tell, though it may have nothing to.
	if e, ok := err.(interface{ NextStep() Advice }); ok && !e.NextStep().Empty() {
		return e.NextStep()
	}
	switch e := err.(type) { //nolint:errorlint // each error of the tree is looked at by itself
	case interface{ Unwrap() error }:
		return AdviceOf(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			if a := AdviceOf(inner); !a.Empty() {
				return a
			}
		}
	}
	return Advice{}
}
