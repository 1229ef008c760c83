package profile

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// private is always true: on Windows the profile folder's access list decides
// who can read a file, and its mode says nothing.
func private(fs.FileMode) bool { return true }

// tryLock takes the lock on an open file unless somebody has it.
func tryLock(f *os.File) (bool, error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

// syncDir does nothing: Windows cannot flush a directory.
func syncDir(string) error { return nil }
