package fax

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The kinds of error. Every error of a provider unwraps to one of them, or is
// the context's. Compare with [errors.Is].
var (
	ErrInvalid     = errors.New("invalid")        // the request is wrong and will stay wrong
	ErrAuth        = errors.New("not authorized") // credentials missing, refused or without the right
	ErrNotFound    = errors.New("not found")      // no such thing, or not ours
	ErrConflict    = errors.New("conflict")       // refused in the present state, or not confirmed
	ErrUnavailable = errors.New("unavailable")    // the provider or the way to it; worth running again
	ErrUnsupported = errors.New("not supported")  // this provider cannot do it
)

// Why a purchase was refused. Both are ErrConflict, and another number may be
// had.
var (
	ErrTaken  = fmt.Errorf("%w: the number is not for sale any more", ErrConflict)
	ErrPapers = fmt.Errorf("%w: the number needs an address or a regulatory bundle", ErrConflict)
)

// APIError is a provider's refusal, decoded, or what stands for one when the
// answer could not be understood.
type APIError struct {
	Kind      error  // one of those above
	Status    int    // HTTP status; 0 when there was no answer
	Code      string // the provider's code: "20404", or a word at SignalWire
	Message   string // the provider's words, control characters removed
	MoreInfo  string // a page of the provider's about the code
	RequestID string // for the provider's support
	Hint      string // what to do next, naming a command
}

// Error reads "message (twilio code 20404, HTTP 404, request RQ…)".
func (e *APIError) Error() string {
	var facts []string
	if e.Code != "" {
		facts = append(facts, "code "+e.Code)
	}
	if e.Status != 0 {
		facts = append(facts, "HTTP "+strconv.Itoa(e.Status))
	}
	if e.RequestID != "" {
		facts = append(facts, "request "+e.RequestID)
	}
	msg := e.Message
	switch {
	case msg == "":
		msg = e.Kind.Error()
	case errors.Is(e.Kind, ErrAuth): // in the provider's words, "Authenticate"
		msg = e.Kind.Error() + ": " + msg
	}
	if len(facts) == 0 {
		return msg
	}
	return msg + " (" + strings.Join(facts, ", ") + ")"
}

// Unwrap is the kind.
func (e *APIError) Unwrap() error { return e.Kind }

// hinted is an error with advice.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// WithHint adds to err what to do next. The text of err stays as it is; [Hint]
// finds the advice.
func WithHint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return hinted{err, hint}
}

// Invalid is an ErrInvalid with advice. Its text reads on from "invalid":
// Invalid("three digits, as in 415", "area code %q", "41").
func Invalid(hint, format string, args ...any) error {
	return WithHint(fmt.Errorf("%w "+format, append([]any{ErrInvalid}, args...)...), hint)
}

// Hint is the advice that came with err, outermost first, or "".
func Hint(err error) string {
	var h hinted
	if errors.As(err, &h) {
		return h.hint
	}
	var api *APIError
	if errors.As(err, &api) {
		return api.Hint
	}
	return ""
}
