package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

const fileHelp = `The file says what your numbers should be:

  defaults: {mode: fax}
  numbers:
    - number: "+14155550123"
      name: front desk
      fax-url: https://fax.example.com/in
    - buy: {country: US, area-code: 415, max-price: 2.00}
      name: back office
      fax-url: https://fax.example.com/in

What it does not mention of a number stays as it is, and so do numbers that it
does not mention. A number that was bought is known again by its name. Every
key is in docs/numbers.schema.json.`

func (a *app) numbersPlan() *cobra.Command {
	var file string
	var validate bool
	var different printing[plan.Step]
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show how your numbers differ from a file",
		Long: `Show how your numbers differ from a file. Nothing is changed.

` + fileHelp + `

The exit status is 8 when there is something to do, and 0 when there is not. It
is 6 when a purchase would not be made now, since one that was made for the name
does not show yet. With --validate only the file is read, and nobody asked.`,
		Example: `  faxctl numbers plan -f numbers.yaml
  faxctl numbers plan -o json
  faxctl numbers plan --validate`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := a.readNumbers(file)
			if err != nil {
				return err
			}
			if validate {
				a.say("%s: %s, nothing wrong.", f.Path, plural(len(f.Entries), "entry", "entries"))
				return nil
			}
			ctx := cmd.Context()
			_, steps, err := a.compare(ctx, f)
			if err != nil {
				return err
			}
			pending := 0
			for _, s := range steps {
				if s.Pending() {
					pending++
				}
			}
			if err := a.printSteps(ctx, &different, steps); err != nil {
				return err
			}
			if err := a.refused(steps); err != nil {
				return err
			}
			if pending > 0 {
				return problem.Of(errFindings, problem.ErrTold)
			}
			return nil
		},
	}
	a.bindFile(cmd, &file)
	different.bind(a, cmd, stepType, func() bool { return !validate })
	cmd.Flags().BoolVar(&validate, "validate", false, "only read the file, offline")
	return cmd
}

// bindFile is the flag that names the file of numbers.
func (a *app) bindFile(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "file", "f", "numbers.yaml", "the `file`; - is standard input")
	must(cmd.RegisterFlagCompletionFunc("file", cobra.FixedCompletions([]string{"yaml", "yml", "json"}, cobra.ShellCompDirectiveFilterFileExt)))
}

// maxNumbersFile is far more than anybody writes, in bytes.
const maxNumbersFile = 8 << 20

// numbersFileHint is what to do without a file of numbers.
func numbersFileHint() problem.Advice {
	return problem.Say("name the file with -f; %s writes one", problem.Command("numbers", "export"))
}

// readNumbers reads a file of numbers.
func (a *app) readNumbers(path string) (plan.File, error) {
	in := a.in
	if path == "-" {
		path = "standard input"
	} else {
		f, err := openFile("file", path, numbersFileHint())
		if err != nil {
			return plan.File{}, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxNumbersFile+1))
	switch {
	case err != nil:
		return plan.File{}, fmt.Errorf("%s: %w", path, err)
	case len(text) > maxNumbersFile:
		return plan.File{}, usageError("%s is longer than %d bytes", path, maxNumbersFile)
	case len(bytes.TrimSpace(text)) == 0: // of a program that failed, most often: a file of no numbers says so
		return plan.File{}, problem.With(usageError("--file %s: it is empty", path), numbersFileHint())
	}
	return plan.ReadFile(path, text)
}

// compare finds what has to be done for the account to be as the file says.
func (a *app) compare(ctx context.Context, f plan.File) (fax.Numbers, []plan.Step, error) {
	numbers, err := a.numbers(ctx)
	if err != nil {
		return nil, nil, err
	}
	o, err := a.purchases()
	if err != nil {
		return nil, nil, err
	}
	steps, err := plan.Steps(ctx, numbers, f, o)
	return numbers, steps, err
}

