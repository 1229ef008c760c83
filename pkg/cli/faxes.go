package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/retention"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// faxesGroup holds what is done with faxes.
func (a *app) faxesGroup() *cobra.Command {
	g := group("faxes", "List, fetch, archive and delete faxes",
		"  faxctl faxes list --since 24h\n  faxctl faxes download --since 24h -d inbox",
		a.faxesList(), a.faxesGet(),
		a.faxesStats(), a.faxesExpiring(), a.faxesWatch(),
		a.faxesDownload(), a.mediaGroup(), a.faxesDelete(),
		a.faxesArchive(), a.faxesPrune())
	g.GroupID = "work"
	return g
}

// selection are the flags that say which faxes are meant.
type selection struct {
	from, to, number string
	since, until     string
	direction        string
	statuses         []string
	minPages         int
	failed           bool

	deletes bool            // what is selected is deleted: an age is long, and remembered
	ages    []time.Duration // of the times that were given as ages; filled in by filter
	now     time.Time       // what they are counted back from; likewise
}

func (s *selection) bind(a *app, cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.to, "to", "", "only faxes to exactly this `number`; a name of yours goes with --number")
	must(cmd.RegisterFlagCompletionFunc("to", a.completeNumbers))
	s.bindRest(a, cmd)
}

// bindRest declares all but --to, for a command in which that is a place.
func (s *selection) bindRest(a *app, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.from, "from", "", "only faxes from exactly this `number`, or a word such as anonymous")
	f.StringVar(&s.number, "number", "", "only faxes of this number of yours, sent or received: its phone number, id or name (`REF`)")
	f.StringVar(&s.since, "since", "", "only faxes made since this `time`: 24h, 2026-01-01 or 2026-01-01T15:04:05Z")
	f.StringVar(&s.until, "until", "", "only faxes made until this `time`; a day is meant to its end")
	f.StringVar(&s.direction, "direction", "", "only faxes that went this `way`: inbound or outbound")
	f.StringSliceVar(&s.statuses, "status", nil, "only faxes in one of these `statuses`, separated by commas")
	f.IntVar(&s.minPages, "min-pages", 0, "only faxes of at least `N` pages")
	f.BoolVar(&s.failed, "failed", false, "only faxes that were not transmitted: failed, busy, no-answer or canceled")
	a.completeNothing(cmd, "from", "since", "until", "min-pages")
	a.completeValues(cmd, "direction", string(fax.Inbound), string(fax.Outbound))
	a.completeList(cmd, "status", words(fax.Statuses())...)
	must(cmd.RegisterFlagCompletionFunc("number", a.completeNumbers))
}

// given is the first selecting flag on the command line, or "".
func (*selection) given(cmd *cobra.Command) string {
	return given(cmd, []string{"from", "to", "number", "since", "until", "direction", "status", "min-pages", "failed"})
}

// filter is what the flags come to. A number that is given by its name or id
// is looked up.
func (s *selection) filter(ctx context.Context, a *app) (fax.Filter, error) {
	q := fax.Filter{MinPages: s.minPages, WithRaw: a.flags.raw}
	s.now = time.Now()
	var err error
	if s.minPages < 0 {
		return q, usageError("--min-pages %d: it takes 0 or more", s.minPages)
	}
	if q.From, err = exactNumber("from", s.from); err != nil {
		return q, err
	}
	if q.To, err = exactNumber("to", s.to); err != nil {
		return q, err
	}
	if q.After, err = s.when("since", s.since, retention.ParseSince); err != nil {
		return q, err
	}
	if q.Until, err = s.when("until", s.until, retention.ParseUntil); err != nil {
		return q, err
	}
	if s.since != "" && s.until != "" && !q.After.Before(q.Until) {
		return q, problem.With(usageError("--since %s is after --until %s", s.since, s.until), problem.Say("swap them"))
	}
	if s.direction != "" {
		if q.Direction, err = oneOf("direction", s.direction, []fax.Direction{fax.Inbound, fax.Outbound}); err != nil {
			return q, err
		}
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

// when reads a time. Where faxes are deleted an age is remembered, and is one that
// nobody takes for another.
func (s *selection) when(flag, text string, parse func(string, time.Time) (time.Time, error)) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := parse(text, s.now)
	if _, no := retention.ParseAge(text); err == nil && no == nil && s.deletes {
		var age time.Duration
		age, err = deletionAge(text)
		s.ages = append(s.ages, age)
	}
	if err != nil {
		return t, fmt.Errorf("--%s: %w", flag, err)
	}
	return t, nil
}

// deletionAge reads the age of what is deleted: that of none at all is every fax's.
func deletionAge(text string) (time.Duration, error) {
	age, err := retention.ParseDeletionAge(text)
	if err == nil && age == 0 {
		err = problem.With(usageError("%s is no age to delete by", text), problem.Say("as in 90d, 6mo or 7y"))
	}
	return age, err
}

func (s *selection) status() ([]fax.Status, error) {
	if s.failed && len(s.statuses) > 0 {
		return nil, usageError("--failed and --status contradict each other")
	}
	if s.failed {
		return slices.DeleteFunc(fax.Statuses(), func(st fax.Status) bool { return !st.Unsuccessful() }), nil
	}
	var out []fax.Status
	for _, text := range s.statuses {
		st, err := oneOf("status", strings.TrimSpace(text), fax.Statuses())
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

// exactNumber reads an end of the line: a phone number, or the one word that
// stands there for one, such as anonymous. The name of a number of yours is not
// what a fax comes from or goes to.
func exactNumber(flag, text string) (string, error) {
	if text == "" || !strings.ContainsAny(text, "0123456789 ") {
		return text, nil
	}
	phone, err := fax.ParsePhone(text)
	if err != nil && strings.ContainsFunc(text, unicode.IsLetter) {
		err = problem.With(err, problem.Say("names of your numbers go with %s; here it is a phone number, as in +14155550123, or a word such as anonymous", problem.Field("number")))
	}
	if err != nil {
		return "", fmt.Errorf("--%s: %w", flag, err)
	}
	return phone, nil
}

// ourNumber is the phone number that ref names. What reads as one needs no
// looking up: faxes outlive the number they came to.
func (a *app) ourNumber(ctx context.Context, ref string) (string, error) {
	if phone, err := fax.ParsePhone(ref); err == nil {
		return phone, nil
	}
	numbers, err := a.numbers(ctx)
	if err != nil {
		return "", err
	}
	n, err := fax.Resolve(ctx, numbers, ref)
	return n.Phone, err
}
