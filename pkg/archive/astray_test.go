package archive

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// lead has the index lead from one fax to a file of another.
func lead(t *testing.T, a *Archive, f fax.Fax, to string) {
	t.Helper()
	if err := a.flushRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	row, found, err := a.index.Get(t.Context(), f.ID)
	if err == nil && found {
		row.Fax, row.Key = f, to
		err = a.index.Put(t.Context(), []index.Row{row})
	}
	if err != nil || !found {
		t.Fatal(found, err)
	}
}

// An index that leads from one fax to another is not believed: nothing of the one is kept,
// nothing is done with either, and it is said what makes it good.
func TestAstrayRow(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 3)
	a := open(t, dir)
	saveAll(t, a, d, faxes)
	lost, moved, other := faxes[0], faxes[1], faxes[2]
	elsewhere := keyOf(other) + sidecarExt
	lead(t, a, lost, elsewhere)
	lead(t, a, moved, elsewhere)
	for _, ext := range []string{".pdf", sidecarExt} {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(keyOf(lost)+ext))); err != nil {
			t.Fatal(err)
		}
	}
	id := fax.Fax{ID: lost.ID}
	for what, do := range map[string]func() error{
		"get":              func() error { _, err := a.Get(t.Context(), lost.ID); return err },
		"document":         func() error { _, err := a.ReadDocument(t.Context(), lost.ID); return err },
		"kept":             func() error { _, _, _, err := a.Kept(t.Context(), lost); return err },
		"hold of":          func() error { _, err := a.HoldOf(t.Context(), id); return err },
		"begin deleting":   func() error { _, _, err := a.BeginDeletingNamed(t.Context(), id); return err },
		"mark as deleted":  func() error { return a.MarkDeleted(t.Context(), lost.ID, other.Created, false) },
		"hold":             func() error { _, err := a.Hold(t.Context(), lost.ID, "case 1"); return err },
		"remove":           func() error { return a.Remove(t.Context(), lost.ID, func(Entry, error) error { return nil }) },
		"save":             func() error { _, _, err := a.Save(t.Context(), d, lost); return err },
		"secure":           func() error { _, err := a.Secure(t.Context(), d, lost, false); return err },
		"list":             func() error { _, err := fax.Collect(a.List(t.Context(), fax.Filter{})); return err },
		"save what listed": func() error { return saveListed(t, a, d, lost) },
	} {
		if err := do(); !errors.Is(err, ErrDamagedCopy) || !strings.Contains(problem.AdviceOf(err).String(), "faxctl archive reindex") {
			t.Errorf("%s: %v, %s", what, err, problem.AdviceOf(err))
		}
	}
	if has, err := a.Has(t.Context(), lost.ID); err != nil || has {
		t.Errorf("it is kept: %v, %v", has, err)
	}
	if e, err := a.Get(t.Context(), other.ID); err != nil || e.Hold != nil || !e.Gone.IsZero() || !e.Removing.IsZero() {
		t.Errorf("the other fax says %+v, %v", e, err)
	}
	report, err := a.Verify(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range report.Findings {
		if f.Problem == Mislisted && f.File == elsewhere {
			found = append(found, f.ID)
		}
	}
	if slices.Sort(found); !slices.Equal(found, []string{lost.ID, moved.ID}) || len(report.Findings) != 2 {
		t.Errorf("found %+v", report.Findings)
	}
	if _, missing, err := a.Keys(t.Context()); err != nil || len(missing) != 2 {
		t.Errorf("a copy of the archive misses %v, %v", missing, err)
	}

	if built, err := a.Reindex(t.Context()); err != nil || built.Dropped != 1 || built.Entries != 2 {
		t.Errorf("made anew: %+v, %v", built, err)
	}
	if got := listed(t, a, fax.Filter{}); !slices.Equal(got, []string{moved.ID, other.ID}) {
		t.Errorf("then there is %v", got)
	}
	save(t, a, d, lost)
	if report, err := a.Verify(t.Context(), 1); err != nil || len(report.Findings) > 0 {
		t.Errorf("in the end: %+v, %v", report.Findings, err)
	}
}

func saveListed(t *testing.T, a *Archive, d *fakeFaxes, f fax.Fax) (err error) {
	one := func(yield func(fax.Fax, error) bool) { yield(f, nil) }
	for l, bad := range a.LookUp(t.Context(), one) {
		if err = bad; err == nil {
			_, _, err = a.SaveListed(t.Context(), d, l)
		}
	}
	return err
}

// Where only the id of a fax is known, the index says where it is kept, and not what lies
// there of a time when it had no date.
func TestUndatedBesideDated(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 1)
	a := open(t, dir)
	save(t, a, d, faxes[0])
	e, err := a.Get(t.Context(), faxes[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "undated"), 0o700); err != nil {
		t.Fatal(err)
	}
	data, err := e.encode()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "undated", e.Fax.ID+sidecarExt), data, 0o600)
	}
	if err == nil {
		_, err = a.Hold(t.Context(), e.Fax.ID, "case 1")
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.BeginDeletingNamed(t.Context(), fax.Fax{ID: e.Fax.ID}); !errors.As(err, new(*HeldError)) {
		t.Errorf("it is held, and its deletion begins: %v", err)
	}
}
