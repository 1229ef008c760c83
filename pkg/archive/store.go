package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/durable"
)

// Store keeps documents and sidecars under slash-separated names. [Dir] is a
// folder; an object store fits as well, with the same names. Errors about a
// name that is not there are fs.ErrNotExist. Safe for concurrent use, though
// not for the same key.
type Store interface {
	// Prepare returns the path of a local file to which the document of key
	// is downloaded. What an earlier run left there is still there.
	Prepare(key string) (path string, err error)

	// Put keeps a document (nil: none) under key and its extension, and then
	// the sidecar under key.json, in place of what is there, and returns the
	// stamp of the sidecar. Then both are durable. When it is cut off, each is
	// there whole or not at all, and a new sidecar never without its document.
	Put(ctx context.Context, key string, doc *fetch.Part, sidecar []byte) (stamp string, err error)

	// Settle makes durable what is under key, and whatever else a run that was
	// cut off, or met an error, may have left there without seeing to that.
	Settle(ctx context.Context, key string) error

	// Strip removes what is under key but the sidecar, whatever of it is there, and
	// returns when it is gone for good.
	Strip(ctx context.Context, key string) error

	// Remove removes a sidecar, which may be gone, for good, and folders that nothing
	// is left in. Meanwhile nothing else is put.
	Remove(ctx context.Context, key string) error

	// Read reads a small file.
	Read(ctx context.Context, name string) ([]byte, error)

	// Open opens a document, and tells its size in bytes.
	Open(ctx context.Context, name string) (io.ReadCloser, int64, error)

	// Size is the size of a document in bytes.
	Size(ctx context.Context, name string) (int64, error)

	// Walk yields what is kept, in no particular order.
	Walk(ctx context.Context) iter.Seq2[Object, error]
}

// Object is a kept file.
type Object struct {
	Name  string // "2026/11/23/FX….pdf"
	Stamp string // differs when the content was replaced
}

var _ Store = (*Dir)(nil)

// Dir is a Store in a folder of the local disk.
type Dir struct {
	root string
	disk durable.Disk

	made    sync.Map     // folders whose names are known to be on the disk
	tidying sync.RWMutex // held to remove a folder, and shared by who works in one
}

func (d *Dir) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

// Prepare makes the folder of the day.
func (d *Dir) Prepare(key string) (string, error) {
	dir, base := path.Split(key)
	if err := d.makeDir(filepath.Clean(d.path(dir))); err != nil {
		return "", err
	}
	return filepath.Join(d.path(dir), "."+base+".part"), nil
}

// makeDir makes a folder and those above it. Of one that is there it is not known
// that its name is on the disk: another call may have made it just now, or a run
// that was cut off.
func (d *Dir) makeDir(dir string) error {
	_, made := d.made.Load(dir)
	if _, err := os.Stat(dir); dir == d.root || made && err == nil {
		return nil
	}
	above := filepath.Dir(dir)
	if err := d.makeDir(above); err != nil {
		return err
	}
	if err := d.disk.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := d.disk.SyncDir(above); err != nil {
		return err
	}
	d.made.Store(dir, true)
	return nil
}

// Settle syncs the folder of the day, and the names of the folders down to it.
func (d *Dir) Settle(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := d.Prepare(key); err != nil {
		return err
	}
	return d.disk.SyncDir(filepath.Dir(d.path(key)))
}

// Put brings document and sidecar to the disk side by side, then names the one
// and then the other. The fsync of the folder is shared with concurrent calls.
func (d *Dir) Put(ctx context.Context, key string, doc *fetch.Part, sidecar []byte) (stamp string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if _, err := d.Prepare(key); err != nil {
		return "", err
	}
	synced := make(chan error, 1)
	if doc == nil {
		synced <- nil
	} else {
		go func() { synced <- doc.Sync() }()
	}
	name := d.path(key + sidecarExt)
	tmp, err := durable.Stage(d.disk, name, sidecar)
	err = errors.Join(<-synced, err)
	var st fs.FileInfo
	if err == nil {
		st, err = os.Stat(tmp)
	}
	if err == nil && doc != nil {
		err = doc.Rename(d.path(key + doc.Info.Ext))
	}
	if err == nil {
		err = d.disk.Rename(tmp, name)
	}
	if err != nil {
		return "", errors.Join(err, d.remove(tmp))
	}
	return stampOf(st), d.disk.SyncDir(filepath.Dir(name))
}

// Strip knows the names of documents, and of what is on its way to one of the final
// names: see [fetch.Part] and [durable.Stage]. A link is removed, and not what it leads to.
func (d *Dir) Strip(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.tidying.RLock()
	defer d.tidying.RUnlock()
	dir, id := path.Split(key)
	for _, name := range []string{id + ".pdf", id + ".tiff", "." + id + ".part", "." + id + ".part.etag", ".." + id + ".part.etag.part", "." + id + sidecarExt + ".part"} {
		if err := d.remove(d.path(dir + name)); err != nil {
			return err
		}
	}
	return d.syncIfThere(filepath.Dir(d.path(key)))
}

