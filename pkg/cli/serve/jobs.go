package serve

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func jobsCommand(a *app.App) *cobra.Command {
	return a.Group("jobs", "Look at what a receiver has not done yet",
		"  faxctl serve jobs list --parked\n  faxctl serve jobs retry 42",
		func() [][]*cobra.Command {
			return [][]*cobra.Command{app.Reads(jobsListCommand(a), jobsRetryCommand(a)), app.Destroys(jobsDiscardCommand(a))}
		})
}

func jobsListCommand(a *app.App) *cobra.Command {
	var state string
	var parked bool
	var out app.Printing[receiver.Job]
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the jobs that are not done, the oldest first",
		Long: `List the jobs that are not done, the oldest first. A document that came with
its callback and waits for a job is named with it (file). The error of a job
tells why the last try failed, or what it waits for. A job of the kind "aside"
is about a document that is not simply that of its fax; its error tells why. One
of the kind "mail" names its address and the rule (target).

With --database the jobs are those of the account's replicas, and a file is one
in their archive.`,
		Example: "  faxctl serve jobs list --parked -o json",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			desk, err := seeDesk(cmd, a, state)
			if err != nil {
				return err
			}
			jobs, err := desk.Jobs(cmd.Context())
			if err != nil {
				return err
			}
			var shown []receiver.Job
			for _, j := range jobs {
				if !parked || j.State == receiver.Parked {
					shown = append(shown, j)
				}
			}
			if len(shown) == 0 {
				a.Say("no job")
			}
			return out.All(cmd.Context(), seq.Of(shown))
		},
	}
	out.Bind(a, cmd, jobType, nil)
	cmd.Flags().BoolVar(&parked, "parked", false, "only those that were given up")
	bindState(a, cmd, &state)
	return cmd
}

func jobsRetryCommand(a *app.App) *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use:   "retry ID...",
		Short: "Try jobs again now, parked ones too",
		Long: `Try jobs again now, parked ones too. A document that was kept aside (aside) is
taken into the archive if it can be taken now, and parked again with the reason
if not: it is no document, its fax failed or has another one, or its number is
not the account's.`,
		Example:           "  faxctl serve jobs retry 42\n  faxctl serve jobs list --parked -o id | faxctl serve jobs retry -",
		Args:              app.NeedArgs("a job id", "faxctl serve jobs retry 42"),
		ValidArgsFunction: completeJobs(a, &state, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			desk, ids, err := namedJobs(cmd, a, "retry", state, args)
			if err != nil {
				return err
			}
			return eachJob(a, ids, func(id int64) error {
				err := desk.Retry(cmd.Context(), id)
				if err == nil {
					a.Say("Job %d runs as soon as the receiver can.", id)
				}
				return err
			})
		},
	}
	bindState(a, cmd, &state)
	return cmd
}

func jobsDiscardCommand(a *app.App) *cobra.Command {
	var state string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "discard ID...",
		Short: "Give parked jobs up for good",
		Long: `Give parked jobs up for good. The news of the fax stays, and a document that was
not fetched is still at the provider. One that came with its callback, and waits
for the job, is deleted: copy its file before, if somebody may want it. With
--database the replicas delete it, within two days.`,
		Example:           "  faxctl serve jobs discard 42 --yes",
		Args:              app.NeedArgs("a job id", "faxctl serve jobs discard 42"),
		ValidArgsFunction: completeJobs(a, &state, true),
		RunE: func(cmd *cobra.Command, args []string) error {
			desk, ids, err := namedJobs(cmd, a, "discard", state, args)
			if err != nil {
				return err
			}
			if dryRun {
				return eachJob(a, ids, func(id int64) error {
					j, err := desk.MayDiscard(cmd.Context(), id)
					if err == nil {
						a.Say("Dry run: job %d would be discarded%s.", id, with(j, "its document %s deleted"))
					}
					return err
				})
			}
			return discard(cmd, a, desk, ids)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "discard nothing")
	bindState(a, cmd, &state)
	return cmd
}

