package prune

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// A fax goes when the policy selects it by every date that is told of it; by some and not by
// others, it stays and is named.
func TestPlanOfTwoDates(t *testing.T) {
	now := testNow()
	days := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	old, young := aged("x", 100), aged("x", 1)
	last := aged("last", 2)
	for _, tc := range []struct {
		name    string
		policy  Policy
		faxes   []fax.Fax
		told    made      // of x, by its list
		kept    time.Time // of x, by its sidecar
		delete  []string
		skipped []string
	}{
		{name: "one date", policy: Policy{OlderThan: 90 * day}, faxes: []fax.Fax{old}, told: made{days(100), days(100)}, kept: days(100), delete: []string{"x"}},
		{name: "its sidecar is young", policy: Policy{OlderThan: 90 * day}, faxes: []fax.Fax{old}, kept: days(1), skipped: []string{"x: of two dates"}},
		{name: "its list is young", policy: Policy{OlderThan: 90 * day}, faxes: []fax.Fax{young}, kept: days(100)},
		{name: "its list tells two", policy: Policy{OlderThan: 90 * day}, faxes: []fax.Fax{old}, told: made{days(100), days(1)}, skipped: []string{"x: of two dates"}},
		{name: "its list tells two, and has both", policy: Policy{OlderThan: 90 * day}, faxes: []fax.Fax{old, young}, told: made{days(100), days(1)}, skipped: []string{"x: of two dates"}},
		{name: "both are old", policy: Policy{OlderThan: 90 * day}, faxes: []fax.Fax{old}, told: made{days(100), days(95)}, kept: days(91), delete: []string{"x"}},
		{name: "a second apart, and old", policy: Policy{OlderThan: 90 * day}, faxes: []fax.Fax{old}, kept: days(100).Add(time.Second), delete: []string{"x"}},
		{name: "a second apart on the edge", policy: Policy{OlderThan: 100 * day}, faxes: []fax.Fax{old}, kept: days(100).Add(time.Second), delete: []string{"x"}},
		{name: "two seconds apart on the edge", policy: Policy{OlderThan: 100 * day}, faxes: []fax.Fax{old}, kept: days(100).Add(2 * time.Second), skipped: []string{"x: of two dates"}},
		{name: "before a date", policy: Policy{Filter: fax.Filter{Until: days(90)}}, faxes: []fax.Fax{old}, kept: days(1), skipped: []string{"x: of two dates"}},
		{name: "since a date", policy: Policy{Filter: fax.Filter{After: days(90)}}, faxes: []fax.Fax{young}, kept: days(100), skipped: []string{"x: of two dates"}},
		{name: "between dates, and outside of them on either side", policy: Policy{Filter: fax.Filter{After: days(120), Until: days(90)}}, faxes: []fax.Fax{old}, told: made{days(200), days(1)}, skipped: []string{"x: of two dates"}},
		{name: "whatever the date is", policy: Policy{Filter: fax.Filter{Statuses: []fax.Status{fax.Received}}}, faxes: []fax.Fax{old}, kept: days(1), delete: []string{"x"}},
		{name: "by its sidecar among the last", policy: Policy{KeepLast: 1}, faxes: []fax.Fax{old, last}, kept: days(1), skipped: []string{"x: of two dates", "last: among the last"}},
		{name: "by its list once among the last", policy: Policy{KeepLast: 1}, faxes: []fax.Fax{old, last}, told: made{days(100), days(1)}, skipped: []string{"x: of two dates", "last: among the last"}},
		{name: "by neither among the last", policy: Policy{KeepLast: 1}, faxes: []fax.Fax{old, last}, kept: days(50), delete: []string{"x"}, skipped: []string{"last: among the last"}},
		{name: "without a date in its sidecar", policy: Policy{OlderThan: 90 * day}, faxes: []fax.Fax{old}, delete: []string{"x"}},
		{name: "without a date in its list", policy: Policy{OlderThan: 90 * day}, faxes: []fax.Fax{aged("x", 0, undated)}, kept: days(100), skipped: []string{"x: without a date"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			of := func(id string) (made, time.Time) {
				if id == "x" {
					return tc.told, tc.kept
				}
				return made{}, time.Time{}
			}
			plan, err := tc.policy.Plan(sequence(tc.faxes...), Facts{
				Now:  now,
				Told: func(id string) (oldest, newest time.Time) { m, _ := of(id); return m.oldest, m.newest },
				Copy: func(f fax.Fax) (Copy, error) { _, at := of(f.ID); return Copy{Created: at}, nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			var skipped []string
			for _, s := range plan.Skipped {
				skipped = append(skipped, s.ID+": "+string(s.Reason))
				if s.Odd() != (s.Reason == TwoDates) || s.Odd() == (s.Detail == "") && s.Reason == TwoDates {
					t.Errorf("a person has to look at %+v: %v", s, s.Odd())
				}
			}
			if diff := cmp.Diff(tc.delete, idsIn(plan.Delete)); diff != "" {
				t.Errorf("deleted: %s", diff)
			}
			if diff := cmp.Diff(tc.skipped, skipped); diff != "" {
				t.Errorf("skipped: %s", diff)
			}
		})
	}
}

// dated is a provider that lists a fax with other dates than its record has.
type dated struct {
	fax.Faxes
	id string
	as []time.Time // a record for each; the zero time is the one of the record
}

func (d dated) Page(ctx context.Context, q fax.Filter, size int, cursor string) (fax.Page[fax.Fax], error) {
	truth := q
	truth.Until = time.Time{}
	page, err := d.Faxes.Page(ctx, truth, size, cursor)
	var shown []fax.Fax
	for _, f := range page.Items {
		if f.ID != d.id {
			if q.Match(f) {
				shown = append(shown, f)
			}
			continue
		}
		for _, at := range d.as {
			told := f
			if !at.IsZero() {
				told.Created = at
			}
			shown = append(shown, told)
		}
	}
	page.Items = shown
	return page, err
}

// A young fax that is listed as an old one is not deleted, whoever knows better: its list,
// its sidecar, or its record that is read to keep it.
func TestListedAsOld(t *testing.T) {
	old := time.Now().UTC().AddDate(0, 0, -100).Truncate(time.Second)
	for _, dialect := range sandbox.Dialects() {
		for _, tc := range []struct {
			name      string
			as        []time.Time
			kept, was bool // in an archive, which has it already
			everyDay  bool
			planned   int // it is to be deleted, by the plan
		}{
			{name: "its sidecar knows", as: []time.Time{old}, kept: true, was: true},
			{name: "its sidecar knows, every day", as: []time.Time{old}, kept: true, was: true, everyDay: true},
			{name: "its record knows", as: []time.Time{old}, kept: true, planned: 1},
			{name: "its record knows, every day", as: []time.Time{old}, kept: true, everyDay: true, planned: 1},
			{name: "its list knows, then not", as: []time.Time{{}, old}},
			{name: "its list knows not, then does", as: []time.Time{old, {}}},
			{name: "its list knows, and a copy is to be kept", as: []time.Time{old, {}}, kept: true},
		} {
			t.Run(fmt.Sprintf("%s, %s", dialect, tc.name), func(t *testing.T) {
				w := newWorld(t, sandbox.Options{Dialect: dialect})
				f, due := w.add(t, 0, sandbox.Fax{Pages: 1}), w.add(t, 100, sandbox.Fax{Pages: 1})
				const age = 90 * day
				w.run.Policy, w.run.Ages = Policy{OlderThan: age}, []time.Duration{age}
				if tc.kept {
					w.keep(t)
				}
				if tc.was {
					if _, _, err := w.run.Archive.Save(t.Context(), w.truth.Faxes, f); err != nil {
						t.Fatal(err)
					}
				}
				w.run.Provider.Faxes = dated{w.run.Provider.Faxes, f.ID, tc.as}
				plan, err := w.run.Plan(t.Context())
				if err != nil || plan.Summary.Count != 1+tc.planned || plan.Left(TwoDates) != 1-tc.planned {
					t.Fatalf("%+v, %v", plan, err)
				}
				var out Outcome
				if tc.everyDay {
					var day Day
					day, err = w.run.Daily(t.Context(), t.Context(), slog.New(slog.DiscardHandler))
					out = day.Outcome
				} else {
					out, err = w.run.Delete(t.Context(), t.Context(), plan.Delete, w.tell, w.tell)
				}
				if out.Deleted != 1 || out.Failed != tc.planned || (err != nil) != (tc.planned > 0) {
					t.Errorf("%+v, %v, %q", out, err, w.told)
				}
				if w.has(t, f) != fax.WithDocument || w.has(t, due) != fax.Gone || slices.Contains(w.results(f), Deleting) {
					t.Errorf("the young one is there: %v (%v), and the old one: %v", w.has(t, f), w.results(f), w.has(t, due))
				}
				if tc.planned > 0 { // and it is named from the beginning the next time
					if plan, err = w.run.Plan(t.Context()); err != nil || plan.Summary.Count != 0 || plan.Left(TwoDates) != 1 {
						t.Errorf("the next time: %+v, %v", plan, err)
					}
				}
			})
		}
	}
}

// A fax whose record tells, while it is secured, of another date than list and sidecar.
func TestItsRecordKnows(t *testing.T) {
	w := newWorld(t, sandbox.Options{Dialect: sandbox.Twilio})
	f := w.add(t, 0, sandbox.Fax{Status: "failed", NoMedia: true})
	w.keep(t)
	early := f
	early.Created = f.Created.AddDate(0, 0, -100)
	if _, _, err := w.run.Archive.Save(t.Context(), dated{Faxes: w.truth.Faxes}, early); err != nil {
		t.Fatal(err)
	}
	_, err := w.run.delete(t.Context(), early, func(Receipt) error { return nil })
	if !errors.Is(err, fax.ErrContradiction) || w.has(t, f) == fax.Gone {
		t.Errorf("%v, and it has %v", err, w.has(t, f))
	}
}
