package prune

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

const day = 24 * time.Hour

func testNow() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// aged is an inbound, received fax of that many days.
func aged(id string, days int, change ...func(*fax.Fax)) fax.Fax {
	pages := 2
	f := fax.Fax{ID: id, From: "+14155550100", To: "+14155550123", Direction: fax.Inbound, Status: fax.Received,
		Pages: &pages, Created: testNow().AddDate(0, 0, -days)}
	for _, c := range change {
		c(&f)
	}
	return f
}

func sequence(faxes ...fax.Fax) iter.Seq2[fax.Fax, error] {
	return func(yield func(fax.Fax, error) bool) {
		for _, f := range faxes {
			if !yield(f, nil) {
				return
			}
		}
	}
}

func to(number string) func(*fax.Fax)     { return func(f *fax.Fax) { f.To = number } }
func in(status fax.Status) func(*fax.Fax) { return func(f *fax.Fax) { f.Status = status } }
func undated(f *fax.Fax)                  { f.Created = time.Time{} }
func uncounted(f *fax.Fax)                { f.Pages = nil }
func outbound(f *fax.Fax) {
	f.Direction, f.From, f.To = fax.Outbound, "+14155550123", "+14155550999"
}

func TestPlan(t *testing.T) {
	limit := func(s string) Limit {
		l, err := ParseLimit(s)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	known := func(f fax.Fax) (Copy, error) {
		return map[string]Copy{"held": {Stays: Held, Detail: "lawsuit"}, "spoilt": {Stays: Damaged, Detail: "half a file"}}[f.ID], nil
	}
	for _, tc := range []struct {
		name    string
		policy  Policy
		faxes   []fax.Fax
		delete  []string
		skipped []string
		err     error
	}{
		{name: "an empty policy is refused", err: ErrEmpty},
		{name: "a limit alone is an empty policy", policy: Policy{MaxDelete: limit("5")}, err: ErrEmpty},
		{name: "a negative age is refused", policy: Policy{OlderThan: -day}, err: problem.ErrInvalid},
		{
			name: "older than, exactly that old included", policy: Policy{OlderThan: 90 * day},
			faxes:  []fax.Fax{aged("young", 89), aged("edge", 90), aged("old", 91)},
			delete: []string{"old", "edge"},
		},
		{
			name: "what may still change stays", policy: Policy{OlderThan: day},
			faxes:  []fax.Fax{aged("done", 2), aged("receiving", 3, in(fax.Receiving)), aged("odd", 4, in("teleporting")), aged("failed", 5, in(fax.Failed))},
			delete: []string{"failed", "done"}, skipped: []string{"odd: in progress (teleporting)", "receiving: in progress (receiving)"},
		},
		{
			name: "holds stay", policy: Policy{OlderThan: day},
			faxes:  []fax.Fax{aged("held", 9), aged("free", 9), aged("spoilt", 9)},
			delete: []string{"free"}, skipped: []string{"spoilt: copy damaged (half a file)", "held: held (lawsuit)"},
		},
		{
			name: "the last of each number stay, whatever the order they come in", policy: Policy{KeepLast: 1},
			faxes:  []fax.Fax{aged("a2", 2), aged("a1", 1), aged("b9", 9, to("+14155550124")), aged("sent", 8, outbound)},
			delete: []string{"sent", "a2"}, skipped: []string{"b9: among the last (last 1 of +14155550124)", "a1: among the last (last 1 of +14155550123)"},
		},
		{
			name: "newer faxes count among the last", policy: Policy{KeepLast: 2, OlderThan: 90 * day},
			faxes:  []fax.Fax{aged("new1", 1), aged("new2", 2), aged("old", 100)},
			delete: []string{"old"},
		},
		{
			name: "a fax in progress does not take the place of one that is kept", policy: Policy{KeepLast: 1},
			faxes:   []fax.Fax{aged("coming", 0, in(fax.Receiving)), aged("last", 1)},
			skipped: []string{"last: among the last (last 1 of +14155550123)", "coming: in progress (receiving)"},
		},
		{
			name: "without a date there is no age", policy: Policy{OlderThan: day},
			faxes:   []fax.Fax{aged("undated", 0, undated)},
			skipped: []string{"undated: without a date"},
		},
		{
			name: "nor is there with a date", policy: Policy{Filter: fax.Filter{Until: testNow().AddDate(0, 0, -1)}},
			faxes:  []fax.Fax{aged("undated", 0, undated), aged("old", 2), aged("young", 0)},
			delete: []string{"old"}, skipped: []string{"undated: without a date"},
		},
		{
			name: "nor with a beginning", policy: Policy{Filter: fax.Filter{After: testNow().AddDate(0, 0, -5), Statuses: []fax.Status{fax.Received}}},
			faxes:  []fax.Fax{aged("undated", 0, undated), aged("other", 0, undated, in(fax.Failed)), aged("young", 1)},
			delete: []string{"young"}, skipped: []string{"undated: without a date"},
		},
		{
			name: "what has no date is no part of a share", policy: Policy{Filter: fax.Filter{Until: testNow()}, MaxDelete: limit("99%")},
			faxes:  []fax.Fax{aged("a", 1), aged("undated", 0, undated)},
			delete: []string{"a"}, skipped: []string{"undated: without a date"}, err: problem.ErrConflict,
		},
		{
			name: "a filter alone is a policy", policy: Policy{Filter: fax.Filter{Statuses: []fax.Status{fax.Failed}}},
			faxes:  []fax.Fax{aged("good", 1), aged("bad", 1, in(fax.Failed)), aged("undated", 0, undated, in(fax.Failed))},
			delete: []string{"undated", "bad"},
		},
		{
			name: "as many as the limit", policy: Policy{OlderThan: day, MaxDelete: limit("2")},
			faxes:  []fax.Fax{aged("a", 3), aged("b", 2)},
			delete: []string{"a", "b"},
		},
		{
			name: "more than the limit", policy: Policy{OlderThan: day, MaxDelete: limit("1")},
			faxes:  []fax.Fax{aged("a", 3), aged("b", 2)},
			delete: []string{"a", "b"}, err: problem.ErrConflict,
		},
		{
			name: "a share counts the faxes that stay", policy: Policy{OlderThan: 90 * day, MaxDelete: limit("50%")},
			faxes:  []fax.Fax{aged("a", 99), aged("b", 2)},
			delete: []string{"a"},
		},
		{
			name: "more than the share", policy: Policy{OlderThan: 90 * day, MaxDelete: limit("49.9%")},
			faxes:  []fax.Fax{aged("a", 99), aged("b", 2)},
			delete: []string{"a"}, err: problem.ErrConflict,
		},
		{
			name: "a limit of none", policy: Policy{OlderThan: day, MaxDelete: limit("0")},
			faxes:  []fax.Fax{aged("a", 99)},
			delete: []string{"a"}, err: problem.ErrConflict,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			plan, err := tc.policy.Plan(sequence(tc.faxes...), Facts{Now: testNow(), Copy: known})
			if !errors.Is(err, tc.err) {
				t.Errorf("error %v, want %v", err, tc.err)
			}
			if err != nil && problem.AdviceOf(err).String() == "" && !errors.Is(err, problem.ErrInvalid) {
				t.Errorf("no hint with %v", err)
			}
			var skipped []string
			deleted := idsIn(plan.Delete)
			for _, s := range plan.Skipped {
				line := s.ID + ": " + string(s.Reason)
				if s.Detail != "" {
					line += " (" + s.Detail + ")"
				}
				skipped = append(skipped, line)
			}
			if diff := cmp.Diff(tc.delete, deleted); diff != "" {
				t.Errorf("deleted: %s", diff)
			}
			if diff := cmp.Diff(tc.skipped, skipped); diff != "" {
				t.Errorf("skipped: %s", diff)
			}
		})
	}
}

