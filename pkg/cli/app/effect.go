package app

import (
	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
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

// Destroys are commands that can take away what does not come back.
func Destroys(all ...*cobra.Command) []*cobra.Command { return declare(Destroy, all) }

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
