package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// removal is a deletion of faxes that were named.
type removal struct {
	mediaOnly bool
	dryRun    bool
	jobs      int
	would     printing[fax.Fax]
}

func (d *removal) bind(a *app, cmd *cobra.Command) {
	cmd.Flags().BoolVar(&d.dryRun, "dry-run", false, "show what would be deleted, and delete nothing")
	a.bindJobs(cmd, &d.jobs, jobsCeiling, "deletions")
	d.would.bind(a, cmd, faxType, func() bool { return d.dryRun })
}

func (a *app) faxesDelete() *cobra.Command {
	var d removal
	cmd := &cobra.Command{
		Use:   "delete ID...",
		Short: "Delete faxes at the provider, for good",
		Long: `Delete faxes at the provider, records and documents, for good; - reads the ids
from standard input.

One fax is confirmed with yes, several by typing how many they are; a script
passes --yes. A fax that is not found, neither to delete nor to look at, counts
as done, so that a list can be gone through again. One that is still in progress
is left alone and named, and the exit status is then 3, or 6 when nothing was
deleted. To delete by age, use faxctl faxes prune.`,
		Example: `  faxctl faxes delete FX0123456789abcdef0123456789abcdef
  faxctl faxes list --failed --until 30d -o id | faxctl faxes delete - --dry-run
  faxctl faxes delete - --media-only --yes < ids`,
		Args:              needArgs("a fax id", "faxctl faxes delete FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: a.completeFaxes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.deleteNamed(cmd.Context(), args, d)
		},
	}
	cmd.Flags().BoolVar(&d.mediaOnly, "media-only", false, "delete the documents and keep the records")
	d.bind(a, cmd)
	return cmd
}

// mediaGroup holds what is done with documents alone.
func (a *app) mediaGroup() *cobra.Command {
	return group("media", "List and delete the documents of faxes",
		"  faxctl faxes media list FX0123456789abcdef0123456789abcdef\n  faxctl faxes media delete FX0123456789abcdef0123456789abcdef",
		a.mediaList(), a.mediaDelete())
}

func (a *app) mediaList() *cobra.Command {
	var out printing[fax.Media]
	cmd := &cobra.Command{
		Use:     "list ID",
		Aliases: []string{"ls"},
		Short:   "List what is known of the documents of a fax",
		Long: `List what is known of the documents of a fax. The documents themselves come with
faxctl faxes download.`,
		Example:           "  faxctl faxes media list FX0123456789abcdef0123456789abcdef",
		Args:              oneArg("a fax id", "faxctl faxes media list FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: upTo(1, a.completeFaxes),
		RunE: func(cmd *cobra.Command, args []string) error {
			faxes, err := a.faxes(cmd.Context())
			if err != nil {
				return err
			}
			shown, err := out.most(cmd.Context(), faxes.Media(cmd.Context(), args[0]), 0)
			if errors.Is(err, problem.ErrNotFound) { // the fax, or its documents alone
				_, err = faxes.Get(cmd.Context(), args[0])
			}
			if err == nil && shown == 0 {
				a.say("the provider keeps no document of this fax")
			}
			return namedFax(args[0], err)
		},
	}
	out.bind(a, cmd, mediaType, nil)
	return cmd
}

func (a *app) mediaDelete() *cobra.Command {
	d := removal{mediaOnly: true}
	cmd := &cobra.Command{
		Use:   "delete ID...",
		Short: "Delete the documents of faxes, and keep the records",
		Long: `Delete the documents of the named faxes, and keep the records. It is the same as
faxctl faxes delete --media-only.`,
		Example:           "  faxctl faxes media delete FX0123456789abcdef0123456789abcdef --dry-run",
		Args:              needArgs("a fax id", "faxctl faxes media delete FX0123456789abcdef0123456789abcdef"),
		ValidArgsFunction: a.completeFaxes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.deleteNamed(cmd.Context(), args, d)
		},
	}
	d.bind(a, cmd)
	return cmd
}

func (a *app) deleteNamed(ctx context.Context, args []string, d removal) error {
	ids, err := a.refs(args)
	if err != nil {
		return err
	}
	faxes, err := a.faxes(ctx)
	if err != nil {
		return err
	}
	switch {
	case len(ids) == 0:
		a.say("no id, nothing to delete")
		return nil
	case d.dryRun:
		return a.wouldDelete(ctx, faxes, ids, d)
	}
	if err := a.changeable(); err != nil {
		return err
	}
	if err := a.confirmDeletion(ctx, faxes, ids, d); err != nil {
		return err
	}
	return a.delete(ctx, faxes, ids, d)
}

