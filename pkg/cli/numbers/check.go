package numbers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
	"github.com/faxctl/faxctl/pkg/numbers/audit"
	"github.com/faxctl/faxctl/pkg/provider/transport"
	"github.com/faxctl/faxctl/pkg/receive/callback"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func checkCommand(a *app.App) *cobra.Command {
	var (
		noProbe, noLastFax, problems bool
		jobs                         int
		out                          app.Printing[audit.Finding]
	)
	cmd := &cobra.Command{
		Use:   "check [REF...]",
		Short: "Find what keeps your numbers from receiving faxes",
		Long: `Find what keeps your numbers from receiving faxes: all of them, or those named.

Each is checked for its capability, its receive mode, its fax URL and what would
take the calls before that. The URL is then asked as the provider would ask it,
signed, and the answer judged; addresses of private networks are not asked,
except with the sandbox.

A note says when the last fax came. It is looked up in one listing of the faxes
or with a request for each number, whichever is fewer; --no-last-fax leaves it
out.

Problems and warnings end with exit status 8, notes do not. --problems leaves
the notes out, and what is looked up for them.`,
		Example: `  faxctl numbers check
  faxctl numbers check +14155550123 -o json
  faxctl numbers check --no-probe
  faxctl -q numbers check --problems`,
		ValidArgsFunction: a.CompleteNumbers,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			numbers, err := theirs(ctx, a, args)
			if err != nil {
				return err
			}
			checker, err := checker(ctx, a, !noProbe)
			if err != nil {
				return err
			}
			if !noLastFax && !problems {
				all, err := fax.Collect(numbers)
				if err != nil {
					return err
				}
				numbers, checker.LastFax = seq.Of(all), lastFax(ctx, a, all)
			}
			var c checked
			findings := c.findings(ctx, a, jobs, numbers, checker)
			if problems {
				findings = seq.Filter(findings, func(f audit.Finding) bool { return f.Severity != audit.Note })
			}
			if a.DrawsTables() {
				findings = worstFirst(findings)
			}
			_, err = out.Cut(ctx, findings, nil)
			if err != nil {
				return err
			}
			if c.numbers == 0 {
				a.Say("no number to check; find one with %s", problem.Command("numbers", "search").Switch("fax"))
				return nil
			}
			if c.findingsCount > 0 {
				a.Say("%s checked, %s.", text.Plural(c.numbers, "number", "numbers"), text.Plural(c.findingsCount, "problem or warning", "problems or warnings"))
				return problem.Of(app.ErrFindings, problem.ErrTold)
			}
			a.Say("%s checked, nothing wrong.", text.Plural(c.numbers, "number", "numbers"))
			return nil
		},
	}
	cmd.Flags().BoolVar(&noProbe, "no-probe", false, "do not ask the fax URLs")
	cmd.Flags().BoolVar(&noLastFax, "no-last-fax", false, "do not look up when the last fax came")
	cmd.Flags().BoolVar(&problems, "problems", false, "problems and warnings alone, no notes")
	a.BindJobs(cmd, &jobs, 8, "numbers")
	out.Bind(a, cmd, findingType, nil)
	return cmd
}

// checked counts what a check went through.
type checked struct{ numbers, findingsCount int }

// findings checks the numbers, a few at a time, and yields what there is to
// say in the order of the numbers.
func (c *checked) findings(ctx context.Context, a *app.App, jobs int, numbers iter.Seq2[fax.Number, error], checker audit.Checker) iter.Seq2[audit.Finding, error] {
	check := func(ctx context.Context, n fax.Number) ([]audit.Finding, error) { //nolint:unparam // as batch wants it
		return checker.Check(ctx, n), nil
	}
	return func(yield func(audit.Finding, error) bool) {
		for r, err := range batch.RunOrdered(ctx, jobs, numbers, check) {
			if err != nil {
				yield(audit.Finding{}, err)
				return
			}
			c.numbers++
			for _, f := range r.Value {
				if f.Severity != audit.Note {
					c.findingsCount++
				}
				f.Advice = a.Settled(f.Advice)
				if !yield(f, nil) {
					return
				}
			}
		}
	}
}

