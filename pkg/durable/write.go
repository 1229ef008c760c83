package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Syncer brings folders to the disk, with one fsync for all that wait for the
// same folder: names are many, folders are few. The zero value is ready, and a
// nil Syncer syncs once for each call. Safe for concurrent use.
type Syncer struct {
	mu      sync.Mutex
	folders map[string]*folder
}

type folder struct {
	turn sync.Mutex // one fsync after another
	next *round     // the fsync that has not begun; newcomers join it
}

type round struct {
	done chan struct{}
	err  error
}

// Sync returns when all names made in dir before the call are on the disk.
func (s *Syncer) Sync(dir string) error {
	if s == nil {
		return SyncDir(dir)
	}
	s.mu.Lock()
	if s.folders == nil {
		s.folders = map[string]*folder{}
	}
	f := s.folders[dir]
	if f == nil {
		f = &folder{}
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
	f.turn.Lock()
	s.mu.Lock()
	f.next = nil // from here on, a new name may be too late for this fsync
	s.mu.Unlock()
	r.err = SyncDir(dir)
	f.turn.Unlock()
	close(r.done)
	return r.err
}

// MakeDir makes dir and the folders above it, for the owner alone (0700), and
// brings their names to the disk.
func MakeDir(dir string, dirs *Syncer) error {
	switch st, err := os.Stat(dir); {
	case err == nil && st.IsDir():
		return nil
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errors.New("not a folder")}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if err := MakeDir(parent, dirs); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return dirs.Sync(parent)
}

// WriteFile writes a file whole or not at all: to a temporary name, fsync,
// rename, fsync of the folder. The file is for the owner alone (0600). [ErrTaken]
// when another call is writing the same file.
func WriteFile(path string, data []byte, dirs *Syncer) error {
	f, err := stage(path, data)
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return errors.Join(err, os.Remove(f.Name()), f.Close())
	}
	_ = f.Close() // on the disk, and named: there is nothing left to fail
	return dirs.Sync(filepath.Dir(path))
}

// Stage is the first half of [WriteFile]: the data is on the disk under a
// hidden temporary name, which is returned for renaming it to path. Until then
// the caller keeps others from writing the same file.
func Stage(path string, data []byte) (tmp string, err error) {
	f, err := stage(path, data)
	if err != nil {
		return "", err
	}
	_ = f.Close() // on the disk: there is nothing left to fail
	return f.Name(), nil
}

// stage returns the file claimed, so that nobody else writes it.
func stage(path string, data []byte) (*os.File, error) {
	dir, base := filepath.Split(path)
	f, err := Claim(filepath.Join(dir, "."+base+".part"))
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
		return nil, errors.Join(err, os.Remove(f.Name()), f.Close())
	}
	return f, nil
}
