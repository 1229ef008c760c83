// Package dir keeps the files of an archive in a folder.
//
// [Store] is a store.Store: files whole or not there, that last, for the owner alone
// (0600, folders 0700). Besides it knows what a folder can do and a bucket cannot: a file
// is named that was written in its place already, and many share the fsync of a folder.
//
// Its conditions hold among those who use this package, of any process. What a person
// writes by hand, or another program, is seen until the moment before a file is named.
package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Store keeps files in a folder of the local disk.
type Store struct {
	root string
	disk durable.Disk

	made    sync.Map     // folders whose names are known to be on the disk
	tidying sync.RWMutex // held to remove a folder, and shared by who works in one
}

var _ store.Store = (*Store)(nil)

// New makes nothing yet. A durable.Syncer is the disk for concurrent calls.
func New(root string, disk durable.Disk) *Store {
	return &Store{root: filepath.Clean(root), disk: disk}
}

// Path is the file that a name stands for. problem.ErrInvalid: it stands for none.
func (s *Store) Path(name string) (string, error) {
	local, err := filepath.Localize(name)
	if err != nil || name == "." {
		return "", problem.Of(problem.ErrInvalid, &fs.PathError{Op: "find", Path: name, Err: fs.ErrInvalid})
	}
	return filepath.Join(s.root, local), nil
}

// Part is the hidden file beside a name in which what is to have that name is written
// first: see [durable.Claim].
func Part(path string) string {
	dir, base := filepath.Split(path)
	return filepath.Join(dir, "."+base+".part")
}

// Put implements store.Store.
func (s *Store) Put(ctx context.Context, name string, content store.Content, when store.Condition) (string, error) {
	return s.PutAfter(ctx, nil, "", name, content, when)
}

// Staged is a file in its folder that does not have its name yet, such as a fetch.Part.
type Staged interface {
	Sync() error              // brings what is in it to the disk
	Rename(path string) error // gives it its name, which lasts when the folder is synced
}

// PutAfter is Put with another file (nil: none), of the same folder, that has its name
// before. Both come to the disk side by side. When it is cut off, each is there whole or
// not at all, and the second never without the first.
func (s *Store) PutAfter(ctx context.Context, first Staged, firstName, name string, content store.Content, when store.Condition) (stamp string, err error) {
	path, err := s.Path(name)
	if err != nil {
		return "", err
	}
	synced := make(chan error, 1)
	if first == nil {
		synced <- nil
	} else {
		go func() { synced <- first.Sync() }()
	}
	f, err := s.stage(ctx, name, Part(path), content)
	if err := errors.Join(<-synced, err); err != nil {
		return "", errors.Join(err, s.discard(f))
	}
	stamp, err = s.condition(f, path, name, when)
	if err == nil && first != nil {
		var firstPath string
		if firstPath, err = s.Path(firstName); err == nil {
			err = first.Rename(firstPath)
		}
	}
	if err == nil {
		err = s.disk.Rename(f.Name(), path)
	}
	if err != nil {
		return "", errors.Join(err, s.discard(f))
	}
	_ = f.Close() // on the disk, and named: there is nothing left to fail
	return stamp, s.disk.SyncDir(filepath.Dir(path))
}

// stage writes a file that is claimed, and so keeps others from putting the same name, and
// the folder from being removed.
func (s *Store) stage(ctx context.Context, name, part string, content store.Content) (f durable.File, err error) {
	err = s.inFolder(ctx, name, func() (err error) {
		f, err = s.claim(ctx, part)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err = f.Truncate(0); err == nil {
		// Through no more memory than it is long.
		_, err = io.CopyN(f, io.NewSectionReader(content, 0, content.Size()), content.Size())
	}
	if err == nil {
		err = f.Sync()
	}
	return f, err
}

// patience is how long another call may take to put the same name.
const patience = 10 * time.Second

func (s *Store) claim(ctx context.Context, path string) (durable.File, error) {
	for end := time.Now().Add(patience); ; {
		f, err := durable.Claim(s.disk, path)
		if !errors.Is(err, durable.ErrTaken) {
			return f, err
		}
		if time.Now().After(end) {
			return nil, problem.Of(problem.ErrConflict, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

func (s *Store) discard(f durable.File) error {
	if f == nil {
		return nil
	}
	return errors.Join(s.remove(f.Name()), f.Close())
}

// condition fails when what is at path is not what it has to be, and returns the stamp of
// the file that takes its place. That is later than the one of what is there: the clock of
// a file system is coarse, and two of one size would seem to be the same.
func (s *Store) condition(f durable.File, path, name string, when store.Condition) (string, error) {
	st, err := f.Stat()
	if err != nil {
		return "", err
	}
	before, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if when.Stamp != "" {
			return "", store.Changed(name)
		}
		return stampOf(st), nil
	case err != nil:
		return "", err
	case when.Absent, when.Stamp != "" && when.Stamp != stampOf(before):
		return "", store.Changed(name)
	}
	if later := before.ModTime().Add(time.Nanosecond); st.ModTime().Before(later) {
		if err := os.Chtimes(f.Name(), time.Time{}, later); err != nil {
			return "", err
		}
		if st, err = f.Stat(); err != nil {
			return "", err
		}
	}
	return stampOf(st), nil
}

func stampOf(st fs.FileInfo) string { return fmt.Sprintf("%d-%d", st.ModTime().UnixNano(), st.Size()) }

func fileOf(name string, st fs.FileInfo) store.File {
	return store.File{Name: name, Size: st.Size(), Stamp: stampOf(st), Written: st.ModTime()}
}

// Stat implements store.Store. What a name stands for that is no file, a folder or a pipe, is
// empty, and no content of anything.
func (s *Store) Stat(ctx context.Context, name string) (store.File, error) {
	path, err := s.Path(name)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return store.File{}, err
	}
	st, err := os.Stat(path)
	if err != nil {
		return store.File{}, err
	}
	there := fileOf(name, st)
	if !st.Mode().IsRegular() {
		there.Size = 0
	}
	return there, nil
}

// Open implements store.Store. What a name stands for that is no file, it does not open.
func (s *Store) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, store.File, error) {
	path, err := s.Path(name)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, store.File{}, err
	}
	f, err := durable.OpenRegular(path, os.Stat)
	if err != nil {
		return nil, store.File{}, err
	}
	st, err := f.Stat()
	if err == nil {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		return nil, store.File{}, errors.Join(err, f.Close())
	}
	return f, fileOf(name, st), nil
}
