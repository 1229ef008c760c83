package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// Syncer is a disk with one fsync for all that wait for the same folder: names
// are many, folders are few.
type Syncer struct {
	Disk

	mu      sync.Mutex
	folders map[string]*folder
}

type folder struct {
	turn chan struct{} // one fsync after another
	next *round        // the fsync that has not begun; newcomers join it
}

type round struct {
	done chan struct{}
	err  error
}

// NewSyncer shares the fsyncs of a disk.
func NewSyncer(disk Disk) *Syncer { return &Syncer{Disk: disk, folders: map[string]*folder{}} }

// SyncDir returns when all names made in dir before the call are on the disk.
func (s *Syncer) SyncDir(dir string) error {
	s.mu.Lock()
	f := s.folders[dir]
	if f == nil {
		f = &folder{turn: make(chan struct{}, 1)}
		s.folders[dir] = f
	}
	r, leads := f.next, f.next == nil
	if leads {
		r = &round{done: make(chan struct{})}
		f.next = r
	}
	s.mu.Unlock()
	if !leads {
		<-r.done
		return r.err
	}
	f.turn <- struct{}{}
	s.mu.Lock()
	f.next = nil // from here on, a new name may be too late for this fsync
	s.mu.Unlock()
	r.err = s.Disk.SyncDir(dir)
	<-f.turn
	close(r.done)
	return r.err
}

// MakeDir makes dir and the folders above it, for the owner alone (0700), and
// brings their names to the disk. So it does with the names of those that are there:
// whoever made them may not have lived to do it, and may never have meant to.
func MakeDir(disk Disk, dir string) error {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	return makeDir(disk, whole)
}

func makeDir(disk Disk, dir string) error {
	parent := filepath.Dir(dir)
	st, err := os.Stat(dir)
	there := err == nil
	switch {
	case there && !st.IsDir():
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errors.New("not a folder")}
	case !there && !errors.Is(err, fs.ErrNotExist):
		return err
	case parent == dir:
		return err
	}
	if err := makeDir(disk, parent); err != nil {
		return err
	}
	if !there {
		if err := disk.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return disk.SyncDir(parent)
	}
	if err := disk.SyncDir(parent); !unsyncable(err) {
		return err
	}
	return nil // then it was not made by one of us
}

// unsyncable tells of a folder that we may not read, or whose file system knows no
// fsync or is read-only.
func unsyncable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) ||
		errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EROFS)
}

// WriteFile writes a file whole or not at all: to a temporary name, fsync,
// rename, fsync of the folder. The file is for the owner alone (0600). [ErrTaken]
// when another call is writing the same file.
func WriteFile(disk Disk, path string, data []byte) error {
	return writeFile(disk, path, data, func() error { return nil })
}

// WriteNewFile is [WriteFile] for a name that nothing has: what is there stays, and the
// error is then fs.ErrExist.
func WriteNewFile(disk Disk, path string, data []byte) error {
	return writeFile(disk, path, data, func() error { return Unused(path) })
}

// Unused is fs.ErrExist when something has the name: a file, or a link to one that need
// not be there.
func Unused(path string) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// writeFile asks last may right before the file gets its name.
func writeFile(disk Disk, path string, data []byte, last func() error) error {
	f, err := stage(disk, path, data)
	if err != nil {
		return err
	}
	if err := last(); err != nil {
		return errors.Join(err, disk.Remove(f.Name()), f.Close())
	}
	if err := disk.Rename(f.Name(), path); err != nil {
		return errors.Join(err, disk.Remove(f.Name()), f.Close())
	}
	_ = f.Close() // on the disk, and named: there is nothing left to fail
	return disk.SyncDir(filepath.Dir(path))
}

// stage returns the file claimed, so that nobody else writes it.
func stage(disk Disk, path string, data []byte) (File, error) {
	dir, base := filepath.Split(path)
	f, err := Claim(disk, filepath.Join(dir, "."+base+".part"))
	if err != nil {
		return nil, err
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, disk.Remove(f.Name()), f.Close())
	}
	return f, nil
}
