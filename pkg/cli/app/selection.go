package app

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/retention"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
)

// Selection are the flags that say which faxes are meant.
type Selection struct {
	from, to, number string
	Since, Until     string
	direction        fax.Direction
	statuses         []string
	minPages         int
	failed           bool

	Deletes bool            // what is selected is deleted: an age is long, and remembered
	Ages    []time.Duration // of the times that were given as ages; filled in by filter
	Now     time.Time       // what they are counted back from; likewise
}

// Bind declares the flags.
func (s *Selection) Bind(a *App, cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.to, "to", "", "only faxes to this `number`, or matching as in +1415*; a name of yours goes with --number")
	Must(cmd.RegisterFlagCompletionFunc("to", a.CompleteNumbers))
	s.BindRest(a, cmd)
}

// BindRest declares all but --to, for a command in which that is a place.
func (s *Selection) BindRest(a *App, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.from, "from", "", "only faxes from this `number` or word, or matching as in +1415*; none: from nobody")
	f.StringVar(&s.number, "number", "", "only faxes of this number of yours, sent or received: its phone number, id or name (`REF`)")
	f.StringVar(&s.Since, "since", "", "only faxes made since this `time`: 24h, 7d, 6mo, today, yesterday, 2026-11, 2026-11-01 or 2026-11-01T15:04:05Z")
	f.StringVar(&s.Until, "until", "", "only faxes made until this `time`; a day and a month are meant to their end")
	f.Var(flag.Of(&s.direction, parseDirection), "direction", "only faxes that went this `way`: inbound or outbound")
	f.StringSliceVar(&s.statuses, "status", nil, "only faxes in one of these `statuses`, separated by commas")
	f.Var(flag.Number(&s.minPages, 0), "min-pages", "only faxes of at least `N` pages")
	f.BoolVar(&s.failed, "failed", false, "only faxes that were not transmitted: failed, busy, no-answer or canceled")
	a.CompleteNothing(cmd, "from", "since", "until", "min-pages")
	a.CompleteValues(cmd, "direction", string(fax.Inbound), string(fax.Outbound))
	a.CompleteList(cmd, "status", text.Words(fax.Statuses())...)
	Must(cmd.RegisterFlagCompletionFunc("number", a.CompleteNumbers))
}

// Given is the first selecting flag on the command line, or "".
func (*Selection) Given(cmd *cobra.Command) string {
	return Given(cmd, []string{"from", "to", "number", "since", "until", "direction", "status", "min-pages", "failed"})
}

// Filter is what the flags come to. A number that is given by its name or id
// is looked up.
func (s *Selection) Filter(ctx context.Context, a *App) (fax.Filter, error) {
	q := fax.Filter{MinPages: s.minPages, Direction: s.direction, WithRaw: a.Flags.Raw}
	s.Now = time.Now()
	var err error
	if err := a.selectEnd(&q, "from", s.from); err != nil {
		return q, err
	}
	if err := a.selectEnd(&q, "to", s.to); err != nil {
		return q, err
	}
	if q.After, err = s.when("since", s.Since, retention.ParseSince); err != nil {
		return q, err
	}
	if q.Until, err = s.when("until", s.Until, retention.ParseUntil); err != nil {
		return q, err
	}
	a.TellMinutes("since", s.Since)
	a.TellMinutes("until", s.Until)
	if s.Since != "" && s.Until != "" && !q.After.Before(q.Until) {
		return q, problem.With(Misuse("--since %s is after --until %s", s.Since, s.Until), problem.Say("swap them"))
	}
	if q.Statuses, err = s.status(); err != nil {
		return q, err
	}
	if s.number != "" {
		if q.Number, err = a.ourNumber(ctx, s.number); err != nil {
			return q, fmt.Errorf("--number: %w", err)
		}
	}
	return q, nil
}

// TellMinutes tells who writes 6m what that is.
func (a *App) TellMinutes(flag, text string) {
	if number, _ := strings.CutSuffix(text, "m"); retention.MaybeMonths(text) {
		a.Say("--%s %s: these are minutes; %smo are months", flag, text, number)
	}
}

// when reads a time. Where faxes are deleted an age is remembered, and is one that
// nobody takes for another.
func (s *Selection) when(flag, text string, parse func(string, time.Time) (time.Time, error)) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := parse(text, s.Now)
	_, no := retention.ParseAge(text)
	switch {
	case err != nil || !s.Deletes || !retention.FollowsNow(text):
	case no == nil:
		var age time.Duration
		age, err = DeletionAge(text)
		s.Ages = append(s.Ages, age)
	default: // today: the clock says which day that is
		s.Ages = append(s.Ages, max(0, s.Now.Sub(t)))
	}
	if err != nil {
		return t, fmt.Errorf("--%s: %w", flag, err)
	}
	return t, nil
}

// DeletionAge reads the age of what is deleted: that of none at all is every fax's.
func DeletionAge(text string) (time.Duration, error) {
	age, err := retention.ParseDeletionAge(text)
	if err == nil && age == 0 {
		err = problem.With(Misuse("%s is no age to delete by", text), problem.Say("as in 90d, 6mo or 7y"))
	}
	return age, err
}