// discard gives jobs up once somebody has said yes to those that there are. Nobody is asked
// about what cannot be given up, and no job is that was not asked about.
func discard(cmd *cobra.Command, a *app.App, desk *receiver.Desk, ids []int64) error {
	ctx, refused := cmd.Context(), map[int64]error{}
	for _, id := range ids {
		if _, err := desk.MayDiscard(ctx, id); err != nil {
			refused[id] = err
		}
	}
	if may := len(ids) - len(refused); may > 0 {
		question := fmt.Sprintf("Give up %s for good, and delete documents that wait for nothing else?", text.Plural(may, "job", "jobs"))
		if err := a.Confirm(ctx, question); err != nil {
			return err
		}
	}
	deleted := "deleted its document %s"
	if a.Flags.Database != "" {
		deleted = "the replicas delete its document %s"
	}
	return eachJob(a, ids, func(id int64) error {
		if err := refused[id]; err != nil {
			return err
		}
		j, err := desk.Discard(ctx, id)
		if err == nil {
			a.Say("Discarded job %d%s.", id, with(j, deleted))
		}
		return err
	})
}

// with tells what happens to the document that waits for a job, if there is one.
func with(j receiver.Job, format string) string {
	if j.File == "" {
		return ""
	}
	return ", and " + fmt.Sprintf(format, j.File)
}

// namedJobs opens the state in which jobs are, and reads their ids: none, when there is
// nothing to do what verb says to, which is told.
func namedJobs(cmd *cobra.Command, a *app.App, verb, state string, args []string) (desk *receiver.Desk, ids []int64, err error) {
	refs, err := a.Refs(args)
	if err != nil {
		return nil, nil, err
	}
	ids = make([]int64, len(refs))
	for i, ref := range refs {
		if ids[i], err = strconv.ParseInt(ref, 10, 64); err != nil || ids[i] < 1 {
			return nil, nil, problem.With(app.Misuse("%q is no job id", ref), seeJobs())
		}
	}
	if len(ids) == 0 {
		a.Say("no job id, nothing to %s", verb)
		return nil, nil, nil
	}
	desk, err = seeDesk(cmd, a, state)
	return desk, ids, err
}

// seeJobs is what to do about a job that is not there.
func seeJobs() problem.Advice {
	return problem.Say("see what there is: %s", problem.Command("serve", "jobs", "list"))
}

// eachJob does something to jobs; one that fails is told of and stops nothing.
func eachJob(a *app.App, ids []int64, do func(id int64) error) error {
	one := func(id int64) error {
		err := do(id)
		if errors.Is(err, problem.ErrNotFound) {
			err = problem.With(err, seeJobs())
		}
		return err
	}
	if len(ids) == 1 {
		return one(ids[0])
	}
	t := a.Trouble()
	for _, id := range ids {
		if err := t.Add(one(id)); err != nil {
			return err
		}
	}
	return t.Err()
}

