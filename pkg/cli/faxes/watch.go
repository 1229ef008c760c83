package faxes

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/child"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func watchCommand(a *app.App) *cobra.Command {
	var (
		s       app.Selection
		o       listing.WatchOptions
		program delivery.Program // of --exec
		forward string
		most    int
		told    arriving
	)
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Print faxes as they come, and run a command for each",
		Long: `Print faxes as they come, and run a command for each. It asks the provider every
--interval, until ^C or --limit.

A fax is told once, when it has ended and its document is complete; with
--status as soon as it has one of those. None is missed and none told twice
while it runs: each look goes back to the oldest fax in progress, and an hour
before the newest one seen at the least, and what was told before is left out. A
provider that is unavailable for a while is sat out. To go on after an
interruption, pass --since: it begins with the faxes made from then on.

` + app.ProgramHelp + ` A watch keeps no
documents: {document} is for faxctl serve. The programs run one at a time, the
oldest fax first. What one prints is printed in place of the fax. One that fails
is told of, and stops nothing; the exit status is then 3, or 1 when it failed
for every fax.

--forward-to hands each fax on to an application as the provider would: signed,
the question first, then the news for the action URL of the answer, with the
document when the answer was not to store it. So an application the provider
cannot reach can be tried out, without a tunnel.`,
		Example: `  faxctl faxes watch --direction inbound
  faxctl faxes watch --since 1h -o jsonl
  faxctl faxes watch --forward-to http://localhost:8080/fax
  faxctl faxes watch --exec 'faxctl faxes download {id} -d inbox'`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("forward-to") {
				if err := app.Callable("--forward-to", forward); err != nil {
					return err
				}
			}
			if err := checkProgram(program); err != nil {
				return err
			}
			q, err := s.Filter(cmd.Context(), a)
			if err != nil {
				return err
			}
			if s.Until != "" {
				return app.Misuse("--until means nothing to a watch: what comes has no end")
			}
			if s.Since != "" {
				o.Since, q.After = q.After.Add(1), time.Time{}
			}
			o.Trouble = func(err error) { a.Warn("%v; trying again in %s", err, o.Interval) }
			return watch(cmd.Context(), a, q, o, program, forward, most, &told)
		},
	}
	s.Bind(a, cmd)
	told.list.Bind(a, cmd, func() output.Type[fax.Fax] { return show.FaxType(show.AsItIs) }, func() bool { return len(program) == 0 && !a.DrawsTables() })
	told.drawn.Bind(a, cmd, func() output.Type[fax.Fax] { return show.ArrivalType(told.names.Of) }, func() bool { return len(program) == 0 && a.DrawsTables() })
	f := cmd.Flags()
	o.Interval = 15 * time.Second
	f.Var(flag.LongerThan(&o.Interval, time.Second), "interval", "`duration` from one look to the next")
	f.Var(flag.Of(&program, app.ReadProgram), "exec", "`program` with arguments to run for each fax; quotes keep blanks, nothing is expanded")
	f.StringVar(&forward, "forward-to", "", "`URL` of an application to hand each fax on to; https, or http on this machine")
	f.Var(flag.Number(&most, 1), "limit", "end after `N` faxes")
	a.CompleteNothing(cmd, "interval", "limit", "exec", "forward-to")
	return cmd
}

// arriving is how faxes are told of.
type arriving struct {
	list, drawn app.Printing[fax.Fax]
	names       app.Names
}

// watch tells of faxes until the limit or a first interrupt, which is how a
// watch ends well.
func watch(ctx context.Context, a *app.App, q fax.Filter, o listing.WatchOptions, program delivery.Program, forward string, most int, how *arriving) error {
	faxes, err := a.Faxes(ctx)
	if err != nil {
		return err
	}
	told := 0
	arrivals := watchArrivals(ctx, a, faxes, q, o, most, &told)
	undelivered := a.Trouble()
	if forward != "" {
		if arrivals, err = forwarded(ctx, a, forward, faxes, arrivals, undelivered); err != nil {
			return err
		}
	}
	a.Say("Watching for faxes; ^C ends it.")
	switch {
	case len(program) > 0:
		err = runForEach(ctx, a, program, arrivals)
	case a.DrawsTables():
		how.drawn.AskNames(ctx, &how.names)
		err = how.drawEach(ctx, arrivals)
	case forward != "": // which is work, and goes on when nobody reads of it
		_, err = how.list.Cut(ctx, arrivals, nil)
	default:
		_, err = how.list.Print(ctx, a.Term.Out, arrivals)
	}
	a.Say("%s seen.", text.Plural(told, "fax", "faxes"))
	if err == nil {
		err = undelivered.Err()
	}
	return err
}

// watchArrivals are the faxes to tell of, counted.
func watchArrivals(ctx context.Context, a *app.App, faxes fax.Faxes, q fax.Filter, o listing.WatchOptions, most int, told *int) iter.Seq2[fax.Fax, error] {
	soft := a.Interrupts.Gently()
	return func(yield func(fax.Fax, error) bool) {
		for f, err := range listing.Watch(soft, faxes, q, o) {
			if err != nil && soft.Err() != nil && ctx.Err() == nil {
				return
			}
			if !yield(f, err) || err != nil {
				return
			}
			if *told++; *told == most || soft.Err() != nil {
				return
			}
		}
	}
}

// drawEach draws faxes as they come, each in a row: a table that waits for its
// end to be measured would never be seen.
func (how *arriving) drawEach(ctx context.Context, arrivals iter.Seq2[fax.Fax, error]) error {
	table := how.drawn.Printer
	for f, err := range arrivals {
		if err != nil {
			return err
		}
		if _, err := table.Print(ctx, how.drawn.A.Term.Out, seq.Of([]fax.Fax{f})); err != nil {
			return err
		}
		table = table.WithoutHeader()
	}
	return nil
}

// checkProgram refuses a program that cannot be run, and one for what a watch does not
// have.
func checkProgram(p delivery.Program) error {
	switch {
	case len(p) == 0:
		return nil
	case p.TakesDocument():
		return problem.With(app.Misuse("--exec: a watch keeps no documents, and has no {document}"),
			problem.Say("faxctl serve does, for faxes that come in; or fetch it: %s", problem.Field("exec", "faxctl faxes download {id} -d inbox")))
	}
	return app.FindProgram(p)
}

func runForEach(ctx context.Context, a *app.App, program delivery.Program, arrivals iter.Seq2[fax.Fax, error]) error {
	t := a.Trouble()
	for f, err := range arrivals {
		if err == nil {
			err = t.Add(runFor(ctx, a, program, f))
		}
		if err != nil {
			return err
		}
	}
	return t.Err()
}

// runFor runs a program for a fax. What came over the line goes into its
// environment without control characters; the JSON on its input is whole. A
// first ^C is for us and not for the program; a second one ends it.
func runFor(ctx context.Context, a *app.App, program delivery.Program, f fax.Fax) error {
	record, err := json.Marshal(f)
	if err != nil {
		return err
	}
	cmd := child.Command(ctx, program.For(f)...)
	cmd.Env = append(os.Environ(), delivery.Environ(f)...)
	cmd.Stdin = bytes.NewReader(append(record, '\n'))
	cmd.Stdout, cmd.Stderr = a.Out, a.Err
	if err := child.Run(ctx, cmd); err != nil {
		return fmt.Errorf("fax %s: %s: %w", f.ID, filepath.Base(program[0]), err)
	}
	return nil
}
