package archive

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// No archive is made in another one, in a folder or in a bucket.
func TestNoArchiveInAnother(t *testing.T) {
	refused := func(o Opener, where string) {
		t.Helper()
		_, opened := o.Open(t.Context(), where)
		for did, err := range map[string]error{"open": opened, "check": o.Check(t.Context(), where)} {
			if !errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).Empty() {
				t.Errorf("%s %s: %v", did, where, err)
			}
		}
	}
	outer := filepath.Join(t.TempDir(), "kept")
	open(t, outer)
	empty := filepath.Join(outer, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(empty, link); err != nil {
		t.Skip("this system makes no links: ", err)
	}
	for _, where := range []string{empty, filepath.Join(outer, "new"), filepath.Join(outer, "2026", "11", "new"), link, filepath.Join(link, "new")} {
		refused(Opener{}, where)
	}
	s := newShelf(t)
	s.above = "s3://bucket"
	refused(s.machine(t), there)
	if names := must(os.ReadDir(s.root))(t); len(names) > 0 {
		t.Errorf("made: %v", names)
	}
	s.above = ""
	openRemote(t, s.machine(t))
	s.above = "s3://bucket" // which was made later, by other means
	openRemote(t, s.machine(t))
}

// Of an archive that is in another one, as an earlier version made it, the outer one sees
// nothing, and lets nothing go.
func TestArchiveInAnotherIsItsOwn(t *testing.T) {
	outside := t.TempDir()
	d, faxes := fill(t, 2)
	outer := open(t, outside)
	saveAll(t, outer, d, faxes[:1])
	apart := filepath.Join(t.TempDir(), "inner")
	inner, err := Open(t.Context(), apart)
	if err != nil {
		t.Fatal(err)
	}
	saveAll(t, inner, d, faxes[1:])
	if err := inner.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, below := range []string{"inner", "2026/inner", "2026/11/23/inner"} {
		moved := filepath.Join(outside, filepath.FromSlash(below))
		if err := os.CopyFS(moved, os.DirFS(apart)); err != nil {
			t.Fatal(err)
		}
		part := filepath.Join(moved, ".FX9.pdf.part")
		if err := os.WriteFile(part, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := outer.files.clear(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(part); err != nil {
			t.Errorf("what is on its way to %s: %v", below, err)
		}
	}
	if done, err := outer.Reindex(t.Context()); err != nil || done.Entries != 1 || len(done.Unreadable) > 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if got := listed(t, outer, fax.Filter{}); !slices.Equal(got, []string{faxes[0].ID}) {
		t.Errorf("listed: %q", got)
	}
	verified(t, outer, 1)
	if n := len(files(t, outside)); n != 2 {
		t.Errorf("%d files are walked", n)
	}
	own := newArchive(durable.OS{}, filepath.Join(outside, "inner"))
	if _, _, err := own.readSidecar(t.Context(), keyOf(faxes[1])+sidecarExt); err != nil {
		t.Error(err)
	}
}
