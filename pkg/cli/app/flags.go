package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/flag"
)

// CompleteValues offers fixed values for a flag.
func (*App) CompleteValues(cmd *cobra.Command, flag string, values ...string) {
	Must(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
}

// CompleteNothing keeps the shell from offering file names for free text.
func (*App) CompleteNothing(cmd *cobra.Command, flags ...string) {
	for _, f := range flags {
		Must(cmd.RegisterFlagCompletionFunc(f, cobra.NoFileCompletions))
	}
}

// UpTo offers something for the first n arguments of a command, and nothing for
// the next ones.
func UpTo(n int, offer cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(cmd, args, typed)
	}
}

// CompleteList offers values for a flag that takes several, separated by
// commas.
func (*App) CompleteList(cmd *cobra.Command, flag string, values ...string) {
	Must(cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		done := typed[:strings.LastIndex(typed, ",")+1]
		var out []cobra.Completion
		for _, v := range values {
			if !slices.Contains(strings.Split(done, ","), v) {
				out = append(out, done+v)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}))
}

// emptyMeans is the annotation of a flag for which an empty value says something.
const emptyMeans = "faxctl_empty"

// MayBeEmpty marks flags whose empty value takes away what is there.
func MayBeEmpty(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		Must(cmd.Flags().SetAnnotation(name, emptyMeans, []string{"nothing"}))
	}
}

// refuseEmpty refuses arguments that are empty and flags that were given without
// a value, most often by a variable that is not set: a filter, a folder for copies
// or an account that is silently not there is worse than no run at all.
func refuseEmpty(cmd *cobra.Command, args []string) (err error) {
	for i, arg := range args {
		if strings.TrimSpace(arg) == "" && cmd.Name() != cobra.ShellCompRequestCmd { // what is about to be typed is empty
			return problem.With(Misuse("argument %d is empty", i+1), problem.Say("leave it out, or see whether a variable is not set"))
		}
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		text := f.Value.String()
		if many, yes := f.Value.(pflag.SliceValue); yes {
			text = strings.Join(many.GetSlice(), "")
		}
		if _, may := f.Annotations[emptyMeans]; strings.TrimSpace(text) == "" && !may && err == nil {
			err = problem.With(Misuse("--%s has no value", f.Name), problem.Say("give it one; see whether a variable is not set"))
		}
	})
	return err
}

// Changed is a pointer to v when the flag was given, so that "not given" and
// "given empty" differ.
func Changed[T any](cmd *cobra.Command, flag string, v T) *T {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	return &v
}

// Given is the first of the flags that was on the command line, as "--name", or
// "".
func Given(cmd *cobra.Command, flags []string) string {
	for _, name := range flags {
		if cmd.Flags().Changed(name) {
			return "--" + name
		}
	}
	return ""
}

// FlagNames are the names of the flags that a set of them declares.
func FlagNames[T any, P interface {
	*T
	Bind(*App, *cobra.Command)
}](a *App) []string {
	var names []string
	var cmd cobra.Command
	P(new(T)).Bind(a, &cmd) // one of its own: declaring flags sets them
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// OneWordOf checks an argument against the words it may be.
func OneWordOf[T ~string](what, value string, words []T) (T, error) {
	word, err := flag.Word(value, words)
	if err != nil {
		err = fmt.Errorf("%s: %w", what, err)
	}
	return word, err
}

// Limits are the flags of every list.
type Limits struct {
	n   int
	all bool
}

// Screenful is how many rows a person is shown who did not say how many. A
// script, whatever it reads, gets everything.
const Screenful = 30

// Bind declares the flags.
func (l *Limits) Bind(a *App, cmd *cobra.Command) {
	cmd.Flags().Var(flag.Number(&l.n, 1), "limit", fmt.Sprintf("print at most `N` (default: %d on a terminal, everything in a pipe)", Screenful))
	cmd.Flags().BoolVar(&l.all, "all", false, "print everything, on a terminal too")
	a.CompleteNothing(cmd, "limit")
}

// Most is how many items may be printed; 0 is all of them.
func (l *Limits) Most(a *App, cmd *cobra.Command) (int, error) {
	switch given := cmd.Flags().Changed("limit"); {
	case given && l.all:
		return 0, Misuse("--limit and --all contradict each other")
	case given:
		return l.n, nil
	case l.all || !a.DrawsTables():
		return 0, nil
	}
	return Screenful, nil
}

// NamesOne reports whether arguments name one thing, which is then shown as one.
// What comes from standard input is a list, however many there are: a script that
// reads it need not count them.
func NamesOne(args []string) bool { return len(args) == 1 && args[0] != "-" }

// Refs are the arguments of a command that takes several; "-" stands for the
// lines of standard input, of which empty ones say nothing. Each is taken once.
func (a *App) Refs(args []string) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	for _, arg := range args {
		if arg != "-" {
			add(arg)
			continue
		}
		lines := bufio.NewReader(text.Plain(a.In))
		for {
			line, err := lines.ReadString('\n')
			add(line)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("standard input: %w", err)
			}
		}
	}
	return out, nil
}

// NeedArgs asks for at least one argument, and says what would be one.
func NeedArgs(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return problem.With(Misuse("%s needs %s", cmd.CommandPath(), what), problem.Say("as in: "+example))
	}
}

// OneArg asks for exactly one argument.
func OneArg(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		err := Misuse("%s needs %s", cmd.CommandPath(), what)
		if len(args) > 1 {
			err = Misuse("%s takes %s, and %q is one more", cmd.CommandPath(), what, args[1])
		}
		return problem.With(err, problem.Say("as in: "+example))
	}
}

// AtMostOne takes one argument or none.
func AtMostOne(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= 1 {
			return nil
		}
		return problem.With(Misuse("%s takes one %s, and got %d arguments", cmd.CommandPath(), what, len(args)), problem.Say("as in: "+example))
	}
}

// NoArgs refuses arguments, which are most often a forgotten flag.
func NoArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasAvailableSubCommands():
		return UnknownCommand(cmd, args[0])
	}
	advice := problem.Say("%s %s shows what it takes", problem.Text(cmd.CommandPath()), problem.Field("help"))
	switch format := cmd.Flag("output").Value.String(); {
	case format == "jq", format == "template": // what follows -o is no part of it
		advice = problem.Say("write it with a sign, as in -o %s", problem.Text(text.ShellWord(format+"="+args[0])))
	case cmd.Flags().Lookup("o"+format) != nil: // -older-than is -o lder-than
		advice = problem.Say("did you mean %s?", problem.Field("o"+format))
	}
	return problem.With(Misuse("%s takes no argument, and %q is one", cmd.CommandPath(), args[0]), advice)
}

// NonEmpty are the words that say something.
func NonEmpty(words ...string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}
