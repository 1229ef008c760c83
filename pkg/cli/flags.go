package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// completeValues offers fixed values for a flag.
func (*app) completeValues(cmd *cobra.Command, flag string, values ...string) {
	must(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
}

// completeNothing keeps the shell from offering file names for free text.
func (*app) completeNothing(cmd *cobra.Command, flags ...string) {
	for _, f := range flags {
		must(cmd.RegisterFlagCompletionFunc(f, cobra.NoFileCompletions))
	}
}

// upTo offers something for the first n arguments of a command, and nothing for
// the next ones.
func upTo(n int, offer cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(cmd, args, typed)
	}
}

// completeList offers values for a flag that takes several, separated by
// commas.
func (*app) completeList(cmd *cobra.Command, flag string, values ...string) {
	must(cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
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

// mayBeEmpty marks flags whose empty value takes away what is there.
func mayBeEmpty(cmd *cobra.Command, flags ...string) {
	for _, name := range flags {
		must(cmd.Flags().SetAnnotation(name, emptyMeans, []string{"nothing"}))
	}
}

// refuseEmpty refuses arguments that are empty and flags that were given without
// a value, most often by a variable that is not set: a filter, a folder for copies
// or an account that is silently not there is worse than no run at all.
func refuseEmpty(cmd *cobra.Command, args []string) (err error) {
	for i, arg := range args {
		if strings.TrimSpace(arg) == "" && cmd.Name() != cobra.ShellCompRequestCmd { // what is about to be typed is empty
			return problem.With(usageError("argument %d is empty", i+1), problem.Say("leave it out, or see whether a variable is not set"))
		}
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		text := f.Value.String()
		if many, yes := f.Value.(pflag.SliceValue); yes {
			text = strings.Join(many.GetSlice(), "")
		}
		if _, may := f.Annotations[emptyMeans]; strings.TrimSpace(text) == "" && !may && err == nil {
			err = problem.With(usageError("--%s has no value", f.Name), problem.Say("give it one; see whether a variable is not set"))
		}
	})
	return err
}

// changed is a pointer to v when the flag was given, so that "not given" and
// "given empty" differ.
func changed[T any](cmd *cobra.Command, flag string, v T) *T {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	return &v
}

// given is the first of the flags that was on the command line, as "--name", or
// "".
func given(cmd *cobra.Command, flags []string) string {
	for _, name := range flags {
		if cmd.Flags().Changed(name) {
			return "--" + name
		}
	}
	return ""
}

// flagNames are the names of the flags that a set of them declares.
func flagNames[T any, P interface {
	*T
	bind(*app, *cobra.Command)
}](a *app) []string {
	var names []string
	var cmd cobra.Command
	P(new(T)).bind(a, &cmd) // one of its own: declaring flags sets them
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// oneOf checks a flag's value against the words it may have.
func oneOf[T ~string](flag, value string, words []T) (T, error) {
	return oneWordOf("--"+flag, value, words)
}

// oneWordOf checks an argument against the words it may be.
func oneWordOf[T ~string](what, value string, words []T) (T, error) {
	for _, w := range words {
		if strings.EqualFold(value, string(w)) {
			return w, nil
		}
	}
	err := usageError("%s: unknown value %q", what, value)
	takes := text.List(words, "or")
	if meant := text.Meant(value, words); meant != "" {
		return "", problem.With(err, problem.Say(meant+" It takes "+takes))
	}
	return "", problem.With(err, problem.Say("it takes "+takes))
}

// limits are the flags of every list.
type limits struct {
	n   int
	all bool
}

// screenful is how many rows a person is shown who did not say how many. A
// script, whatever it reads, gets everything.
const screenful = 100

func (l *limits) bind(a *app, cmd *cobra.Command) {
	cmd.Flags().IntVar(&l.n, "limit", 0, fmt.Sprintf("print at most `N` (default: %d on a terminal, everything in a pipe)", screenful))
	cmd.Flags().BoolVar(&l.all, "all", false, "print everything, on a terminal too")
	a.completeNothing(cmd, "limit")
}

// most is how many items may be printed; 0 is all of them.
func (l *limits) most(a *app, cmd *cobra.Command) (int, error) {
	switch given := cmd.Flags().Changed("limit"); {
	case given && l.all:
		return 0, usageError("--limit and --all contradict each other")
	case given && l.n < 1:
		return 0, usageError("--limit %d: it takes 1 or more", l.n)
	case given:
		return l.n, nil
	case l.all || !a.drawsTables():
		return 0, nil
	}
	return screenful, nil
}

// head is the first n items of a sequence (0: all); cut tells, once the
// sequence was read, whether there were more. It reads one item further to
// know.
func head[T any](seq iter.Seq2[T, error], n int) (first iter.Seq2[T, error], cut *bool) {
	cut = new(bool)
	if n <= 0 {
		return seq, cut
	}
	return func(yield func(T, error) bool) {
		left := n
		for v, err := range seq {
			if err == nil && left == 0 {
				*cut = true
				return
			}
			left--
			if !yield(v, err) {
				return
			}
		}
	}, cut
}

// namesOne reports whether arguments name one thing, which is then shown as one.
// What comes from standard input is a list, however many there are: a script that
// reads it need not count them.
func namesOne(args []string) bool { return len(args) == 1 && args[0] != "-" }

// refs are the arguments of a command that takes several; "-" stands for the
// lines of standard input, of which empty ones say nothing. Each is taken once.
func (a *app) refs(args []string) ([]string, error) {
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
		lines := bufio.NewReader(a.in)
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

// needArgs asks for at least one argument, and says what would be one.
func needArgs(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return nil
		}
		return problem.With(usageError("%s needs %s", cmd.CommandPath(), what), problem.Say("as in: "+example))
	}
}

// oneArg asks for exactly one argument.
func oneArg(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		err := usageError("%s needs %s", cmd.CommandPath(), what)
		if len(args) > 1 {
			err = usageError("%s takes %s, and %q is one more", cmd.CommandPath(), what, args[1])
		}
		return problem.With(err, problem.Say("as in: "+example))
	}
}

// atMostOne takes one argument or none.
func atMostOne(what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= 1 {
			return nil
		}
		return problem.With(usageError("%s takes one %s, and got %d arguments", cmd.CommandPath(), what, len(args)), problem.Say("as in: "+example))
	}
}

// noArgs refuses arguments, which are most often a forgotten flag.
func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasAvailableSubCommands():
		return unknownCommand(cmd, args[0])
	}
	return problem.With(usageError("%s takes no argument, and %q is one", cmd.CommandPath(), args[0]), problem.Say("%s %s shows what it takes", problem.Text(cmd.CommandPath()), problem.Field("help")))
}
