package cli

import (
	"os"
	"time"
)

// PromptMain is Main, for a provider where nobody else buys: it waits for others
// no longer than a moment.
func PromptMain() int {
	a := newApp(os.Stdin, os.Stdout, os.Stderr, os.Getenv)
	a.settleFor = 300 * time.Millisecond
	return a.main()
}
