package archive_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// What is in an archive is its own, by whatever way one gets there.
func TestOutside(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"kept/2026/11/27", "other"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"kept/faxctl-archive.json", "kept/2026/11/27/FX1.pdf", "other/fax.pdf"} {
		if err := os.WriteFile(name, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	links := map[string]string{"day": "kept/2026/11/27", "link.pdf": "kept/2026/11/27/FX1.pdf", "kept/out": "../other", "plain": "other"}
	for name, to := range links {
		if err := os.Symlink(filepath.FromSlash(to), name); err != nil {
			t.Skip("this system makes no links: ", err)
		}
	}
	for path, outside := range map[string]bool{
		"kept": false, "kept/": false, "kept/faxctl-archive.json": false, "kept/index.db": false,
		"kept/2026/11/27/FX1.pdf": false, "kept/2026/11/27": false, "kept/2027/01/01/new": false,
		"day": false, "day/new.pdf": false, "day/../../new.pdf": false, "link.pdf": false,
		"other/../kept/x": false, "kept/out": false,
		"kept/../fax.pdf": true, "fax.pdf": true, "other/fax.pdf": true, "plain/new": true, "new/folder": true, "kept2": true, ".": true,
		"kept/out/fax.pdf": true,
	} {
		err := archive.Outside(filepath.FromSlash(path))
		if outside && err != nil || !outside && !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("%s: %v, want outside: %v", path, err, outside)
		}
	}
	t.Chdir("kept/2026")
	if archive.Outside(".") == nil || archive.Outside("fax.pdf") == nil || archive.Outside("../../fax.pdf") != nil {
		t.Error("where we are is not looked at")
	}
}
