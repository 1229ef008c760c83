package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// CommandArg stands for the name of a command, in usage lines.
const CommandArg = " COMMAND"

// Later leaves the rest of a command, its flags and the commands below it, until somebody
// asks for the command: all of them take longer to make than most commands take to run.
// What a list of commands shows of it is there from the beginning.
func (a *App) Later(cmd *cobra.Command, rest func()) { a.later[cmd] = rest }

// Named makes the rest of the command that words name, and of those above it.
func (a *App) Named(root *cobra.Command, words []string) {
	for {
		cmd, _, _ := root.Find(words) // what is wrong with the words is told by who obeys them
		if !a.finish(cmd) {
			return
		}
	}
}

// Whole makes the rest of a command and of all below it.
func (a *App) Whole(cmd *cobra.Command) {
	a.finish(cmd)
	for _, child := range cmd.Commands() {
		a.Whole(child)
	}
}

// finish makes the rest of one command, and reports whether there was any.
func (a *App) finish(cmd *cobra.Command) bool {
	rest, some := a.later[cmd]
	if some {
		delete(a.later, cmd)
		rest()
		KnowHelp(cmd)
	}
	return some
}

// KnowHelp makes the help flag known to all that hold commands, so that -h
// before a command is not taken for a flag with a value.
func KnowHelp(cmd *cobra.Command) {
	if !cmd.HasSubCommands() {
		return // it is told by cobra when it runs: telling all takes as long as the whole tree
	}
	cmd.InitDefaultHelpFlag()
	for _, c := range cmd.Commands() {
		KnowHelp(c)
	}
}

// Group is a command that only holds others. Alone it prints its help; with a
// word that is no command it says so, with the nearest ones. Its commands are made [App.Later],
// and come by what they do: see [Reads], [Changes], [Destroys] and [Elsewhere].
func (a *App) Group(name, short, example string, children func() [][]*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use:     name + CommandArg,
		Short:   short,
		Example: example,
		Args:    cobra.ArbitraryArgs,
		RunE:    OnlyChildren,

		ValidArgsFunction:     cobra.NoFileCompletions,
		DisableFlagsInUseLine: true,
	}
	a.Later(g, func() { g.AddCommand(slices.Concat(children()...)...) })
	return g
}

// OnlyChildren is what a command does that only holds others.
func OnlyChildren(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return UnknownCommand(cmd, args[0])
	}
	return cmd.Help()
}

// UnknownCommand says that word is no command under cmd, and which it might
// have meant.
func UnknownCommand(cmd *cobra.Command, word string) error { return UnknownWord(cmd, word, false) }

// UnknownWord is unknownCommand; with topics a page of help may be meant too.
func UnknownWord(cmd *cobra.Command, word string, topics bool) error {
	err := Misuse("unknown command %q for %q", word, cmd.CommandPath())
	if cmd.Name() == "archive" && strings.Contains(word, "/") {
		return problem.With(err, problem.Say("what to do comes first, then the archive: %s", problem.Command("archive", "list").Arg(text.ShellWord(word))))
	}
	var names []string
	for _, c := range cmd.Commands() {
		if !c.IsAvailableCommand() && (!topics || !c.IsAdditionalHelpTopicCommand()) {
			continue
		}
		if !Does(c, Destroy) || text.OneAway(word, c.Name()) { // a guess must not lead to what cannot be undone
			names = append(names, c.Name())
		}
	}
	if meant := text.Meant(word, names); meant != "" {
		return problem.With(err, problem.Say(meant))
	}
	return problem.With(err, problem.Say(fmt.Sprintf("%s --help lists the commands", cmd.CommandPath())))
}

// Must is for registering completion, which fails only for a flag that was
// never declared: a mistake in this package that any test run shows.
func Must(err error) {
	if err != nil {
		panic(err)
	}
}
