package dir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/faxctl/faxctl/pkg/archive/store"
)

// Prepare makes the folder that a name is in, and those above it, to last.
func (s *Store) Prepare(ctx context.Context, name string) error {
	file, err := s.Path(name)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	return s.makeDir(filepath.Dir(file))
}

// makeDir makes a folder and those above it. Of one that is there it is not known
// that its name is on the disk: another call may have made it just now, or a run
// that was cut off.
func (s *Store) makeDir(dir string) error {
	_, made := s.made.Load(dir)
	if _, err := os.Stat(dir); dir == s.root || made && err == nil {
		return nil
	}
	above := filepath.Dir(dir)
	if err := s.makeDir(above); err != nil {
		return err
	}
	if err := s.disk.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.disk.SyncDir(above); err != nil {
		return err
	}
	s.made.Store(dir, true)
	return nil
}

// Settle brings the names in the folder of a name to the disk, and those of the folders
// down to it: whatever a run that was cut off, or met an error, may have left there.
func (s *Store) Settle(ctx context.Context, name string) error {
	return s.inFolder(ctx, name, func() error {
		return s.disk.SyncDir(filepath.Dir(filepath.Join(s.root, filepath.FromSlash(name))))
	})
}

// mostTries is more than others can remove a folder, one after the other, before there is
// something in it.
const mostTries = 100

// inFolder makes the folder of a name and does something in it. As long as nothing is in it
// another call, or another process, may take it for one that is left over, and remove it:
// then it is made again.
func (s *Store) inFolder(ctx context.Context, name string, do func() error) error {
	for tries := 1; ; tries++ {
		err := s.Prepare(ctx, name)
		if err == nil {
			err = do()
		}
		if !errors.Is(err, fs.ErrNotExist) || tries == mostTries {
			return err
		}
	}
}

// Remove implements store.Store. Folders go with it that nothing is left in, and nobody
// puts anything just now.
func (s *Store) Remove(ctx context.Context, name string) error {
	if err := s.RemoveAll(ctx, name); err != nil {
		return err
	}
	s.tidy(filepath.Dir(filepath.Join(s.root, filepath.FromSlash(name))))
	return nil
}

// RemoveAll removes files of one folder, whichever are there, with one fsync, and leaves the folder.
// A link is removed, and not what it leads to.
func (s *Store) RemoveAll(ctx context.Context, names ...string) error {
	s.tidying.RLock()
	defer s.tidying.RUnlock()
	dir := ""
	for _, name := range names {
		file, err := s.Path(name)
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = s.remove(file)
		}
		if err != nil {
			return err
		}
		dir = filepath.Dir(file)
	}
	return s.syncIfThere(dir)
}

// tidy removes a folder and those above it that nothing is in. One that cannot be
// removed may stay: nothing is in it.
func (s *Store) tidy(dir string) {
	s.tidying.Lock()
	defer s.tidying.Unlock()
	for ; dir != s.root; dir = filepath.Dir(dir) {
		if st, err := os.Lstat(dir); err == nil && st.Mode()&fs.ModeSymlink != 0 {
			return // somebody has put it elsewhere, and what comes into it belongs there
		}
		if empty, err := isEmpty(dir); err != nil || !empty || s.remove(dir) != nil || s.syncIfThere(filepath.Dir(dir)) != nil {
			return
		}
	}
}

// isEmpty reports whether nothing is in a folder, or the folder itself is not there.
func isEmpty(dir string) (bool, error) {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	_, err = f.Readdirnames(1) // there may be many
	if errors.Is(err, io.EOF) {
		return true, f.Close()
	}
	return false, errors.Join(err, f.Close())
}

