// Package app is one run of faxctl: its streams, its environment, the account it is
// about, and what all commands share in asking, printing and reporting.
//
// Use it to write a command: a function that takes an [App] and returns a
// [cobra.Command], in the package of its noun. It knows no command itself.
package app

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/screen/output"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// App is one run of faxctl: its streams, its environment, what the global
// flags say, and what has to be closed at the end.
type App struct {
	In       io.Reader
	Out, Err io.Writer
	Page     page // standard output, for text that is no data
	Getenv   func(string) string
	Environ  []string // all of the environment, NAME=value, for what is misspelt in it; may be nil

	Flags      globalFlags
	prepared   bool // the flags were read, and format is what they say
	reads      bool // the command changes nothing, and takes words as people write them
	Interrupts *interrupts
	Term       *term.Term
	forms      map[*cobra.Command][]form // what each command prints
	later      map[*cobra.Command]func() // the rest of commands that nobody has asked for
	cmd        *cobra.Command            // the one that is run; nil until it is known
	advising   *sync.Mutex               // see advise
	Format     output.Format
	DataAsked  bool         // somebody said in which form they want the data
	asked      string       // the form that --output says, "" when it is not on the command line
	log        *slog.Logger // of requests, for --debug
	talk       *slog.Logger // of all that is said; nil: it is said to a person

	SettleFor time.Duration // see plan.Options; 0, except in tests: a sandbox has no others

	Account Account // which account, found at the first call to the provider

	Misspelt error // a command asked for its help that does not exist

	database *sql.DB      // nil until it is asked for
	awaits   *atomic.Bool // it was told that a server is waited for
	closers  []func() error
}

// New is one run of faxctl with these streams and this environment.
func New(in io.Reader, out, errs io.Writer, getenv func(string) string) *App {
	a := &App{In: in, Out: out, Page: page{w: out}, Err: errs, Getenv: getenv, forms: map[*cobra.Command][]form{}, later: map[*cobra.Command]func(){}, awaits: new(atomic.Bool), advising: new(sync.Mutex), log: slog.New(slog.DiscardHandler)}
	a.Term = a.newTerm(term.Auto)
	a.Interrupts = &interrupts{soft: context.Background()}
	return a
}

// Main carries out the command line of the process it is in, whose signals it
// minds, and returns the exit status.
func (a *App) Main(root *cobra.Command) int {
	ctx, in, stop := watchSignals(context.Background())
	defer stop()
	a.Interrupts, a.Environ = in, os.Environ()
	return a.Execute(ctx, root, os.Args[1:])
}

// Execute carries out one command line on a command tree, and returns the exit
// status.
func (a *App) Execute(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		a.Whole(root)
		withoutMarks(root)
	}
	a.Named(root, args)
	cmd, err := root, swallowed(root, args)
	if err == nil {
		cmd, err = root.ExecuteContextC(ctx)
	}
	a.cmd = cmd
	err = errors.Join(err, a.Misspelt, unlessClosed(a.Page.err), a.close())
	if f := cmd.Flags().Lookup("dry-run"); f != nil && f.Value.String() == "false" { // so it is with all that change something
		a.forgetCompletions()
	}
	if err != nil && onlyClosed(err) {
		return StatusDone // whoever read our output has seen enough
	}
	err = Explain(ctx, err)
	if a.Interrupts.bulk.Load() && errors.Is(err, context.Canceled) && problem.AdviceOf(err).Empty() {
		err = problem.With(err, problem.Say("run it again: it continues with what is left"))
	}
	if !a.prepared { // a flag or an argument was wrong
		a.Format, _ = parseFormat(a.wished(args, "output", "o", profile.OutputVariable)) // one that is wrong is a table
		a.talkAsLogged(cmd, a.logFormatOf(cmd, args))
	}
	a.Report(err)
	return statusOf(err)
}

// wished is what a command line says of a flag, or its variable, which could not be
// read to its end.
func (a *App) wished(args []string, name, short, variable string) string {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.ParseErrorsAllowlist.UnknownFlags = true
	f.Usage = func() {}
	instead, _ := a.standIns()(variable)
	said := f.StringP(name, short, instead, "")
	f.BoolP("help", "h", false, "")
	if f.Parse(args) != nil {
		return ""
	}
	return *said
}