func (s *Selection) status() ([]fax.Status, error) {
	if s.failed && len(s.statuses) > 0 {
		return nil, Misuse("--failed and --status contradict each other")
	}
	if s.failed {
		return slices.DeleteFunc(fax.Statuses(), func(st fax.Status) bool { return !st.Unsuccessful() }), nil
	}
	var out []fax.Status
	for _, text := range s.statuses {
		st, err := OneWordOf("--status", strings.TrimSpace(text), fax.Statuses())
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

// selectEnd adds to q who is at an end of the line. The name of a number of yours is not
// what a fax comes from or goes to.
func (a *App) selectEnd(q *fax.Filter, end, text string) error {
	if text == "" {
		return nil
	}
	how := a.Reading()
	glob := fax.ReadPattern(text, how.Country)
	if glob != "" && how.Freely {
		text = glob
	}
	err := q.SelectEnd(end, text, phones(how))
	if likely, no := fax.ReadPhone(text, how.Country); no == nil && !how.Freely && likely != q.From && likely != q.To {
		err = problem.Invalid(problem.Say("did you mean %s?", problem.Text(likely)), "phone number %q: it lacks its country", text)
	}
	if plus := strings.HasPrefix(strings.TrimSpace(text), "+"); glob != "" && glob != text && !plus {
		err = problem.Invalid(problem.Say("did you mean %s?", problem.Text(glob)), "pattern %q: it is not written as numbers are kept", text)
	}
	if err != nil && strings.ContainsFunc(text, unicode.IsLetter) {
		err = problem.With(err, problem.Say("names of your numbers go with %s; here it is a phone number, as in +14155550123, a pattern, as in +1415*, or a word such as anonymous", problem.Field("number")))
	}
	if err != nil {
		return fmt.Errorf("--%s: %w", end, err)
	}
	return nil
}

// ourNumber is the phone number that ref names. What reads as one needs no
// looking up: faxes outlive the number they came to.
func (a *App) ourNumber(ctx context.Context, ref string) (string, error) {
	if phone, err := phones(a.Reading())(ref); err == nil {
		return phone, nil
	}
	numbers, err := a.Numbers(ctx)
	if err != nil {
		return "", err
	}
	n, err := resolve.Number(ctx, numbers, ref, a.Reading())
	return n.Phone, err
}

// Reading is how the words of this command line are read: freely when the command
// changes nothing.
func (a *App) Reading() resolve.Reading {
	return resolve.Reading{Freely: a.reads, Country: a.InForce().Country}
}

// OnlyLooks says of a command that could change something that it changes nothing this
// time, and so reads the words of its command line freely.
func (a *App) OnlyLooks() { a.reads = true }

// phones reads phone numbers, in a command that reads as people write them.
func phones(how resolve.Reading) func(string) (string, error) {
	if !how.Freely {
		return fax.ParsePhone
	}
	return func(s string) (string, error) { return fax.ReadPhone(s, how.Country) }
}

// FaxIDs are the whole ids of the faxes that refs name: see [resolve.Faxes]. All faxes are
// listed for those that are not whole.
func (a *App) FaxIDs(ctx context.Context, faxes fax.Faxes, refs []string) ([]string, error) {
	return resolve.Faxes(refs, a.Reading(), func(yield func(string, error) bool) {
		progress := a.Term.Progress("looking up ids", 0)
		defer progress.Stop()
		for f, err := range listing.List(ctx, faxes, fax.Filter{WithoutLinks: true}, listing.Options{Retention: a.Account.Provider.Retention}) {
			progress.Add(1, 0)
			if !yield(f.ID, err) {
				return
			}
		}
	}, problem.Command("faxes", "list"))
}

// ListFlags are the flags of a list of faxes: which ones, and how many.
type ListFlags struct {
	Selection
	Limits
}

// Bind declares the flags.
func (l *ListFlags) Bind(a *App, cmd *cobra.Command) {
	l.Selection.Bind(a, cmd)
	l.Limits.Bind(a, cmd)
}

// Query is what the flags come to; a most of 0 is all.
func (l *ListFlags) Query(a *App, cmd *cobra.Command) (q fax.Filter, most int, err error) {
	if most, err = l.Most(a, cmd); err == nil {
		q, err = l.Filter(cmd.Context(), a)
	}
	return q, most, err
}

// PrintFound prints a list of faxes, and says so when there are none.
func PrintFound[T any](cmd *cobra.Command, p *Printing[T], l *ListFlags, found iter.Seq2[T, error], cut *bool) error {
	shown, err := p.Cut(cmd.Context(), found, cut)
	switch {
	case err != nil || shown > 0:
		return err
	case l.Given(cmd) != "":
		p.A.Say("no fax matches")
	default:
		p.A.Say("no fax%s", p.A.seeding())
	}
	return nil
}

// seeding says how to get faxes where they can be made up.
func (a *App) seeding() string {
	if a.Account.Resolved.IsBuiltIn() {
		return "; faxctl sandbox seed --faxes 100 makes some up"
	}
	return ""
}

// parseDirection knows what others call the ways, to name what was meant.
func parseDirection(s string) (fax.Direction, error) {
	way, err := flag.Word(s, []fax.Direction{fax.Inbound, fax.Outbound})
	meant := fax.Inbound
	switch strings.ToLower(s) {
	case "out", "outgoing", "sent":
		meant = fax.Outbound
	case "in", "incoming", "received":
	default:
		return way, err
	}
	return way, problem.With(err, problem.Say("did you mean "+string(meant)+"?"))
}
