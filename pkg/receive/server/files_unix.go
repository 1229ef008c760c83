//go:build !windows

package server

import (
	"math"
	"syscall"
)

// openFiles is how many files the process may have open. The Go runtime has raised
// the soft limit to the hard one at the start.
func openFiles() uint64 {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return math.MaxInt64
	}
	return uint64(l.Cur) //nolint:unconvert // another type on FreeBSD
}
