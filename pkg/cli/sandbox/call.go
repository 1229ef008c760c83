package sandbox

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/sandbox"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

func callCommand(a *app.App) *cobra.Command {
	var (
		in      sandbox.Incoming
		file    string
		dialect sandbox.Dialect
		many    calls
		one     app.Printing[sandbox.Call]
		sum     app.Printing[loadSummary]
	)
	cmd := &cobra.Command{
		Use:   "call --to REF",
		Short: "Let a fax arrive at a number of the sandbox",
		Long: `Let a fax arrive at a number of the sandbox: its fax URL is asked what to do,
the answer is carried out to the letter, a record and the document are kept, and
the action URL is told, all signed as the provider signs. What the application
does wrong is shown with the provider's error code.

Applications on this machine and in private networks are called, no others.

With --count many faxes arrive, --rate of them a second, and a summary is
printed: a load test for a receiver.

Exit status: 0 when the fax was taken or refused as it should, 5 when the number
is not owned, 6 when it takes no faxes, 8 when the application did not do its
part.`,
		Example: `  faxctl sandbox call --to +14155550100
  faxctl sandbox call --to +14155550100 --file letter.pdf --from +12125550123
  faxctl sandbox call --to +14155550100 --outcome partial --pages 4
  faxctl sandbox call --to +14155550100 --count 2000 --rate 200`,
		Args: func(cmd *cobra.Command, args []string) error {
			err := app.NoArgs(cmd, args)
			if err != nil {
				err = problem.With(err, problem.Say("the number that is called is named by %s", problem.Field("to", args[0])))
			}
			return err
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := checkCall(cmd, &in, file); err != nil {
				return err
			}
			if err := many.check(cmd); err != nil {
				return err
			}
			d := sandboxDialect(a, dialect)
			box, err := a.OpenSandbox(cmd.Context(), d)
			if err != nil {
				return err
			}
			origin := ""
			if p, err := a.Resolve(); err == nil {
				origin = p.APIURL
			}
			if in.To, err = calledNumber(cmd.Context(), a, box, d, in.To); err != nil {
				return fmt.Errorf("--to: %w", err)
			}
			caller := box.NewCaller(origin)
			a.OnClose(func() error { caller.Close(); return nil })
			if cmd.Flags().Changed("count") {
				return callMany(cmd.Context(), a, caller, in, many, &sum)
			}
			return callOnce(cmd.Context(), a, caller, in, &one)
		},
	}
	counted := func() bool { return cmd.Flags().Changed("count") }
	one.Bind(a, cmd, callType, func() bool { return !counted() })
	sum.Bind(a, cmd, loadType, counted)
	in.Pages, in.Outcome = 1, sandbox.OutcomeReceived
	f := cmd.Flags()
	f.StringVar(&in.To, "to", "", "which number of the sandbox is called: its phone number, id or name (`REF`)")
	f.StringVar(&in.From, "from", app.MadeUpSender, "`number` that calls, or what is shown for one: 611, anonymous, sip:desk@example.com; none: nobody")
	f.StringVar(&file, "file", "", "`document` to send, a PDF or TIFF (default: one is drawn)")
	f.Var(flag.NumberUpTo(&in.Pages, 1, paper.MaxPages), "pages", "draw `N` pages")
	f.StringVar(&in.Station, "station", "", "`name` of the sending machine")
	f.Var(flag.OneOf(&in.Outcome, sandbox.Outcomes()...), "outcome", "`outcome` of the transmission: received, failed, busy, partial or slow")
	f.Var(flag.Duration(&in.Takes), "takes", "`duration` of the transmission (default: none, or 10s when it is slow)")
	f.Var(flag.OneOf(&dialect, sandbox.Dialects()...), "dialect", "`dialect` to speak: twilio or signalwire (default: the profile's, or twilio)")
	f.IntVar(&many.count, "count", 0, "let `N` faxes arrive, and print a summary")
	f.Float64Var(&many.rate, "rate", 0, "with --count: `N` faxes a second (default: as many as can be)")
	f.IntVarP(&many.jobs, "jobs", "j", 64, "with --count: at most `N` calls at a time")
	a.CompleteValues(cmd, "outcome", text.Words(sandbox.Outcomes())...)
	a.CompleteValues(cmd, "dialect", text.Words(sandbox.Dialects())...)
	a.CompleteNothing(cmd, "from", "pages", "station", "takes", "count", "rate", "jobs")
	app.Must(cmd.RegisterFlagCompletionFunc("to", a.CompleteNumbers))
	app.Must(cmd.RegisterFlagCompletionFunc("file", app.CompleteDocuments))
	return cmd
}

// calledNumber is the phone number of the sandbox that ref names.
func calledNumber(ctx context.Context, a *app.App, box *sandbox.Sandbox, d sandbox.Dialect, ref string) (string, error) {
	switch phone, err := fax.ReadPhone(ref, a.Reading().Country); {
	case err == nil:
		return phone, nil // owned or not, which the call tells
	case strings.HasPrefix(ref, "+"):
		return "", err
	}
	for _, p := range profile.BuiltIns() {
		if p.Provider != profile.Provider(d) {
			continue
		}
		provider, err := a.Dial(p, profile.NewSecret(sandbox.Account(d).Token), box.Transport())
		if err != nil {
			return "", err
		}
		n, err := resolve.Number(ctx, provider.Numbers, ref, a.Reading())
		return n.Phone, err
	}
	return "", fmt.Errorf("dialect %s: %w", d, problem.ErrUnsupported)
}

