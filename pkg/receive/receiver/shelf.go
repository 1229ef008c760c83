package receiver

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/durable"
)

// shelf is where documents wait that came with a callback: the folder of the state, or
// where every replica sees them. A name is ours: see [label]. Of one that is not there the
// error is fs.ErrNotExist.
type shelf interface {
	// keep makes a whole part last under a name. After an error nobody knows whether it was
	// kept.
	keep(ctx context.Context, part durable.File, size int64, name string) error

	// open reads a document again from an offset on, and tells how long all of it is.
	open(ctx context.Context, name string, offset int64) (io.ReadCloser, int64, error)

	// list yields the names that are there, but of parts.
	list(ctx context.Context) iter.Seq2[string, error]

	remove(ctx context.Context, name string) error
}

const partSuffix = ".part" // of a file that is not known to be whole

// folder is the shelf of a receiver that has its state to itself. Parts are renamed.
type folder struct {
	disk durable.Disk
	dir  string
}

func (f folder) keep(_ context.Context, part durable.File, _ int64, name string) error {
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return err
	}
	if err := f.disk.Rename(part.Name(), filepath.Join(f.dir, name)); err != nil {
		return err
	}
	return f.disk.SyncDir(f.dir)
}

func (f folder) list(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		files, err := os.ReadDir(f.dir)
		if err != nil {
			yield("", err)
			return
		}
		for _, file := range files {
			if !strings.HasSuffix(file.Name(), partSuffix) && !yield(file.Name(), nil) {
				return
			}
		}
	}
}

func (f folder) open(_ context.Context, name string, offset int64) (_ io.ReadCloser, size int64, err error) {
	file, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil {
		_, err = file.Seek(offset, io.SeekStart)
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

func (f folder) remove(_ context.Context, name string) error {
	return f.disk.Remove(filepath.Join(f.dir, name))
}

// clear removes the parts that a crash left, and what no event mentions of those whose fax
// their name does not tell.
func (f folder) clear(ctx context.Context, q *queue) error {
	files, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, told := parseLabel(file.Name()); told {
			continue
		}
		needed, err := q.hasUpload(ctx, file.Name())
		if err != nil {
			return err
		}
		if !needed {
			if err := f.remove(ctx, file.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// room is the shelf that replicas share: a hidden place in their archive, which has their
// receiver's id in its name.
type room struct {
	store  store.Store
	prefix string // with a slash at its end
	disk   durable.Disk
}

const (
	// roomLimit is for one use of the room. A provider hangs up before, and what it was not
	// told of is kept all the same: it may not come again.
	roomLimit = time.Minute

	// staleAfter is after how long a document that nothing mentions belongs to nobody: no
	// callback takes as long, whatever the clocks of the replicas are.
	staleAfter = 24 * time.Hour
)

// roomOf is where the documents of the receiver with this id wait.
func roomOf(id string) string { return path.Join(".incoming", id) + "/" }

func (r room) keep(ctx context.Context, part durable.File, size int64, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), roomLimit)
	defer cancel()
	if _, err := r.store.Put(ctx, r.prefix+name, io.NewSectionReader(part, 0, size), store.Absent()); err != nil {
		return err
	}
	return errors.Join(part.Close(), r.disk.Remove(part.Name()))
}

func (r room) list(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for file, err := range r.store.List(ctx, r.prefix) {
			if !yield(strings.TrimPrefix(file.Name, r.prefix), err) {
				return
			}
		}
	}
}

func (r room) open(ctx context.Context, name string, offset int64) (io.ReadCloser, int64, error) {
	content, file, err := r.store.Open(ctx, r.prefix+name, offset)
	return content, file.Size, err
}

func (r room) remove(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), roomLimit)
	defer cancel()
	return r.store.Remove(ctx, r.prefix+name)
}

// clear removes what nothing mentions, of those whose fax their name does not tell. Another
// replica may be about to tell the database of a document, which is why it stays for long.
func (r room) clear(ctx context.Context, q *queue) (n int, err error) {
	for name, err := range r.list(ctx) {
		if err != nil {
			return n, err
		}
		at, err := time.Parse(namedAt, name[:min(len(name), len(namedAt))])
		if _, told := parseLabel(name); told || err != nil || time.Since(at) < staleAfter {
			continue // taken up, or not ours, or not for long
		}
		needed, err := q.hasUpload(ctx, name)
		if err != nil {
			return n, err
		}
		if !needed {
			if err := r.remove(ctx, name); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}

// clearParts removes the parts of a folder that a process left which is no more. Replicas
// on one machine may share it.
func clearParts(disk durable.Disk, dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := file.Info()
		if err == nil && strings.HasSuffix(file.Name(), partSuffix) && time.Since(info.ModTime()) > staleAfter {
			err = disk.Remove(filepath.Join(dir, file.Name()))
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) { // another one was quicker
			return err
		}
	}
	return nil
}

// counted is a shelf whose failures are counted. What is not there is none.
type counted struct {
	shelf
	m *metrics
}

func (c counted) keep(ctx context.Context, part durable.File, size int64, name string) error {
	err := c.shelf.keep(ctx, part, size, name)
	c.count("keep", err)
	return err
}

func (c counted) open(ctx context.Context, name string, offset int64) (io.ReadCloser, int64, error) {
	f, size, err := c.shelf.open(ctx, name, offset)
	c.count("open", err)
	return f, size, err
}

func (c counted) remove(ctx context.Context, name string) error {
	err := c.shelf.remove(ctx, name)
	c.count("remove", err)
	return err
}

func (c counted) count(operation string, err error) {
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		c.m.incoming.Add(1, operation)
	}
}
