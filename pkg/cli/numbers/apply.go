package numbers

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

func applyCommand(a *app.App) *cobra.Command {
	var (
		file                   string
		allowBuy, allowRelease bool
		dryRun                 bool
		jobs                   int
		targets                []string
		would                  app.Printing[plan.Step]
		became                 app.Printing[plan.Result]
	)
	cmd := &cobra.Command{
		Use:   "apply [PLAN]",
		Short: "Make your numbers what a file says",
		Long: `Make your numbers what a file says. The difference is shown, carried out when
you say yes, and read back.

` + fileHelp + `

Buying needs --allow-buy. A number that is not in the file is given up only when
the file says prune: true and --allow-release is there as well; without both
flags nothing is done that needs them, nor anything else.

Changes come first, then purchases, and releases last, when nothing else failed.
What is interrupted or fails half-way is continued by running it again: a number
that was bought has its name, and is never bought twice. While another run on
this machine buys for the same account, the exit status is 6.

PLAN is a file that faxctl numbers plan --out kept. What was reviewed there is
done, and nothing else: the same changes from the same to the same, and the same
numbers for the same price. When the account, or what is for sale, has moved
since, nothing is done and the exit status is 6. A plan can be run again: what
is done already is not done twice. --target limits either to the numbers it
names.`,
		Example: `  faxctl numbers apply numbers.plan --allow-buy
  faxctl numbers apply -f numbers.yaml --dry-run
  faxctl numbers apply -f numbers.yaml --allow-buy
  faxctl numbers apply --yes -o json`,
		Args:              app.AtMostOne("plan", "faxctl numbers apply numbers.plan"),
		ValidArgsFunction: app.UpTo(1, cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			numbers, steps, err := toApply(cmd, a, args, file, targets)
			if err != nil {
				return err
			}
			if dryRun && a.DataAsked {
				return cmp.Or(printSteps(ctx, a, &would, steps), refused(a, steps))
			}
			phases := plan.Sort(steps)
			showSteps(a, steps)
			if dryRun {
				return refused(a, steps)
			}
			if phases.Empty() {
				return printResults(ctx, &became, nil)
			}
			if err := phases.Permitted(allowBuy, allowRelease); err != nil {
				return err
			}
			if a.Flags.Yes { // nobody reads the warnings
				if err := phases.SureOfFax(); err != nil {
					return err
				}
			}
			if err := confirmSteps(ctx, a, phases); err != nil {
				return err
			}
			care, err := care(ctx, a)
			if err != nil {
				return err
			}
			return carryOut(ctx, a, numbers, phases, jobs, care, &became)
		},
	}
	would.Bind(a, cmd, stepType, func() bool { return dryRun })
	became.Bind(a, cmd, resultType, func() bool { return !dryRun })
	bindFile(cmd, &file)
	bindTarget(a, cmd, &targets)
	f := cmd.Flags()
	f.BoolVar(&allowBuy, "allow-buy", false, "permit buying numbers")
	f.BoolVar(&allowRelease, "allow-release", false, "permit giving numbers up, where the file says prune: true")
	app.Must(flag.Destroys(f, "allow-release"))
	f.BoolVar(&dryRun, "dry-run", false, "show the difference, and change nothing")
	a.BindDatabase(cmd)
	bindConfirm(a, cmd)
	a.BindJobs(cmd, &jobs, 4, "numbers")
	return cmd
}

// toApply is what there is to do: of a plan that was kept, or of a file of numbers.
func toApply(cmd *cobra.Command, a *app.App, args []string, file string, targets []string) (fax.Numbers, []plan.Step, error) {
	if len(args) == 1 {
		if cmd.Flags().Changed("file") {
			return nil, nil, app.Misuse("a plan that was kept has its file of numbers in it: leave --file out")
		}
		return compareSaved(cmd.Context(), a, args[0], targets)
	}
	f, err := readNumbers(a, file)
	if err != nil {
		return nil, nil, err
	}
	return compareWith(cmd.Context(), a, f, targets)
}

// showSteps shows the difference to the person who is about to be asked.
func showSteps(a *app.App, steps []plan.Step) {
	for _, s := range steps {
		showStep(a, s)
		if s.Pending() {
			warnAll(a, s.Warnings)
		}
	}
	a.Say("%s", summary(steps))
}

func confirmSteps(ctx context.Context, a *app.App, phases plan.Phases) error {
	switch released := phases.Release; len(released) {
	case 0:
		return a.Confirm(ctx, "Carry it out?")
	case 1:
		return a.TypeToConfirm(ctx, "A number is released for good.", released[0].Phone)
	default:
		return a.TypeToConfirm(ctx, fmt.Sprintf("%d numbers are released for good.", len(released)), fmt.Sprint(len(released)))
	}
}

// carryOut does the steps, and prints what became of each number.
func carryOut(ctx context.Context, a *app.App, numbers fax.Numbers, phases plan.Phases, jobs int, care plan.Options, became *app.Printing[plan.Result]) error {
	done, err := phases.Run(ctx, a.Interrupts.Gently(), numbers, jobs, care, a.Trouble())
	if len(done) > 0 { // told also after an interrupt
		err = errors.Join(err, app.Unprinted(printResults(context.WithoutCancel(ctx), became, done), outcomes(done...)))
	}
	return err
}

// printResults tells what became of the numbers. No number is an empty list to
// a machine, and nothing to a person.
func printResults(ctx context.Context, p *app.Printing[plan.Result], done []plan.Result) error {
	if len(done) == 0 && !p.A.DataAsked {
		return nil
	}
	return p.All(ctx, seq.Of(done))
}
