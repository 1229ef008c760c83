// Package cli is the command line of faxctl: it turns flags into requests,
// sequences into output and errors into exit statuses. It is the one package
// that sees all the others; what a command decides about numbers and faxes
// lives below, in packages of their own.
//
// Each command is a method of app that returns a [cobra.Command], in a file of
// its own name. [Main] is all that anybody outside needs.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// app is one run of faxctl: its streams, its environment, what the global
// flags say, and what has to be closed at the end.
type app struct {
	in       io.Reader
	out, err io.Writer
	page     page // standard output, for text that is no data
	getenv   func(string) string

	flags      globalFlags
	prepared   bool // the flags were read, and format is what they say
	interrupts *interrupts
	term       *term.Term
	forms      map[*cobra.Command][]form // what each command prints
	format     output.Format
	dataAsked  bool // somebody said in which form they want the data
	log        *slog.Logger

	settleFor time.Duration // see plan.Options; 0, except in tests: a sandbox has no others

	account account // which account, found at the first call to the provider

	misspelt error // a command asked for its help that does not exist

	closers []func() error
}

func newApp(in io.Reader, out, errs io.Writer, getenv func(string) string) *app {
	a := &app{in: in, out: out, page: page{w: out}, err: errs, getenv: getenv, forms: map[*cobra.Command][]form{}, log: slog.New(slog.DiscardHandler)}
	a.term = a.newTerm(term.Auto)
	a.interrupts = &interrupts{soft: context.Background()}
	return a
}

// Main runs faxctl for the process it is in, and returns the exit status.
func Main() int { return newApp(os.Stdin, os.Stdout, os.Stderr, os.Getenv).main() }

func (a *app) main() int {
	ctx, in, stop := watchSignals(context.Background())
	defer stop()
	a.interrupts = in
	return a.run(ctx, os.Args[1:])
}

// run carries out one command line.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		withoutMarks(root)
	}
	cmd, err := root.ExecuteContextC(ctx)
	err = errors.Join(err, a.misspelt, a.page.err, a.close())
	if f := cmd.Flags().Lookup("dry-run"); f != nil && f.Value.String() == "false" { // so it is with all that change something
		a.forgetCompletions()
	}
	if err != nil && onlyClosed(err) {
		return statusDone // whoever read our output has seen enough
	}
	err = explain(ctx, err)
	if a.interrupts.bulk.Load() && errors.Is(err, context.Canceled) && problem.AdviceOf(err).Empty() {
		err = problem.With(err, problem.Say("run it again: it continues with what is left"))
	}
	if !a.prepared { // a flag or an argument was wrong
		a.format = a.wishedFormat(args)
	}
	a.report(err)
	return statusOf(err)
}

// wishedFormat is the output format that a command line asks for which could not
// be read to its end.
func (a *app) wishedFormat(args []string) output.Format {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.ParseErrorsAllowlist.UnknownFlags = true
	f.Usage = func() {}
	spec := f.StringP("output", "o", a.getenv("FAXCTL_OUTPUT"), "")
	f.BoolP("help", "h", false, "")
	if f.Parse(args) != nil {
		return output.Format{}
	}
	format, _ := parseFormat(*spec) // one that is wrong is a table
	return format
}

