package archive

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func agreed(Entry, error) error { return nil }

// whole keeps what is not what was kept.
func whole(_ Entry, damage error) error { return damage }

func remove(t *testing.T, a *Archive, id string) {
	t.Helper()
	if err := a.Remove(t.Context(), id, whole); err != nil {
		t.Fatal(err)
	}
}

// withName are the files and folders of an archive whose name has this in it, hidden ones as
// well.
func withName(t *testing.T, dir, part string) []string {
	t.Helper()
	var all []string
	if err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && strings.Contains(e.Name(), part) && !strings.HasPrefix(e.Name(), indexFile) {
			all = append(all, name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func findings(t *testing.T, a *Archive) []Finding {
	t.Helper()
	report, err := a.Verify(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	return report.Findings
}

func TestRemoveTakesAllOfAFax(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 12) // the last ones are of the day before
	a := open(t, dir)
	saveAll(t, a, d, faxes)
	day := filepath.Join(dir, "2026/11/23")
	for _, name := range []string{"FX0001.tiff", ".FX0001.part", ".FX0001.part.etag", "..FX0001.part.etag.part", ".FX0001.json.part", "FX00011.txt"} {
		if err := os.WriteFile(filepath.Join(day, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	remove(t, a, "FX0001")
	if left := withName(t, dir, "FX0001"); len(left) != 1 || filepath.Base(left[0]) != "FX00011.txt" {
		t.Errorf("left: %v", left)
	}
	if err := os.Remove(filepath.Join(day, "FX00011.txt")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Get(t.Context(), "FX0001"); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("it can be had: %v", err)
	}
	if ids := listed(t, a, fax.Filter{}); slices.Contains(ids, "FX0001") || len(ids) != 11 {
		t.Errorf("listed: %v", ids)
	}
	if err := a.Remove(t.Context(), "FX0001", agreed); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("again: %v", err)
	}

	// A folder goes with the last fax in it, and comes back with the next.
	for _, f := range faxes[10:] {
		remove(t, a, f.ID)
	}
	if _, err := os.Stat(filepath.Join(dir, "2026/11/22")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	save(t, a, d, faxes[11])
	for _, f := range faxes {
		if f.ID != "FX0001" && f.ID != "FX0010" {
			remove(t, a, f.ID)
		}
	}
	if left := withName(t, dir, "2026"); left != nil || len(listed(t, a, fax.Filter{})) != 0 {
		t.Errorf("left: %v", left)
	}
	if err := (Opener{}).Known(t.Context(), dir); err != nil {
		t.Errorf("the archive itself: %v", err)
	}
	if found := findings(t, a); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

// byHand changes a sidecar as a person does.
func byHand(t *testing.T, dir, id, old, now string) {
	t.Helper()
	name := filepath.Join(dir, "2026/11/23", id+".json")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("no %s in %s", old, data)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(data), old, now, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

const (
	archivedAt = `"archived_at":`
	handHold   = `"hold": {"reason": "lawsuit", "since": "2026-01-01T00:00:00Z"}, `
)

// What is held, or may be, stays whole, and nobody is told that it is about to go.
func TestRemoveLeavesAlone(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 8)
	a := open(t, dir)
	saveAll(t, a, d, faxes)
	if _, err := a.Hold(t.Context(), "FX0000", "lawsuit"); err != nil {
		t.Fatal(err)
	}
	byHand(t, dir, "FX0001", archivedAt, handHold+archivedAt)
	byHand(t, dir, "FX0002", "{", "")
	byHand(t, dir, "FX0003", archivedAt, `"litigation": "maybe", `+archivedAt)
	at := func(name string) string { return filepath.Join(dir, "2026/11/23", name) }
	if err := errors.Join(os.Remove(at("FX0004.json")), os.WriteFile(at("FX0005.pdf"), []byte("%PDF-1.4"), 0o600)); err != nil {
		t.Fatal(err)
	}
	before := withName(t, dir, "FX")
	held := new(HeldError)
	for id, want := range map[string]error{"FX0000": nil, "FX0001": nil, "FX0002": ErrDamagedCopy, "FX0003": ErrDamagedCopy, "FX0004": ErrDamagedCopy} {
		err := a.Remove(t.Context(), id, func(Entry, error) error {
			t.Errorf("%s is about to go", id)
			return nil
		})
		if isHeld := errors.As(err, &held); isHeld != (want == nil) || !isHeld && !errors.Is(err, want) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if err := a.Remove(t.Context(), "FX0005", whole); !errors.Is(err, ErrDamagedCopy) || !strings.Contains(problem.AdviceOf(err).String(), "--allow-damaged") {
		t.Errorf("a document that is not what was kept: %v", err)
	}
	// A hold counts that comes while the receipt is written, and so does an end of all.
	if err := a.Remove(t.Context(), "FX0006", func(Entry, error) error {
		byHand(t, dir, "FX0006", archivedAt, handHold+archivedAt)
		return nil
	}); !errors.As(err, &held) || held.Reason != "lawsuit" {
		t.Errorf("held meanwhile: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := a.Remove(ctx, "FX0007", func(Entry, error) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("ended meanwhile: %v", err)
	}
	if diff := cmp.Diff(before, withName(t, dir, "FX")); diff != "" {
		t.Error(diff)
	}
	if e, err := a.Get(t.Context(), "FX0007"); err != nil || !e.Whole() {
		t.Errorf("%+v, %v", e, err)
	}
	// Who agrees has the other document go.
	if err := a.Remove(t.Context(), "FX0005", agreed); err != nil || len(withName(t, dir, "FX0005")) != 0 {
		t.Error(err)
	}
	if err := a.Remove(t.Context(), "../FX0007", agreed); !errors.Is(err, problem.ErrInvalid) {
		t.Error(err)
	}
	// What is open for reading stays as it is.
	reading, err := Read(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close(context.Background())
	if err := reading.Remove(t.Context(), "FX0007", agreed); !errors.Is(err, problem.ErrInvalid) {
		t.Error(err)
	}
}

// Of a fax that is gone but for its row, the row goes; not when it says that it is held.
func TestRemoveARowAlone(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 2)
	a := open(t, dir)
	saveAll(t, a, d, faxes)
	if _, err := a.Hold(t.Context(), "FX0001", "lawsuit"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"FX0000.json", "FX0000.pdf", "FX0001.json", "FX0001.pdf"} {
		if err := os.Remove(filepath.Join(dir, "2026/11/23", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Remove(t.Context(), "FX0000", agreed); !errors.Is(err, ErrStripped) {
		t.Error(err)
	}
	if err := a.Remove(t.Context(), "FX0001", agreed); !errors.As(err, new(*HeldError)) {
		t.Error(err)
	}
	if ids := listed(t, a, fax.Filter{}); !slices.Equal(ids, []string{"FX0001"}) {
		t.Errorf("listed: %v", ids)
	}
}

// begun is an archive with two faxes whose removal was cut off: of FX0000 after its
// document was gone, of FX0001 before.
func begun(t *testing.T) (a *Archive, d *fakeFaxes, faxes []fax.Fax, dir string) {
	t.Helper()
	dir = t.TempDir()
	d, faxes = fill(t, 3)
	a = open(t, dir)
	saveAll(t, a, d, faxes)
	for i, f := range faxes[:2] {
		if err := a.change(t.Context(), f.ID, func(e *Entry) error { e.Removing = time.Now().UTC().Truncate(time.Second); return nil }); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := a.files.strip(t.Context(), keyOf(f)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return a, d, faxes, dir
}

func TestWhatIsLeftOfARemoval(t *testing.T) {
	a, _, _, dir := begun(t)
	for _, id := range []string{"FX0000", "FX0001"} {
		if has, err := a.Has(t.Context(), id); err != nil || has {
			t.Errorf("%s counts as a copy: %v, %v", id, has, err)
		}
	}
	found := findings(t, a)
	for i, f := range found {
		if f.Problem != Unfinished || f.ID != []string{"FX0000", "FX0001"}[i] || !strings.Contains(f.Detail.String(), "faxctl archive remove") {
			t.Errorf("%+v", f)
		}
	}
	if len(found) != 2 {
		t.Errorf("%+v", found)
	}
	for _, id := range []string{"FX0000", "FX0001"} {
		remove(t, a, id)
		if left := withName(t, dir, id); left != nil {
			t.Errorf("left: %v", left)
		}
	}
	if found := findings(t, a); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}

// To keep a fax again, or to hold what is left, ends its removal.
func TestARemovalIsTakenBack(t *testing.T) {
	a, d, faxes, _ := begun(t)
	for _, f := range faxes[:2] {
		if _, err := a.Secure(t.Context(), d, f, false); err != nil {
			t.Errorf("%s: %v", f.ID, err)
		}
		if has, err := a.Has(t.Context(), f.ID); err != nil || !has {
			t.Errorf("%s is kept again: %v, %v", f.ID, has, err)
		}
	}
	if found := findings(t, a); len(found) != 0 {
		t.Errorf("%+v", found)
	}

	a, d, faxes, dir := begun(t)
	d.docs["FX0000"] = nil // the provider has its document no more, either
	if _, err := a.Secure(t.Context(), d, faxes[0], false); err != nil {
		t.Error(err)
	}
	if e, err := a.Get(t.Context(), "FX0000"); err != nil || e.Document != nil || e.MediaGone.IsZero() {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := a.Hold(t.Context(), "FX0001", "lawsuit"); err != nil {
		t.Fatal(err)
	}
	if err := a.Remove(t.Context(), "FX0001", agreed); !errors.As(err, new(*HeldError)) {
		t.Error(err)
	}
	if _, err := a.Unhold(t.Context(), "FX0001"); err != nil {
		t.Fatal(err)
	}
	if has, err := a.Has(t.Context(), "FX0001"); err != nil || !has {
		t.Errorf("it is no copy: %v, %v", has, err)
	}
	if len(withName(t, dir, "FX0001")) != 2 {
		t.Error("it is not there")
	}
}

// A copy whose removal was begun is kept anew before it proves anything, whatever the index
// says.
func TestSecureKnowsOfARemoval(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 1)
	a := open(t, dir)
	saveAll(t, a, d, faxes)
	byHand(t, dir, "FX0000", archivedAt, `"removing": "2026-01-01T00:00:00Z", `+archivedAt)
	e, err := a.Secure(t.Context(), d, faxes[0], false)
	if err != nil || !e.Removing.IsZero() {
		t.Errorf("%v, being removed since %v", err, e.Removing)
	}
	if e, err = a.Get(t.Context(), "FX0000"); err != nil || !e.Removing.IsZero() {
		t.Errorf("%v, being removed since %v", err, e.Removing)
	}
}

// What was written since the index was told of it is read, not taken for what the index
// says; when it was, the index knows.
func TestSaveReadsWhatIsNew(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 3)
	a := open(t, dir)
	saveAll(t, a, d, faxes)
	touched := time.Now().Add(-time.Hour) // the same, as after it was put back from a backup
	if err := os.Chtimes(filepath.Join(dir, "2026/11/23/FX0002.json"), touched, touched); err != nil {
		t.Fatal(err)
	}
	byHand(t, dir, "FX0000", archivedAt, handHold+archivedAt)
	byHand(t, dir, "FX0001", "{", "")
	for range 2 {
		if e, existed, err := a.Save(t.Context(), d, faxes[0]); err != nil || !existed || e.Hold == nil {
			t.Errorf("%v, there already: %v, held: %v", err, existed, e.Hold)
		}
		if _, existed, err := a.Save(t.Context(), d, faxes[2]); err != nil || !existed {
			t.Errorf("%v, there already: %v", err, existed)
		}
		if _, _, err := a.Save(t.Context(), d, faxes[1]); !errors.Is(err, ErrDamagedCopy) {
			t.Errorf("a sidecar that cannot be read is there already: %v", err)
		}
	}
	if err := a.flushRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, f := range []fax.Fax{faxes[0], faxes[2]} {
		row, key, _, err := a.findRow(t.Context(), f.ID)
		if err != nil || (row.Hold != nil) != (f.ID == "FX0000") {
			t.Errorf("%s: %v, held as the index has it: %v", f.ID, err, row.Hold)
		}
		if yes, err := a.upToDate(t.Context(), key, row, f); err != nil || !yes {
			t.Errorf("%s is read each time: %v", f.ID, err)
		}
	}
}

// Whoever verifies while others remove finds nothing wrong.
func TestVerifyBesideARemoval(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 60)
	a := open(t, dir)
	saveAll(t, a, d, faxes)
	if err := a.flushRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	reading, err := Read(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close(context.Background())
	ended := make(chan error, 1)
	go func() {
		for _, f := range faxes {
			if err := a.Remove(context.Background(), f.ID, whole); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	for {
		if found := findings(t, reading); len(found) != 0 {
			t.Errorf("%+v", found)
		}
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			return
		default:
		}
	}
}
