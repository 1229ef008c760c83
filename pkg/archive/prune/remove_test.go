package prune

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// newRemoval is an archive with faxes of 150, 120 and 2 days, and a removal of those of
// more than 100.
func newRemoval(t *testing.T) (*world, Removal, []fax.Fax) {
	t.Helper()
	w := newWorld(t, sandbox.Options{Dialect: sandbox.Twilio})
	w.keep(t)
	faxes := []fax.Fax{w.add(t, 150, sandbox.Fax{Pages: 1}), w.add(t, 120, sandbox.Fax{Pages: 2}), w.add(t, 2, sandbox.Fax{Pages: 1})}
	w.remember(t, faxes)
	for _, f := range faxes {
		if _, _, err := w.run.Archive.Save(t.Context(), w.truth.Faxes, f); err != nil {
			t.Fatal(err)
		}
	}
	age := 100 * 24 * time.Hour
	return w, Removal{
		Archive: w.run.Archive, Policy: Policy{OlderThan: age}, Ages: []time.Duration{age}, Begun: time.Now(), Jobs: 2, Receipt: w.take,
	}, faxes
}

func mustPlan(t *testing.T, r Removal) Plan {
	t.Helper()
	plan, err := r.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// idsIn are the ids of what a plan selects.
func idsIn(faxes fax.Packed) (ids []string) {
	for f := range faxes.All() {
		ids = append(ids, f.ID)
	}
	return ids
}

func idsOf(faxes []fax.Fax) []string {
	ids := []string{}
	for _, f := range faxes {
		ids = append(ids, f.ID)
	}
	return ids
}

// sidecarOf is the file of the sidecar of a fax.
func (w *world) sidecarOf(f fax.Fax) string {
	return filepath.Join(w.dir, f.Created.UTC().Format("2006/01/02"), f.ID+".json")
}

// rewrite changes a sidecar by hand.
func (w *world) rewrite(t *testing.T, f fax.Fax, change func(*archive.Entry)) {
	t.Helper()
	data, err := os.ReadFile(w.sidecarOf(f))
	if err != nil {
		t.Fatal(err)
	}
	var e archive.Entry
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	change(&e)
	if data, err = json.Marshal(e); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.sidecarOf(f), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRemoval(t *testing.T) {
	w, r, faxes := newRemoval(t)
	if err := r.Archive.MarkDeleted(t.Context(), faxes[1].ID, time.Time{}, false); err != nil {
		t.Fatal(err)
	}
	plan := mustPlan(t, r)
	var bytes int64
	for _, f := range faxes[:2] {
		bytes += int64(len(w.documents[f.ID]))
	}
	if diff := cmp.Diff(idsOf(faxes[:2]), idsIn(plan.Delete)); diff != "" {
		t.Error(diff)
	}
	if s := plan.Summary; s.Count != 2 || s.Pages != 3 || s.Bytes != bytes || s.Gone != 1 || !s.Oldest.Equal(faxes[0].Created) || !s.Newest.Equal(faxes[1].Created) {
		t.Errorf("%+v", s)
	}
	out, err := r.Remove(t.Context(), t.Context(), plan.Delete, w.tell, w.tell)
	if err != nil || out.String() != "2 faxes" {
		t.Errorf("%v, %v", out, err)
	}
	for _, f := range faxes {
		_, err := r.Archive.Get(t.Context(), f.ID)
		if gone := errors.Is(err, problem.ErrNotFound); gone != (f.ID != faxes[2].ID) {
			t.Errorf("%s: %v", f.ID, err)
		}
		if has := w.has(t, f); has != fax.WithDocument {
			t.Errorf("the provider has %v of it", has)
		}
	}
	results := map[string][]Result{}
	for _, receipt := range w.receipts {
		results[receipt.ID] = append(results[receipt.ID], receipt.Result)
		if len(receipt.SHA256) != 64 || receipt.NumberTail != "0100" || receipt.Created.IsZero() || receipt.At.IsZero() {
			t.Errorf("%+v", receipt)
		}
	}
	both := []Result{Removing, Removed}
	if diff := cmp.Diff(map[string][]Result{faxes[0].ID: both, faxes[1].ID: both}, results); diff != "" {
		t.Error(diff)
	}
	if plan := mustPlan(t, r); plan.Summary.Count != 0 {
		t.Errorf("again: %+v", plan)
	}
}

// What is held, may be, or is not what it was, stays and is said to.
func TestRemovalLeavesAlone(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(t *testing.T, w *world, f fax.Fax)
		stays  Reason
	}{
		"held by hand":             {func(t *testing.T, w *world, f fax.Fax) { w.rewrite(t, f, hold) }, Held},
		"its sidecar is no JSON":   {func(t *testing.T, w *world, f fax.Fax) { write(t, w.sidecarOf(f), "{") }, Damaged},
		"its document has changed": {func(t *testing.T, w *world, f fax.Fax) { write(t, documentOf(w, f), "%PDF-") }, Damaged},
		"the index knows another date": {func(t *testing.T, w *world, f fax.Fax) {
			w.rewrite(t, f, func(e *archive.Entry) { e.Fax.Created = e.Fax.Created.AddDate(3, 0, 0) })
		}, Damaged},
	} {
		t.Run(name, func(t *testing.T) {
			w, r, faxes := newRemoval(t)
			before := mustPlan(t, r) // of a person who thought for long
			tc.change(t, w, faxes[0])
			plan := mustPlan(t, r)
			if len(plan.Skipped) != 1 || plan.Skipped[0].Reason != tc.stays || plan.Skipped[0].Detail == "" || !slices.Equal(idsIn(plan.Delete), idsOf(faxes[1:2])) {
				t.Errorf("%+v", plan)
			}
			named := r
			named.Policy, named.IDs = Policy{}, idsOf(faxes[:2])
			if name != "the index knows another date" { // nobody asked the index
				if plan := mustPlan(t, named); plan.Left(tc.stays) != 1 || plan.Summary.Count != 1 {
					t.Errorf("%+v", plan)
				}
			}
			out, err := r.Remove(t.Context(), t.Context(), before.Delete, w.tell, w.tell)
			if out.Deleted != 1 || out.Skipped+out.Failed != 1 || (tc.stays == Held) != (err == nil) || err != nil && !errors.Is(err, batch.ErrPartial) {
				t.Errorf("%+v, %v", out, err)
			}
			for _, f := range []string{w.sidecarOf(faxes[0]), documentOf(w, faxes[0])} {
				if _, err := os.Stat(f); err != nil {
					t.Error(err)
				}
			}
			if len(w.told) != 1 || !strings.Contains(w.told[0], faxes[0].ID) {
				t.Errorf("told: %q", w.told)
			}
		})
	}
}

func hold(e *archive.Entry) { e.Hold = &archive.Hold{Reason: "lawsuit"} }

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func documentOf(w *world, f fax.Fax) string {
	return strings.TrimSuffix(w.sidecarOf(f), ".json") + ".pdf"
}

// A document that is not what was kept goes when that was asked for, and its receipt says
// what it was.
func TestRemovalOfWhatIsDamaged(t *testing.T) {
	w, r, faxes := newRemoval(t)
	write(t, documentOf(w, faxes[0]), "%PDF-")
	r.AllowDamaged = true
	plan := mustPlan(t, r)
	if out, err := r.Remove(t.Context(), t.Context(), plan.Delete, w.tell, w.tell); err != nil || out.Deleted != 2 {
		t.Errorf("%+v, %v", out, err)
	}
	for _, receipt := range w.receipts {
		if damaged := receipt.ID == faxes[0].ID; damaged != (receipt.SHA256 == "") || damaged != strings.Contains(receipt.Error, "changed") {
			t.Errorf("%+v", receipt)
		}
	}
}

// A fax whose receipt cannot be written stays, and so do those after it.
func TestRemovalWithoutReceipts(t *testing.T) {
	w, r, faxes := newRemoval(t)
	r.Jobs = 1
	full := errors.New("no space left")
	r.Receipt = func(Receipt) error { return full }
	out, err := r.Remove(t.Context(), t.Context(), fax.Pack(faxes[:2]...), w.tell, w.tell)
	if !errors.Is(err, full) || out.Deleted != 0 || out.Failed != 1 || out.Left != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	r.Receipt = func(receipt Receipt) error {
		if receipt.Result == Removing {
			return nil
		}
		return full
	}
	out, err = r.Remove(t.Context(), t.Context(), fax.Pack(faxes[:2]...), w.tell, w.tell)
	if !errors.Is(err, batch.ErrPartial) || out.Deleted != 1 || out.Left != 1 || !strings.Contains(strings.Join(w.told, "\n"), "is removed, and has no receipt that says so") {
		t.Errorf("%+v, %v, %q", out, err, w.told)
	}
	if _, err := r.Archive.Get(t.Context(), faxes[1].ID); err != nil {
		t.Error(err)
	}
}

func TestRemovalOfWhatIsNamed(t *testing.T) {
	w, r, faxes := newRemoval(t)
	r.Policy, r.IDs = Policy{}, []string{faxes[2].ID, "FX00000000000000000000000000000000"}
	plan := mustPlan(t, r)
	if plan.Summary.Count != 1 || plan.Left(Absent) != 1 || plan.Delete.At(0).ID != faxes[2].ID {
		t.Errorf("%+v", plan)
	}
	// What another run has removed meanwhile is not found.
	if err := r.Archive.Remove(t.Context(), faxes[2].ID, func(archive.Entry, error) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if out, err := r.Remove(t.Context(), t.Context(), plan.Delete, w.tell, w.tell); !errors.Is(err, problem.ErrNotFound) || out.Failed != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	// None that is named is not one that a policy could select.
	r.IDs = []string{}
	if plan := mustPlan(t, r); plan.Summary.Count != 0 {
		t.Errorf("%+v", plan)
	}
}

// A row that a loss of power brought back goes as one that is gone already.
func TestRemovalOfARowAlone(t *testing.T) {
	w, r, faxes := newRemoval(t)
	for _, name := range []string{w.sidecarOf(faxes[0]), documentOf(w, faxes[0])} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	plan := mustPlan(t, r)
	if out, err := r.Remove(t.Context(), t.Context(), plan.Delete, w.tell, w.tell); err != nil || out.Gone != 1 || out.Deleted != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	for e, err := range r.Archive.List(context.Background(), fax.Filter{}) {
		if err != nil || e.Fax.ID != faxes[2].ID {
			t.Errorf("%v, %v", e.Fax.ID, err)
		}
	}
}

// Whether a fax was in progress when it was kept is nothing to what goes by its age.
func TestRemovalOfWhatWasInProgress(t *testing.T) {
	w, r, _ := newRemoval(t)
	f := w.add(t, 160, sandbox.Fax{Status: "receiving", NoMedia: true})
	_, _, err := r.Archive.Save(t.Context(), w.truth.Faxes, f)
	if err != nil {
		t.Fatal(err)
	}
	if plan := mustPlan(t, r); plan.Summary.Count != 3 || plan.Delete.At(0).ID != f.ID {
		t.Errorf("%+v", plan)
	}
}

func TestRemovalByAClockThatIsWrong(t *testing.T) {
	_, r, faxes := newRemoval(t)
	for name, tc := range map[string]struct {
		begun time.Time
		ok    bool
	}{
		"today":                {time.Now(), true},
		"before the newest":    {time.Now().AddDate(0, 0, -30), false},
		"a month later":        {time.Now().AddDate(0, 0, 30), true},
		"years after the last": {time.Now().AddDate(3, 0, 0), false},
	} {
		r.Begun = tc.begun
		if _, err := r.Plan(t.Context()); (err == nil) != tc.ok || !tc.ok && (!errors.Is(err, problem.ErrConflict) || !strings.Contains(problem.AdviceOf(err).String(), "--no-clock-check")) {
			t.Errorf("%s: %v", name, err)
		}
		relies, ageless := r, r
		relies.AnyClock = true
		ageless.Ages, ageless.Policy = nil, Policy{Filter: fax.Filter{Until: faxes[0].Created}}
		for _, r := range []Removal{relies, ageless} {
			if _, err := r.Plan(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestCheckKeptClock(t *testing.T) {
	now := testNow()
	for _, tc := range []struct {
		since, age time.Duration
		ok         bool
	}{
		{0, 90 * day, true},
		{31 * day, 90 * day, true},
		{31*day + time.Second, 90 * day, false},
		{70 * day, 700 * day, true},
		{70*day + time.Second, 700 * day, false},
		{-5 * time.Minute, 10 * time.Minute, true},
		{-5*time.Minute - time.Second, 10 * time.Minute, false},
		{-9 * day, 90 * day, true},
		{-9*day - time.Second, 90 * day, false},
	} {
		if err := CheckKeptClock(now, now.Add(-tc.since), tc.age); (err == nil) != tc.ok || err != nil && !errors.Is(err, problem.ErrConflict) {
			t.Errorf("%v before, for %v: %v", tc.since, tc.age, err)
		}
	}
	if err := CheckKeptClock(now, time.Time{}, day); err != nil {
		t.Errorf("without any date: %v", err)
	}
}
