package archive

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// strayDay is a folder of another day than that of any fax of a test.
const strayDay = "2001/02/03"

// stray puts the sidecar and the document of a fax, as they are, into the folder of another
// day; with change, the sidecar is another one.
func stray(t *testing.T, root string, f fax.Fax, change func(*Entry)) {
	t.Helper()
	to := filepath.Join(root, filepath.FromSlash(strayDay))
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".pdf", sidecarExt} {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(keyOf(f)+ext)))
		if err == nil && ext == sidecarExt {
			var e Entry
			if e, err = decode(f.ID+ext, data); err == nil {
				change(&e)
				data, err = e.encode()
			}
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, f.ID+ext), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// unproven is what all that leads to the end of a fax comes to.
func unproven(t *testing.T, a *Archive, d fax.Faxes, f fax.Fax) map[string]error {
	t.Helper()
	e, _, _, kept := a.Kept(t.Context(), f)
	hold, holdOf := a.HoldOf(t.Context(), fax.Fax{ID: f.ID})
	if e.Hold != nil && kept == nil {
		kept = &HeldError{f.ID, e.Hold.Reason}
	}
	if hold != nil && holdOf == nil {
		holdOf = &HeldError{f.ID, hold.Reason}
	}
	_, _, named := a.BeginDeletingNamed(t.Context(), fax.Fax{ID: f.ID})
	_, _, dated := a.BeginDeletingNamed(t.Context(), f)
	_, secure := a.Secure(t.Context(), d, f, false)
	_, _, mayGo := a.MayGo(t.Context(), f.ID)
	return map[string]error{"kept": kept, "hold of": holdOf, "begin by id": named, "begin": dated, "secure": secure, "may go": mayGo}
}

// Who had an index of this machine alone, and begins to use one that all have in common, takes
// into that the holds that the first alone knew of, and no others; who goes back to the first
// finds it as it was, and what it learns then is taken over as well.
func TestCommonIndexTakesOverHolds(t *testing.T) {
	db := database(t)
	s := newShelf(t)
	d, faxes := fill(t, 5)
	gone, replaced, twice, freed, kept := faxes[0], faxes[1], faxes[2], faxes[3], faxes[4]
	lose := func(f fax.Fax) {
		t.Helper()
		if err := os.Remove(filepath.Join(s.root, filepath.FromSlash(keyOf(f)+sidecarExt))); err != nil {
			t.Fatal(err)
		}
	}
	hold := func(a *Archive, f fax.Fax, reason string) {
		t.Helper()
		if _, err := a.Hold(t.Context(), f.ID, reason); err != nil {
			t.Fatal(err)
		}
	}
	one := s.machine(t)
	a := openRemote(t, one)
	saveAll(t, a, d, faxes)
	for _, f := range faxes {
		hold(a, f, "case 1")
	}
	if err := a.flushRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, f := range []fax.Fax{gone, replaced, twice} {
		lose(f)
	}
	common := s.machine(t)
	common.Database = func(context.Context) (*sql.DB, error) { return db, nil }
	b := openRemote(t, common)
	save(t, b, d, replaced)
	save(t, b, d, twice)
	hold(b, twice, "case 2")
	lose(twice)
	if _, err := b.Unhold(t.Context(), freed.ID); err != nil {
		t.Fatal(err)
	}

	one.Database = common.Database
	var told []string
	one.Lost = func(l LostHold) { told = append(told, fmt.Sprint(l.Fax.ID, " ", l.Replaced)) }
	a = openRemote(t, one)
	if want := []string{gone.ID + " false", replaced.ID + " true", twice.ID + " false", twice.ID + " true"}; !slices.Equal(slices.Sorted(slices.Values(told)), want) {
		t.Errorf("told of %q, want %q", told, want)
	}
	for machine, a := range map[string]*Archive{"this one": a, "one that was open": b, "another": openRemote(t, common)} {
		for f, reason := range map[*fax.Fax]string{&gone: "case 1", &replaced: "case 1", &twice: "case 2; case 1", &kept: "case 1"} {
			var held *HeldError
			if _, _, err := a.BeginDeletingNamed(t.Context(), *f); !errors.As(err, &held) || held.Reason != reason {
				t.Errorf("%s: %s: %v, want %s", machine, f.ID, err, reason)
			}
		}
		if _, _, err := a.MayGo(t.Context(), freed.ID); err != nil {
			t.Errorf("%s: the one that was let go: %v", machine, err)
		}
	}

	one.Database = nil
	back := openRemote(t, one)
	if _, _, err := back.BeginDeletingNamed(t.Context(), gone); !errors.As(err, new(*HeldError)) {
		t.Errorf("back without a database: %v", err)
	}
	hold(back, freed, "case 3")
	if err := back.flushRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	lose(freed)
	one.Database = common.Database
	a = openRemote(t, one)
	if _, _, err := a.BeginDeletingNamed(t.Context(), freed); !errors.As(err, new(*HeldError)) {
		t.Errorf("what was held without a database: %v", err)
	}
}