// completeJobs offers the jobs of the receiver. They are on this machine, and
// change: none are remembered.
func completeJobs(a *app.App, state *string, onlyParked bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		desk, err := openDesk(cmd, a, *state)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		jobs, err := desk.Jobs(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var all []cobra.Completion
		for _, j := range jobs {
			if !onlyParked || j.State == receiver.Parked {
				all = append(all, cobra.CompletionWithDesc(strconv.FormatInt(j.ID, 10), j.Kind+", "+j.State))
			}
		}
		return app.Remaining(all, args, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

func statusCommand(a *app.App) *cobra.Command {
	var state string
	var out app.Printing[statusCount]
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Count what a receiver has received and what it has not done yet",
		Long: `Count what a receiver has received, by status, and what it has not done yet, by
kind of job; how many faxes no rule of --mail matched; and what became of the
last daily prune (--prune-after), with what it held back and why. It reads the
state, whether the receiver runs or not: with --database that of the account's
replicas, which are counted as working, draining or silent.`,
		Example: "  faxctl serve status -o json",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			desk, err := seeDesk(cmd, a, state)
			if err != nil {
				return err
			}
			stats, err := desk.Stats(cmd.Context())
			if err != nil {
				return err
			}
			if stats.Age > time.Second {
				a.Say("the oldest job that could run has waited for %s", stats.Age.Round(time.Second))
			}
			if p := stats.Prune; p != nil && p.Problem != "" {
				a.Warn("the daily prune of %s: %s", p.At.Local().Format(time.DateTime), text.Line(p.Problem))
			}
			_, err = out.Cut(cmd.Context(), seq.Of(statusCounts(stats)), nil)
			return err
		},
	}
	out.Bind(a, cmd, countType, nil)
	bindState(a, cmd, &state)
	return cmd
}

// statusCount is a line of serve status.
type statusCount struct {
	What  string `json:"what"`  // fax, or the kind of a job, or pruned, or replica
	State string `json:"state"` // the status of a fax, the state of a job or of a replica, unmatched, or what became of a prune
	Count int    `json:"count"`
}

func statusCounts(s receiver.Stats) []statusCount {
	var all []statusCount
	for _, status := range slices.Sorted(maps.Keys(s.Faxes)) {
		all = append(all, statusCount{"fax", string(status), s.Faxes[status]})
	}
	for _, j := range s.Jobs {
		all = append(all, statusCount{j.Kind, j.State, j.Count})
	}
	if s.Unmatched > 0 {
		all = append(all, statusCount{delivery.MailName, "unmatched", s.Unmatched})
	}
	if p := s.Prune; p != nil {
		counts := p.Counts()
		for _, outcome := range slices.Sorted(maps.Keys(counts)) {
			all = append(all, statusCount{"pruned", outcome, counts[outcome]})
		}
		if p.Refused != "" {
			all = append(all, statusCount{"pruned", "refused: " + p.Refused, 1})
		}
	}
	return append(all, replicaCounts(s.Replicas)...)
}

// replicaCounts counts those that work on the jobs of a database, and names the one that
// starts what comes back by itself.
func replicaCounts(replicas []receiver.Replica) (all []statusCount) {
	states := map[string]int{}
	for _, r := range replicas {
		states[r.State]++
	}
	if replicas != nil {
		states[receiver.Working] += 0 // also where there is none
	}
	for _, state := range slices.Sorted(maps.Keys(states)) {
		all = append(all, statusCount{"replica", state, states[state]})
	}
	for _, r := range replicas {
		if r.Leader {
			all = append(all, statusCount{"leader", r.Name, 1})
		}
	}
	return all
}

func countType() output.Type[statusCount] {
	return output.Type[statusCount]{
		ID: func(c statusCount) string { return c.What + "/" + c.State },
		Columns: []output.Column[statusCount]{
			{Name: "what", Value: func(c statusCount) string { return c.What }},
			{Name: "state", Value: func(c statusCount) string { return c.State }},
			{Name: "count", Value: func(c statusCount) string { return strconv.Itoa(c.Count) }, Right: true},
		},
	}
}

func jobType() output.Type[receiver.Job] {
	return output.Type[receiver.Job]{
		ID: func(j receiver.Job) string { return strconv.FormatInt(j.ID, 10) },
		Columns: []output.Column[receiver.Job]{
			{Name: "id", Value: func(j receiver.Job) string { return strconv.FormatInt(j.ID, 10) }, Whole: true, Style: show.Accent[receiver.Job]},
			{Name: "kind", Value: func(j receiver.Job) string { return j.Kind }},
			{Name: "state", Value: func(j receiver.Job) string { return j.State }, Style: jobStyle},
			{Name: "fax_id", Value: func(j receiver.Job) string { return j.FaxID }, Short: func(j receiver.Job, _ output.Human) string { return show.Beginning(j.FaxID) }, Whole: true},
			{Name: "status", Value: func(j receiver.Job) string { return string(j.Status) }, Wide: true},
			{Name: "error", Value: func(j receiver.Job) string { return j.Error }, Wrap: true, Least: 24},
			{Name: "file", Value: func(j receiver.Job) string { return j.File }, Wrap: true, Least: 24},
			{Name: "attempts", Value: func(j receiver.Job) string { return strconv.Itoa(j.Attempts) }, Right: true},
			show.TimeColumn("created", func(j receiver.Job) time.Time { return j.Created }),
			{Name: "target", Value: jobTarget, Wrap: true, Least: 24},
		},
	}
}

// jobTarget is whom a mail is for, and the rule that says so.
func jobTarget(j receiver.Job) string {
	if j.Address == "" {
		return ""
	}
	return j.Address + " (" + j.Rule + ")"
}

func jobStyle(j receiver.Job) output.Style {
	switch j.State {
	case receiver.Parked:
		return output.Bad
	case receiver.Retrying:
		return output.Warn
	}
	return output.None
}
