package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrTaken is a file that somebody else has claimed.
var ErrTaken = errors.New("another run is writing it")

// Claim opens the file at path, which holds what does not have its name yet,
// for reading and writing, and makes it when it is not there. It has the lock of
// [TryLock] and is for the owner alone (0600). [ErrTaken] when another call, of
// any process, has claimed it; otherwise the errors of the system.
//
// Rename or remove the file before closing it: until then, whoever claims finds
// it taken, and no one else's data comes under the name it is given. What claims
// left behind is found as it was. Anything else by that name is not ours to
// trust or to write to, such as a link, or a file that others may write: it is
// removed.
func Claim(disk Disk, path string) (File, error) {
	for {
		f, fresh, err := openOrMake(disk, path)
		if err == nil && f == nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		held, err := TryLock(f)
		if err == nil && !held {
			err = fmt.Errorf("%s: %w", path, ErrTaken)
		}
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		st, named, err := statNamed(f, path)
		switch {
		case err != nil:
			return nil, errors.Join(err, f.Close())
		case named && (fresh || private(st)): // some file systems show every file as somebody else's
			return f, nil
		case named:
			err = remove(disk, path)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
}

// openOrMake opens a file without following a link. Without file and error it is
// to be tried again.
func openOrMake(disk Disk, path string) (f File, fresh bool, err error) {
	f, err = disk.OpenFile(path, os.O_RDWR|noFollow|os.O_CREATE|os.O_EXCL)
	if !errors.Is(err, fs.ErrExist) {
		return f, err == nil, err
	}
	f, err = disk.OpenFile(path, os.O_RDWR|noFollow)
	if err == nil {
		return f, false, nil
	}
	st, statErr := os.Lstat(path)
	switch {
	case errors.Is(statErr, fs.ErrNotExist): // it has got its name meanwhile
		return nil, false, nil
	case statErr != nil:
		return nil, false, statErr
	case errors.Is(err, fs.ErrNotExist) && st.Mode().IsRegular(): // the same, and the next one is there
		return nil, false, nil
	case st.IsDir() || private(st):
		return nil, false, err
	}
	return nil, false, remove(disk, path)
}

// Named reports whether path still is the name of an open file.
func Named(f File, path string) (bool, error) {
	_, named, err := statNamed(f, path)
	return named, err
}

// statNamed tells of an open file, and whether path still is its name.
func statNamed(f File, path string) (st fs.FileInfo, named bool, err error) {
	st, err = f.Stat()
	if err != nil {
		return nil, false, err
	}
	there, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return st, false, nil
	}
	return st, err == nil && os.SameFile(st, there), err
}

func remove(disk Disk, path string) error {
	if err := disk.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Tighten makes an open file one for the owner alone (0600). It fails for a file
// of somebody else that others can read.
func Tighten(f *os.File) error {
	st, err := f.Stat()
	if err != nil || st.Mode().Perm()&0o077 == 0 {
		return err
	}
	if err := f.Chmod(0o600); err != nil && !ours(st) {
		return err
	}
	return nil // or the file system has no modes
}