// worstFirst are the findings for a person, who begins with what is broken.
func worstFirst(findings iter.Seq2[audit.Finding, error]) iter.Seq2[audit.Finding, error] {
	return func(yield func(audit.Finding, error) bool) {
		all, err := fax.Collect(findings)
		slices.SortStableFunc(all, func(a, b audit.Finding) int {
			return cmp.Compare(slices.Index(audit.Severities(), a.Severity), slices.Index(audit.Severities(), b.Severity))
		})
		for _, f := range all {
			if !yield(f, nil) {
				return
			}
		}
		if err != nil {
			yield(audit.Finding{}, err)
		}
	}
}

// checker is what the profile in force lets a check do.
func checker(ctx context.Context, a *app.App, probe bool) (audit.Checker, error) {
	p := a.Account.Resolved
	checker := audit.Checker{AllowHTTP: p.IsBuiltIn()}
	if !probe {
		return checker, nil
	}
	key, err := a.SigningKey(ctx)
	if err != nil && !errors.Is(err, problem.ErrNotFound) { // without one the check says so
		return checker, err
	}
	base := transport.Public()
	if p.IsBuiltIn() {
		base = transport.Base(app.JobsCeiling)
	}
	checker.Probe = &callback.Sender{
		Client:    a.WebClient(base),
		AccountID: p.AccountID,
		Key:       key,
		Dialect:   webhook.Dialect(p.Provider),
	}
	return checker, nil
}

// lastFax tells when each of the numbers last received a fax; those that take
// voice calls are not looked at so far.
func lastFax(ctx context.Context, a *app.App, all []fax.Number) func(context.Context, fax.Number) (time.Time, error) {
	faxes := a.Account.Provider.Faxes
	if faxes == nil {
		return func(context.Context, fax.Number) (time.Time, error) {
			return time.Time{}, fmt.Errorf("fax records: %w", problem.ErrUnsupported)
		}
	}
	var phones []string
	for _, n := range all {
		if n.Mode != fax.ModeVoice {
			phones = append(phones, n.Phone)
		}
	}
	last := listing.LastReceived(ctx, faxes, phones)
	return func(ctx context.Context, n fax.Number) (time.Time, error) { return last(ctx, n.Phone) }
}

func findingType() output.Type[audit.Finding] {
	t := output.Type[audit.Finding]{
		ID: func(f audit.Finding) string { return f.ID },
		Columns: []output.Column[audit.Finding]{
			{Name: "number", Value: func(f audit.Finding) string { return f.Number }, Whole: true, Style: show.Accent[audit.Finding]},
			{Name: "message", Value: func(f audit.Finding) string { return f.Message }, Show: findingShown, Wrap: true, Least: 26},
			{Name: "severity", Value: func(f audit.Finding) string { return string(f.Severity) }, Style: severityStyle},
			{Name: "hint", Value: func(f audit.Finding) string { return f.Advice.String() }, Wrap: true, Least: 22},
			{Name: "code", Value: func(f audit.Finding) string { return string(f.Code) }},
			{Name: "id", Value: func(f audit.Finding) string { return f.ID }, Wide: true, Whole: true},
		},
	}
	number, message, severity, hint, code := t.Columns[0], t.Columns[1], t.Columns[2], t.Columns[3], t.Columns[4]
	t.Drawn = []output.Column[audit.Finding]{severity, number, message, hint, code}
	return t
}

// findingShown is the message for a person, who reads how long ago and not when.
func findingShown(f audit.Finding, h output.Human) string {
	if f.LastFax.IsZero() {
		return f.Message
	}
	return "its last fax came " + h.Ago(f.LastFax)
}

func severityStyle(f audit.Finding) output.Style {
	switch f.Severity {
	case audit.Problem:
		return output.Bad
	case audit.Warning:
		return output.Warn
	case audit.Note:
	}
	return output.Dim
}
