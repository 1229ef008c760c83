package durable

import (
	"io"
	"io/fs"
	"os"
)

// Disk is what makes, writes, names and removes files, and so all that a loss of
// power can undo; reading needs none of it. [OS] is the one in use, a [Syncer] is
// another that shares the fsync of folders, and package durabletest has one that
// loses what was not synced. Errors are as those of package os. Safe for
// concurrent use.
type Disk interface {
	// OpenFile opens a file, and makes one for the owner alone (0600).
	OpenFile(path string, flag int) (File, error)
	Rename(from, to string) error
	Remove(path string) error
	// Mkdir makes a folder for the owner alone (0700).
	Mkdir(dir string) error
	// SyncDir makes the names in a folder last: returns when all that were made,
	// changed or removed before the call are on the disk.
	SyncDir(dir string) error
}

// File is an open file of a [Disk]. An *os.File is one.
type File interface {
	io.ReadWriteSeeker
	io.ReaderAt
	io.Closer
	Name() string
	Stat() (fs.FileInfo, error)
	Fd() uintptr
	Truncate(size int64) error
	Sync() error
}

// OS is the disk of the operating system.
type OS struct{}

var _ Disk = OS{}

// Rename is os.Rename.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove is os.Remove.
func (OS) Remove(path string) error { return os.Remove(path) }

// Mkdir is os.Mkdir.
func (OS) Mkdir(dir string) error { return os.Mkdir(dir, 0o700) }

// file is what was opened, or no file at all.
func file(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}
