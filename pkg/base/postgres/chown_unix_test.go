//go:build unix

package postgres_test

import (
	"io/fs"
	"os"
	"syscall"
)

// chownLike gives a file to the owner of another one.
func chownLike(path string, other fs.FileInfo) error {
	st := other.Sys().(*syscall.Stat_t)
	return os.Chown(path, int(st.Uid), int(st.Gid))
}
