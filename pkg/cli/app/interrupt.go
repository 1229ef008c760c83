package app

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

// interrupts turns ^C into what people mean by it. Bulk work is asked to stop:
// no new work begins, running calls finish, what was done is reported. A
// second ^C, or the first one outside bulk work, stops what runs; what became of it
// is still found out. One more ends the process at once.
type interrupts struct {
	soft context.Context //nolint:containedctx // lives as long as the process's one command
	bulk atomic.Bool     // bulk work is under way: the first signal is gentle
	seen atomic.Bool
	told atomic.Bool // SIGTERM was the first signal, outside bulk work
}

// unwind is how long a command may take to end after an abrupt interrupt: to find
// out what became of what was on the line, and to say so. One that does not end, as
// it waits for whoever reads its output, is ended: nothing is left half done by
// that.
const unwind = max(plan.LookFor, prune.LookFor) + 5*time.Second

// watchSignals returns a context that ends with the command or an abrupt
// interrupt, and the interrupts for gentle ones. stop ends the watching.
//
// A reader of the output that goes away is no signal, but an error of the next
// write (see output.ErrClosed).
func watchSignals(parent context.Context) (ctx context.Context, in *interrupts, stop func()) {
	ctx, hard := context.WithCancel(parent)
	soft, gentle := context.WithCancel(ctx)
	in = &interrupts{soft: soft}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	broken := make(chan os.Signal, 1) // it is enough that it is not the default
	signal.Notify(broken, syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		var late <-chan time.Time
		for {
			select {
			case signal := <-signals:
				if ctx.Err() != nil {
					os.Exit(statusInterrupted)
				}
				again := in.seen.Swap(true)
				gentle()
				if again || !in.bulk.Load() {
					in.told.Store(!again && signal == syscall.SIGTERM)
					hard()
					late = time.After(unwind)
				}
			case <-late:
				os.Exit(statusInterrupted)
			case <-done:
				return
			}
		}
	}()
	return ctx, in, func() {
		signal.Stop(signals)
		signal.Stop(broken)
		close(done)
		gentle()
		hard()
	}
}

// Gently marks the rest of a command as bulk work and returns the context that
// ends when no new work should begin.
func (in *interrupts) Gently() context.Context {
	in.bulk.Store(true)
	return in.soft
}

// ToldToStop reports whether the command ends as whoever watches over processes said so,
// with a SIGTERM, before its bulk work began. For a service that still starts that is an
// end in order; what a person interrupts is a ^C.
func (in *interrupts) ToldToStop() bool { return in.told.Load() }

// Hangups are the SIGHUPs from now on, none of which ends the process any more: to
// a server they say that its files are to be read again, and when the terminal goes
// away it stays.
func Hangups() <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	return signals
}
