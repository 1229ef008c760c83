package archive

import (
	"context"
	"errors"
	"fmt"
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
	verb string // what is done to a fax: "hold"

	done, would string // what to say in the end, with the number of faxes
	dryRun      bool
	wait        time.Duration

	// change makes it, and returns the hold that was there.
	change func(ctx context.Context, kept *archive.Archive, id string) (was *archive.Hold, err error)

	// check is what change returns, when nothing is to be changed.
	check func(ctx context.Context, kept *archive.Archive, id string) (was *archive.Hold, err error)

	// remark tells of the hold that was there; idle: so there was nothing to do.
	remark func(was *archive.Hold) (note string, idle bool)
}

func (h *holds) Bind(a *app.App, cmd *cobra.Command) {
	a.BindWait(cmd, &h.wait)
	cmd.Flags().BoolVar(&h.dryRun, "dry-run", false, "see whether the faxes are there, and change nothing")
}

func holdCommand(a *app.App) *cobra.Command {
	h := holds{verb: "hold", done: "Held %s", would: "%s would be held"}
	var reason string
	cmd := &cobra.Command{
		Use:   "hold ARCHIVE ID...",
		Short: "Keep faxes from being pruned",
		Long: `Keep faxes from being pruned, here and at the provider: faxctl faxes prune
--archive leaves alone what is held, and says how many these are; faxctl archive
list --held names them. - reads ids from standard input.

A fax has one hold. Another reason takes the place of the first, which is told:
when two cases need it, put both into the reason, as faxctl archive copy does.`,
		Example: `  faxctl archive hold /srv/faxes FX0123456789abcdef0123456789abcdef \
    --reason 'case 12-345'`,
		Args:              archiveArgs(0, "faxctl archive hold /srv/faxes FX0123456789abcdef0123456789abcdef --reason 'case 12-345'"),
		ValidArgsFunction: a.CompleteArchive,
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return problem.With(app.Misuse("--reason is needed"), problem.Say("as in %s", problem.Field("reason", "case 12-345")))
			}
			h.change = func(ctx context.Context, kept *archive.Archive, id string) (*archive.Hold, error) {
				was, err := kept.Hold(ctx, id, reason)
				if e, unread := kept.Get(ctx, id); err == nil && unread == nil {
					sayWhatIsLeft(a, e)
				}
				return was, tooLate(err)
			}
			h.check = func(ctx context.Context, kept *archive.Archive, id string) (*archive.Hold, error) {
				e, err := kept.MayHold(ctx, id)
				if err == nil {
					sayWhatIsLeft(a, e)
				}
				return e.Hold, tooLate(err)
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

// sayWhatIsLeft tells whoever holds a fax that a hold keeps no more of it than the copy.
func sayWhatIsLeft(a *app.App, e archive.Entry) {
	switch {
	case e.Unsettled():
		a.Warn("%s: its copy is kept; but its deletion at the provider was begun at %s, and nobody noted what became of it: %s tells", e.Fax.ID,
			e.Deleting[0].Format(time.RFC3339), problem.Command("faxes", "get").Arg(e.Fax.ID))
	case !e.Gone.IsZero():
		a.Say("%s: the provider has it no more since %s: only the copy here is left", e.Fax.ID, e.Gone.Format(time.RFC3339))
	case !e.MediaGone.IsZero() && e.Document != nil:
		a.Say("%s: the provider has its document no more: only the copy here is left", e.Fax.ID)
	}
}

// tooLate says what became of a fax that somebody is being rid of.
func tooLate(err error) error {
	if errors.As(err, new(*archive.LeavingError)) {
		return problem.With(fmt.Errorf("%w; nothing was held", err), problem.AdviceOf(err))
	}
	return err
}

func unholdCommand(a *app.App) *cobra.Command {
	h := holds{
		verb: "let go",
		done: "No longer held: %s", would: "%s would no longer be held",
		change: func(ctx context.Context, kept *archive.Archive, id string) (*archive.Hold, error) {
			return kept.Unhold(ctx, id)
		},
		check: func(ctx context.Context, kept *archive.Archive, id string) (*archive.Hold, error) {
			e, err := kept.Get(ctx, id)
			return e.Hold, err
		},
		remark: func(was *archive.Hold) (string, bool) {
			if was == nil {
				return "not held", true
			}
			return "was held: " + was.Reason, false
		},
	}
	cmd := &cobra.Command{
		Use:   "unhold ARCHIVE ID...",
		Short: "Let held faxes be pruned again",
		Long: `Let held faxes be pruned again. One that is not held is told, and is no failure;
one that the archive does not have is (exit status 5). - reads ids from standard
input.`,
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
	switch {
	case err != nil:
		return err
	case len(ids) == 0:
		a.Say("no id, nothing to %s", h.verb)
		return nil
	}
	open := func(ctx context.Context, dir string) (*archive.Archive, error) {
		return writeArchive(ctx, a, dir, h.wait)
	}
	if h.dryRun {
		open, h.change = a.ReadArchive, h.check
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
