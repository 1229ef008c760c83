package cli

import (
	"errors"
	"fmt"
	"iter"
	"strings"

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

// trouble counts what becomes of the items of a batch, and tells the person of each
// that failed or was skipped.
func (a *app) trouble() *batch.Trouble { return batch.NewTrouble(a.skipped, a.failed) }

// skipped tells why an item of a batch was left alone.
func (a *app) skipped(why error) { a.warn("%v", why) }

// failed tells of an item of a batch that failed.
func (a *app) failed(err error) { a.report(inWords(err)) }

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