// refused reports the purchases that would not be made now.
func (a *app) refused(steps []plan.Step) (first error) {
	for _, s := range steps {
		if s.Refused == nil {
			continue
		}
		a.report(fmt.Errorf("%s: %w", s.Label(), s.Refused))
		if first == nil {
			first = problem.Of(problem.ErrTold, s.Refused)
		}
	}
	return first
}

// printSteps prints the difference: as people read it, or in the format that
// was asked for.
func (a *app) printSteps(ctx context.Context, p *printing[plan.Step], steps []plan.Step) error {
	if a.dataAsked {
		return p.all(ctx, values(steps))
	}
	paint := output.Painter(a.term.Out.Color)
	for _, s := range steps {
		if _, err := io.WriteString(&a.page, difference(s, paint)); err != nil {
			return err
		}
	}
	for _, s := range steps {
		if s.Pending() {
			a.warnAll(s.Warnings)
		}
	}
	a.say("%s", summary(steps))
	return nil
}

// printDryRun prints, in the format that was asked for, what people were shown as
// talk.
func printDryRun(ctx context.Context, p *printing[plan.Step], steps []plan.Step, one bool) error {
	switch {
	case !p.a.dataAsked:
		return nil
	case one:
		return p.one(ctx, steps[0])
	}
	return p.all(ctx, values(steps))
}

// summary counts the steps: "1 to buy, 2 to change; 3 as they should be, 4
// not in the file and left alone."
func summary(steps []plan.Step) string {
	count := map[plan.Action]int{}
	for _, s := range steps {
		count[s.Action]++
	}
	part := func(action plan.Action, words string) string {
		if count[action] == 0 {
			return ""
		}
		return fmt.Sprintf("%d %s", count[action], words)
	}
	pending := nonEmpty(part(plan.ActionBuy, "to buy"), part(plan.ActionChange, "to change"), part(plan.ActionRelease, "to release"))
	rest := nonEmpty(part(plan.ActionNone, "as in the file"), part(plan.ActionUnmanaged, "not in the file and left alone"))
	parts := []string{"Nothing to do"}
	if len(pending) > 0 {
		parts = []string{strings.Join(pending, ", ")}
	}
	if len(rest) > 0 {
		parts = append(parts, strings.Join(rest, ", "))
	}
	return strings.Join(parts, "; ") + "."
}

func stepType() output.Type[plan.Step] {
	return output.Type[plan.Step]{
		ID: func(s plan.Step) string { return s.Phone },
		Columns: []output.Column[plan.Step]{
			{Name: "action", Value: func(s plan.Step) string { return string(s.Action) }, Style: actionStyle},
			{Name: "number", Value: func(s plan.Step) string { return s.Phone }, Whole: true, Style: accent[plan.Step]},
			{Name: "name", Value: func(s plan.Step) string { return s.Name }},
			{Name: "fields", Value: changedFields},
			{Name: "price", Value: func(s plan.Step) string { return amount(priceOf(s)) }, Show: func(s plan.Step, _ output.Human) string { return money(priceOf(s)) }, Right: true},
			{Name: "line", Value: func(s plan.Step) string { return lineNumber(s.Line) }, Right: true},
			{Name: "id", Value: func(s plan.Step) string { return s.ID }, Wide: true, Whole: true},
		},
	}
}

func actionStyle(s plan.Step) output.Style {
	switch s.Action {
	case plan.ActionBuy:
		return output.Good
	case plan.ActionChange:
		return output.Warn
	case plan.ActionRelease:
		return output.Bad
	case plan.ActionNone, plan.ActionUnmanaged:
	}
	return output.Dim
}

// changedFields names the fields that differ.
func changedFields(s plan.Step) string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return strings.Join(names, " ")
}

func priceOf(s plan.Step) *fax.Money {
	if s.Offer == nil {
		return nil
	}
	return s.Offer.Price
}

// lineNumber is "" when there is none.
func lineNumber(line int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprint(line)
}
