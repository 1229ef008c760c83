package app

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// CommandArg stands for the name of a command, in usage lines.
const CommandArg = " COMMAND"

// Group is a command that only holds others. Alone it prints its help; with a
// word that is no command it says so, with the nearest ones. Its commands come by
// what they do: see [Reads], [Changes], [Destroys] and [Elsewhere].
func Group(name, short, example string, children ...[]*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use:     name + CommandArg,
		Short:   short,
		Example: example,
		Args:    cobra.ArbitraryArgs,
		RunE:    OnlyChildren,

		ValidArgsFunction:     cobra.NoFileCompletions,
		DisableFlagsInUseLine: true,
	}
	g.AddCommand(slices.Concat(children...)...)
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
