package cli

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
	statusDone        = 0
	statusFailure     = 1
	statusUsage       = 2
	statusPartial     = 3
	statusAuth        = 4
	statusNotFound    = 5
	statusConflict    = 6
	statusUnavailable = 7
	statusFindings    = 8
	statusInterrupted = 130
)

// exitStatus describes one status for help, docs and man pages.
type exitStatus struct {
	Code    int    `json:"code"`
	Meaning string `json:"meaning"`
	Todo    string `json:"todo"`
}

func exitStatuses() []exitStatus {
	return []exitStatus{
		{statusDone, "done", "nothing"},
		{statusFailure, "another failure", "read the message"},
		{statusUsage, "wrong command line, or this provider cannot do it", "correct the command; running it again will not help"},
		{statusPartial, "some items failed, the rest is done", "run it again: it continues with what is left"},
		{statusAuth, "not authorized", "look at the credentials with faxctl whoami"},
		{statusNotFound, "not found", "look at the id with the list command"},
		{statusConflict, "conflict, or the provider did not confirm a change", "look at the present state, then decide"},
		{statusUnavailable, "provider unavailable", "run it again later; raise --retry-for"},
		{statusFindings, "changes pending, or findings", "read the list"},
		{statusInterrupted, "interrupted", "run it again: it continues with what is left"},
	}
}

// errFindings is an outcome that is no mistake but has a status of its own.
var errFindings = errors.New("findings")

// usageError is a mistake in the command line.
func usageError(format string, args ...any) error {
	return problem.Of(problem.ErrInvalid, fmt.Errorf(format, args...))
}

// statusOf maps an error to the exit status. It is the one place that does.
func statusOf(err error) int {
	switch {
	case err == nil:
		return statusDone
	case errors.Is(err, errFindings):
		return statusFindings
	case errors.Is(err, batch.ErrPartial), errors.Is(err, fax.ErrContradiction), errors.Is(err, archive.ErrUnproven):
		return statusPartial
	case errors.Is(err, context.Canceled):
		return statusInterrupted
	case errors.Is(err, problem.ErrAuth):
		return statusAuth
	case errors.Is(err, problem.ErrNotFound):
		return statusNotFound
	case errors.Is(err, problem.ErrConflict):
		return statusConflict
	case errors.Is(err, problem.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return statusUnavailable
	case errors.Is(err, problem.ErrInvalid), errors.Is(err, problem.ErrUnsupported):
		return statusUsage
	}
	return statusFailure
}
