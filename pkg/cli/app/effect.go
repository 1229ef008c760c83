package app

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/flag"
)

// Effect is what a command does at the worst. Each command says it once, where its noun
// lists it; words that people type are read accordingly.
type Effect string

// The effects. A command that reads takes words as people write them; one that changes
// or destroys takes them exactly, and one that destroys is not suggested for a word that
// may mean something else.
const (
	Read    Effect = "read"    // looks, or adds copies; harms nothing
	Change  Effect = "change"  // changes something at the provider or here, or costs money
	Destroy Effect = "destroy" // can take away what does not come back
)

// effectKey is the annotation of a command that has its effect.
const effectKey = "faxctl_effect"

// Reads are commands that change nothing. A group is one: it prints its help.
func Reads(all ...*cobra.Command) []*cobra.Command { return declare(Read, all) }

// Changes are commands that change something, but destroy nothing.
func Changes(all ...*cobra.Command) []*cobra.Command { return declare(Change, all) }

// Destroys are commands that can take away what does not come back. Of two values for one of
// their flags none is taken.
func Destroys(all ...*cobra.Command) []*cobra.Command {
	for _, c := range all {
		flag.Once(c.Flags())
	}
	return declare(Destroy, all)
}

func declare(e Effect, all []*cobra.Command) []*cobra.Command {
	for _, c := range all {
		if c.Annotations == nil {
			c.Annotations = map[string]string{}
		}
		c.Annotations[effectKey] = string(e)
	}
	return all
}

// Does reports whether a command was declared to have this effect.
func Does(cmd *cobra.Command, e Effect) bool { return cmd.Annotations[effectKey] == string(e) }

// swallowed is what is wrong with an unknown flag that has the command after it taken for
// its value: the word after that would be told to be no command, where it is the flag that
// is none.
func swallowed(root *cobra.Command, args []string) error {
	refused, _, err := root.Find(args)
	if err != nil || !refused.Hidden || !refused.HasParent() {
		return nil //nolint:nilerr // whoever runs it tells
	}
	parent, last := refused.Parent(), slices.Index(args, refused.Name())
	for i := 0; i < last-1; i++ {
		name, long := strings.CutPrefix(args[i], "--")
		if !long || strings.Contains(name, "=") || parent.Flag(name) != nil {
			continue
		}
		if value, _, err := parent.Find(args[i+1 : i+2]); err == nil && value != parent {
			return parent.FlagErrorFunc()(parent, parent.ParseFlags(args[i:i+1]))
		}
	}
	return nil
}

// Elsewhere are words that people try, and that are no commands: each is refused with
// advice about what there is instead. They stand in no list, and take whatever follows.
func Elsewhere(advice problem.Advice, words ...string) []*cobra.Command {
	all := make([]*cobra.Command, len(words))
	for i, word := range words {
		refuse := func(cmd *cobra.Command, _ []string) error {
			return problem.With(Misuse("unknown command %q for %q", word, cmd.Parent().CommandPath()), advice)
		}
		all[i] = &cobra.Command{
			Use: word, Hidden: true, RunE: refuse,
			FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
			PersistentPreRunE:  func(*cobra.Command, []string) error { return nil }, // there is nothing to prepare
			ValidArgsFunction:  cobra.NoFileCompletions,
		}
	}
	return all
}
