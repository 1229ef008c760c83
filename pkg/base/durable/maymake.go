package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// MayMake fails when name cannot be made in dir, or in that of the folders above
// which is there.
func MayMake(name, dir string) error {
	for {
		st, err := os.Stat(dir)
		switch above := filepath.Dir(dir); {
		case err == nil && !st.IsDir():
			return &fs.PathError{Op: "make", Path: name, Err: fmt.Errorf("%s is no folder", dir)}
		case err == nil && st.Mode().Perm()&0o222 == 0: // for all that root may, as in /proc
			return &fs.PathError{Op: "make", Path: name, Err: fmt.Errorf("%s: %w", dir, fs.ErrPermission)}
		case err == nil:
			return writable(dir)
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) || above == dir: // what is no folder is above
			return err
		default:
			dir = above
		}
	}
}

// Reason is what the system says is wrong with a path, without the path.
func Reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
