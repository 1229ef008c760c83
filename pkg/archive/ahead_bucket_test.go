package archive

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Of new faxes a bucket is asked nothing: documents and sidecars are put, and that is all.
func TestSaveListedNewInABucket(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 5)
	a := openRemote(t, s.machine(t))
	all := lookedUp(t, a, faxes)
	puts := 0
	s.before = func(string) { puts++ }
	opened, stats := s.opened.Load(), s.stats.Load()
	for _, l := range all {
		if e, existed, err := a.SaveListed(t.Context(), d, l); err != nil || existed || !e.Whole() {
			t.Errorf("existed: %v, %+v, %v", existed, e, err)
		}
	}
	s.before = nil
	if opened, stats = s.opened.Load()-opened, s.stats.Load()-stats; puts != 2*len(faxes) || opened+stats > 0 {
		t.Errorf("%d puts, %d opened, %d asked for, of %d faxes", puts, opened, stats, len(faxes))
	}
	verified(t, openRemote(t, s.machine(t)), len(faxes))
}

// What is kept of a fax since it was looked up decides, as if it had been known; and from then
// on nothing is fetched that others have kept.
func TestSaveListedInABucketWhatIsKeptMeanwhile(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 6)
	a, b := openRemote(t, s.machine(t)), openRemote(t, s.machine(t))
	all := lookedUp(t, a, faxes)
	saveAll(t, b, d, faxes[:5])
	if _, err := b.Hold(t.Context(), faxes[0].ID, "lawsuit"); err != nil {
		t.Fatal(err)
	}
	sidecar := func(i int) string { return filepath.Join(s.root, keyOf(faxes[i])+sidecarExt) }
	if err := os.WriteFile(sidecar(2), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := b.markRemoving(t.Context(), faxes[3].ID); err != nil || b.files.strip(t.Context(), l.key) != nil {
		t.Fatal(err)
	}
	d.docs[faxes[1].ID][len("%PDF-1")+1]++ // the minor version: it is made anew by the provider
	for i, want := range []struct {
		existed bool
		err     error
	}{{existed: true}, {existed: true}, {err: ErrDamagedCopy}, {err: problem.ErrConflict}, {existed: true}, {}} {
		before, err := os.ReadFile(sidecar(i))
		if err != nil && i < 5 {
			t.Fatal(err)
		}
		a.rivals.Store(i > 3) // up to there each is the first of a run
		opened := d.opened
		e, existed, err := a.SaveListed(t.Context(), d, all[i])
		if !errors.Is(err, want.err) || (err == nil) != (want.err == nil) || existed != want.existed || err == nil && !e.Whole() {
			t.Errorf("%d: existed: %v, %+v, %v", i, existed, e, err)
		}
		if after, err := os.ReadFile(sidecar(i)); i < 5 && !bytes.Equal(before, after) {
			t.Errorf("%d: its sidecar was %s and is %s, %v", i, before, after, err)
		}
		if !a.rivals.Load() || i == 4 && d.opened != opened {
			t.Errorf("%d: others were met: %v, and it was fetched %d times", i, a.rivals.Load(), d.opened-opened)
		}
	}
	if err := errors.Join(b.files.Remove(t.Context(), keyOf(faxes[3])+sidecarExt), os.Remove(sidecar(2))); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{2, 3} { // what is left of the first time is in nobody's way
		if e, existed, err := a.SaveListed(t.Context(), d, all[i]); err != nil || existed || !e.Whole() {
			t.Errorf("%d again: existed: %v, %+v, %v", i, existed, e, err)
		}
	}
	verified(t, openRemote(t, s.machine(t)), len(faxes))
}