func checkCall(cmd *cobra.Command, in *sandbox.Incoming, file string) (err error) {
	if in.To == "" {
		return problem.With(app.Misuse("--to is needed"), problem.Say("%s shows the numbers that take faxes", problem.Command("numbers", "list").Set("mode", "fax").Set("profile", "sandbox")))
	}
	if in.From, err = fax.ParseCaller(in.From); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if file == "" {
		return nil
	}
	if cmd.Flags().Changed("pages") {
		return app.Misuse("--file has its own number of pages: leave --pages out")
	}
	content, info, err := app.ReadDocument(file)
	in.Document, in.ContentType, in.Pages = content, info.ContentType, max(info.Pages, 1)
	return err
}

// sandboxDialect is the one that was asked for, or that of the profile.
func sandboxDialect(a *app.App, given sandbox.Dialect) sandbox.Dialect {
	if given != "" {
		return given
	}
	if p, err := a.Resolve(); err == nil {
		return sandbox.Dialect(p.Provider)
	}
	return sandbox.Twilio
}

func callOnce(ctx context.Context, a *app.App, caller *sandbox.Caller, in sandbox.Incoming, out *app.Printing[sandbox.Call]) error {
	call, err := caller.Call(ctx, in)
	if err != nil {
		return reached(err, in.To)
	}
	for _, r := range call.Requests {
		what := fmt.Sprintf("HTTP %d", r.Status)
		switch {
		case r.Problem != "":
			what = fmt.Sprintf("%d %s", r.Code, r.Problem)
		case r.Status == 0:
			what = "no answer"
		}
		a.Say("%s: %s %s: %s, %s", r.Purpose, r.Method, r.URL, what, app.Milliseconds(r.Took))
	}
	return errors.Join(poorly(call), app.Unprinted(out.Single(ctx, call), in.To+" was called"))
}

// reached gives the errors of a call that reached nobody their kinds.
func reached(err error, to string) error {
	switch {
	case errors.Is(err, sandbox.ErrNotOwned):
		return problem.With(problem.Of(problem.ErrNotFound, err), problem.Say("%s shows the numbers it owns", problem.Command("numbers", "list").Set("profile", "sandbox")))
	case errors.Is(err, sandbox.ErrNoFaxHere):
		return problem.With(problem.Of(problem.ErrConflict, err), problem.Say("%s",
			problem.Command("numbers", "configure").Arg(to).Set("fax-url", "http://localhost:8080/fax").Switch("allow-http").Set("profile", "sandbox")))
	}
	return err
}

// poorly says what the application did not do as it should have.
func poorly(c sandbox.Call) error {
	bad := func(format string, args ...any) error {
		return problem.Of(app.ErrFindings, fmt.Errorf(format, args...))
	}
	switch last := c.Requests[len(c.Requests)-1]; {
	case c.Answer == "":
		return bad("the application gave no answer the provider could use (error %d)", c.ErrorCode)
	case c.Lost:
		return bad("the document is lost: it was not to be stored, and the application did not take it (error %d)", last.Code)
	case last.Code != 0:
		return bad("the application was not told (error %d)", last.Code)
	}
	return nil
}

// calls are how many faxes arrive and how fast.
type calls struct {
	count int
	rate  float64
	jobs  int
}

func (m calls) check(cmd *cobra.Command) error {
	given := cmd.Flags().Changed("count")
	switch {
	case given && m.count < 1:
		return app.Misuse("--count %d: it takes 1 or more", m.count)
	case !given && (cmd.Flags().Changed("rate") || cmd.Flags().Changed("jobs")):
		return problem.With(app.Misuse("--rate and --jobs are for many calls"), problem.Say("as in %s %s", problem.Field("count", "2000"), problem.Field("rate", "200")))
	case m.rate < 0 || m.jobs < 1:
		return app.Misuse("--rate takes 0 or more, --jobs 1 or more")
	}
	return nil
}

// paced yields the numbers of the calls, each when it is due.
func (m calls) paced(ctx context.Context) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		begin := time.Now()
		for i := range m.count {
			if m.rate > 0 {
				due := begin.Add(time.Duration(float64(i) / m.rate * float64(time.Second)))
				select {
				case <-time.After(time.Until(due)):
				case <-ctx.Done():
					return
				}
			}
			if ctx.Err() != nil || !yield(i, nil) {
				return
			}
		}
	}
}

func callMany(ctx context.Context, a *app.App, caller *sandbox.Caller, in sandbox.Incoming, m calls, out *app.Printing[loadSummary]) error {
	soft := a.Interrupts.Gently()
	progress := a.Term.Progress("calling", m.count)
	defer progress.Stop()
	load := newLoad()
	for r, err := range batch.Run(ctx, m.jobs, m.paced(soft), func(ctx context.Context, _ int) (sandbox.Call, error) { return caller.Call(ctx, in) }) {
		switch {
		case err != nil:
			return err
		case r.Err != nil:
			return reached(r.Err, in.To)
		}
		load.add(r.Value)
		progress.Add(1, 0)
	}
	progress.Stop()
	s := load.summary()
	if err := app.Unprinted(out.Single(ctx, s), text.Plural(s.Calls, "call was", "calls were")+" made"); err != nil {
		return err
	}
	switch {
	case soft.Err() != nil:
		return context.Canceled
	case s.Failed > 0:
		return problem.Of(app.ErrFindings, fmt.Errorf("the application did not do its part in %d of %s", s.Failed, text.Plural(s.Calls, "call", "calls")))
	}
	return nil
}