// prepare reads the global flags, before any command runs.
func (a *app) prepare(cmd *cobra.Command, args []string) error {
	if err := refuseEmpty(cmd, args); err != nil {
		return err
	}
	color, err := oneOf("color", a.flags.color, []term.Color{term.Auto, term.Always, term.Never})
	if err != nil {
		return err
	}
	a.term = a.newTerm(color)
	if err := a.preparePrinting(cmd); err != nil {
		return err
	}
	a.prepared = true
	if err := refuseWrongPlaces(cmd); err != nil {
		return err
	}
	if a.flags.retryFor < 0 || a.flags.timeout <= 0 {
		return usageError("--retry-for takes 0 or more, --timeout more than 0")
	}
	if a.flags.debug {
		a.log = slog.New(slog.NewTextHandler(a.term.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return nil
}

func (a *app) newTerm(color term.Color) *term.Term {
	ask := a.getenv("FAXCTL_NO_INPUT")
	return term.New(term.Config{
		In: a.in, Out: a.out, Err: a.err, Getenv: a.getenv,
		Color: color, Quiet: a.flags.quiet,
		NoInput: a.flags.noInput || ask != "" && ask != "0",
	})
}

// onClose remembers what must be closed when the command is done.
func (a *app) onClose(f func() error) { a.closers = append(a.closers, f) }

// close closes what was opened, the last first.
func (a *app) close() (err error) {
	for i := len(a.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, a.closers[i]())
	}
	return err
}

// say tells the person something that is not data.
func (a *app) say(format string, args ...any) { a.term.Note(format, args...) }

// warn tells the person of a possible mistake, also when quiet.
func (a *app) warn(format string, args ...any) { a.term.Warn(format, args...) }

// confirm asks before something that cannot be taken back or costs money. The
// error of a refusal ends the command without having done anything.
func (a *app) confirm(ctx context.Context, question string) error {
	if a.flags.yes {
		return nil
	}
	yes, err := a.term.Confirm(ctx, question)
	return a.answered(yes, err)
}

// ask asks for a line of text. Who ends the input instead has declined.
func (a *app) ask(ctx context.Context, question string) (string, error) {
	answer, err := a.term.Ask(ctx, question)
	if errors.Is(err, io.EOF) {
		err = errDeclined
	}
	return answer, err
}

// typeToConfirm asks a person to type a word, for what destroys.
func (a *app) typeToConfirm(ctx context.Context, question, word string) error {
	if a.flags.yes {
		return nil
	}
	yes, err := a.term.TypeToConfirm(ctx, question, word)
	return a.answered(yes, err)
}

// errDeclined is a question answered with no.
var errDeclined = errors.New("nothing was done")

func (*app) answered(yes bool, err error) error {
	switch {
	case errors.Is(err, term.ErrNoInput):
		return problem.With(problem.Of(problem.ErrInvalid, err), problem.Say("look at it with %s, then run it with %s", problem.Field("dry-run"), problem.Field("yes")))
	case err != nil:
		return err
	case !yes:
		return errDeclined
	}
	return nil
}

// report says on standard error why the command failed: a line and a hint for
// people, one JSON object for scripts that asked for JSON.
func (a *app) report(err error) {
	if err == nil || errors.Is(err, problem.ErrTold) {
		return
	}
	if name := a.format.String(); name == "json" || name == "jsonl" {
		_ = json.NewEncoder(a.err).Encode(a.errorObject(err)) // nobody is left to tell
		return
	}
	if errors.Is(err, errDeclined) {
		a.term.Note("%v", err) // as it was asked for
		return
	}
	a.term.Fail(err, a.hint(err))
}

// hint is what to do next.
func (a *app) hint(err error) string { return a.advise(problem.AdviceOf(err)) }

// advise is advice whose commands are about the account that this one was about.
func (a *app) advise(advice problem.Advice) string {
	var shell problem.Shell
	if a.flags.profile != "" {
		shell.Account = append(shell.Account, problem.Word{Flag: "profile", Value: a.flags.profile})
	}
	if a.flags.apiURL != "" {
		shell.Account = append(shell.Account, problem.Word{Flag: "api-url", Value: a.flags.apiURL})
	}
	return text.Lines(advice.In(shell))
}

// errorReport is an error as -o json prints it.
type errorReport struct {
	Error struct {
		Message   string `json:"message"`
		Hint      string `json:"hint,omitempty"`
		Exit      int    `json:"exit"`
		Status    int    `json:"status,omitempty"` // HTTP
		Code      string `json:"code,omitempty"`   // the provider's
		RequestID string `json:"request_id,omitempty"`

		// Of a file, everything that is wrong with it.
		File     string        `json:"file,omitempty"`
		Problems []fileProblem `json:"problems,omitempty"`
	} `json:"error"`
}

// fileProblem is one thing that is wrong with a file; line 0 is the file as a
// whole.
type fileProblem struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func (a *app) errorObject(err error) errorReport {
	var r errorReport
	r.Error.Message, r.Error.Hint, r.Error.Exit = err.Error(), a.hint(err), statusOf(err)
	var api *fax.APIError
	if errors.As(err, &api) {
		r.Error.Status, r.Error.Code, r.Error.RequestID = api.Status, api.Code, api.RequestID
	}
	var file *yamlfile.Error
	if errors.As(err, &file) {
		r.Error.File = file.Path
		for _, p := range file.Problems {
			r.Error.Problems = append(r.Error.Problems, fileProblem{p.Line, text.Line(p.Text), a.advise(p.Advice)})
		}
	}
	return r
}

// values is a slice as a sequence.
func values[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
