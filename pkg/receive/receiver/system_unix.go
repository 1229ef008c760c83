//go:build !windows

package receiver

import (
	"math"
	"syscall"
)

// free is how many bytes may still be written below dir.
func free(dir string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// openFiles is how many files the process may have open. The Go runtime has raised
// the soft limit to the hard one at the start.
func openFiles() uint64 {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return math.MaxInt64
	}
	return uint64(l.Cur) //nolint:unconvert // another type on FreeBSD
}
