package cli

import (
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
)

// PromptMain is Main, for a provider where nobody else buys: it waits for others
// no longer than a moment.
func PromptMain() int {
	a := app.New(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	a.SettleFor = 300 * time.Millisecond
	return a.Main(root(a))
}

// run carries out one command line on a tree of its own, and takes the tree apart: cobra
// knows each flag that has a completion until the process ends, and with it all that can
// be reached from there.
func run(ctx context.Context, a *app.App, args []string) int {
	tree := root(a)
	defer takeApart(tree)
	return a.Execute(ctx, tree, args)
}

// whole is the command tree with all that is made when somebody asks for it.
func whole(a *app.App) *cobra.Command {
	tree := root(a)
	a.Whole(tree)
	return tree
}

func takeApart(c *cobra.Command) {
	for _, child := range c.Commands() {
		takeApart(child)
	}
	*c = cobra.Command{}
}
