package archive

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// An archive that has lost its format file is known by its sidecars; nothing else
// becomes one.
func TestRescue(t *testing.T) {
	for name, tc := range map[string]struct {
		below string // the folder that is named, from that of the archive
		harm  func(dir string) error
		is    error
	}{
		"whole":                   {".", func(string) error { return nil }, nil},
		"without its format file": {".", func(dir string) error { return os.Remove(filepath.Join(dir, formatFile)) }, nil},
		"without all of its own": {".", func(dir string) error {
			all, err := filepath.Glob(filepath.Join(dir, "*.*"))
			for _, name := range all {
				err = errors.Join(err, os.Remove(name))
			}
			return err
		}, nil},
		"the folder above":       {"..", func(dir string) error { return os.Remove(filepath.Join(dir, formatFile)) }, problem.ErrNotFound},
		"a part of it":           {"2026", func(dir string) error { return os.Remove(filepath.Join(dir, formatFile)) }, problem.ErrNotFound},
		"with an unknown format": {".", func(dir string) error { return os.WriteFile(filepath.Join(dir, formatFile), nil, 0o600) }, problem.ErrInvalid},
		"of a later version": {".", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, formatFile), []byte(`{"format":2}`), 0o600)
		}, problem.ErrUnsupported},
		"sidecars that are no more":  {".", func(dir string) error { return errors.Join(os.Remove(filepath.Join(dir, formatFile)), empty(dir)) }, problem.ErrNotFound},
		"not there":                  {"nowhere", func(string) error { return nil }, problem.ErrNotFound},
		"a day's folder of pictures": {".", func(dir string) error { return errors.Join(os.Remove(filepath.Join(dir, formatFile)), foreign(dir)) }, problem.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "kept")
			d, faxes := fill(t, 3)
			a, err := Open(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			saveAll(t, a, d, faxes)
			want := listed(t, a, fax.Filter{})
			if err := errors.Join(a.Close(t.Context()), tc.harm(dir)); err != nil {
				t.Fatal(err)
			}
			known := Opener{}.Known(t.Context(), dir)
			before := tree(t, filepath.Dir(dir))
			a, rescued, err := Opener{}.Rescue(t.Context(), filepath.Join(dir, tc.below))
			if !errors.Is(err, tc.is) || tc.is == nil && err != nil {
				t.Fatalf("got %v, want %v", err, tc.is)
			}
			if err != nil {
				if diff := cmp.Diff(before, tree(t, filepath.Dir(dir))); diff != "" {
					t.Errorf("changed: %s", diff)
				}
				return
			}
			if rescued != (known != nil) || known != nil && !strings.Contains(problem.AdviceOf(known).String(), "reindex") {
				t.Errorf("rescued: %v, and it was known before: %v (%s)", rescued, known, problem.AdviceOf(known).String())
			}
			done, err := a.Reindex(t.Context())
			if err != nil || done.Entries != len(faxes) {
				t.Errorf("%+v, %v", done, err)
			}
			if err := a.Close(t.Context()); err != nil {
				t.Error(err)
			}
			r, err := Read(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, listed(t, r, fax.Filter{})); diff != "" {
				t.Error(diff)
			}
			if err := r.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// empty empties the sidecars.
func empty(dir string) error {
	all, err := filepath.Glob(filepath.Join(dir, "2026/11/23/*.json"))
	for _, name := range all {
		err = errors.Join(err, os.Truncate(name, 0))
	}
	return err
}

// foreign puts what is not ours in the place of the sidecars.
func foreign(dir string) error {
	all, err := filepath.Glob(filepath.Join(dir, "2026/11/23/*.json"))
	for _, name := range all {
		err = errors.Join(err, durable.WriteFile(durable.OS{}, name, []byte(`{"fax":{"id":"IMG1"},"picture":true}`)))
	}
	return err
}

// tree is what is in a folder.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.Walk(dir, func(name string, _ os.FileInfo, err error) error {
		all = append(all, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
