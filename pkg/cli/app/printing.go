package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// Printing is what a command prints data of one type with. It is declared with the
// command, as flags are, and made before the command runs: what is wrong with the
// way in which output was asked for ends the command before it does anything.
type Printing[T any] struct {
	output.Printer[T]
	A *App
}

// form is one type of data that a command prints.
type form struct {
	when    func() bool     // the flags say that it does
	columns func() []string // their names
	make    func(output.Options) error
}

// Bind declares that cmd prints a t, when what the flags say makes when true; nil
// is always.
func (p *Printing[T]) Bind(a *App, cmd *cobra.Command, t func() output.Type[T], when func() bool) {
	p.A = a
	if when == nil {
		when = func() bool { return true }
	}
	a.forms[cmd] = append(a.forms[cmd], form{
		when: when,
		columns: func() []string {
			var names []string
			for _, c := range t().Columns {
				names = append(names, c.Name)
			}
			return names
		},
		make: func(opt output.Options) (err error) {
			p.Printer, err = output.New(t(), opt)
			return err
		},
	})
}

// PrintsData reports whether a command prints data, which has columns or is JSON of
// any shape.
func (a *App) PrintsData(cmd *cobra.Command) bool { return len(a.forms[cmd]) > 0 }

// fixedForm is the annotation of a command whose output has one form, which it
// names.
const fixedForm = "faxctl_form"

// PrintsOnly says what the output of a command is that has no other forms.
func PrintsOnly(what string, cmd *cobra.Command) *cobra.Command {
	cmd.Annotations = map[string]string{fixedForm: what}
	return cmd
}

// outputFlags are about the data that a command prints.
func outputFlags() []string { return []string{"output", "columns", "no-header", "raw"} }

// preparePrinting makes the printers of a command that is about to run. A default
// of the environment or the profile that does not fit the command, or its flags, is no mistake
// of whoever typed it: the command has its own then. One that fits no command is.
func (a *App) preparePrinting(cmd *cobra.Command) error {
	f := cmd.Flags().Lookup("output")
	spec, source := a.Flags.output, flag.Name(f)
	wished := !f.Changed && flag.Says(f)
	if !flag.Says(f) {
		spec = ""
	}
	format, err := parseFormat(spec)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	a.Format = format
	a.DataAsked = spec != "" || Given(cmd, outputFlags()) != ""
	err = a.makePrinters(cmd, spec)
	if err != nil && wished {
		if err := a.fitsNone(cmd, source); err != nil {
			return err
		}
		a.Format, a.DataAsked = output.Format{}, Given(cmd, outputFlags()) != ""
		err = a.makePrinters(cmd, "")
	}
	return err
}

// fitsNone is what is wrong with a format that no command can print, such as one of
// columns that nothing has, for a command that prints data; nil when there is one that
// can. Data without columns is JSON of any shape, and tells nothing.
func (a *App) fitsNone(cmd *cobra.Command, source string) (wrong error) {
	a.Whole(cmd.Root())
	alone := output.Options{Format: a.Format, Source: source}
	for of, forms := range a.forms {
		for _, f := range forms {
			if len(f.columns()) == 0 {
				continue
			}
			err := f.make(alone)
			if err == nil {
				return nil
			}
			if of == cmd && f.when() {
				wrong = err
			}
		}
	}
	return wrong
}

// parseFormat reads what -o says; nothing is the form that a command has without it.
func parseFormat(spec string) (output.Format, error) {
	if spec == "" {
		return output.Format{}, nil
	}
	return output.Parse(spec)
}

// makePrinters makes the printers for what the flags of a command make it print,
// and refuses flags about data where there is none. That errors are wanted as JSON
// can be said of every command.
func (a *App) makePrinters(cmd *cobra.Command, spec string) error {
	printed := false
	for _, f := range a.forms[cmd] {
		if !f.when() {
			continue
		}
		printed = true
		if err := f.make(a.outputOptions()); err != nil {
			return err
		}
	}
	if printed || cmd.HasSubCommands() && cmd.Flags().NArg() > 0 { // the word is no command, which is the mistake
		return nil
	}
	fixed := cmd.Annotations[fixedForm]
	given := Given(cmd, outputFlags()[1:])
	hint := "leave " + given + " out"
	if name := a.Format.String(); given == "" && spec != "" && (fixed != "" || name != "json" && name != "jsonl") {
		given, hint = "-o "+spec, "leave -o out"
	}
	switch {
	case given == "":
		return nil
	case fixed != "":
		return problem.With(Misuse("%s: %s prints %s", given, cmd.CommandPath(), fixed), problem.Say(hint))
	}
	return problem.With(Misuse("%s: %s prints no data", given, cmd.CommandPath()), problem.Say(hint))
}

