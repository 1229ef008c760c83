package archive

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/fax"
)

// lookedUp are faxes with what the index knows of them.
func lookedUp(t *testing.T, a *Archive, faxes []fax.Fax) (all []Listed) {
	t.Helper()
	for l, err := range a.LookUp(t.Context(), seq.Of(faxes)) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	if len(all) != len(faxes) {
		t.Fatalf("%d of %d faxes", len(all), len(faxes))
	}
	return all
}

// What was looked up is believed no more than what Save finds itself: whatever is missing in
// the archive by then is kept again, and what has changed at the provider.
func TestSaveListed(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	d, faxes := fill(t, 6)
	for _, f := range faxes[:5] {
		save(t, a, d, f)
	}
	if err := a.flushRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	faxes[3].Quality = "fine"
	d.records[faxes[3].ID] = faxes[3]
	all := lookedUp(t, a, faxes)
	kept := filepath.Join(dir, keyOf(faxes[1])+sidecarExt)
	document := filepath.Join(dir, keyOf(faxes[2])+".pdf")
	if err := errors.Join(os.Remove(kept), os.Truncate(document, 10)); err != nil {
		t.Fatal(err)
	}
	for i, existed := range []bool{true, false, false, false, true, false} {
		if known := all[i].noted != nil; known != (i < 5) {
			t.Errorf("%d: looked up: %v", i, known)
		}
		opened, fetched := d.opened, d.fetched
		e, got, err := a.SaveListed(t.Context(), d, all[i])
		if err != nil || got != existed || !e.Whole() || e.Fax.Quality != faxes[i].Quality || existed && d.opened+d.fetched != opened+fetched {
			t.Errorf("%d: existed: %v, %+v, %v", i, got, e, err)
		}
		if yes, err := a.Has(t.Context(), faxes[i].ID); err != nil || !yes {
			t.Errorf("%d: %v, %v", i, yes, err)
		}
	}
}

// An index that cannot be asked, and a turn that is lost, are told of each fax as Save tells
// it.
func TestSaveListedWhatCannotBeLookedUp(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	d, faxes := fill(t, 1)
	save(t, a, d, faxes[0])
	if err := errors.Join(a.flushRows(t.Context()), os.Remove(filepath.Join(dir, lockName))); err != nil {
		t.Fatal(err)
	}
	l := lookedUp(t, a, faxes)[0]
	if _, _, err := a.SaveListed(t.Context(), d, l); l.noted != nil || !errors.Is(err, problem.ErrConflict) || !errors.Is(err, errRemoved) {
		t.Errorf("without its lock: %+v, %v", l.noted, err)
	}
	if err := a.Close(t.Context()); !errors.Is(err, errRemoved) {
		t.Error(err)
	}
	if l = lookedUp(t, a, faxes)[0]; l.noted != nil {
		t.Errorf("of an index that is closed: %+v", l.noted)
	}
}

// A fax that the index did not know a moment ago, and that has been kept since, is not kept
// again: its sidecar tells, and so does a row that waits for the index.
func TestSaveListedWhatIsKeptMeanwhile(t *testing.T) {
	for name, flush := range map[string]bool{"its row waits": false, "its row is in the index": true} {
		t.Run(name, func(t *testing.T) {
			a := open(t, t.TempDir())
			d, faxes := fill(t, 2)
			all := lookedUp(t, a, faxes)
			save(t, a, d, faxes[0])
			if flush {
				if err := a.flushRows(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			opened := d.opened
			if e, existed, err := a.SaveListed(t.Context(), d, all[0]); err != nil || !existed || !e.Whole() || d.opened != opened {
				t.Errorf("existed: %v, asked for %d times, %+v, %v", existed, d.opened-opened, e, err)
			}
			if e, existed, err := a.SaveListed(t.Context(), d, all[1]); err != nil || existed || !e.Whole() {
				t.Errorf("a new one: existed: %v, %+v, %v", existed, e, err)
			}
		})
	}
}
