package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

func (a *app) numbersApply() *cobra.Command {
	var (
		file                   string
		allowBuy, allowRelease bool
		dryRun                 bool
		jobs                   int
		would                  printing[plan.Step]
		became                 printing[plan.Result]
	)
	cmd := &cobra.Command{
		Use:   "apply",
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
this machine buys for the same account, the exit status is 6.`,
		Example: `  faxctl numbers apply -f numbers.yaml --dry-run
  faxctl numbers apply -f numbers.yaml --allow-buy
  faxctl numbers apply --yes -o json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := a.readNumbers(file)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			numbers, steps, err := a.compare(ctx, f)
			if err != nil {
				return err
			}
			if dryRun && a.dataAsked {
				return cmp.Or(a.printSteps(ctx, &would, steps), a.refused(steps))
			}
			phases := plan.Sort(steps)
			a.showSteps(steps)
			if dryRun {
				return a.refused(steps)
			}
			if phases.Empty() {
				return printResults(ctx, &became, nil)
			}
			if err := phases.Permitted(allowBuy, allowRelease); err != nil {
				return err
			}
			if a.flags.yes { // nobody reads the warnings
				if err := phases.SureOfFax(); err != nil {
					return err
				}
			}
			if err := a.confirmSteps(ctx, phases); err != nil {
				return err
			}
			care, err := a.care(cmd)
			if err != nil {
				return err
			}
			return a.carryOut(ctx, numbers, phases, jobs, care, &became)
		},
	}
	would.bind(a, cmd, stepType, func() bool { return dryRun })
	became.bind(a, cmd, resultType, func() bool { return !dryRun })
	a.bindFile(cmd, &file)
	f := cmd.Flags()
	f.BoolVar(&allowBuy, "allow-buy", false, "permit buying numbers")
	f.BoolVar(&allowRelease, "allow-release", false, "permit giving numbers up, where the file says prune: true")
	f.BoolVar(&dryRun, "dry-run", false, "show the difference, and change nothing")
	a.bindConfirm(cmd)
	a.bindJobs(cmd, &jobs, 4, "numbers")
	return cmd
}

// showSteps shows the difference to the person who is about to be asked.
func (a *app) showSteps(steps []plan.Step) {
	for _, s := range steps {
		a.showStep(s)
		if s.Pending() {
			a.warnAll(s.Warnings)
		}
	}
	a.say("%s", summary(steps))
}

func (a *app) confirmSteps(ctx context.Context, phases plan.Phases) error {
	switch released := phases.Release; len(released) {
	case 0:
		return a.confirm(ctx, "Carry it out?")
	case 1:
		return a.typeToConfirm(ctx, "A number is released for good.", released[0].Phone)
	default:
		return a.typeToConfirm(ctx, fmt.Sprintf("%d numbers are released for good.", len(released)), fmt.Sprint(len(released)))
	}
}

// carryOut does the steps, and prints what became of each number.
func (a *app) carryOut(ctx context.Context, numbers fax.Numbers, phases plan.Phases, jobs int, care plan.Options, became *printing[plan.Result]) error {
	done, err := phases.Run(ctx, a.interrupts.gently(), numbers, jobs, care, a.trouble())
	if len(done) > 0 { // told also after an interrupt
		err = errors.Join(err, unprinted(printResults(context.WithoutCancel(ctx), became, done), outcomes(done...)))
	}
	return err
}

// printResults tells what became of the numbers. No number is an empty list to
// a machine, and nothing to a person.
func printResults(ctx context.Context, p *printing[plan.Result], done []plan.Result) error {
	if len(done) == 0 && !p.a.dataAsked {
		return nil
	}
	return p.all(ctx, values(done))
}
