package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// The exit statuses of faxctl, as `faxctl help exit-codes` lists them. Scripts
// rely on them: a number never changes its meaning.
const (
	StatusDone        = 0
	statusFailure     = 1
	StatusUsage       = 2
	StatusPartial     = 3
	StatusAuth        = 4
	StatusNotFound    = 5
	statusConflict    = 6
	StatusUnavailable = 7
	statusFindings    = 8
	statusInterrupted = 130
)

// ExitStatus describes one status for help, docs and man pages.
type ExitStatus struct {
	Code    int    `json:"code"`
	Meaning string `json:"meaning"`
	Todo    string `json:"todo"`
}

// ExitStatuses are all of them, in the order of their numbers.
func ExitStatuses() []ExitStatus {
	return []ExitStatus{
		{StatusDone, "done", "nothing"},
		{statusFailure, "another failure", "read the message"},
		{StatusUsage, "wrong command line, or this provider cannot do it", "correct the command; running it again will not help"},
		{StatusPartial, "some items failed, the rest is done", "run it again: it continues with what is left"},
		{StatusAuth, "not authorized", "look at the credentials with faxctl whoami"},
		{StatusNotFound, "not found", "look at the id with the list command"},
		{statusConflict, "conflict, or the provider did not confirm a change", "look at the present state, then decide"},
		{StatusUnavailable, "provider unavailable", "run it again later; raise --retry-for"},
		{statusFindings, "changes pending, or findings", "read the list"},
		{statusInterrupted, "interrupted", "run it again: it continues with what is left"},
	}
}

// ErrFindings is an outcome that is no mistake but has a status of its own.
var ErrFindings = errors.New("findings")

// Misuse is a mistake in the command line.
func Misuse(format string, args ...any) error {
	return problem.Of(problem.ErrInvalid, fmt.Errorf(format, args...))
}

// statusOf maps an error to the exit status. It is the one place that does.
func statusOf(err error) int {
	switch {
	case err == nil:
		return StatusDone
	case errors.Is(err, ErrFindings):
		return statusFindings
	case errors.Is(err, batch.ErrPartial), errors.Is(err, fax.ErrContradiction), errors.Is(err, archive.ErrUnproven):
		return StatusPartial
	case errors.Is(err, context.Canceled):
		return statusInterrupted
	case errors.Is(err, problem.ErrUntrusted): // though it is tried again by who runs on
		return StatusUsage
	case errors.Is(err, problem.ErrAuth):
		return StatusAuth
	case errors.Is(err, problem.ErrNotFound):
		return StatusNotFound
	case errors.Is(err, problem.ErrConflict):
		return statusConflict
	case errors.Is(err, problem.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return StatusUnavailable
	case errors.Is(err, problem.ErrInvalid), errors.Is(err, problem.ErrUnsupported):
		return StatusUsage
	}
	return statusFailure
}
