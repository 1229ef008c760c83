package app

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
)

// Pieces that the commands for many numbers or faxes share.

// BindJobs declares -j.
func (a *App) BindJobs(cmd *cobra.Command, jobs *int, most int, what string) {
	*jobs = most
	cmd.Flags().VarP(flag.Number(jobs, 1), "jobs", "j", "at most `N` "+what+" at a time")
	a.CompleteNothing(cmd, "jobs")
}

// BindShard adds the flag of those who do a part of the work, as other machines do the
// others.
func (a *App) BindShard(cmd *cobra.Command, s *fax.Shard) {
	cmd.Flags().Var(flag.Of(s, fax.ParseShard), "shard", "work on this `part` of the selection alone, as in 2/5: other machines do the others")
	a.CompleteValues(cmd, "shard", "1/2", "2/2", "1/3", "2/3", "3/3")
}

// CheckShard refuses shards where an archive takes one writer: the others would wait for
// each other.
func CheckShard(s fax.Shard, where string) error {
	if !s.Cuts() || where == "" || archive.IsRemote(where) {
		return nil
	}
	return problem.With(Misuse("--shard %s: the archive %s is a folder, to which one process writes at a time", s, where),
		problem.Say("leave it out, and work on more at a time with %s; or keep the archive on S3", problem.Field("jobs", "64")))
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
