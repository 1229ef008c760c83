package archive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// A receiver's archive is ready while it is the very one that was claimed, and can be
// written. A copy of it, as of a disk that was restored beside, is another.
func TestClaimReady(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := claimFor(t, dir, NewReceiver("one", "first"), nil)
	away := dir + ".away"
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	is := func(what string, want error) {
		t.Helper()
		if err := c.Ready(t.Context()); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	is("there", nil)
	move(dir, away)
	is("gone", problem.ErrUnavailable)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	is("a place without its disk", problem.ErrUnavailable)
	if err := os.CopyFS(dir, os.DirFS(away)); err != nil {
		t.Fatal(err)
	}
	is("a copy", problem.ErrUnavailable)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	move(away, dir)
	is("back", nil)
	if err := os.Chmod(dir, 0o500); err != nil { // not even root is said to be able to
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	is("not to be written", fs.ErrPermission)
}