// Remove tidies up when the name of the sidecar is gone for good.
func (d *Dir) Remove(ctx context.Context, key string) error {
	err := ctx.Err()
	if err == nil {
		err = d.removeSidecar(key)
	}
	if err == nil {
		d.tidy(filepath.Dir(d.path(key)))
	}
	return err
}

// tidy removes a folder and those above it that nothing is in. One that cannot be
// removed may stay: nothing is in it.
func (d *Dir) tidy(dir string) {
	d.tidying.Lock()
	defer d.tidying.Unlock()
	for ; dir != d.root; dir = filepath.Dir(dir) {
		if empty, err := isEmpty(dir); err != nil || !empty || d.remove(dir) != nil || d.syncIfThere(filepath.Dir(dir)) != nil {
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

func (d *Dir) removeSidecar(key string) error {
	d.tidying.RLock()
	defer d.tidying.RUnlock()
	if err := d.remove(d.path(key + sidecarExt)); err != nil {
		return err
	}
	return d.syncIfThere(filepath.Dir(d.path(key)))
}

// syncIfThere is SyncDir of a folder that may have been removed, as it was empty.
func (d *Dir) syncIfThere(dir string) error {
	if err := d.disk.SyncDir(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// remove removes a file that may be there.
func (d *Dir) remove(name string) error {
	if name == "" {
		return nil
	}
	if err := d.disk.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *Dir) openFile(name string) (*os.File, error) { return openRegular(d.path(name), os.Stat) }

// openRegular opens a file for reading, and nothing else that a name may stand for:
// opening a pipe would wait for somebody to write to it. With os.Lstat it follows no
// link.
func openRegular(path string, look func(string) (fs.FileInfo, error)) (*os.File, error) {
	st, err := look(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, notAFile(path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // it may be replaced by now
	if err != nil {
		return nil, err
	}
	if st, err = f.Stat(); err == nil && !st.Mode().IsRegular() {
		err = notAFile(path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func notAFile(path string) error {
	return &fs.PathError{Op: "open", Path: path, Err: errors.New("not a file")}
}

// Read refuses files that are too large for a sidecar.
func (d *Dir) Read(_ context.Context, name string) ([]byte, error) {
	f, err := d.openFile(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, mostSidecar+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(data) > mostSidecar {
		return nil, fmt.Errorf("%s: too large for a sidecar", name)
	}
	return data, nil
}

// Open opens a document.
func (d *Dir) Open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	f, err := d.openFile(name)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, st.Size(), nil
}

// Size does not open the document.
func (d *Dir) Size(_ context.Context, name string) (int64, error) {
	st, err := os.Stat(d.path(name))
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// Walk leaves out hidden files and folders, the archive's own at the top, and what is no file.
func (d *Dir) Walk(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		err := filepath.WalkDir(d.root, func(name string, e fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist) && name != d.root:
				return nil // a folder, or what was in it, removed while we looked
			case err != nil:
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			case e.IsDir():
				return d.visit(name)
			case strings.HasPrefix(e.Name(), "."), filepath.Dir(name) == d.root:
				return nil
			}
			st, err := os.Stat(name) // of a file elsewhere, if this is a link to it
			if errors.Is(err, fs.ErrNotExist) {
				return nil // replaced while we looked
			}
			stamp := ""
			if err == nil { // otherwise whoever reads it meets the error again
				stamp = stampOf(st)
			}
			if err == nil && !st.Mode().IsRegular() {
				return nil
			}
			rel, err := filepath.Rel(d.root, name)
			if err != nil {
				return err
			}
			if !yield(Object{filepath.ToSlash(rel), stamp}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(Object{}, err)
		}
	}
}

// visit passes hidden folders by: snapshots of a file server and waste baskets,
// whose sidecars are not those of the archive.
func (d *Dir) visit(dir string) error {
	if dir != d.root && strings.HasPrefix(filepath.Base(dir), ".") {
		return fs.SkipDir
	}
	return nil
}

func stampOf(st fs.FileInfo) string { return fmt.Sprintf("%d-%d", st.ModTime().UnixNano(), st.Size()) }

// clear removes what runs that were cut off left behind, except long downloads
// that can be continued.
func (d *Dir) clear(ctx context.Context) error {
	if err := d.clearParts(ctx); err != nil {
		return err
	}
	for _, pattern := range []string{"[0-9][0-9][0-9][0-9]", "[0-9][0-9][0-9][0-9]/[0-9][0-9]", "[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]", "undated"} {
		dirs, err := fs.Glob(os.DirFS(d.root), pattern)
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			d.tidy(d.path(dir))
		}
	}
	return nil
}

func (d *Dir) clearParts(ctx context.Context) error {
	return filepath.WalkDir(d.root, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case e.IsDir():
			return d.visit(name)
		case !strings.HasPrefix(e.Name(), "."), !strings.HasSuffix(name, ".part"):
			return nil
		}
		if _, err := os.Stat(name + ".etag"); err == nil {
			return nil
		}
		return d.remove(name)
	})
}
