// Package sandbox holds the commands about the built-in sandbox: faxctl sandbox and
// all below it.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/provider/info"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// Command is faxctl sandbox, and all below it.
func Command(a *app.App) *cobra.Command {
	g := a.Group("sandbox", "A provider of your own, for trying out",
		"  faxctl sandbox seed --numbers 20\n  faxctl sandbox serve --dialect signalwire --latency 40ms",
		func() [][]*cobra.Command {
			return [][]*cobra.Command{app.Reads(serveCommand(a), callCommand(a)), app.Changes(seedCommand(a)), app.Destroys(resetCommand(a))}
		})
	g.Long = `A provider of your own, for trying out: a Twilio-compatible service with numbers
for sale, kept in one file. It is what --profile sandbox and --profile
sandbox-signalwire talk to. Nothing it sells exists and nothing leaves this
machine and its private networks.`
	g.GroupID = "try"
	return g
}

func serveCommand(a *app.App) *cobra.Command {
	var (
		listen string
		faults []string
		quirks []string
		o      sandbox.Options
		memory bool
	)
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the sandbox over HTTP",
		Long: `Serve the sandbox over HTTP, for faxctl and for any other client of the Twilio
API. The lines that point a shell at it are printed first.

A fault is METHOD /path=WHAT@PROBABILITY#TIMES~FOR/EVERY: WHAT is an HTTP
status, in the provider's own words or, as a gateway has them, with :html, :text
or :empty (404:html, 200:html); reset, lost (carried out, then the connection
breaks), truncate, html, page (a web page with status 200), expired (a link to a
document), hang, ignore (accepted, and nothing changes), slow=DURATION, or
as=/PATH (the answer to that path). Without a method it strikes all, without a
probability always, without a number of times and a stretch of time for ever:
404:html~300ms/2s strikes for 300 ms in every 2 s.

The path is found anywhere in that of a request: /Faxes strikes lists of faxes,
single ones and their documents. * stands for any one segment, and $ for the end
of the path: /Faxes$ strikes the lists alone, /Faxes/*$ single faxes.

A quirk is how a real provider may always be:

` + quirkHelp(),
		Example: `  faxctl sandbox serve
  faxctl sandbox serve --dialect signalwire --latency 40ms
  faxctl sandbox serve --max-concurrent 20 --fault 'DELETE /Faxes=503@0.1'
  faxctl sandbox serve --fault 'GET /Faxes/*$=404:html~300ms/5s'
  faxctl sandbox serve --quirk late-list=2s --quirk names=entities`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			for _, text := range faults {
				f, err := sandbox.ParseFault(text)
				if err != nil {
					return problem.With(app.Misuse("--fault: %w", err), problem.Say("as in %s", problem.Field("fault", "DELETE /Faxes=503@0.1")))
				}
				o.Faults = append(o.Faults, f)
			}
			for _, text := range quirks {
				if err := o.Quirks.Set(text); err != nil {
					return problem.With(app.Misuse("--quirk: %w", err), problem.Say("as in %s; %s lists them", problem.Field("quirk", "late-list=2s"), problem.Command("sandbox", "serve").Switch("help")))
				}
			}
			if !memory {
				if o.Path, err = a.SandboxPath(); err != nil {
					return err
				}
			}
			return serveSandbox(cmd.Context(), a, listen, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:8080", "`address` to listen on, this machine only; port 0 picks one")
	o.Dialect = sandbox.Twilio
	f.Var(flag.OneOf(&o.Dialect, sandbox.Dialects()...), "dialect", "`dialect` to speak: twilio or signalwire")
	f.Var(flag.Duration(&o.Latency), "latency", "`duration` every answer takes")
	f.Var(flag.Number(&o.MaxConcurrent, 0), "max-concurrent", "answer 429 beyond `N` requests at once")
	f.StringArrayVar(&faults, "fault", nil, "`fault` to make happen, as in 'DELETE /Faxes=503@0.1'; may be repeated")
	f.StringArrayVar(&quirks, "quirk", nil, "`quirk` that the provider has, as in late-list=2s; may be repeated")
	f.BoolVar(&memory, "memory", false, "keep the state in memory, and forget it at the end")
	a.CompleteValues(cmd, "dialect", text.Words(sandbox.Dialects())...)
	a.CompleteValues(cmd, "quirk", quirkValues()...)
	a.CompleteNothing(cmd, "listen", "latency", "max-concurrent", "fault")
	return cmd
}

// quirkHelp lists the quirks in lines of 80 columns.
func quirkHelp() string {
	var b strings.Builder
	for _, k := range sandbox.AllQuirks() {
		line := "  " + k.String()
		fmt.Fprintf(&b, "%s\n", line)
		for _, does := range wrapped(k.Does, app.HelpWidth-len("      ")) {
			fmt.Fprintf(&b, "      %s\n", does)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// wrapped is a text in lines of so many columns.
func wrapped(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len(*last)+1+len(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// quirkValues are the quirks as they may be written.
func quirkValues() []string {
	var all []string
	for _, k := range sandbox.AllQuirks() {
		if len(k.Values) == 0 {
			all = append(all, k.Name)
		}
		for _, v := range k.Values {
			all = append(all, k.Name+"="+strings.Replace(v, "DURATION", "1s", 1))
		}
	}
	return all
}

// serveSandbox serves until the context ends.
func serveSandbox(ctx context.Context, a *app.App, listen string, o sandbox.Options) error {
	host, _, _ := net.SplitHostPort(listen) // it was checked with the flags
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return problem.With(app.Misuse("--listen: %s is not this machine alone", listen), problem.Say("its credentials are known to everybody: use 127.0.0.1"))
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", listen) // before a state is made
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	box, err := sandbox.Open(ctx, o)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	a.OnClose(box.Close)
	server := &http.Server{Handler: box.Handler(), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	for _, line := range shellLines(o.Dialect, box.Account(), l.Addr().String()) {
		fmt.Fprintln(a.Out, line) //nolint:errcheck // the server matters more than who reads this
	}
	a.Say("The sandbox listens on http://%s; ^C ends it.", l.Addr())
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		_ = server.Close() // those that hang are cut off
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// shellLines point a shell, and so faxctl and the SDKs, at a sandbox.
func shellLines(d sandbox.Dialect, c sandbox.Credentials, address string) []string {
	lines := []string{"export FAXCTL_API_URL=http://" + address}
	values := map[string]string{"space": "sandbox.signalwire.com", "account": c.Account, "secret": c.Token, "signing-key": c.SigningKey}
	for _, s := range info.Of(string(d)).Settings {
		if value := values[s.Key]; value != "" {
			lines = append(lines, "export "+s.Variables[0]+"="+value)
		}
	}
	return slices.Compact(lines) // one key may sign as well
}

func seedCommand(a *app.App) *cobra.Command {
	var o sandbox.SeedOptions
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "seed",
		Short: "Fill the sandbox with numbers and faxes",
		Long: `Fill the sandbox with numbers and faxes, as an office would have them: most
faxes come in on working days, from a few senders again and again; a few fail.
Faxes go to the numbers in fax mode, or else to those that can fax; where there
are none, to numbers that were given up since, which no list shows. Twilio's
dialect shows no faxes of more than 180 days.`,
		Example: "  faxctl sandbox seed --numbers 20\n  faxctl sandbox seed --faxes 1000 --days 30",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Numbers < 0 || o.Faxes < 0 || o.Numbers+o.Faxes == 0 {
				return problem.With(app.Misuse("--numbers or --faxes is needed"), problem.Say("as in %s or %s", problem.Field("numbers", "20"), problem.Field("faxes", "1000")))
			}
			if o.Days < 1 || o.InProgress < 0 || o.InProgress > o.Faxes {
				return app.Misuse("--days takes 1 or more, --in-progress no more than --faxes")
			}
			var what []string
			if o.Numbers > 0 {
				what = append(what, text.Plural(o.Numbers, "number", "numbers"))
			}
			if o.Faxes > 0 {
				what = append(what, text.Plural(o.Faxes, "fax", "faxes"))
			}
			if dryRun {
				a.Say("Dry run: %s would be added.", strings.Join(what, " and "))
				return nil
			}
			box, err := a.OpenSandbox(cmd.Context(), sandbox.Twilio)
			if err != nil {
				return err
			}
			seeded, err := box.Seed(cmd.Context(), o)
			if err != nil {
				return err
			}
			a.Say("Added %s.", strings.Join(what, " and "))
			if seeded.GivenUp {
				a.Say("  no number that can fax is owned: the faxes are of numbers that were given up since")
			}
			if seeded.Past > 0 {
				a.Say("  %d of the faxes are past the 180 days that Twilio keeps them: --profile sandbox-signalwire lists all", seeded.Past)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Numbers, "numbers", 0, "`N` numbers to own")
	f.IntVar(&o.Faxes, "faxes", 0, "`N` faxes to have sent and received")
	f.IntVar(&o.Days, "days", 90, "over how many `days`, up to now")
	f.IntVar(&o.InProgress, "in-progress", 0, "`N` of the faxes are on the line right now")
	f.BoolVar(&dryRun, "dry-run", false, "say what would be added, and add nothing")
	a.CompleteNothing(cmd, "numbers", "faxes", "days", "in-progress")
	return cmd
}

func resetCommand(a *app.App) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:     "reset",
		Short:   "Empty the sandbox",
		Example: "  faxctl sandbox reset --yes",
		Args:    app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := a.SandboxPath()
			if err != nil {
				return err
			}
			if dryRun {
				a.Say("Dry run: %s would be emptied.", path)
				return nil
			}
			if err := a.Confirm(cmd.Context(), "Empty the sandbox?"); err != nil {
				return err
			}
			box, err := a.OpenSandbox(cmd.Context(), sandbox.Twilio)
			if err != nil {
				return err
			}
			if err := box.Reset(cmd.Context()); err != nil {
				return err
			}
			for _, d := range sandbox.Dialects() { // what was bought there is not owned any more
				notes, err := a.PurchaseNotes(cmd.Context(), sandbox.Account(d).Account)
				if err == nil {
					err = notes.Forget(cmd.Context())
				}
				if err != nil {
					return err
				}
			}
			a.Say("The sandbox is empty.")
			return nil
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "empty nothing")
	a.BindDatabase(cmd)
	return cmd
}
