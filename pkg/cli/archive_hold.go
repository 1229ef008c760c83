package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
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

func (h *holds) bind(a *app, cmd *cobra.Command) {
	a.bindWait(cmd, &h.wait)
	cmd.Flags().BoolVar(&h.dryRun, "dry-run", false, "see whether the faxes are there, and change nothing")
}

func (a *app) archiveHold() *cobra.Command {
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
		Args:              archiveArgs(2, 0, "a fax id", "faxctl archive hold /srv/faxes FX0123456789abcdef0123456789abcdef --reason 'case 12-345'"),
		ValidArgsFunction: a.completeArchive,
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return problem.With(usageError("--reason is needed"), problem.Say("as in %s", problem.Field("reason", "case 12-345")))
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
			return a.changeHolds(cmd.Context(), args, h)
		},
	}
	h.bind(a, cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why it is kept, a `text` for those who come after")
	a.completeNothing(cmd, "reason")
	return cmd
}

func (a *app) archiveUnhold() *cobra.Command {
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
		Args:              archiveArgs(2, 0, "a fax id", "faxctl archive unhold /srv/faxes FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: a.completeHeld,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeHolds(cmd.Context(), args, h)
		},
	}
	h.bind(a, cmd)
	return cmd
}

// changeHolds changes the holds of the faxes that follow the archive in args.
func (a *app) changeHolds(ctx context.Context, args []string, h holds) error {
	if err := checkWait(h.wait); err != nil {
		return err
	}
	ids, err := a.refs(args[1:])
	if err != nil {
		return err
	}
	open := func(ctx context.Context, dir string) (*archive.Archive, error) {
		return a.writeArchive(ctx, dir, h.wait)
	}
	if h.dryRun {
		open = a.readArchive
		h.change = func(ctx context.Context, kept *archive.Archive, id string) (*archive.Hold, error) {
			e, err := kept.Get(ctx, id)
			return e.Hold, err
		}
	}
	kept, err := open(ctx, args[0])
	if err != nil {
		return err
	}
	t := a.trouble()
	for _, id := range ids {
		was, err := h.change(ctx, kept, id)
		if err = damaged(err); err == nil {
			note, idle := h.remark(was)
			if note != "" {
				a.say("%s: %s", id, note)
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
	a.say(end+"%s.", plural(t.Tally.Done, "fax", "faxes"), remarks(remark(t.Tally.Skipped, "not held"), remark(t.Tally.Failed, "failed")))
	return t.Err()
}