func (a *App) outputOptions() output.Options {
	return output.Options{
		Format:   a.Format,
		Columns:  strings.Join(a.Flags.columns, ","),
		NoHeader: a.Flags.noHeader,
		Quiet:    a.Flags.Quiet,
		Raw:      a.Flags.Raw,
		Screen: output.Screen{
			Terminal: a.Term.Out.Terminal,
			Width:    a.Term.Out.Width,
			Color:    a.Term.Out.Color,
		},
	}
}

// DrawsTables reports whether a person will look at a table.
func (a *App) DrawsTables() bool {
	name := a.Format.String()
	return a.Term.Out.Terminal && (name == "table" || name == "wide")
}

// Most prints a sequence, at most most items of it (0: all), and says so when it
// was cut.
func (p *Printing[T]) Most(ctx context.Context, items iter.Seq2[T, error], most int) (int, error) {
	first, cut := seq.Head(items, most)
	return p.Cut(ctx, first, cut)
}

// All prints a sequence of what was named, or of what was done. It is read to its end
// also when its reader goes away, which is no error: what becomes of it decides how the
// command ends.
func (p *Printing[T]) All(ctx context.Context, items iter.Seq2[T, error]) error {
	_, err := p.toTheEnd(ctx, items, new(bool))
	return err
}

// Cut prints a sequence; cut tells, once it was read, whether there was more to
// it. It is nil for a list that the command itself sums up, which is then read to its
// end as that of [Printing.All] is.
func (p *Printing[T]) Cut(ctx context.Context, seq iter.Seq2[T, error], cut *bool) (int, error) {
	if cut == nil {
		return p.toTheEnd(ctx, seq, nil)
	}
	return p.print(ctx, seq, cut)
}

// toTheEnd prints a sequence that is work, or that decides about the exit status: it is
// read to its end when its reader goes away, or cannot be written to, and the error it
// ends with is not lost. That the reader went away is no error.
func (p *Printing[T]) toTheEnd(ctx context.Context, seq iter.Seq2[T, error], cut *bool) (int, error) {
	var end error
	n, err := p.print(ctx, ToTheEnd(seq, &end), cut)
	err = unlessClosed(err)
	if end != nil && !errors.Is(err, end) { // it came when nothing was printed any more
		err = errors.Join(end, err)
	}
	return n, err
}

func (p *Printing[T]) print(ctx context.Context, seq iter.Seq2[T, error], cut *bool) (int, error) {
	a := p.A
	shown, err := p.Print(ctx, a.Term.Out, seq)
	if err != nil {
		return shown.Items, err
	}
	if len(shown.Dropped) > 0 {
		a.Say("no room for %s; -o wide shows all", someOf(shown.Dropped))
	}
	switch {
	case cut == nil:
	case *cut:
		a.Say("%d shown; there are more: --all or --limit N", shown.Items)
	case a.DrawsTables() && shown.Items > 1:
		a.Say("%d shown, that is all", shown.Items)
	}
	return shown.Items, nil
}

// someOf names columns, in as many words as fit a line.
func someOf(columns []string) string {
	const most = 5
	if len(columns) <= most {
		return strings.Join(columns, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(columns[:most-2], ", "), len(columns)-most+2)
}

// Single prints a single thing. A reader who went away is no error.
func (p *Printing[T]) Single(ctx context.Context, v T) error {
	return unlessClosed(p.One(ctx, p.A.Term.Out, v))
}

// Unprinted is what it comes to that the news of something done could not be
// printed: it is done all the same, which has to be told, and the command line was
// not what was wrong. A reader who went away wanted to know no more.
func Unprinted(err error, done string) error {
	if unlessClosed(err) == nil {
		return nil
	}
	//nolint:errorlint // its kind is what it must not have
	return fmt.Errorf("%s; printing it failed: %v", done, err)
}

// unlessClosed is err, or nil when there is nothing else to it than a reader who went
// away.
func unlessClosed(err error) error {
	if err == nil || onlyClosed(err) {
		return nil
	}
	return err
}

// onlyClosed reports whether there is nothing else to an error than a reader who
// went away.
func onlyClosed(err error) bool {
	if many, joined := err.(interface{ Unwrap() []error }); joined {
		for _, err := range many.Unwrap() {
			if !onlyClosed(err) {
				return false
			}
		}
		return true
	}
	return errors.Is(err, output.ErrClosed)
}

// ToTheEnd reads a sequence to its end also when whoever takes it has had enough:
// what it tells of is work, which goes on when it can be told to nobody. The error it ends
// with is left in end.
func ToTheEnd[T any](seq iter.Seq2[T, error], end *error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		taken := true
		for v, err := range seq {
			if err != nil {
				*end = err
			}
			taken = taken && yield(v, err)
		}
	}
}
