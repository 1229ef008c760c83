package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
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
			phased := phases(steps)
			a.showSteps(steps)
			if dryRun {
				return a.refused(steps)
			}
			if len(phased[changing])+len(phased[buying])+len(phased[releasing]) == 0 {
				return printResults(ctx, &became, nil)
			}
			if err := permitted(phased, allowBuy, allowRelease); err != nil {
				return err
			}
			for _, s := range phased[buying] {
				if err := a.surelyFax(s); err != nil {
					return err
				}
			}
			if err := a.confirmSteps(ctx, phased); err != nil {
				return err
			}
			care, err := a.care(cmd)
			if err != nil {
				return err
			}
			return a.carryOut(ctx, numbers, phased, jobs, care, &became)
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

// The phases of an apply, in their order.
const (
	changing = iota
	buying
	releasing
	phaseCount
)

// phases sorts what is to be done into the order in which it is safe: a number
// is given up only when those that take its place are there.
func phases(steps []plan.Step) [phaseCount][]plan.Step {
	var phased [phaseCount][]plan.Step
	for _, s := range steps {
		switch s.Action {
		case plan.ActionChange:
			phased[changing] = append(phased[changing], s)
		case plan.ActionBuy:
			phased[buying] = append(phased[buying], s)
		case plan.ActionRelease:
			phased[releasing] = append(phased[releasing], s)
		case plan.ActionNone, plan.ActionUnmanaged:
		}
	}
	return phased
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

// permitted makes sure that money is spent and numbers are given up only by
// those who said so on the command line.
func permitted(phased [phaseCount][]plan.Step, buy, release bool) error {
	switch {
	case len(phased[buying]) > 0 && !buy:
		return problem.With(usageError("%s to buy, and buying is not allowed; nothing was done", plural(len(phased[buying]), "number", "numbers")), problem.Say("%s permits it", problem.Field("allow-buy")))
	case len(phased[releasing]) > 0 && !release:
		return problem.With(usageError("%s to release, and releasing is not allowed; nothing was done", plural(len(phased[releasing]), "number", "numbers")), problem.Say("%s permits it; or take prune out of the file", problem.Field("allow-release")))
	}
	return nil
}

func (a *app) confirmSteps(ctx context.Context, phased [phaseCount][]plan.Step) error {
	switch released := phased[releasing]; len(released) {
	case 0:
		return a.confirm(ctx, "Carry it out?")
	case 1:
		return a.typeToConfirm(ctx, "A number is released for good.", released[0].Phone)
	default:
		return a.typeToConfirm(ctx, fmt.Sprintf("%d numbers are released for good.", len(released)), fmt.Sprint(len(released)))
	}
}

// carryOut does the steps, a few at a time, and prints what became of each
// number. Purchases are made one after another.
func (a *app) carryOut(ctx context.Context, numbers fax.Numbers, phased [phaseCount][]plan.Step, jobs int, care plan.Options, became *printing[plan.Result]) error {
	if len(phased[buying]) > 0 {
		done, err := a.lockPurchases()
		if err != nil {
			return err
		}
		defer done()
	}
	soft := a.interrupts.gently()
	t := a.trouble()
	var done []plan.Result
	var end error
	for phase, steps := range phased {
		if phase == buying {
			jobs = 1
		}
		if phase == releasing && t.Tally.Failed > 0 {
			if len(steps) > 0 {
				a.warn("nothing is released, because something else failed")
			}
			break
		}
		for r, err := range batch.RunOrdered(ctx, jobs, batch.Until(soft, values(steps)), func(ctx context.Context, s plan.Step) (plan.Result, error) {
			return s.Run(ctx, numbers, care)
		}) {
			if err != nil {
				end = t.End(err)
				break
			}
			var unfinished *plan.UnfinishedError
			bought := errors.As(r.Err, &unfinished) && unfinished.Bought // money was spent, whatever came after
			if r.Err == nil || bought || r.Value.Outcome == plan.OutcomeUnconfirmed {
				done = append(done, r.Value)
			}
			if r.Err != nil {
				r.Err = fmt.Errorf("%s: %w", label(r.Item), r.Err)
			}
			if end = t.Add(r.Err); end != nil {
				break
			}
		}
		if end != nil {
			break
		}
	}
	var err error
	if len(done) > 0 { // told also after an interrupt
		err = unprinted(printResults(context.WithoutCancel(ctx), became, done), outcomes(done...))
	}
	if t.Tally.Done == 0 && len(done) > 0 {
		return errors.Join(end, err, fmt.Errorf("%w: %s only half done", batch.ErrPartial, plural(len(done), "number is", "numbers are")))
	}
	return errors.Join(end, err, t.Err())
}

// printResults tells what became of the numbers. No number is an empty list to
// a machine, and nothing to a person.
func printResults(ctx context.Context, p *printing[plan.Result], done []plan.Result) error {
	if len(done) == 0 && !p.a.dataAsked {
		return nil
	}
	return p.all(ctx, values(done))
}

// label names a step for messages.
func label(s plan.Step) string {
	if s.Name == "" {
		return s.Phone
	}
	return s.Phone + " (" + text.Line(s.Name) + ")"
}