// syncIfThere is SyncDir of a folder that may have been removed, as it was empty.
func (s *Store) syncIfThere(dir string) error {
	if err := s.disk.SyncDir(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// remove removes a file that may be there.
func (s *Store) remove(file string) error {
	if err := s.disk.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// List implements store.Store. It leaves out what is no file.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[store.File, error] {
	return func(yield func(store.File, error) bool) {
		top := filepath.Join(s.root, filepath.FromSlash(path.Dir(prefix+"x"))) // the folder that all of them are in
		err := s.walk(top, func(file string, e fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist) && file != s.root, errors.Is(err, syscall.ENOTDIR):
				return nil // a folder, or what was in it, removed while we looked
			case err != nil:
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			}
			rel, err := filepath.Rel(s.root, file)
			if err != nil {
				return err
			}
			name := filepath.ToSlash(rel)
			switch {
			case file != s.root && store.Hidden(name) && !store.Hidden(prefix):
				return skip(e)
			case e.IsDir() && file != top && !strings.HasPrefix(name+"/", prefix) && !strings.HasPrefix(prefix, name+"/"):
				return fs.SkipDir
			case e.IsDir(), !strings.HasPrefix(name, prefix):
				return nil
			}
			found, err := look(file, name)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errIrregular) {
				return nil
			}
			if !yield(found, err) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(store.File{}, err)
		}
	}
}

// errEnough ends a walk, in whatever link it is.
var errEnough = errors.New("enough")

// walk is filepath.WalkDir that follows links to folders, as somebody makes for those that are
// on another disk: whoever opens a file by its name follows them as well. A folder that the
// walk is in already it does not enter again.
func (s *Store) walk(top string, do fs.WalkDirFunc) error {
	return filepath.WalkDir(top, func(file string, e fs.DirEntry, err error) error {
		file = filepath.Clean(file)
		if err == nil && e.Type()&fs.ModeSymlink != 0 {
			if st, err := os.Stat(file); err == nil && st.IsDir() && !s.isIn(file, st) {
				return s.walk(file+string(filepath.Separator), do)
			}
		}
		return do(file, e, err)
	})
}

// isIn reports whether a path is in a folder already.
func (s *Store) isIn(file string, folder fs.FileInfo) bool {
	for file != s.root && file != filepath.Dir(file) {
		file = filepath.Dir(file)
		if above, err := os.Stat(file); err == nil && os.SameFile(above, folder) {
			return true
		}
	}
	return false
}

// skip passes a hidden file by, and hidden folders as a whole: snapshots of a file server
// and waste baskets, whose files are not ours.
func skip(e fs.DirEntry) error {
	if e.IsDir() {
		return fs.SkipDir
	}
	return nil
}

var errIrregular = errors.New("not a file")

// look tells of a file that is listed. One that cannot be looked at has no stamp: whoever
// reads it meets the error again.
func look(file, name string) (store.File, error) {
	st, err := os.Stat(file) // of a file elsewhere, if this is a link to it
	switch {
	case errors.Is(err, fs.ErrNotExist): // replaced while we looked
		return store.File{}, err
	case err != nil:
		return store.File{Name: name}, nil //nolint:nilerr // it is listed, without a stamp
	case !st.Mode().IsRegular():
		return store.File{}, errIrregular
	}
	return fileOf(name, st), nil
}

// Clear removes what puts and downloads that were cut off left behind, except those that
// continue says can be continued, and folders that nothing is in, if their path fits a
// pattern of fs.Glob.
func (s *Store) Clear(ctx context.Context, continued func(part string) bool, folders ...string) error {
	err := s.walk(s.root, func(file string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case e.IsDir() && file != s.root && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case e.IsDir(), !strings.HasPrefix(e.Name(), "."), !strings.HasSuffix(file, ".part"), continued(file):
			return nil
		}
		return s.remove(file)
	})
	for _, pattern := range folders {
		dirs, bad := fs.Glob(os.DirFS(s.root), pattern)
		if err = errors.Join(err, bad); err != nil {
			return err
		}
		for _, dir := range dirs {
			s.tidy(filepath.Join(s.root, filepath.FromSlash(dir)))
		}
	}
	return err
}