// A day's worth is deleted, a backlog is not.
func TestPlanOfEveryDay(t *testing.T) {
	policy := Policy{OlderThan: 90 * day, MaxDelete: DailyLimit()}
	list := func(perDay, days int) iter.Seq2[fax.Fax, error] {
		var all []fax.Fax
		for i := range perDay * days {
			all = append(all, aged(fmt.Sprint(i), i/perDay))
		}
		return sequence(all...)
	}
	for _, tc := range []struct {
		perDay, days int
		ok           bool
	}{
		{100, 91, true},  // one day is due
		{100, 92, true},  // two are
		{100, 93, true},  // three
		{100, 94, false}, // four
		{1, 290, true},   // of a few, a backlog of 200
		{1, 291, false},
	} {
		plan, err := policy.Plan(list(tc.perDay, tc.days), Facts{Now: testNow()})
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, problem.ErrConflict) || plan.Summary.Count != tc.perDay*(tc.days-90) {
			t.Errorf("%+v: %d, %v", tc, plan.Summary.Count, err)
		}
	}
	if q := policy.Query(testNow()); !q.Until.IsZero() {
		t.Error("an average day takes the younger faxes")
	}
}

// Where the archive does not say what it knows, there is no plan.
func TestPlanNeedsItsFacts(t *testing.T) {
	broken := errors.New("broken")
	plan, err := Policy{OlderThan: time.Hour}.Plan(sequence(aged("a", 100)), Facts{
		Now: testNow(), Copy: func(fax.Fax) (Copy, error) { return Copy{}, broken },
	})
	if !errors.Is(err, broken) || plan.Delete.Len() > 0 {
		t.Errorf("%+v, %v", plan, err)
	}
}

