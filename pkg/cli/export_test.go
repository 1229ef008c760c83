package cli

import (
	"os"
	"time"

	"github.com/faxctl/faxctl/pkg/cli/app"
)

// PromptMain is Main, for a provider where nobody else buys: it waits for others
// no longer than a moment.
func PromptMain() int {
	a := app.New(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	a.SettleFor = 300 * time.Millisecond
	return a.Main(root(a))
}