// A hold that was let go where all know of it is not brought back by an index that was taken
// over before.
func TestCommonIndexTakesOverOnce(t *testing.T) {
	db := database(t)
	s := newShelf(t)
	d, faxes := fill(t, 1)
	one := s.machine(t)
	a := openRemote(t, one)
	saveAll(t, a, d, faxes)
	if _, err := a.Hold(t.Context(), faxes[0].ID, "case 1"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.flushRows(t.Context()), os.Remove(filepath.Join(s.root, filepath.FromSlash(keyOf(faxes[0])+sidecarExt)))); err != nil {
		t.Fatal(err)
	}
	one.Database = func(context.Context) (*sql.DB, error) { return db, nil }
	a = openRemote(t, one)
	if built, err := forgetting(t, a); err != nil || len(built.Lost) != 1 {
		t.Fatalf("%+v, %v", built, err)
	}
	if held, err := fax.Collect(openRemote(t, one).Held(t.Context())); err != nil || len(held) > 0 {
		t.Errorf("held again: %+v, %v", held, err)
	}
}

// An index of this machine's own that cannot be read may know of holds that nothing else tells
// of: somebody decides.
func TestCommonIndexBesideADamagedOne(t *testing.T) {
	db := database(t)
	s := newShelf(t)
	d, faxes := fill(t, 2)
	one := s.machine(t)
	a := openRemote(t, one)
	saveAll(t, a, d, faxes)
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	own := must(filepath.Glob(filepath.Join(one.Getenv("XDG_CACHE_HOME"), "faxctl/archives/*/"+indexFile)))(t)[0]
	f, err := os.OpenFile(own, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(bytes.Repeat([]byte{0xff}, 4000), 4096)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	one.Database = func(context.Context) (*sql.DB, error) { return db, nil }
	if a, err := one.Open(t.Context(), there); err == nil || !strings.Contains(err.Error(), own) || !strings.Contains(problem.AdviceOf(err).String(), "holds") {
		t.Errorf("%v, %v; hint %q", a, err, problem.AdviceOf(err))
	}
	if err := os.Rename(own, own+".damaged"); err != nil {
		t.Fatal(err)
	}
	verified(t, openRemote(t, one), 2)
}

// A fax that has two sidecars is not let go, whichever of them the index leads to, also where
// that is another machine's; both are named.
func TestTwins(t *testing.T) {
	for name, holds := range map[string][2]*Hold{"neither is held": {}, "the first is held": {{Reason: "case 1"}, nil}, "the second is held": {nil, {Reason: "case 1"}}} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			d, faxes := fill(t, 2)
			one := s.machine(t)
			a, f, other := openRemote(t, one), faxes[0], faxes[1]
			saveAll(t, a, d, faxes)
			if holds[0] != nil {
				if _, err := a.Hold(t.Context(), f.ID, holds[0].Reason); err != nil {
					t.Fatal(err)
				}
			}
			if err := a.flushRows(t.Context()); err != nil { // what it saved is not to come after what it learns next
				t.Fatal(err)
			}
			stray(t, s.root, f, func(e *Entry) { e.Hold = holds[1] })
			for machine, o := range map[string]Opener{"one that kept it": one, "a new one": s.machine(t)} {
				a := openRemote(t, o)
				if held, err := fax.Collect(a.Held(t.Context())); err != nil || (len(held) == 1) != (holds != [2]*Hold{}) {
					t.Errorf("%s: held are %+v, %v", machine, held, err)
				}
				for what, err := range unproven(t, a, d, f) {
					if !errors.As(err, new(*HeldError)) && (!errors.Is(err, ErrDamagedCopy) || !strings.Contains(err.Error(), strayDay) || problem.AdviceOf(err).Empty()) {
						t.Errorf("%s: %s: %v", machine, what, err)
					}
				}
				for what, err := range unproven(t, a, d, other) {
					if err != nil && what != "may go" { // it is being deleted by then
						t.Errorf("%s: of another fax: %s: %v", machine, what, err)
					}
				}
				report, err := a.Verify(t.Context(), 2)
				if err != nil {
					t.Fatal(err)
				}
				var files []string
				for _, found := range report.Findings {
					if found.Problem == Twice && found.ID == f.ID {
						files = append(files, found.File)
					}
				}
				if slices.Sort(files); !slices.Equal(files, []string{strayDay + "/" + f.ID + sidecarExt, keyOf(f) + sidecarExt}) || len(report.Findings) != 2 {
					t.Errorf("%s: found %+v", machine, report.Findings)
				}
				if built, err := a.Reindex(t.Context()); err != nil || len(built.Twins) != 1 || built.Entries != 2 || !strings.Contains(built.Twins[0].Error(), f.ID) {
					t.Errorf("%s: made anew: %+v, %v", machine, built, err)
				}
			}
			if err := os.RemoveAll(filepath.Join(s.root, "2001")); err != nil {
				t.Fatal(err)
			}
			a = openRemote(t, one)
			if built, err := forgetting(t, a); err != nil || (len(built.Lost) == 1) != (holds[1] != nil) {
				t.Errorf("then made anew: %+v, %v", built, err)
			}
			if _, _, _, err := a.Kept(t.Context(), f); err != nil {
				t.Errorf("when one is moved away: %v", err)
			}
			if report, err := a.Verify(t.Context(), 2); err != nil || len(report.Findings) > 0 {
				t.Errorf("then: %+v, %v", report.Findings, err)
			}
		})
	}
}