func TestPlanSummary(t *testing.T) {
	faxes := sequence(aged("a", 100), aged("b", 95, uncounted), aged("held", 99), aged("young", 1), aged("c", 91))
	plan, err := Policy{OlderThan: 90 * 24 * time.Hour, KeepLast: 1}.Plan(faxes, Facts{
		Now: testNow(),
		Copy: func(f fax.Fax) (Copy, error) {
			return map[string]Copy{"held": {Stays: Held}, "a": {Whole: true}}[f.ID], nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Summary{Count: 3, Considered: 5, Pages: 4, UnknownPages: 1, Archived: 1, Skipped: 1,
		Oldest: testNow().AddDate(0, 0, -100), Newest: testNow().AddDate(0, 0, -91)}
	if diff := cmp.Diff(want, plan.Summary); diff != "" {
		t.Error(diff)
	}
}

// A fax that a list tells of with two dates is one, and its newest date counts.
func TestPlanDecidesOnce(t *testing.T) {
	plan, err := Policy{KeepLast: 1}.Plan(sequence(aged("last", 1), aged("b", 50), aged("last", 100), aged("b", 100)), Facts{Now: testNow()})
	if err != nil || plan.Delete.Len() != 1 || plan.Delete.At(0).ID != "b" || !plan.Delete.At(0).Created.Equal(aged("b", 50).Created) || plan.Summary.Considered != 2 || len(plan.Skipped) != 1 {
		t.Errorf("%+v, %v", plan, err)
	}
}

// Half a list is no selection.
func TestPlanNeedsTheWholeList(t *testing.T) {
	broken := errors.New("broken")
	plan, err := Policy{OlderThan: 1}.Plan(func(yield func(fax.Fax, error) bool) {
		_ = yield(aged("a", 1), nil) && yield(fax.Fax{}, broken)
	}, Facts{Now: testNow()})
	if !errors.Is(err, broken) || plan.Delete.Len() > 0 {
		t.Errorf("got %d deletions and %v", plan.Delete.Len(), err)
	}
}

// What shards delete is together what one run would, each fax once; and all of them are
// refused, or none.
func TestShardsAreTheWholePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []fax.Fax
		for i := range rapid.IntRange(0, 40).Draw(t, "faxes") {
			all = append(all, aged(fmt.Sprint(i), rapid.IntRange(0, 20).Draw(t, "age"), to(rapid.SampledFrom([]string{"+14155550123", "+14155550124"}).Draw(t, "to"))))
		}
		p := Policy{OlderThan: time.Duration(rapid.IntRange(1, 20).Draw(t, "older")) * day, KeepLast: rapid.IntRange(0, 3).Draw(t, "keep")}
		p.MaxDelete = Limit{set: rapid.Bool().Draw(t, "limited"), isShare: rapid.Bool().Draw(t, "share"), percent: 30, count: 8}
		facts := Facts{Now: testNow(), Copy: func(f fax.Fax) (Copy, error) {
			if strings.HasSuffix(f.ID, "3") {
				return Copy{Stays: Held}, nil
			}
			return Copy{}, nil
		}}
		whole, wholeErr := p.Plan(sequence(all...), facts)
		var ids []string
		skipped, count := 0, rapid.IntRange(1, 5).Draw(t, "shards")
		for n := range count {
			p.Shard = fax.Shard{N: n + 1, Count: count}
			part, err := p.Plan(sequence(all...), facts)
			if errors.Is(err, problem.ErrConflict) != errors.Is(wholeErr, problem.ErrConflict) {
				t.Fatalf("shard %s: %v, and the whole: %v", p.Shard, err, wholeErr)
			}
			if part.Summary.Count+part.Summary.Elsewhere != whole.Summary.Count {
				t.Fatalf("shard %s: %+v of %d", p.Shard, part.Summary, whole.Summary.Count)
			}
			ids = append(ids, idsIn(part.Delete)...)
			skipped += len(part.Skipped)
		}
		want := idsIn(whole.Delete)
		slices.Sort(want)
		slices.Sort(ids)
		if diff := cmp.Diff(want, ids); diff != "" || skipped != len(whole.Skipped) {
			t.Fatalf("%d skipped of %d: %s", skipped, len(whole.Skipped), diff)
		}
	})
}

