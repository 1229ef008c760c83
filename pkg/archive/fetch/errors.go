package fetch

import (
	"fmt"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// IncompleteError is a document that ended too early. It is fax.ErrUnavailable:
// running it again may help.
type IncompleteError struct {
	Got, Want int64 // bytes; Want is -1 when the length was not announced
	Reason    error // how it was noticed; may be nil
}

func (e *IncompleteError) Error() string {
	s := fmt.Sprintf("incomplete document: %d of %d bytes", e.Got, e.Want)
	if e.Want < 0 {
		s = fmt.Sprintf("incomplete document of %d bytes", e.Got)
	}
	if e.Reason != nil {
		s += ": " + e.Reason.Error()
	}
	return s
}

// Unwrap is the kind and the reason.
func (e *IncompleteError) Unwrap() []error { return kinds(problem.ErrUnavailable, e.Reason) }

// NotDocumentError is something else in the document's place: a gateway's error
// page, mostly. It is fax.ErrUnavailable.
type NotDocumentError struct{ Reason error }

func (e *NotDocumentError) Error() string { return e.Reason.Error() }

// Unwrap is the kind and the reason.
func (e *NotDocumentError) Unwrap() []error { return kinds(problem.ErrUnavailable, e.Reason) }

// PagesError is a document with fewer pages than its record tells. It is
// fax.ErrConflict: the provider contradicts itself.
type PagesError struct{ Got, Want int }

func (e *PagesError) Error() string {
	return fmt.Sprintf("incomplete document: %d of %d pages", e.Got, e.Want)
}

// Unwrap is the kind.
func (e *PagesError) Unwrap() error { return problem.ErrConflict }

func kinds(kind, reason error) []error {
	if reason == nil {
		return []error{kind}
	}
	return []error{kind, reason}
}
