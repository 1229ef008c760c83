// Package child runs the programs that an operator names, for a fax or an event.
//
// Use it in place of os/exec alone where a program may have children of its own,
// and where whether it ends is ours to say: a ^C on the terminal does not reach
// it, and when its time is over all that it started ends with it.
package child

import (
	"context"
	"errors"
	"os/exec"
	"time"
)

// Mercy is how long a program has to end when it is told to, and how long the
// output of what it left running is waited for.
const Mercy = 3 * time.Second

// Command is [exec.CommandContext] for [Run].
func Command(ctx context.Context, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the operator names the program
	cmd.WaitDelay = Mercy
	separate(cmd)
	return cmd
}

// Run runs a command of the same context. When that ends, the program and its
// children get a SIGTERM, and those that are there [Mercy] later a SIGKILL; on
// Windows the program alone is ended, at once. What a program that ended well has
// left running is not touched, and is no error. The errors are those of
// [exec.Cmd.Run].
func Run(ctx context.Context, cmd *exec.Cmd) error {
	err := cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		endAll(cmd)
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}
