package durable //nolint:testpackage // what happens between two calls of the system

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestLockOfARemovedFile: the lock of a file that lost its name meanwhile keeps out
// nobody who opens the one that has it now, and is not taken for the lock.
func TestLockOfARemovedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	f, err := OS{}.OpenFile(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		_ = f.Close()
		t.Skip("an open file cannot be renamed here:", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lockNamed(f, path); !errors.Is(err, errRemoved) {
		t.Errorf("locked a file that is no longer there: %v", err)
	}
	if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("it was left open: %v", err)
	}
}
