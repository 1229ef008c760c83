package dir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/archive/storetest"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

func newStore(t testing.TB) *Store { return New(t.TempDir(), durable.NewSyncer(durable.OS{})) }

func TestStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB) store.Store { return newStore(t) })
	t.Run("large", func(t *testing.T) { storetest.Large(t, newStore(t)) })
}

// What is put is for the owner alone, as are its folders, and nothing is left beside it.
func TestModes(t *testing.T) {
	s := newStore(t)
	if _, err := s.Put(t.Context(), "2026/11/FX1.json", strings.NewReader("{}"), store.Condition{}); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(filepath.Join(s.root, "2026"), func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := e.Info()
		if err == nil && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", e.Name(), st.Mode())
		}
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s is left", e.Name())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Sidecars are put by the thousand, many at once: one is copied through no more memory than
// it is long.
func TestPutTakesLittle(t *testing.T) {
	s := newStore(t)
	const times, most = 20, 16 << 10
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		if _, err := s.Put(t.Context(), "2026/11/FX1.json", strings.NewReader("{}"), store.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / times; got > most {
		t.Errorf("two bytes took %d", got)
	}
}

// A condition that does not hold names neither of two files.
func TestPutAfter(t *testing.T) {
	s := newStore(t)
	ctx := t.Context()
	put := func(when store.Condition) error {
		if err := s.Prepare(ctx, "day/FX1.json"); err != nil {
			t.Fatal(err)
		}
		path, err := s.Path("day/.FX1.part")
		if err == nil {
			err = os.WriteFile(path, []byte("document"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.PutAfter(ctx, plain(path), "day/FX1.pdf", "day/FX1.json", strings.NewReader("{}"), when)
		return err
	}
	if err := put(store.Unchanged("1-2")); !errors.Is(err, store.ErrChanged) {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"day/FX1.pdf", "day/FX1.json"} {
		if _, err := s.Stat(ctx, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := put(store.Absent()); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"day/FX1.pdf", "day/FX1.json"} {
		if _, err := s.Stat(ctx, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// plain is a file of this path that was written before.
type plain string

func (plain) Sync() error                { return nil }
func (p plain) Rename(path string) error { return os.Rename(string(p), path) }

// Who edits a file by hand changes it, and a put waits for another one's end.
func TestHandsAndOthers(t *testing.T) {
	s := newStore(t)
	stamp, err := s.Put(t.Context(), "FX1.json", strings.NewReader("one"), store.Absent())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.root, "FX1.json")
	if err := os.WriteFile(path, []byte("by hand"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "FX1.json", strings.NewReader("two"), store.Unchanged(stamp)); !errors.Is(err, store.ErrChanged) {
		t.Errorf("got %v", err)
	}
	other, err := durable.Claim(durable.OS{}, Part(path))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Put(ctx, "FX1.json", strings.NewReader("three"), store.Condition{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another puts it: %v", err)
	}
	time.AfterFunc(20*time.Millisecond, func() {
		if err := errors.Join(os.Remove(other.Name()), other.Close()); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Put(t.Context(), "FX1.json", strings.NewReader("three"), store.Condition{}); err != nil {
		t.Error(err)
	}
	if _, err := s.Path("../FX1.json"); !errors.Is(err, problem.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

// Folders that nothing is left in go, with those above them; what a put left behind is
// cleared away, and what can be continued is not.
func TestTidy(t *testing.T) {
	s := newStore(t)
	for _, name := range []string{"2026/11/23/FX1.json", "2026/11/24/FX2.json"} {
		if _, err := s.Put(t.Context(), name, strings.NewReader("{}"), store.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Remove(t.Context(), "2026/11/23/FX1.json"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.root, "2026/11/23")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	for _, name := range []string{"2026/11/24/.FX3.part", "2026/11/24/.FX4.json.part", "2026/.snapshot/.FX5.part", "2025/01/.FX6.part"} {
		path := filepath.Join(s.root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	continued := func(part string) bool { return filepath.Base(part) == ".FX3.part" }
	if err := s.Clear(t.Context(), continued, "[0-9][0-9][0-9][0-9]/[0-9][0-9]"); err != nil {
		t.Fatal(err)
	}
	for name, stays := range map[string]bool{"2026/11/24/.FX3.part": true, "2026/11/24/.FX4.json.part": false, "2026/.snapshot/.FX5.part": true, "2025": false, "2026/11/24/FX2.json": true} {
		if _, err := os.Stat(filepath.Join(s.root, name)); stays != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Folders that are elsewhere, behind a link, are listed, cleared and kept like the others; a
// link that leads back is not followed, and one in whose folder nothing is left stays.
func TestLinkedFolders(t *testing.T) {
	s := newStore(t)
	for _, name := range []string{"2026/10/01/FX1.json", "2026/11/23/FX2.json"} {
		if _, err := s.Put(t.Context(), name, strings.NewReader("{}"), store.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere := filepath.Join(t.TempDir(), "10")
	month := filepath.Join(s.root, "2026/10")
	if err := os.Symlink(elsewhere, filepath.Join(s.root, ".snapshot")); err != nil {
		t.Skip("this system makes no links: ", err)
	}
	if err := errors.Join(os.Rename(month, elsewhere), os.Symlink(elsewhere, month), os.Symlink(s.root, filepath.Join(s.root, "2026/back")),
		os.Symlink(s.root, filepath.Join(elsewhere, "back")), os.WriteFile(filepath.Join(elsewhere, "01/.FX3.json.part"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	listed := func(prefix string) (names []string) {
		for f, err := range s.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, f.Name)
		}
		return names
	}
	for prefix, want := range map[string][]string{"": {"2026/10/01/FX1.json", "2026/11/23/FX2.json"}, "2026/10/": {"2026/10/01/FX1.json"}, "2026/10/01/FX1.": {"2026/10/01/FX1.json"}} {
		if got := listed(prefix); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", prefix, got, want)
		}
	}
	for range s.List(t.Context(), "2026/10/") {
		break // in the link
	}
	if err := s.Clear(t.Context(), func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(elsewhere, "01/.FX3.json.part")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a put left behind: %v", err)
	}
	if err := errors.Join(os.Remove(filepath.Join(elsewhere, "back")), s.Remove(t.Context(), "2026/10/01/FX1.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "2026/10/02/FX4.json", strings.NewReader("{}"), store.Condition{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(elsewhere, "02/FX4.json")); err != nil {
		t.Errorf("what comes into the folder: %v", err)
	}
}