// In a folder, where nothing is listed as long as the index is whole, that leads to the one
// of two sidecars that nobody finds by the date of the fax.
func TestTwinsInAFolder(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 1)
	f := faxes[0]
	again := func() *Archive {
		t.Helper()
		a, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := again()
	save(t, a, d, f)
	stray(t, dir, f, func(*Entry) {})
	if built, err := a.Reindex(t.Context()); err != nil || len(built.Twins) != 1 {
		t.Errorf("made anew: %+v, %v", built, err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	a = again()
	if a.surveyed != nil {
		t.Error("it was listed")
	}
	for what, err := range unproven(t, a, d, f) {
		if !errors.Is(err, ErrDamagedCopy) || !strings.Contains(err.Error(), strayDay) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A sidecar that was put back by hand counts before anything has listed it, wherever it is,
// in a folder as in a bucket whose index machines have in common: as the second one of a
// fax, and as the only one.
func TestStray(t *testing.T) {
	db := database(t)
	for name, place := range map[string]func(*testing.T) (root string, open func() *Archive){
		"folder": func(t *testing.T) (string, func() *Archive) {
			dir := t.TempDir()
			return dir, func() *Archive { return must(Open(t.Context(), dir))(t) }
		},
		"common index": func(t *testing.T) (string, func() *Archive) {
			s := newShelf(t)
			o := s.machine(t)
			o.Database = func(context.Context) (*sql.DB, error) { return db, nil }
			return s.root, func() *Archive { return openRemote(t, o) }
		},
	} {
		for _, only := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, the only one: %v", name, only), func(t *testing.T) {
				root, open := place(t)
				d, faxes := fill(t, 2)
				f, other := faxes[0], faxes[1]
				a := open()
				kept := faxes
				if only {
					kept = faxes[1:]
				}
				saveAll(t, a, d, kept)
				if err := a.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				from := root
				if only { // the sidecar is that of another archive
					from = t.TempDir()
					b := must(Open(t.Context(), from))(t)
					save(t, b, d, f)
					if err := b.Close(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				stray(t, from, f, func(e *Entry) { e.Hold = &Hold{Reason: "court"} })
				if only {
					if err := os.CopyFS(filepath.Join(root, "2001"), os.DirFS(filepath.Join(from, "2001"))); err != nil {
						t.Fatal(err)
					}
				}
				a = open()
				for what, err := range unproven(t, a, d, f) {
					if err == nil {
						t.Errorf("%s: it may go", what)
					}
				}
				for what, err := range unproven(t, a, d, other) {
					if err != nil && what != "may go" && what != "secure" { // it is being deleted by then
						t.Errorf("of another fax: %s: %v", what, err)
					}
				}
				if err := a.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A document whose sidecar is lost keeps its fax from being let go by who never knew the
// sidecar: a hold may have been noted in it. When the fax is kept anew, it may go.
func TestOrphan(t *testing.T) {
	s := newShelf(t)
	dir := t.TempDir()
	for name, open := range map[string]func() (root string, a *Archive){
		"folder": func() (string, *Archive) { return dir, must(Open(t.Context(), dir))(t) },
		"bucket": func() (string, *Archive) { return s.root, openRemote(t, s.machine(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			d, faxes := fill(t, 2)
			f, other := faxes[0], faxes[1]
			root, a := open()
			saveAll(t, a, d, faxes)
			if _, err := a.Hold(t.Context(), f.ID, "court"); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(a.Close(t.Context()), os.Remove(filepath.Join(root, filepath.FromSlash(keyOf(f))+sidecarExt)), os.RemoveAll(filepath.Join(root, indexFile))); err != nil {
				t.Fatal(err)
			}
			_, a = open()
			for _, what := range []string{"kept", "hold of", "begin by id", "begin"} {
				if err := unproven(t, a, d, fax.Fax{ID: "FX9", Created: f.Created})[what]; err != nil {
					t.Errorf("of one that is not kept: %s: %v", what, err)
				}
			}
			if _, err := a.HoldOf(t.Context(), fax.Fax{ID: f.ID}); !errors.Is(err, ErrDamagedCopy) {
				t.Errorf("its hold: %v", err)
			}
			if _, _, err := a.BeginDeletingNamed(t.Context(), f); !errors.Is(err, ErrDamagedCopy) {
				t.Errorf("its deletion begins: %v", err)
			}
			if _, found, _, err := a.Kept(t.Context(), f); err != nil || found {
				t.Errorf("what a run may have left a moment ago: %v, %v", found, err)
			}
			document, old := filepath.Join(root, filepath.FromSlash(keyOf(f))+".pdf"), time.Now().Add(-2*left)
			if err := errors.Join(os.Chtimes(document, old, old), a.Survey(t.Context())); err != nil {
				t.Fatal(err)
			}
			e, _, _, err := a.Kept(t.Context(), f)
			if !errors.Is(err, ErrDamagedCopy) || problem.AdviceOf(err).Empty() {
				t.Errorf("kept: %+v, %v", e, err)
			}
			if _, _, whole, err := a.Kept(t.Context(), other); err != nil || !whole {
				t.Errorf("another: %v, %v", whole, err)
			}
			save(t, a, d, f)
			if _, _, whole, err := a.Kept(t.Context(), f); err != nil || !whole {
				t.Errorf("kept anew: %v, %v", whole, err)
			}
			if err := a.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is held and has lost its sidecar is not forgotten by a list of what is there: it is
// told, nothing deletes it, and it is held again when it is kept again.
func TestLostHold(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 3)
	o := s.machine(t)
	a := openRemote(t, o)
	saveAll(t, a, d, faxes)
	held, free := faxes[0], faxes[1]
	if _, err := a.Hold(t.Context(), held.ID, "case 1"); err != nil {
		t.Fatal(err)
	}
	if err := a.flushRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	lose := func(f fax.Fax) {
		for _, ext := range []string{".pdf", sidecarExt} {
			if err := os.Remove(filepath.Join(s.root, filepath.FromSlash(keyOf(f)+ext))); err != nil {
				t.Fatal(err)
			}
		}
	}
	lose(held)
	lose(free)
	var told []string
	o.Lost = func(e LostHold) { told = append(told, fmt.Sprint(e.Fax.ID, " ", e.Hold.Reason, " ", e.Replaced)) }
	a = openRemote(t, o)
	if !slices.Equal(told, []string{held.ID + " case 1 false"}) {
		t.Errorf("told of %q", told)
	}
	if got := listed(t, a, fax.Filter{}); !slices.Equal(got, []string{held.ID, faxes[2].ID}) {
		t.Errorf("listed: %q", got)
	}
	if e, _, whole, err := a.Kept(t.Context(), held); err != nil || e.Hold == nil || whole {
		t.Errorf("it is kept: %+v, %v, %v", e, whole, err)
	}
	if _, _, err := a.BeginDeletingNamed(t.Context(), fax.Fax{ID: held.ID}); !errors.As(err, new(*HeldError)) {
		t.Errorf("its deletion begins: %v", err)
	}
	if report, err := a.Verify(t.Context(), 2); err != nil || len(report.Findings) != 1 || report.Findings[0].Problem != Missing || !strings.Contains(report.Findings[0].Detail.String(), "held: case 1") {
		t.Errorf("found %+v, %v", report.Findings, err)
	}
	if e, _ := save(t, a, d, held); e.Hold == nil || e.Hold.Reason != "case 1" {
		t.Errorf("kept again: %+v", e)
	}
	if err := a.flushRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	lose(held)
	built, err := forgetting(t, a)
	if err != nil || built.Dropped != 1 || built.Entries != 1 || len(built.Lost) != 1 || built.Lost[0].Fax.ID != held.ID || built.Lost[0].Hold.Reason != "case 1" {
		t.Errorf("made anew: %+v, %v", built, err)
	}
	told = nil
	if got := listed(t, openRemote(t, o), fax.Filter{}); !slices.Equal(got, []string{faxes[2].ID}) || told != nil {
		t.Errorf("then there is %q, and told is of %q", got, told)
	}
}

// What is let go and removed elsewhere, before this machine has looked, is no more held than
// what it has removed itself.
func TestRemovedIsNotLost(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 2)
	o := s.machine(t)
	o.Lost = func(e LostHold) { t.Errorf("told of %s", e.Fax.ID) }
	a := openRemote(t, o)
	saveAll(t, a, d, faxes)
	for _, f := range faxes {
		if _, err := a.Hold(t.Context(), f.ID, "case 1"); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(a *Archive, id string) {
		t.Helper()
		if _, err := a.Unhold(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if err := a.Remove(t.Context(), id, func(Entry, error) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	remove(a, faxes[0].ID)
	b := openRemote(t, s.machine(t))
	if _, err := b.Unhold(t.Context(), faxes[1].ID); err != nil {
		t.Fatal(err)
	}
	openRemote(t, o) // sees that it is held no more
	remove(b, faxes[1].ID)
	if got := listed(t, openRemote(t, o), fax.Filter{}); len(got) > 0 {
		t.Errorf("then there is %q", got)
	}
}

// A sidecar that tells of no hold does not end one that this machine knows of, as when the one
// that did was lost and another machine has kept the fax anew, or a backup was brought back: that
// is told each time, and nothing deletes the fax, until it is held or let go, or the index made
// anew.
func TestReplacedHold(t *testing.T) {
	for name, tt := range map[string]struct {
		ends func(t *testing.T, a *Archive, d *fakeFaxes, f fax.Fax)
		held bool
	}{
		"held again": {func(t *testing.T, a *Archive, _ *fakeFaxes, f fax.Fax) {
			if was, err := a.Hold(t.Context(), f.ID, "case 1"); err != nil || was == nil || was.Reason != "case 1" {
				t.Errorf("%+v, %v", was, err)
			}
		}, true},
		"kept again": {func(t *testing.T, a *Archive, d *fakeFaxes, f fax.Fax) { save(t, a, d, f) }, true},
		"let go": {func(t *testing.T, a *Archive, _ *fakeFaxes, f fax.Fax) {
			if was, err := a.Unhold(t.Context(), f.ID); err != nil || was == nil || was.Reason != "case 1" {
				t.Errorf("%+v, %v", was, err)
			}
		}, false},
		"made anew": {func(t *testing.T, a *Archive, _ *fakeFaxes, _ fax.Fax) {
			if built, err := forgetting(t, a); err != nil || len(built.Lost) != 1 || !built.Lost[0].Replaced || built.Lost[0].Hold.Reason != "case 1" {
				t.Errorf("%+v, %v", built, err)
			}
		}, false},
	} {
		run := func(t *testing.T, s *shelf, o Opener) {
			d, faxes := fill(t, 2)
			f := faxes[0]
			a := openRemote(t, o)
			saveAll(t, a, d, faxes)
			if _, err := a.Hold(t.Context(), f.ID, "case 1"); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(a.flushRows(t.Context()), os.Remove(filepath.Join(s.root, filepath.FromSlash(keyOf(f)+sidecarExt)))); err != nil {
				t.Fatal(err)
			}
			if e, _ := save(t, openRemote(t, s.machine(t)), d, f); e.Hold != nil {
				t.Fatalf("a machine that knew of none keeps %+v", e)
			}
			isHeld := func(when string, a *Archive) {
				t.Helper()
				for what, err := range unproven(t, a, d, f) {
					if !errors.As(err, new(*HeldError)) {
						t.Errorf("%s: %s: %v", when, what, err)
					}
				}
			}
			isHeld("before the next look", a)
			// Secure has just kept the fax again, and its hold: lose that once more.
			if err := a.flushRows(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(s.root, filepath.FromSlash(keyOf(f)+sidecarExt))); err != nil {
				t.Fatal(err)
			}
			save(t, openRemote(t, s.machine(t)), d, f)
			var told []string
			o.Lost = func(e LostHold) { told = append(told, fmt.Sprint(e.Fax.ID, " ", e.Hold.Reason, " ", e.Replaced)) }
			for range 2 {
				a = openRemote(t, o)
			}
			if want := f.ID + " case 1 true"; !slices.Equal(told, []string{want, want}) {
				t.Errorf("told of %q", told)
			}
			if held, err := fax.Collect(a.Held(t.Context())); err != nil || len(held) != 1 || held[0].Fax.ID != f.ID {
				t.Errorf("held are %+v, %v", held, err)
			}
			if _, hold, err := a.BeginDeletingNamed(t.Context(), f); !errors.As(err, new(*HeldError)) {
				t.Errorf("its deletion begins: %v, %v", hold, err)
			}
			if _, _, err := a.MayGo(t.Context(), f.ID); !errors.As(err, new(*HeldError)) {
				t.Errorf("it may go: %v", err)
			}
			if e, found, _, err := a.Kept(t.Context(), f); err != nil || !found || e.Hold == nil {
				t.Errorf("a prune finds %+v, %v", e, err)
			}
			if report, err := a.Verify(t.Context(), 2); err != nil || len(report.Findings) != 1 || report.Findings[0].Problem != HoldLost || !strings.Contains(report.Findings[0].Detail.String(), "case 1") {
				t.Errorf("found %+v, %v", report.Findings, err)
			}
			tt.ends(t, a, d, f)
			if err := a.flushRows(t.Context()); err != nil {
				t.Fatal(err)
			}
			told = nil
			again := openRemote(t, o)
			if report, err := again.Verify(t.Context(), 2); err != nil || len(report.Findings) > 0 || told != nil {
				t.Errorf("then found is %+v, %v, and told of %q", report.Findings, err, told)
			}
			for machine, a := range map[string]*Archive{"this one": again, "another": openRemote(t, s.machine(t))} {
				if _, _, err := a.MayGo(t.Context(), f.ID); errors.As(err, new(*HeldError)) != tt.held || !tt.held && err != nil {
					t.Errorf("%s: %v", machine, err)
				}
			}
		}
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			run(t, s, s.machine(t))
		})
		t.Run(name+", in the common index", func(t *testing.T) {
			s := newShelf(t)
			db, o := database(t), s.machine(t)
			o.Database = func(context.Context) (*sql.DB, error) { return db, nil }
			run(t, s, o)
		})
	}
}

// forgetting makes an index anew, which forgets no hold before somebody could be told of it.
func forgetting(t *testing.T, a *Archive) (Rebuilt, error) {
	t.Helper()
	built, err := a.Reindex(t.Context())
	if err != nil {
		return built, err
	}
	for _, l := range built.Lost {
		if _, _, err := a.BeginDeletingNamed(t.Context(), l.Fax); !errors.As(err, new(*HeldError)) {
			t.Errorf("before it is told, its deletion begins: %v", err)
		}
	}
	return built, a.Forget(t.Context(), built.Lost)
}

// A hold that was lost does not end with another one that a machine that knew of none has set
// since, nor with one that was let go in a copy of the archive.
func TestOnlyItsOwnReleaseEndsAHold(t *testing.T) {
	for name, since := range map[string]func(t *testing.T, s *shelf, d *fakeFaxes, f fax.Fax, lose func()){
		"another hold, in force": func(t *testing.T, s *shelf, d *fakeFaxes, f fax.Fax, lose func()) {
			lose()
			b := openRemote(t, s.machine(t))
			save(t, b, d, f)
			if _, err := b.Hold(t.Context(), f.ID, "case 2"); err != nil {
				t.Fatal(err)
			}
		},
		"another hold, let go": func(t *testing.T, s *shelf, d *fakeFaxes, f fax.Fax, lose func()) {
			lose()
			b := openRemote(t, s.machine(t))
			save(t, b, d, f)
			_, err := b.Hold(t.Context(), f.ID, "case 2")
			if err == nil {
				_, err = b.Unhold(t.Context(), f.ID)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		"let go in a copy": func(t *testing.T, s *shelf, _ *fakeFaxes, f fax.Fax, lose func()) {
			b, elsewhere := openRemote(t, s.machine(t)), open(t, t.TempDir())
			_, err := b.CopyTo(t.Context(), elsewhere, keyOf(f), false)
			if err == nil {
				_, err = elsewhere.Unhold(t.Context(), f.ID)
			}
			if lose(); err == nil {
				_, err = elsewhere.CopyTo(t.Context(), openRemote(t, s.machine(t)), keyOf(f), false)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			d, faxes := fill(t, 1)
			f, o := faxes[0], s.machine(t)
			a := openRemote(t, o)
			save(t, a, d, f)
			if _, err := a.Hold(t.Context(), f.ID, "case 1"); err != nil {
				t.Fatal(err)
			}
			if err := a.flushRows(t.Context()); err != nil {
				t.Fatal(err)
			}
			since(t, s, d, f, func() {
				if err := os.Remove(filepath.Join(s.root, filepath.FromSlash(keyOf(f)+sidecarExt))); err != nil {
					t.Fatal(err)
				}
			})
			told := 0
			o.Lost = func(LostHold) { told++ }
			for range 2 {
				a = openRemote(t, o)
			}
			held, err := fax.Collect(a.Held(t.Context()))
			if err != nil || told != 2 || len(held) != 1 || !strings.Contains(held[0].Hold.Reason, "case 1") {
				t.Errorf("told %d times, held is %+v, %v", told, held, err)
			}
			if _, _, err := a.MayGo(t.Context(), f.ID); !errors.As(err, new(*HeldError)) {
				t.Errorf("it may go: %v", err)
			}
			// Once let go by who knows of it, it is held by nobody.
			if _, err := a.Unhold(t.Context(), f.ID); err != nil {
				t.Fatal(err)
			}
			if err := a.flushRows(t.Context()); err != nil {
				t.Fatal(err)
			}
			told = 0
			for machine, a := range map[string]*Archive{"this one": openRemote(t, o), "another": openRemote(t, s.machine(t))} {
				if _, _, err := a.MayGo(t.Context(), f.ID); err != nil || told > 0 {
					t.Errorf("%s: %v, told %d times", machine, err, told)
				}
			}
		})
	}
}

// What was let go on another machine is held no more, whatever its clock says; a release of an
// earlier hold lets go of no later one.
func TestLetGoElsewhere(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 1)
	f, o := faxes[0], s.machine(t)
	o.Lost = func(e LostHold) { t.Errorf("told of %s", e.Fax.ID) }
	a := openRemote(t, o)
	save(t, a, d, f)
	sidecar := filepath.Join(s.root, filepath.FromSlash(keyOf(f)+sidecarExt))
	write := func(change func(*Entry)) {
		t.Helper()
		data, err := os.ReadFile(sidecar)
		if err != nil {
			t.Fatal(err)
		}
		e, err := decode(filepath.Base(sidecar), data)
		if err != nil {
			t.Fatal(err)
		}
		change(&e)
		if data, err = e.encode(); err == nil {
			err = os.WriteFile(sidecar, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(func(e *Entry) { e.Hold = &Hold{"case 1", time.Now().UTC().Add(time.Hour).Truncate(time.Second)} }) // by a clock that is ahead
	openRemote(t, o)
	if was, err := openRemote(t, s.machine(t)).Unhold(t.Context(), f.ID); err != nil || was == nil {
		t.Fatalf("%+v, %v", was, err)
	}
	a = openRemote(t, o)
	if _, _, err := a.MayGo(t.Context(), f.ID); err != nil {
		t.Errorf("let go: %v", err)
	}
	before, err := os.ReadFile(sidecar)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Hold(t.Context(), f.ID, "case 2"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sidecar, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.MayGo(t.Context(), f.ID); !errors.As(err, new(*HeldError)) || !strings.Contains(err.Error(), "case 2") {
		t.Errorf("by the release of an earlier hold: %v", err)
	}
}

// So it is in a folder, whose sidecar was brought back from a backup of before the hold; and what
// is copied from there, or to there, is held as well.
func TestReplacedHoldInFolder(t *testing.T) {
	d, faxes := fill(t, 1)
	f, root := faxes[0], t.TempDir()
	sidecar := filepath.Join(root, filepath.FromSlash(keyOf(f)+sidecarExt))
	a := open(t, root)
	save(t, a, d, f)
	before, err := os.ReadFile(sidecar)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Hold(t.Context(), f.ID, "case 1"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sidecar, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.MayGo(t.Context(), f.ID); !errors.As(err, new(*HeldError)) {
		t.Errorf("it may go: %v", err)
	}
	if report, err := a.Verify(t.Context(), 2); err != nil || len(report.Findings) != 1 || report.Findings[0].Problem != HoldLost {
		t.Errorf("found %+v, %v", report.Findings, err)
	}
	b := open(t, t.TempDir())
	copied := func(from, to *Archive) {
		t.Helper()
		if _, err := from.CopyTo(t.Context(), to, keyOf(f), false); err != nil {
			t.Error(err)
		}
		if e, _, err := to.readSidecar(t.Context(), keyOf(f)+sidecarExt); err != nil || e.Hold == nil || e.Hold.Reason != "case 1" {
			t.Errorf("the copy is %+v, %v", e, err)
		}
	}
	copied(a, b)
	other := open(t, t.TempDir())
	save(t, other, d, f)
	copied(other, a)
	if err := os.Remove(sidecar); err != nil {
		t.Fatal(err)
	}
	copied(other, a)
}

// The common index knows of a hold also when its sidecar was replaced before it was told.
func TestReplacedHoldBeforeTheIndex(t *testing.T) {
	s := newShelf(t)
	d, faxes := fill(t, 1)
	db, o := database(t), s.machine(t)
	o.Database = func(context.Context) (*sql.DB, error) { return db, nil }
	a := openRemote(t, o)
	e, _ := save(t, a, d, faxes[0])
	e.Hold = &Hold{Reason: "case 1"}
	row, err := rowOf(e, keyOf(e.Fax)+sidecarExt, "of the one that was replaced")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.indexNow(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.MayGo(t.Context(), e.Fax.ID); !errors.As(err, new(*HeldError)) {
		t.Errorf("it may go: %v", err)
	}
}

// Of documents whose sidecars are there, a survey keeps nothing.
func TestSurveyKeepsOrphansAlone(t *testing.T) {
	a := must(Open(t.Context(), t.TempDir()))(t)
	d, faxes := fill(t, 50)
	saveAll(t, a, d, faxes)
	if err := a.Survey(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept := cap(a.surveyed.orphans); kept != 0 {
		t.Errorf("room for %d documents, of none without a sidecar", kept)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
