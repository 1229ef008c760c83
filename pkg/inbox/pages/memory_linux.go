package pages

import "golang.org/x/sys/unix"

// limitMemory lets a process have so many bytes at most; one that asks for more gets none.
func limitMemory(pid int, most uint64) error {
	return unix.Prlimit(pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: most, Max: most}, nil)
}
