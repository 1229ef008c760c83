package durable

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// TryLock takes the exclusive lock on an open file and reports whether it did;
// false is that somebody else has it. It never waits. Closing the file, or the
// end of the process, gives the lock back.
func TryLock(f interface{ Fd() uintptr }) (bool, error) {
	return tryLock(f, windows.LOCKFILE_EXCLUSIVE_LOCK)
}

// TryShare is TryLock for a lock that others may share, and that keeps nobody but
// who asks for the exclusive one from theirs.
func TryShare(f interface{ Fd() uintptr }) (bool, error) { return tryLock(f, 0) }

func tryLock(f interface{ Fd() uintptr }, how uint32) (bool, error) {
	// A byte far behind the end: what is locked here, others could not read.
	err := windows.LockFileEx(windows.Handle(f.Fd()), how|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 30})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

// SyncDir does nothing: Windows cannot flush a folder.
func (OS) SyncDir(string) error { return nil }

// noFollow has a file not opened through a link.
const noFollow = windows.FILE_FLAG_OPEN_REPARSE_POINT

// OpenFile is os.OpenFile. A file that is not to be opened through a link may be
// renamed and removed while it is open, as elsewhere.
func (OS) OpenFile(path string, flag int) (File, error) {
	if flag&noFollow == 0 {
		return file(os.OpenFile(path, flag, 0o600))
	}
	return file(open(path, flag))
}

func open(path string, flag int) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	how := uint32(windows.OPEN_EXISTING)
	if flag&os.O_CREATE != 0 {
		how = windows.CREATE_NEW
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	const attributes = windows.FILE_ATTRIBUTE_NORMAL | windows.FILE_FLAG_OPEN_REPARSE_POINT
	h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, share, nil, how, attributes, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// private tells a file from a link: who can write to it is said by the access
// list of its folder.
func private(st fs.FileInfo) bool { return st.Mode().IsRegular() }

func ours(fs.FileInfo) bool { return true }
