//go:build unix

package durable

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// writable fails when no file can be made in dir.
func writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return &fs.PathError{Op: "write to", Path: dir, Err: err}
	}
	return nil
}
