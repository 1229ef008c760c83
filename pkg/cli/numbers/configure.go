package numbers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

func configureCommand(a *app.App) *cobra.Command {
	var (
		want   routing
		dryRun bool
		jobs   int
		now    app.Printing[fax.Number]
		would  app.Printing[plan.Step]
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
		Args:              app.NeedArgs("a number", "faxctl numbers configure +14155550123 --fax-url https://fax.example.com/in"),
		ValidArgsFunction: a.CompleteNumbers,
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := want.want(cmd)
			if err != nil {
				return err
			}
			if w.FaxURL != nil && *w.FaxURL == "" && (w.Mode == nil || *w.Mode != fax.ModeVoice) {
				return problem.With(app.Misuse("--fax-url has no value: a fax number without one receives nothing"), problem.Say("see whether a variable is not set; %s takes the URL off as well", problem.Field("mode", "voice")))
			}
			if w.Empty() {
				return problem.With(app.Misuse("nothing to configure"), problem.Say("say what, as in %s", problem.Field("fax-url", "https://fax.example.com/in")))
			}
			numbers, owned, err := ownedNumbers(cmd.Context(), a, args)
			if err != nil {
				return err
			}
			care, err := care(cmd.Context(), a)
			if err != nil {
				return err
			}
			return configureAll(cmd.Context(), a, numbers, owned, w, configuring{care, jobs, dryRun, app.NamesOne(args), &now, &would})
		},
	}
	want.Bind(a, cmd)
	f := cmd.Flags()
	f.Var(flag.OneOf(&want.mode, fax.ModeFax, fax.ModeVoice), "mode", "receive `mode`: fax, or voice to turn the number back")
	f.BoolVar(&dryRun, "dry-run", false, "show the difference, and change nothing")
	a.CompleteValues(cmd, "mode", string(fax.ModeFax), string(fax.ModeVoice))
	bindConfirm(a, cmd)
	a.BindJobs(cmd, &jobs, 4, "numbers")
	now.Bind(a, cmd, show.NumberType, func() bool { return !dryRun })
	would.Bind(a, cmd, stepType, func() bool { return dryRun })
	return cmd
}

// configuring is how numbers are configured.
type configuring struct {
	care   plan.Options
	jobs   int
	dryRun bool
	one    bool // the number was named, and is shown as one
	now    *app.Printing[fax.Number]
	would  *app.Printing[plan.Step]
}

// change is a number and what must change on it.
type change struct {
	number fax.Number
	plan.Difference
}

func configureAll(ctx context.Context, a *app.App, numbers fax.Numbers, owned []fax.Number, w plan.Want, how configuring) error {
	changes, err := differences(owned, w)
	if err != nil {
		return err
	}
	pending := 0
	steps := make([]plan.Step, len(changes))
	for i, c := range changes {
		steps[i] = plan.ChangeStep(c.number, c.Difference)
		showStep(a, steps[i])
		warnAll(a, c.Warnings)
		if !c.Change.Empty() {
			pending++
		}
	}
	if pending == 0 {
		a.Say("Nothing to change: %s.", text.Plural(len(owned), "number is", "numbers are")+" as wanted")
	}
	switch {
	case how.dryRun && pending > 0:
		a.Say("Dry run: %s would change.", text.Plural(pending, "number", "numbers"))
		fallthrough
	case how.dryRun:
		return printDryRun(ctx, how.would, steps, how.one)
	case pending == 0:
		return printNumbers(ctx, how.now, owned, how.one)
	}
	if err := a.Confirm(ctx, fmt.Sprintf("Change %s?", text.Plural(pending, "number", "numbers"))); err != nil {
		return err
	}
	return applyChanges(ctx, a, numbers, changes, how)
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

// applyChanges changes the numbers, a few at a time, and prints them as they are now.
func applyChanges(ctx context.Context, a *app.App, numbers fax.Numbers, changes []change, how configuring) error {
	work := batch.Until(a.Interrupts.Gently(), seq.Of(changes))
	t := a.Trouble()
	now, end := fax.Collect(batch.Sift(t, batch.RunOrdered(ctx, how.jobs, work, func(ctx context.Context, c change) (fax.Number, error) {
		n, err := plan.Apply(ctx, numbers, c.number, c.Change, how.care)
		return n, batch.Lasting(err)
	})))
	changed := make([]string, len(now))
	for i, n := range now {
		changed[i] = n.Phone
	}
	printed := printNumbers(context.WithoutCancel(ctx), how.now, now, how.one)
	return errors.Join(cmp.Or(end, t.Err()), app.Unprinted(printed, "changed: "+strings.Join(changed, ", ")))
}

// printNumbers prints numbers: the one that was named, if it is there, or a list,
// which a single one is to a person who has just seen what is special about it.
func printNumbers(ctx context.Context, p *app.Printing[fax.Number], numbers []fax.Number, one bool) error {
	switch {
	case one && len(numbers) == 0:
		return nil
	case one && !p.A.DrawsTables():
		return p.Single(ctx, numbers[0])
	}
	return p.All(ctx, seq.Of(numbers))
}
