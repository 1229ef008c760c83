package archive

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

func TestSaveFails(t *testing.T) {
	for name, tc := range map[string]struct {
		doc []byte
		is  error
	}{
		"an error page": {[]byte("<html>"), problem.ErrUnavailable},
		"half":          {sheet(t, 2, 1)[:5000], problem.ErrUnavailable},
		"a page short":  {sheet(t, 1, 1), problem.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a := open(t, dir)
			d := &fakeFaxes{docs: map[string][]byte{"FX1": tc.doc}}
			if _, _, err := a.Save(t.Context(), d, received("FX1", 2)); !errors.Is(err, tc.is) {
				t.Errorf("got %v", err)
			}
			if got := files(t, dir); !slices.Equal(got, []string{"2026/11/23/FX1.json"}) {
				t.Errorf("files %v", got)
			}
			if leftovers, err := filepath.Glob(filepath.Join(dir, "2026/11/23/.*")); err != nil || len(leftovers) > 0 {
				t.Errorf("leftovers %v, %v", leftovers, err)
			}
			d.docs["FX1"] = sheet(t, 2, 1) // and the next run makes it good
			if e, existed := save(t, a, d, received("FX1", 2)); existed || e.Document == nil {
				t.Errorf("existed %v, %+v", existed, e)
			}
		})
	}
}

// When the disk takes no more, nothing gets a final name.
func TestSaveOnABrokenDisk(t *testing.T) {
	for name, obstacle := range map[string]string{
		"the day's folder":  "2026/11/23",
		"the document":      "2026/11/23/.FX0000.part",
		"the sidecar":       "2026/11/23/.FX0000.json.part",
		"the document name": "2026/11/23/FX0000.pdf/x",
		"the sidecar name":  "2026/11/23/FX0000.json/x",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a := open(t, dir)
			d, faxes := fill(t, 1)
			in := filepath.Join(dir, filepath.FromSlash(obstacle))
			if obstacle == "2026/11/23" {
				if err := errors.Join(os.MkdirAll(filepath.Dir(in), 0o700), os.WriteFile(in, nil, 0o600)); err != nil {
					t.Fatal(err)
				}
			} else if err := os.MkdirAll(in, 0o700); err != nil {
				t.Fatal(err)
			}
			if _, _, err := a.Save(t.Context(), d, faxes[0]); err == nil {
				t.Fatal("saved all the same")
			}
			if _, err := a.Secure(t.Context(), d, faxes[0], false); err == nil {
				t.Errorf("%v", err)
			}
			if _, err := a.Get(t.Context(), faxes[0].ID); !errors.Is(err, problem.ErrNotFound) {
				t.Errorf("the entry: %v", err)
			}
			top := filepath.Join(dir, "2026", "11", "23")
			if obstacle != "2026/11/23" {
				if err := os.RemoveAll(top); err != nil {
					t.Fatal(err)
				}
			} else if err := os.Remove(top); err != nil {
				t.Fatal(err)
			}
			if _, existed := save(t, a, d, faxes[0]); existed { // the next run makes it good
				t.Error("existed")
			}
		})
	}
}

// Being cut off by the context leaves an entry whole or not there.
func TestSaveInterrupted(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	d, faxes := fill(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	d.before = cancel
	if _, _, err := a.Save(ctx, d, faxes[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("files %v", got)
	}
}
