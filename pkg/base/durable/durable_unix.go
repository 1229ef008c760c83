//go:build unix

package durable

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// TryLock takes the exclusive lock on an open file and reports whether it did;
// false is that somebody else has it. It never waits. Closing the file, or the
// end of the process, gives the lock back.
func TryLock(f interface{ Fd() uintptr }) (bool, error) { return tryLock(f, unix.LOCK_EX) }

// TryShare is TryLock for a lock that others may share, and that keeps nobody but
// who asks for the exclusive one from theirs.
func TryShare(f interface{ Fd() uintptr }) (bool, error) { return tryLock(f, unix.LOCK_SH) }

func tryLock(f interface{ Fd() uintptr }, how int) (bool, error) {
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			return false, nil
		}
		if !errors.Is(err, unix.EINTR) { // a signal in between says nothing of the lock
			return err == nil, err
		}
	}
}

// noFollow has a file not opened through a link.
const noFollow = unix.O_NOFOLLOW

// OpenFile is os.OpenFile.
func (OS) OpenFile(path string, flag int) (File, error) {
	return file(os.OpenFile(path, flag, 0o600))
}

// SyncDir is an fsync of the folder.
func (OS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// private tells a file that nobody else can have written to.
func private(st fs.FileInfo) bool {
	sys, known := st.Sys().(*syscall.Stat_t)
	return known && ours(st) && sys.Nlink == 1 && st.Mode() == 0o600 // a regular file
}

func ours(st fs.FileInfo) bool {
	sys, known := st.Sys().(*syscall.Stat_t)
	return known && int(sys.Uid) == os.Geteuid()
}