// what names what goes.
func (d removal) what(n int) string { return prune.What(n, d.mediaOnly) }

// wouldDelete shows the faxes that a real run would delete.
func (a *app) wouldDelete(ctx context.Context, faxes fax.Faxes, ids []string, d removal) error {
	a.say("Dry run: what is listed would be deleted%s.", map[bool]string{true: ", their documents alone"}[d.mediaOnly])
	look := func(ctx context.Context, id string) (fax.Fax, error) {
		f, err := faxes.Get(ctx, id)
		switch {
		case errors.Is(err, problem.ErrNotFound) && fax.PlausibleID(id):
			return f, batch.Skip(fmt.Errorf("fax %s is not found at the provider", id))
		case err != nil:
			return f, batch.Lasting(namedFax(id, err))
		case !f.Status.Terminal():
			return f, batch.Skip(inProgress(id))
		}
		return f, nil
	}
	t := a.trouble()
	err := d.would.all(ctx, batch.Sift(t, batch.RunOrdered(ctx, d.jobs, values(ids), look)))
	return errors.Join(err, t.Err())
}

func inProgress(id string) error {
	return fmt.Errorf("fax %s is still in progress and was left alone", id)
}

// confirmDeletion asks: a person who named one fax sees what it is.
func (a *app) confirmDeletion(ctx context.Context, faxes fax.Faxes, ids []string, d removal) error {
	if a.flags.yes || !a.term.CanAsk() {
		return a.confirm(ctx, fmt.Sprintf("Delete %s for good?", d.what(len(ids))))
	}
	if len(ids) > 1 {
		if err := a.showNamed(ctx, faxes, ids, d.jobs); err != nil {
			return err
		}
		return a.typeToConfirm(ctx, fmt.Sprintf("Delete %s for good?", d.what(len(ids))), fmt.Sprint(len(ids)))
	}
	f, err := faxes.Get(ctx, ids[0])
	if err != nil {
		return namedFax(ids[0], err)
	}
	a.say("  %s  %s", f.ID, describe(f, time.Now()))
	return a.confirm(ctx, fmt.Sprintf("Delete %s for good?", d.what(1)))
}

// showNamed says which faxes are meant: each of a few, or the first and the last
// of many.
func (a *app) showNamed(ctx context.Context, faxes fax.Faxes, ids []string, jobs int) error {
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
		return describe(f, time.Now()), batch.Lasting(namedFax(id, err))
	}
	at := 0
	for r, err := range batch.RunOrdered(ctx, jobs, values(shown), get) {
		if err = cmp.Or(err, r.Err); err != nil {
			return err
		}
		label := ""
		if len(labels) > 0 {
			label = labels[at]
		}
		a.say("  %s%s  %s", label, shown[at], r.Value)
		at++
	}
	return nil
}

// delete deletes, many at a time; the rate adapts to what the provider allows.
func (a *app) delete(ctx context.Context, faxes fax.Faxes, ids []string, d removal) error {
	progress := a.term.Progress("deleting", len(ids))
	defer progress.Stop()
	missing := 0
	t := a.trouble()
	results := batch.Run(ctx, d.jobs, batch.Until(a.interrupts.gently(), values(ids)), func(ctx context.Context, id string) (bool, error) {
		defer progress.Add(1, 0)
		return removeNamed(ctx, faxes, id, d.mediaOnly)
	})
	end := each(batch.Sift(t, results), func(was bool) {
		if !was {
			missing++
		}
	})
	progress.Stop()
	a.say("Deleted %s%s.", d.what(t.Tally.Done-missing), remarks(
		remark(missing, "not found at the provider"), remark(t.Tally.Skipped, "in progress"), remark(t.Tally.Failed, "failed"), remark(t.Tally.Left(len(ids)), "left")))
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
func removeNamed(ctx context.Context, faxes fax.Faxes, id string, mediaOnly bool) (was bool, err error) {
	if mediaOnly {
		was, err = fax.RemoveDocument(ctx, faxes, fax.Fax{ID: id})
	} else {
		was, err = fax.Remove(ctx, faxes, fax.Fax{ID: id})
	}
	switch {
	case errors.Is(err, problem.ErrConflict):
		return false, batch.Skip(inProgress(id))
	case err == nil && !was && !fax.PlausibleID(id):
		err = problem.ErrNotFound
	}
	return was, batch.Lasting(namedFax(id, err))
}