// What Query leaves out at the provider, Plan must not have needed.
func TestQueryIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []fax.Fax
		for i := range rapid.IntRange(0, 12).Draw(t, "faxes") {
			all = append(all, aged(fmt.Sprint(i), rapid.IntRange(0, 20).Draw(t, "age"), to(rapid.SampledFrom([]string{"+14155550123", "+14155550124"}).Draw(t, "to"))))
			if rapid.IntRange(0, 9).Draw(t, "undated") == 0 {
				undated(&all[i])
			}
		}
		p := Policy{OlderThan: time.Duration(rapid.IntRange(1, 20).Draw(t, "older")) * day, KeepLast: rapid.IntRange(0, 3).Draw(t, "keep")}
		if rapid.Bool().Draw(t, "limited") {
			p.MaxDelete = Limit{set: true, isShare: rapid.Bool().Draw(t, "share"), percent: 30, count: 3, days: rapid.SampledFrom([]float64{0, 2}).Draw(t, "days")}
		}
		if rapid.Bool().Draw(t, "until") {
			p.Filter.Until = testNow().AddDate(0, 0, -rapid.IntRange(0, 20).Draw(t, "until days"))
		}
		q := p.Query(testNow())
		var listed []fax.Fax
		for _, f := range all {
			if q.Match(f) {
				listed = append(listed, f)
			}
		}
		facts := Facts{Now: testNow()}
		want, wantErr := p.Plan(sequence(all...), facts)
		got, gotErr := p.Plan(sequence(listed...), facts)
		if want.Left(NoDate) != got.Left(NoDate) {
			t.Fatalf("%d without a date, listed %d", want.Left(NoDate), got.Left(NoDate))
		}
		if diff := cmp.Diff(idsIn(want.Delete), idsIn(got.Delete)); diff != "" || errors.Is(wantErr, problem.ErrConflict) != errors.Is(gotErr, problem.ErrConflict) {
			t.Fatalf("the listing decides otherwise: %v %v %s", wantErr, gotErr, diff)
		}
	})
}
