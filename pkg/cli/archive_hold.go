package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/fax"
)

// holds is a change of the holds of kept faxes.
type holds struct {
	done   string // "Held"
	dryRun bool
}

func (h *holds) bind(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&h.dryRun, "dry-run", false, "see whether the faxes are there, and change nothing")
}

func (a *app) archiveHold() *cobra.Command {
	h := holds{done: "Held"}
	var reason string
	cmd := &cobra.Command{
		Use:   "hold ARCHIVE ID...",
		Short: "Keep faxes from being pruned",
		Long: `Keep faxes from being pruned, here and at the provider: faxctl faxes prune
--archive leaves alone what is held, and names it. - reads ids from standard
input.`,
		Example: `  faxctl archive hold /srv/faxes FX0123456789abcdef0123456789abcdef \
    --reason 'case 12-345'`,
		Args:              archiveArgs(2, 0, "a fax id", "faxctl archive hold /srv/faxes FX0123456789abcdef0123456789abcdef --reason 'case 12-345'"),
		ValidArgsFunction: a.completeArchive,
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return fax.WithHint(usageError("--reason is needed"), "as in --reason 'case 12-345'")
			}
			return a.changeHolds(cmd.Context(), args, h, func(ctx context.Context, kept *archive.Archive, id string) error {
				_, err := kept.Hold(ctx, id, reason)
				return err
			})
		},
	}
	h.bind(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why it is kept, a `text` for those who come after")
	a.completeNothing(cmd, "reason")
	return cmd
}

func (a *app) archiveUnhold() *cobra.Command {
	h := holds{done: "Released"}
	cmd := &cobra.Command{
		Use:               "unhold ARCHIVE ID...",
		Short:             "Let held faxes be pruned again",
		Example:           "  faxctl archive unhold /srv/faxes FX0123456789abcdef0123456789abcdef",
		Args:              archiveArgs(2, 0, "a fax id", "faxctl archive unhold /srv/faxes FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: a.completeHeld,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeHolds(cmd.Context(), args, h, func(ctx context.Context, kept *archive.Archive, id string) error {
				_, err := kept.Unhold(ctx, id)
				return err
			})
		},
	}
	h.bind(cmd)
	return cmd
}

// changeHolds changes the holds of the faxes that follow the archive in args.
func (a *app) changeHolds(ctx context.Context, args []string, h holds, change func(context.Context, *archive.Archive, string) error) error {
	ids, err := a.refs(args[1:])
	if err != nil {
		return err
	}
	open := a.writeArchive
	if h.dryRun {
		open = a.readArchive
		change = func(ctx context.Context, kept *archive.Archive, id string) error {
			_, err := kept.Get(ctx, id)
			return err
		}
	}
	kept, err := open(ctx, args[0])
	if err != nil {
		return err
	}
	var t trouble
	for _, id := range ids {
		if err := errors.Join(t.add(a, change(ctx, kept, id)), ctx.Err()); err != nil {
			return err
		}
	}
	faxes, failed := plural(t.tally.Done, "fax", "faxes"), remarks(remark(t.tally.Failed, "failed"))
	if h.dryRun {
		a.say("Dry run: %s would be %s%s.", faxes, strings.ToLower(h.done), failed)
	} else {
		a.say("%s %s%s.", h.done, faxes, failed)
	}
	return t.err()
}
