package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Pieces that the commands for many numbers or faxes share.

// bindJobs declares -j.
func (a *app) bindJobs(cmd *cobra.Command, jobs *int, most int, what string) {
	cmd.Flags().IntVarP(jobs, "jobs", "j", most, "at most `N` "+what+" at a time")
	a.completeNothing(cmd, "jobs")
}

// namedFax says which fax an error is about, unless it does so itself.
func namedFax(id string, err error) error {
	if err == nil {
		return nil
	}
	if !strings.Contains(err.Error(), id) {
		err = fmt.Errorf("fax %s: %w", id, err)
	}
	if errors.As(err, new(*fetch.TooLargeError)) {
		return problem.With(err, problem.Say("take longer ones with %s, as in %s", problem.Field("max-document"), problem.Field("max-document", "256MiB")))
	}
	if (errors.Is(err, problem.ErrNotFound) || errors.Is(err, problem.ErrInvalid)) && problem.AdviceOf(err).Empty() {
		return problem.With(err, problem.Say("see what there is: %s", problem.Command("faxes", "list")))
	}
	return err
}

// errPassed marks a fax that was selected among others and has nothing to do:
// the summary counts it, and no line tells of it.
var errPassed = errors.New("passed over")

// trouble counts what became of the items of a batch and tells of each that
// failed or was skipped. What ends a batch is told once: those under way meet it
// as well.
type trouble struct {
	tally batch.Tally
	first error
	told  []error // the last ones
	inRow int     // failures since the last success, the provider refusing or being unavailable
}

// listener is told of each item that failed or was skipped: the person at the
// terminal, or a log.
type listener interface {
	warn(format string, args ...any)
	report(err error)
}

// tooMany failures in a row of an unavailable provider end a batch: each took
// as long as --retry-for allows, and the next ones would as well.
const tooMany = 20

// add takes in one result. It returns an error when there is no use in going
// on.
func (t *trouble) add(to listener, err error) error {
	t.tally.Add(err)
	switch {
	case err == nil:
		t.inRow = 0
	case errors.Is(err, errPassed):
	case batch.Skipped(err):
		to.warn("%v", err)
	default:
		if t.first == nil {
			t.first = err
		}
		if !batch.Stops(err) || !slices.ContainsFunc(t.told, func(told error) bool { return alike(told, err) }) {
			to.report(inWords(err))
		}
		if t.told = append(t.told, err); len(t.told) > 2*jobsCeiling {
			t.told = t.told[1:] // one that ends a batch is among the last
		}
		if !errors.Is(err, problem.ErrUnavailable) && !errors.Is(err, problem.ErrAuth) {
			return nil
		}
		if t.inRow++; t.inRow == tooMany {
			return fmt.Errorf("%d failures in a row, the rest was left: %w", tooMany, err)
		}
	}
	return nil
}

// alike tells whether two errors that end a batch have the same cause, such as a
// full disk, whatever they happened to.
func alike(a, b error) bool {
	return batch.Stops(a) && statusOf(a) == statusOf(b) && cause(a) == cause(b)
}

// cause is what the system says of a file; 0: nothing.
func cause(err error) (number syscall.Errno) {
	errors.As(err, &number)
	return number
}

// end is the error that ended the batch; when an item failed with it, it was
// told already.
func (t *trouble) end(err error) error {
	if slices.ContainsFunc(t.told, func(told error) bool { return errors.Is(told, err) }) {
		return problem.Of(errReported, err)
	}
	return err
}

// err is what the batch comes to, its failures having been told: when all of it
// failed, the status is that of the first failure, else 3.
func (t *trouble) err() error {
	n := t.tally
	switch {
	case n.Failed == 0:
		return nil
	case n.Done == 0 && n.Skipped == 0:
		return problem.Of(errReported, t.first)
	}
	return fmt.Errorf("%w: %d of %d", errPartial, n.Failed, n.Done+n.Failed+n.Skipped)
}

// sift yields what succeeded and takes in the rest as trouble.
func sift[T, R any](to listener, t *trouble, results iter.Seq2[batch.Result[T, R], error]) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var none R
		for r, err := range results {
			if err == nil {
				err = t.add(to, r.Err)
			} else {
				err = t.end(err)
			}
			switch {
			case err != nil:
				yield(none, err)
				return
			case r.Err == nil && !yield(r.Value, nil):
				return
			}
		}
	}
}

// left is how many of all were not begun.
func left(t batch.Tally, all int) int { return all - t.Done - t.Failed - t.Skipped }

// each reads a sequence to its end, and returns the error it ended with.
func each[T any](seq iter.Seq2[T, error], do func(T)) error {
	for v, err := range seq {
		if err != nil {
			return err
		}
		do(v)
	}
	return nil
}

// lasting marks the errors that every other call would meet as well, so that
// they end a batch.
func lasting(err error) error {
	if errors.Is(err, problem.ErrAuth) || errors.Is(err, problem.ErrUnsupported) {
		return batch.Stop(err)
	}
	return err
}

// plural is "1 number" or "3 numbers".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// remark is "3 failed", or "" when none did.
func remark(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, what)
}

// remarks puts remarks after a sentence: ", 3 failed, 1 skipped".
func remarks(all ...string) string {
	out := ""
	for _, r := range all {
		if r != "" {
			out += ", " + r
		}
	}
	return out
}

// local marks the errors of this machine's files, a full disk or a folder that
// may not be written, so that they end a batch: what comes next would fail
// alike.
func local(err error) error {
	var file *fs.PathError
	var link *os.LinkError
	if errors.As(err, &file) || errors.As(err, &link) {
		return batch.Stop(err)
	}
	return err
}
