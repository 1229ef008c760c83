//go:build !windows

package profile

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// writtenByOthers reports whether somebody besides the owner can write to a file.
func writtenByOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }

// readByOthers reports whether somebody besides the owner can read a file.
func readByOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o044 != 0 }

// ours reports whether a file is of the user that we are.
func ours(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int64(st.Uid) == int64(os.Geteuid())
}

// mountedReadOnly reports whether nothing about a file can be changed where it lies.
func mountedReadOnly(path string) bool {
	return errors.Is(unix.Access(path, unix.W_OK), unix.EROFS)
}

// userName is who we are.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Geteuid())
}
