package archive

import (
	"context"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// A prune reads each copy again, many at once: a small document takes no more memory than it
// is long.
func TestLittleIsReadThroughLittle(t *testing.T) {
	a, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d, faxes := fill(t, 1)
	saveAll(t, a, d, faxes)
	e, key, found, err := a.findRow(t.Context(), faxes[0].ID)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	const times, most = 20, 16 << 10
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		if err := a.damage(t.Context(), faxes[0].ID, documentName(key, e.Document), e.Document); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / times; got > most {
		t.Errorf("%d bytes took %d", e.Document.Size, got)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Sidecars and index are compared in both directions, by a reader as by the writer.
func TestVerifyComparesBothWays(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 5)
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	saveAll(t, a, d, faxes)
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	findings := func(open func(context.Context, string) (*Archive, error)) []Finding {
		t.Helper()
		b, err := open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		report, err := b.Verify(t.Context(), 2)
		if err != nil || report.Entries != len(faxes) {
			t.Errorf("%+v, %v", report, err)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Error(err)
		}
		return report.Findings
	}
	if got := findings(Read); len(got) > 0 {
		t.Errorf("all is well: %+v", got)
	}
	// An index that says it is whole and is not, as earlier versions left it.
	x, err := index.Open(t.Context(), dir+"/"+indexFile, true)
	if err != nil {
		t.Fatal(err)
	}
	key := keyOf(faxes[1]) + sidecarExt
	listed, found, err := x.Get(t.Context(), faxes[1].ID)
	if err == nil && found {
		err = x.Remove(t.Context(), []index.Row{listed})
	}
	if err != nil || !found {
		t.Fatal(found, err)
	}
	lost := received("FX9999", 1)
	row, err := rowOf(Entry{Fax: lost}, keyOf(lost)+sidecarExt, "1")
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Put(t.Context(), []index.Row{row}); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	want := []Finding{
		{faxes[1].ID, key, Unlisted, problem.Say("the index does not know of it: faxctl archive reindex " + dir)},
		{lost.ID, row.Key, Missing, problem.Say("the index knows of it")},
	}
	if diff := cmp.Diff(want, findings(Read), said); diff != "" {
		t.Error(diff)
	}
}

// What a writer keeps while it is verified is on its way to the index, and no
// finding.
func TestVerifyBesideAWriter(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 4)
	a := open(t, dir)
	for _, f := range faxes {
		save(t, a, d, f)
		r, err := Read(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if r.inMemory {
			t.Error("the index of the writer is not believed")
		}
		report, err := r.Verify(t.Context(), 2)
		if err != nil || len(report.Findings) > 0 {
			t.Errorf("%+v, %v", report, err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
