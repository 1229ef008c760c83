package archive

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
)

// holds is a change of the holds of kept faxes.
type holds struct {
	done, would string // what to say in the end, with the number of faxes
	dryRun      bool
	wait        time.Duration

	// change makes it, and returns the hold that was there.
	change func(ctx context.Context, kept *archive.Archive, id string) (was *archive.Hold, err error)

	// remark tells of the hold that was there; idle: so there was nothing to do.
	remark func(was *archive.Hold) (note string, idle bool)
}

func (h *holds) Bind(a *app.App, cmd *cobra.Command) {
	a.BindWait(cmd, &h.wait)
	cmd.Flags().BoolVar(&h.dryRun, "dry-run", false, "see whether the faxes are there, and change nothing")
}

func holdCommand(a *app.App) *cobra.Command {
	h := holds{done: "Held %s", would: "%s would be held"}
	var reason string
	cmd := &cobra.Command{
		Use:   "hold ARCHIVE ID...",
		Short: "Keep faxes from being pruned",
		Long: `Keep faxes from being pruned, here and at the provider: faxctl faxes prune
--archive leaves alone what is held, and says how many these are; faxctl archive
list --held names them. - reads ids from standard input.`,
		Example: `  faxctl archive hold /srv/faxes FX0123456789abcdef0123456789abcdef \
    --reason 'case 12-345'`,
		Args:              archiveArgs(0, "faxctl archive hold /srv/faxes FX0123456789abcdef0123456789abcdef --reason 'case 12-345'"),
		ValidArgsFunction: a.CompleteArchive,
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return problem.With(app.Misuse("--reason is needed"), problem.Say("as in %s", problem.Field("reason", "case 12-345")))
			}
			h.change = func(ctx context.Context, kept *archive.Archive, id string) (*archive.Hold, error) {
				return kept.Hold(ctx, id, reason)
			}
			h.remark = func(was *archive.Hold) (string, bool) {
				if was == nil || was.Reason == reason {
					return "", false
				}
				return "was held: " + was.Reason, false
			}
			return changeHolds(cmd.Context(), a, args, h)
		},
	}
	h.Bind(a, cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why it is kept, a `text` for those who come after")
	a.CompleteNothing(cmd, "reason")
	return cmd
}

func unholdCommand(a *app.App) *cobra.Command {
	h := holds{
		done: "No longer held: %s", would: "%s would no longer be held",
		change: func(ctx context.Context, kept *archive.Archive, id string) (*archive.Hold, error) {
			return kept.Unhold(ctx, id)
		},
		remark: func(was *archive.Hold) (string, bool) {
			if was == nil {
				return "not held", true
			}
			return "was held: " + was.Reason, false
		},
	}
	cmd := &cobra.Command{
		Use:               "unhold ARCHIVE ID...",
		Short:             "Let held faxes be pruned again",
		Example:           "  faxctl archive unhold /srv/faxes FX0123456789abcdef0123456789abcdef",
		Args:              archiveArgs(0, "faxctl archive unhold /srv/faxes FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: a.CompleteHeld,
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeHolds(cmd.Context(), a, args, h)
		},
	}
	h.Bind(a, cmd)
	return cmd
}

// changeHolds changes the holds of the faxes that follow the archive in args.
func changeHolds(ctx context.Context, a *app.App, args []string, h holds) error {
	ids, err := a.Refs(args[1:])
	if err != nil {
		return err
	}
	open := func(ctx context.Context, dir string) (*archive.Archive, error) {
		return writeArchive(ctx, a, dir, h.wait)
	}
	if h.dryRun {
		open = a.ReadArchive
		h.change = func(ctx context.Context, kept *archive.Archive, id string) (*archive.Hold, error) {
			e, err := kept.Get(ctx, id)
			return e.Hold, err
		}
	}
	kept, err := open(ctx, args[0])
	if err != nil {
		return err
	}
	if ids, err = a.KeptIDs(ctx, kept, args[0], ids); err != nil {
		return err
	}
	t := a.Trouble()
	for _, id := range ids {
		was, err := h.change(ctx, kept, id)
		if err = app.Damaged(err); err == nil {
			note, idle := h.remark(was)
			if note != "" {
				a.Say("%s: %s", id, note)
			}
			if idle {
				err = batch.Pass()
			}
		}
		if err := errors.Join(t.Add(err), ctx.Err()); err != nil {
			return err
		}
	}
	end := h.done
	if h.dryRun {
		end = "Dry run: " + h.would
	}
	a.Say(end+"%s.", text.Plural(t.Tally.Done, "fax", "faxes"), text.Remarks(text.Remark(t.Tally.Skipped, "not held"), text.Remark(t.Tally.Failed, "failed")))
	return t.Err()
}
