//go:build !windows

package profile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// private reports whether nobody but the owner can read or write the file.
func private(m fs.FileMode) bool { return m.Perm()&0o077 == 0 }

// tryLock takes the lock on an open file unless somebody has it.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	return err == nil, err
}

// syncDir makes a rename in dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