// Prepare reads the global flags, before any command runs.
func (a *App) Prepare(cmd *cobra.Command, args []string) error {
	a.cmd = cmd
	if err := refuseEmpty(cmd, args); err != nil {
		return err
	}
	if cmd.Flags().Changed("output") {
		a.asked = a.Flags.output
	}
	if err := flag.Fill(cmd.Flags(), a.standIns()); err != nil {
		return err
	}
	a.Term = a.newTerm(a.Flags.color)
	if f := cmd.Flags().Lookup(LogFormatFlag); f != nil {
		a.talkAsLogged(cmd, f.Value.String())
	}
	if err := a.preparePrinting(cmd); err != nil {
		return err
	}
	a.prepared, a.reads = true, Does(cmd, Read)
	a.tellOfEnvironment(cmd)
	if err := refuseWrongPlaces(cmd); err != nil {
		return err
	}
	switch {
	case a.Flags.Debug && a.talk != nil:
		a.log = a.talk
	case a.Flags.Debug:
		a.log = slog.New(slog.NewTextHandler(a.Term.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return nil
}

func (a *App) newTerm(color term.Color) *term.Term {
	return term.New(term.Config{
		In: a.In, Out: a.Out, Err: a.Err, Getenv: a.Getenv,
		Color: color, Quiet: a.Flags.Quiet,
		NoInput: a.Flags.noInput,
	})
}

// OnClose remembers what must be closed when the command is done.
func (a *App) OnClose(f func() error) { a.closers = append(a.closers, f) }

// close closes what was opened, the last first.
func (a *App) close() (err error) {
	for i := len(a.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, a.closers[i]())
	}
	return err
}

// Say tells the person something that is not data.
func (a *App) Say(format string, args ...any) {
	if a.talk != nil {
		a.talk.Info(fmt.Sprintf(format, a.adviseAll(args)...))
		return
	}
	a.Term.Note(format, a.adviseAll(args)...)
}

// Warn tells the person of a possible mistake, also when quiet.
func (a *App) Warn(format string, args ...any) {
	if a.talk != nil {
		a.talk.Warn(fmt.Sprintf(format, a.adviseAll(args)...))
		return
	}
	a.Term.Warn(format, a.adviseAll(args)...)
}

// Confirm asks before something that cannot be taken back or costs money. The
// error of a refusal ends the command without having done anything.
func (a *App) Confirm(ctx context.Context, question string) error {
	if a.Flags.Yes {
		return nil
	}
	yes, err := a.Term.Confirm(ctx, question)
	return a.answered(yes, err)
}

// Ask asks for a line of text, before anything is done. Who ends the input instead has
// declined; ^C is [ErrInterrupted].
func (a *App) Ask(ctx context.Context, question string) (string, error) {
	return unanswered(a.Term.Ask(ctx, question))
}

// Secret is Ask for a line that does not appear on the screen.
func (a *App) Secret(ctx context.Context, question string) (string, error) {
	return unanswered(a.Term.Secret(ctx, question))
}

func unanswered(answer string, err error) (string, error) {
	switch {
	case errors.Is(err, io.EOF):
		err = ErrDeclined
	case errors.Is(err, context.Canceled):
		err = ErrInterrupted
	}
	return answer, err
}

// TypeToConfirm asks a person to type a word, for what destroys.
func (a *App) TypeToConfirm(ctx context.Context, question, word string) error {
	if a.Flags.Yes {
		return nil
	}
	yes, err := a.Term.TypeToConfirm(ctx, question, word)
	return a.answered(yes, err)
}

// ErrDeclined is a question answered with no.
var ErrDeclined = errors.New("nothing was done")

// ErrInterrupted is a question that ^C answered.
var ErrInterrupted = problem.Of(context.Canceled, errors.New("interrupted; nothing was done"))

func (*App) answered(yes bool, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return ErrInterrupted
	case errors.Is(err, term.ErrNoInput):
		return problem.With(problem.Of(problem.ErrInvalid, err), problem.Say("look at it with %s, then run it with %s", problem.Field("dry-run"), problem.Field("yes")))
	case err != nil:
		return err
	case !yes:
		return ErrDeclined
	}
	return nil
}

// Report says on standard error why the command failed: a line and a hint for
// people, one JSON object for scripts that asked for JSON, a line of a log that is JSON.
func (a *App) Report(err error) {
	if err == nil || errors.Is(err, problem.ErrTold) {
		return
	}
	if a.talk != nil {
		a.logFailure(err)
		return
	}
	if name := a.Format.String(); name == "json" || name == "jsonl" {
		_ = json.NewEncoder(a.Err).Encode(a.errorObject(err)) // nobody is left to tell
		return
	}
	if errors.Is(err, ErrDeclined) {
		a.Term.Note("%v", err) // as it was asked for
		return
	}
	a.Term.Fail(err, a.Hint(err))
}

// Hint is what to do next.
func (a *App) Hint(err error) string { return a.advise(problem.AdviceOf(err)) }

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

func (a *App) errorObject(err error) errorReport {
	var r errorReport
	r.Error.Message, r.Error.Hint, r.Error.Exit = err.Error(), a.Hint(err), statusOf(err)
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
