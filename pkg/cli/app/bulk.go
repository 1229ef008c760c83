package app

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
)

// Pieces that the commands for many numbers or faxes share.

// BindJobs declares -j.
func (a *App) BindJobs(cmd *cobra.Command, jobs *int, most int, what string) {
	*jobs = most
	cmd.Flags().VarP(flag.Number(jobs, 1), "jobs", "j", "at most `N` "+what+" at a time")
	a.CompleteNothing(cmd, "jobs")
}

// NamedFax says which fax an error is about, unless it does so itself.
func NamedFax(id string, err error) error {
	if err == nil {
		return nil
	}
	if !strings.Contains(err.Error(), id) {
		err = fmt.Errorf("fax %s: %w", id, err)
	}
	if errors.As(err, new(*fetch.TooLargeError)) {
		return problem.With(err, problem.Say("take longer ones with %s, as in %s", problem.Field("max-document"), problem.Field("max-document", "256MiB")))
	}
	if errors.Is(err, problem.ErrNotFound) && resolve.TooShort(id) {
		return problem.With(err, resolve.TooShortAdvice())
	}
	if (errors.Is(err, problem.ErrNotFound) || errors.Is(err, problem.ErrInvalid)) && problem.AdviceOf(err).Empty() {
		return problem.With(err, problem.Say("see what there is: %s", problem.Command("faxes", "list")))
	}
	return err
}

// Trouble counts what becomes of the items of a batch, and tells the person of each
// that failed or was skipped.
func (a *App) Trouble() *batch.Trouble { return batch.NewTrouble(a.Skipped, a.Failed) }

// Skipped tells why an item of a batch was left alone.
func (a *App) Skipped(why error) { a.Warn("%v", why) }

// Failed tells of an item of a batch that failed.
func (a *App) Failed(err error) { a.Report(inWords(err)) }
