package numbers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
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

func planCommand(a *app.App) *cobra.Command {
	var file string
	var validate bool
	var kept app.OutputFile
	var targets []string
	var different app.Printing[plan.Step]
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show how your numbers differ from a file",
		Long: `Show how your numbers differ from a file. Nothing is changed.

` + fileHelp + `

The exit status is 8 when there is something to do, and 0 when there is not. It
is 6 when a purchase would not be made now, since one that was made for the name
does not show yet. With --validate only the file is read, and nobody asked.

With --out the plan is kept in a file, and faxctl numbers apply FILE carries out
just that, or nothing when the account is not as it was. --target limits a plan
to the numbers it names.`,
		Example: `  faxctl numbers plan -f numbers.yaml
  faxctl numbers plan -f numbers.yaml --out numbers.plan
  faxctl numbers plan -o json
  faxctl numbers plan --validate`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return problem.With(app.Misuse("faxctl numbers plan takes no argument, and %q is one", args[0]), problem.Say("the file of numbers goes with -f; %s carries out a plan that was kept", problem.Command("numbers", "apply").Arg("FILE")))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := kept.Check(a); err != nil {
				return err
			}
			if kept.Path == "-" || kept.Path != "" && validate {
				return app.Misuse("--out needs the name of a file, and a plan that is made")
			}
			f, err := readNumbers(a, file)
			if err != nil {
				return err
			}
			if validate {
				a.Say("%s: %s, nothing wrong.", f.Path, text.Plural(len(f.Entries), "entry", "entries"))
				return nil
			}
			ctx := cmd.Context()
			_, steps, err := compareWith(ctx, a, f, targets)
			if err != nil {
				return err
			}
			pending := 0
			for _, s := range steps {
				if s.Pending() {
					pending++
				}
			}
			if err := printSteps(ctx, a, &different, steps); err != nil {
				return err
			}
			if err := refused(a, steps); err != nil {
				return err
			}
			if err := keepPlan(a, kept, f, targets, steps); err != nil {
				return err
			}
			if pending > 0 {
				return problem.Of(app.ErrFindings, problem.ErrTold)
			}
			return nil
		},
	}
	bindFile(cmd, &file)
	bindTarget(a, cmd, &targets)
	kept.Bind(cmd, "out", "", "keep the plan in this `file`, for numbers apply FILE")
	different.Bind(a, cmd, stepType, func() bool { return !validate })
	a.BindDatabase(cmd)
	cmd.Flags().BoolVar(&validate, "validate", false, "only read the file, offline")
	return cmd
}

// bindTarget is the flag that limits a plan.
func bindTarget(a *app.App, cmd *cobra.Command, targets *[]string) {
	cmd.Flags().StringArrayVar(targets, "target", nil, "only this number (`REF`): its phone number, id or exact name; may be repeated")
	app.Must(cmd.RegisterFlagCompletionFunc("target", a.CompleteNumbers))
}

// keepPlan writes a plan to the file that was asked for.
func keepPlan(a *app.App, to app.OutputFile, f plan.File, targets []string, steps []plan.Step) error {
	if to.Path == "" {
		return nil
	}
	content, err := json.MarshalIndent(plan.Save(a.Account.Provider.Name, a.Account.Resolved.AccountID, f, targets, steps), "", "  ")
	if err != nil {
		return err
	}
	if err := to.Write(append(content, '\n')); err != nil {
		return err
	}
	a.Say("Kept the plan in %s: %s carries it out.", text.ShellWord(to.Path), problem.Command("numbers", "apply").Arg(to.Path))
	return nil
}

// bindFile is the flag that names the file of numbers.
func bindFile(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "file", "f", "numbers.yaml", "the `file`; - is standard input")
	app.Must(cmd.RegisterFlagCompletionFunc("file", cobra.FixedCompletions([]string{"yaml", "yml", "json"}, cobra.ShellCompDirectiveFilterFileExt)))
}

// maxNumbersFile is far more than anybody writes, in bytes.
const maxNumbersFile = 8 << 20

// numbersFileHint is what to do without a file of numbers.
func numbersFileHint() problem.Advice {
	return problem.Say("name the file with -f; %s writes one", problem.Command("numbers", "export"))
}

// readNumbers reads a file of numbers.
func readNumbers(a *app.App, path string) (plan.File, error) {
	text, err := readWhole(a, "--file "+path, path, numbersFileHint())
	if err != nil {
		return plan.File{}, err
	}
	if plan.IsSaved(text) {
		return plan.File{}, problem.With(app.Misuse("--file %s: it is a plan, and no file of numbers", path), problem.Say("carry it out with %s", problem.Command("numbers", "apply").Arg(path)))
	}
	if path == "-" {
		path = "standard input"
	}
	return plan.ReadFile(path, text)
}

