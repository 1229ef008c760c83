package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/durable"
)

// TestWriteNewFile: what has the name stays as it is, a link to nowhere too, and
// nothing is left beside it.
func TestWriteNewFile(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := durable.WriteNewFile(durable.OS{}, path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", link); err != nil {
		t.Skip("no links here: ", err)
	}
	for _, taken := range []string{path, link} {
		if err := durable.WriteNewFile(durable.OS{}, taken, []byte("second")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", taken, err)
		}
	}
	if got, err := os.ReadFile(path); string(got) != "first" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if left, err := os.ReadDir(dir); len(left) != 2 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
