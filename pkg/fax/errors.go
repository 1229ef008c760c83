package fax

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Why a purchase was refused. Both are ErrConflict, and another number may be
// had.
var (
	ErrTaken  = fmt.Errorf("%w: the number is not for sale any more", problem.ErrConflict)
	ErrPapers = fmt.Errorf("%w: the number needs an address or a regulatory bundle", problem.ErrConflict)
)

// APIError is a provider's refusal, decoded, or what stands for one when the
// answer could not be understood.
type APIError struct {
	Kind      error  // a kind of package problem
	Status    int    // HTTP status; 0 when there was no answer
	Code      string // the provider's code: "20404", or a word at SignalWire
	Message   string // the provider's words, control characters removed
	MoreInfo  string // a page of the provider's about the code
	RequestID string // for the provider's support

	Advice problem.Advice // what to do next
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
	if msg == "" {
		msg = e.Kind.Error()
	} else if errors.Is(e.Kind, problem.ErrAuth) { // in the provider's words, "Authenticate"
		msg = e.Kind.Error() + ": " + msg
	}
	if len(facts) == 0 {
		return msg
	}
	return msg + " (" + strings.Join(facts, ", ") + ")"
}

// NextStep is the advice.
func (e *APIError) NextStep() problem.Advice { return e.Advice }

// Unwrap is the kind.
func (e *APIError) Unwrap() error { return e.Kind }