// readWhole reads a file, or standard input; named is what it is called in errors, and
// hint what to do when there is none.
func readWhole(a *app.App, named, path string, hint problem.Advice) ([]byte, error) {
	in := a.In
	if path == "-" {
		path = "standard input"
	} else {
		f, err := app.OpenFile(named, path, hint)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxNumbersFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case len(text) > maxNumbersFile:
		return nil, app.Misuse("%s is longer than %d bytes", path, maxNumbersFile)
	case len(bytes.TrimSpace(text)) == 0: // of a program that failed, most often: a file of no numbers says so
		return nil, problem.With(app.Misuse("%s: it is empty", named), hint)
	}
	return text, nil
}

// compareWith finds what has to be done for the account to be as the file says.
func compareWith(ctx context.Context, a *app.App, f plan.File, targets []string) (fax.Numbers, []plan.Step, error) {
	numbers, err := a.Numbers(ctx)
	if err != nil {
		return nil, nil, err
	}
	o, err := careOfPurchase(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	steps, err := plan.Steps(ctx, numbers, f, o)
	if err == nil {
		steps, err = plan.Targeted(steps, targets, "the file or the account")
	}
	return numbers, steps, err
}

// compareSaved finds what of a plan that was kept is still to do.
func compareSaved(ctx context.Context, a *app.App, path string, targets []string) (fax.Numbers, []plan.Step, error) {
	content, err := readWhole(a, "plan "+path, path, problem.Say("%s writes one", problem.Command("numbers", "plan").Set("out", "FILE")))
	if err != nil {
		return nil, nil, err
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o022 != 0 && runtime.GOOS != "windows" {
		return nil, nil, problem.With(app.Misuse("plan %s: others may write it (mode %04o)", path, info.Mode().Perm()), problem.Say("look at what it says, then chmod go-w "+text.ShellWord(path)))
	}
	kept, err := plan.ReadSaved(path, content)
	if err != nil {
		return nil, nil, err
	}
	numbers, err := a.Numbers(ctx)
	if err != nil {
		return nil, nil, err
	}
	o, err := careOfPurchase(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	steps, err := kept.Compare(ctx, numbers, a.Account.Provider.Name, a.Account.Resolved.AccountID, o)
	if err == nil {
		steps, err = plan.Targeted(steps, targets, "the plan")
	}
	return numbers, steps, err
}

// refused reports the purchases that would not be made now.
func refused(a *app.App, steps []plan.Step) (first error) {
	for _, s := range steps {
		if s.Refused == nil {
			continue
		}
		a.Report(fmt.Errorf("%s: %w", s.Label(), s.Refused))
		if first == nil {
			first = problem.Of(problem.ErrTold, s.Refused)
		}
	}
	return first
}

// printSteps prints the difference: as people read it, or in the format that
// was asked for.
func printSteps(ctx context.Context, a *app.App, p *app.Printing[plan.Step], steps []plan.Step) error {
	if a.DataAsked {
		return p.All(ctx, seq.Of(steps))
	}
	paint := output.Painter(a.Term.Out.Color)
	for _, s := range steps {
		if _, err := io.WriteString(&a.Page, difference(s, paint)); err != nil {
			return err
		}
	}
	for _, s := range steps {
		if s.Pending() {
			warnAll(a, s.Warnings)
		}
	}
	a.Say("%s", summary(steps))
	return nil
}

// printDryRun prints, in the format that was asked for, what people were shown as
// talk.
func printDryRun(ctx context.Context, p *app.Printing[plan.Step], steps []plan.Step, one bool) error {
	switch {
	case !p.A.DataAsked:
		return nil
	case one:
		return p.Single(ctx, steps[0])
	}
	return p.All(ctx, seq.Of(steps))
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
	pending := app.NonEmpty(part(plan.ActionBuy, "to buy"), part(plan.ActionChange, "to change"), part(plan.ActionRelease, "to release"))
	rest := app.NonEmpty(part(plan.ActionNone, "as in the file"), part(plan.ActionUnmanaged, "not in the file and left alone"))
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
			{Name: "number", Value: func(s plan.Step) string { return s.Phone }, Whole: true, Style: show.Accent[plan.Step]},
			{Name: "name", Value: func(s plan.Step) string { return s.Name }},
			{Name: "fields", Value: changedFields},
			{Name: "price", Value: func(s plan.Step) string { return show.Amount(priceOf(s)) }, Show: func(s plan.Step, _ output.Human) string { return show.Money(priceOf(s)) }, Right: true},
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
