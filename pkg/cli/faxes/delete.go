package faxes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// removal is a deletion of faxes that were named.
type removal struct {
	knowing
	mediaOnly bool
	jobs      int
	would     app.Printing[fax.Fax]
	names     *app.Names
}

func (d *removal) Bind(a *app.App, cmd *cobra.Command) {
	d.knowing.Bind(a, cmd, "the `archive` that knows what is held; nothing is kept in it", "show what would be deleted, and delete nothing")
	a.BindJobs(cmd, &d.jobs, app.JobsCeiling, "deletions")
	d.names = new(app.Names)
	d.would.Bind(a, cmd, func() output.Type[fax.Fax] { return show.FaxType(d.names.Of) }, func() bool { return d.dryRun })
}

func deleteCommand(a *app.App) *cobra.Command {
	var d removal
	cmd := &cobra.Command{
		Use:   "delete ID...",
		Short: "Delete faxes at the provider, for good",
		Long: `Delete faxes at the provider, records and documents, for good; - reads the ids
from standard input.

One fax is confirmed with yes, several by typing how many they are; a script
passes --yes. A fax that is not found, neither to delete nor to look at, counts
as done, so that a list can be gone through again; an id that is not whole is
refused, and nothing deleted. One that is still in progress is left alone and
named, and the exit status is then 3, or 6 when nothing was deleted. When the
archive of --archive (or of FAXCTL_ARCHIVE, or the profile) holds one of them,
nothing is deleted, and the exit status is 6; one that is held meanwhile is left
alone and named, and copies say of what is deleted that it is gone. Where a
sidecar there cannot be read nobody knows of a hold: nothing is deleted then
either, and the exit status is 8. No fax is kept there first: faxctl faxes
archive does that. To delete by age, use faxctl faxes prune.`,
		Example: `  faxctl faxes delete FX0123456789abcdef0123456789abcdef
  faxctl faxes list --failed --until 30d -o id | faxctl faxes delete - --dry-run
  faxctl faxes delete - --media-only --yes < ids`,
		Args:              app.NeedArgs("a fax id", "faxctl faxes delete FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: a.CompleteFaxes,
		RunE: func(cmd *cobra.Command, args []string) error {
			d.named = cmd.Flags().Changed("archive")
			return deleteNamed(cmd.Context(), a, args, d)
		},
	}
	cmd.Flags().BoolVar(&d.mediaOnly, "media-only", false, "delete the documents and keep the records")
	d.Bind(a, cmd)
	return cmd
}

// mediaCommand holds what is done with documents alone.
func mediaCommand(a *app.App) *cobra.Command {
	return a.Group("media", "List and delete the documents of faxes",
		"  faxctl faxes media list FX0123456789abcdef0123456789abcdef\n  faxctl faxes media delete FX0123456789abcdef0123456789abcdef",
		func() [][]*cobra.Command {
			return [][]*cobra.Command{app.Reads(mediaListCommand(a)), app.Destroys(mediaDeleteCommand(a))}
		})
}

func mediaListCommand(a *app.App) *cobra.Command {
	var out app.Printing[fax.Media]
	cmd := &cobra.Command{
		Use:     "list ID",
		Aliases: []string{"ls"},
		Short:   "List what is known of the documents of a fax",
		Long: `List what is known of the documents of a fax. The documents themselves come with
faxctl faxes download.`,
		Example:           "  faxctl faxes media list FX0123456789abcdef0123456789abcdef",
		Args:              app.OneArg("a fax id", "faxctl faxes media list FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: app.UpTo(1, a.CompleteFaxes),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			faxes, err := a.Faxes(ctx)
			if err != nil {
				return err
			}
			ids, err := a.FaxIDs(ctx, faxes, args)
			if err != nil {
				return err
			}
			shown, err := out.Most(ctx, faxes.Media(ctx, ids[0]), 0)
			if errors.Is(err, problem.ErrNotFound) { // the fax, or its documents alone
				_, err = faxes.Get(ctx, ids[0])
			}
			if err == nil && shown == 0 {
				a.Say("the provider keeps no document of this fax")
			}
			return app.NamedFax(ids[0], err)
		},
	}
	out.Bind(a, cmd, show.MediaType, nil)
	return cmd
}

func mediaDeleteCommand(a *app.App) *cobra.Command {
	d := removal{mediaOnly: true}
	cmd := &cobra.Command{
		Use:   "delete ID...",
		Short: "Delete the documents of faxes, and keep the records",
		Long: `Delete the documents of the named faxes, and keep the records. It is the same as
faxctl faxes delete --media-only.`,
		Example:           "  faxctl faxes media delete FX0123456789abcdef0123456789abcdef --dry-run",
		Args:              app.NeedArgs("a fax id", "faxctl faxes media delete FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: a.CompleteFaxes,
		RunE: func(cmd *cobra.Command, args []string) error {
			d.named = cmd.Flags().Changed("archive")
			return deleteNamed(cmd.Context(), a, args, d)
		},
	}
	d.Bind(a, cmd)
	return cmd
}

// notHeld refuses the whole of a deletion when the archive (nil: there is none) holds one of
// its faxes, or cannot tell.
func notHeld(ctx context.Context, kept *archive.Archive, dir string, ids []string) error {
	if kept == nil {
		return nil
	}
	for _, id := range ids {
		hold, err := kept.HoldOf(ctx, fax.Fax{ID: id})
		if err != nil {
			err = fmt.Errorf("whether fax %s is held: %w; nothing was deleted", id, err)
			if errors.Is(err, archive.ErrDamagedCopy) && problem.AdviceOf(err).Empty() {
				err = problem.With(err, problem.Say("bring the sidecar back from a backup, since a hold may be noted in it"))
			}
			return app.Damaged(err)
		}
		if hold != nil {
			return problem.With(fmt.Errorf("fax %s: %w: %s holds it (%s); nothing was deleted", id, problem.ErrConflict, dir, text.Line(hold.Reason)),
				app.LetGo(ctx, kept, dir, id))
		}
	}
	return nil
}

func deleteNamed(ctx context.Context, a *app.App, args []string, d removal) error {
	ids, err := a.Refs(args)
	if err != nil {
		return err
	}
	faxes, err := a.Faxes(ctx)
	if err != nil {
		return err
	}
	if ids, err = a.FaxIDs(ctx, faxes, ids); err != nil {
		return err
	}
	if len(ids) > 0 && !d.dryRun {
		if err := a.Changeable(); err != nil {
			return err
		}
	}
	kept, err := d.open(ctx, a)
	if err == nil {
		err = notHeld(ctx, kept, d.archive, ids)
	}
	switch {
	case err != nil:
		return err
	case len(ids) == 0:
		a.Say("no id, nothing to delete")
		return nil
	case d.dryRun:
		return wouldDelete(ctx, a, faxes, ids, d)
	}
	if err := confirmDeletion(ctx, a, faxes, ids, d); err != nil {
		return err
	}
	run := prune.Run{Provider: a.Account.Provider, Archive: kept}
	run.Policy.MediaOnly = d.mediaOnly
	return deleteAll(ctx, a, run, ids, d)
}

// what names what goes.
func (d removal) what(n int) string { return prune.What(n, d.mediaOnly) }

// wouldDelete shows the faxes that a real run would delete.
func wouldDelete(ctx context.Context, a *app.App, faxes fax.Faxes, ids []string, d removal) error {
	a.Say("Dry run: what is listed would be deleted%s.", map[bool]string{true: ", their documents alone"}[d.mediaOnly])
	look := func(ctx context.Context, id string) (fax.Fax, error) {
		f, err := faxes.Get(ctx, id)
		switch {
		case errors.Is(err, problem.ErrNotFound):
			return f, batch.Skip(fmt.Errorf("fax %s is not found at the provider", id))
		case err != nil:
			return f, batch.Lasting(app.NamedFax(id, err))
		case !f.Status.Terminal():
			return f, batch.Skip(inProgress(id))
		}
		return f, nil
	}
	d.would.AskNames(ctx, d.names)
	t := a.Trouble()
	err := d.would.All(ctx, batch.Sift(t, batch.RunOrdered(ctx, d.jobs, seq.Of(ids), look)))
	return errors.Join(err, t.Err())
}

func inProgress(id string) error {
	return fmt.Errorf("fax %s is still in progress and was left alone", id)
}

// confirmDeletion asks: a person who named one fax sees what it is.
func confirmDeletion(ctx context.Context, a *app.App, faxes fax.Faxes, ids []string, d removal) error {
	if a.Flags.Yes || !a.Term.CanAsk() {
		return a.Confirm(ctx, fmt.Sprintf("Delete %s for good?", d.what(len(ids))))
	}
	if len(ids) > 1 {
		if err := showNamed(ctx, a, faxes, ids, d.jobs); err != nil {
			return err
		}
		return a.TypeToConfirm(ctx, fmt.Sprintf("Delete %s for good?", d.what(len(ids))), fmt.Sprint(len(ids)))
	}
	f, err := faxes.Get(ctx, ids[0])
	if err != nil {
		return app.NamedFax(ids[0], err)
	}
	a.Say("  %s  %s", f.ID, app.Describe(f, time.Now()))
	return a.Confirm(ctx, fmt.Sprintf("Delete %s for good?", d.what(1)))
}

// showNamed says which faxes are meant: each of a few, or the first and the last
// of many.
func showNamed(ctx context.Context, a *app.App, faxes fax.Faxes, ids []string, jobs int) error {
	const few = 10
	shown, labels := ids, []string{}
	if len(ids) > few {
		shown, labels = []string{ids[0], ids[len(ids)-1]}, []string{"the first: ", "the last:  "}
	}
	get := func(ctx context.Context, id string) (string, error) {
		f, err := faxes.Get(ctx, id)
		if errors.Is(err, problem.ErrNotFound) {
			return "not found at the provider", nil
		}
		return app.Describe(f, time.Now()), batch.Lasting(app.NamedFax(id, err))
	}
	at := 0
	for r, err := range batch.RunOrdered(ctx, jobs, seq.Of(shown), get) {
		if err = cmp.Or(err, r.Err); err != nil {
			return err
		}
		label := ""
		if len(labels) > 0 {
			label = labels[at]
		}
		a.Say("  %s%s  %s", label, shown[at], r.Value)
		at++
	}
	return nil
}

// deleteAll deletes, many at a time; the rate adapts to what the provider allows.
func deleteAll(ctx context.Context, a *app.App, run prune.Run, ids []string, d removal) error {
	progress := a.Term.Progress("deleting", len(ids))
	defer progress.Stop()
	missing, held := 0, 0
	t := batch.NewTrouble(func(why error) {
		if errors.As(why, new(keptBackError)) {
			held++
		}
		a.Skipped(why)
	}, a.Failed)
	results := batch.Run(ctx, d.jobs, batch.Until(a.Interrupts.Gently(), seq.Of(ids)), func(ctx context.Context, id string) (bool, error) {
		defer progress.Add(1, 0)
		return removeNamed(ctx, a, run, id)
	})
	end := seq.Each(batch.Sift(t, results), func(was bool) {
		if !was {
			missing++
		}
	})
	progress.Stop()
	a.Say("Deleted %s%s.", d.what(t.Tally.Done-missing), text.Remarks(
		text.Remark(missing, "not found at the provider"), text.Remark(t.Tally.Skipped-held, "in progress"), text.Remark(held, "left alone"), text.Remark(t.Tally.Failed, "failed"), text.Remark(t.Tally.Left(len(ids)), "left")))
	return cmp.Or(end, d.err(t))
}

// err is what a deletion comes to. A fax that was named and is still there, as it
// is in progress, keeps it from being done: other than those that a policy
// selects, which the next run meets again.
func (d removal) err(t *batch.Trouble) error {
	n := t.Tally
	switch {
	case n.Skipped == 0:
		return t.Err()
	case n.Done == 0 && n.Failed == 0:
		return problem.Of(problem.ErrTold, problem.ErrConflict)
	}
	left, all := n.Failed+n.Skipped, n.Done+n.Failed+n.Skipped
	return problem.Of(batch.ErrPartial, fmt.Errorf("still there: %d of %d", left, all))
}

// removeNamed deletes one fax, or its document.
func removeNamed(ctx context.Context, a *app.App, run prune.Run, id string) (was bool, err error) {
	receipt, err := run.Named(ctx, id)
	kept := errors.As(err, new(*archive.HeldError)) || errors.As(err, new(*archive.LeavingError))
	switch {
	case receipt.Result == prune.Skipped && kept:
		return false, batch.Skip(keptBackError{problem.With(fmt.Errorf("%w; it was left alone", err), problem.AdviceOf(err))})
	case receipt.Result == prune.Skipped:
		return false, batch.Skip(inProgress(id))
	case err == nil && receipt.Error != "":
		a.Warn("fax %s is deleted; %s", id, receipt.Error)
	}
	return receipt.Result == prune.Deleted, app.Damaged(app.NamedFax(id, err))
}

// keptBackError is a fax that is left alone because of what the archive says.
type keptBackError struct{ error }

// Unwrap is the reason.
func (k keptBackError) Unwrap() error { return k.error }
