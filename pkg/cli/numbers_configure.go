package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/batch"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/plan"
)

func (a *app) numbersConfigure() *cobra.Command {
	var (
		want   routing
		dryRun bool
		jobs   int
	)
	cmd := &cobra.Command{
		Use:   "configure REF...",
		Short: "Set what numbers do with a call",
		Long: `Set what numbers do with a call: mode fax and the fax URL, or back to voice.

The difference is shown field by field, applied when you say yes, and read
back. A number in fax mode takes no voice calls. A trunk or voice application
that would take the calls before the fax URL is asked is taken off the number;
--keep-routing leaves it.

A REF is a phone number, the provider's id, or an exact friendly name; - reads
them from standard input. When the provider does not confirm the change, the
exit status is 6.`,
		Example: `  faxctl numbers configure +14155550123 --fax-url https://fax.example.com/in
  faxctl numbers configure 'front desk' --dry-run \
    --fallback-url https://backup.example.com/in
  faxctl numbers configure +14155550123 --mode voice --yes`,
		Args:              needArgs("a number", "faxctl numbers configure +14155550123 --fax-url https://fax.example.com/in"),
		ValidArgsFunction: a.completeNumbers,
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := want.want(cmd)
			if err != nil {
				return err
			}
			if w.Empty() {
				return fax.WithHint(usageError("nothing to configure"), "say what, as in --fax-url https://fax.example.com/in")
			}
			numbers, owned, err := a.owned(cmd.Context(), args)
			if err != nil {
				return err
			}
			return a.configure(cmd.Context(), numbers, owned, w, jobs, dryRun)
		},
	}
	want.bind(a, cmd)
	f := cmd.Flags()
	f.StringVar(&want.mode, "mode", "", "receive `mode`: fax, or voice to turn the number back")
	f.BoolVar(&dryRun, "dry-run", false, "show the difference, and change nothing")
	a.completeValues(cmd, "mode", string(fax.ModeFax), string(fax.ModeVoice))
	a.bindJobs(cmd, &jobs, 4, "numbers")
	return cmd
}

// change is a number and what must change on it.
type change struct {
	number fax.Number
	plan.Difference
}

func (a *app) configure(ctx context.Context, numbers fax.Numbers, owned []fax.Number, w plan.Want, jobs int, dryRun bool) error {
	changes, err := differences(owned, w)
	if err != nil {
		return err
	}
	pending := 0
	for _, c := range changes {
		a.showStep(changeStep(c.number, c.Difference))
		a.warnAll(c.Warnings)
		if !c.Change.Empty() {
			pending++
		}
	}
	switch {
	case pending == 0:
		a.say("Nothing to change: %s.", plural(len(owned), "number is", "numbers are")+" as wanted")
		return printNumbers(ctx, a, owned)
	case dryRun:
		a.say("Dry run: %s would change.", plural(pending, "number", "numbers"))
		return nil
	}
	if err := a.confirm(ctx, fmt.Sprintf("Change %s?", plural(pending, "number", "numbers"))); err != nil {
		return err
	}
	return a.apply(ctx, numbers, changes, jobs)
}

// differences compares every number before any is changed.
func differences(owned []fax.Number, w plan.Want) ([]change, error) {
	changes := make([]change, len(owned))
	for i, n := range owned {
		d, err := plan.Diff(n, w)
		if err != nil {
			return nil, err
		}
		changes[i] = change{n, d}
	}
	return changes, nil
}

// apply changes the numbers, a few at a time, and prints them as they are now.
func (a *app) apply(ctx context.Context, numbers fax.Numbers, changes []change, jobs int) error {
	work := batch.Until(a.interrupts.gently(), values(changes))
	var t trouble
	now, end := fax.Collect(sift(a, &t, batch.RunOrdered(ctx, jobs, work, func(ctx context.Context, c change) (fax.Number, error) {
		n, err := plan.Apply(ctx, numbers, c.number, c.Change)
		return n, lasting(err)
	})))
	return errors.Join(cmp.Or(end, t.err()), printNumbers(ctx, a, now))
}

// printNumbers prints numbers as a list, which a single one is to a person who
// has just seen what is special about it.
func printNumbers(ctx context.Context, a *app, numbers []fax.Number) error {
	switch {
	case len(numbers) == 0:
		return nil
	case len(numbers) == 1 && !a.drawsTables():
		return printOne(ctx, a, numbers[0], numberType())
	}
	_, err := printList(ctx, a, values(numbers), numberType(), 0)
	return err
}
