// Package archive keeps copies of faxes, records and documents, in a folder
// that outlives the provider, the account and this program.
//
// Use [Open] to add to an archive and [Read] to look into one. [Archive.Save]
// keeps a fax, [Archive.SaveThenDelete] keeps it and then deletes it at the
// provider, [Archive.Verify] reads everything again.
//
//	ARCHIVE/faxctl-archive.json    the version of this layout
//	ARCHIVE/2026/11/23/FX….pdf     a document (or .tiff), under the day of the fax in UTC
//	ARCHIVE/2026/11/23/FX….json    its sidecar: the record, sha256, size, pages, hold
//	ARCHIVE/index.db               finds records quickly; made from the sidecars
//
// The sidecars are the truth: one is read before it is written again and before
// its fax is deleted, so that a hold set there by hand counts, and one that cannot
// be read stays as it is, and its fax as well. The index may be deleted at any time;
// it is built anew when it is missing or damaged, and brought up to date when it was
// left unfinished. Only [Archive.Reindex] makes it forget. Everything is for the
// owner alone (0600, folders 0700).
//
// A process may be killed, and the power may fail, at any moment: under its
// final name a file is whole, and a sidecar never tells of a document that is
// not there. Hidden .part files are what was cut off; the next run clears them.
package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/durable"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/plain"
)

// ErrLocked is an archive that another process is writing to. It comes together
// with fax.ErrConflict.
var ErrLocked = errors.New("another process is writing to this archive")

const (
	formatFile    = "faxctl-archive.json"
	formatVersion = 1
	indexFile     = "index.db"
	lockName      = ".lock"
)

// format is the content of faxctl-archive.json.
type format struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
}

// Archive is an open archive. Safe for concurrent use.
type Archive struct {
	dir   string
	disk  durable.Disk
	store Store
	index *index.Index
	lock  *os.File // nil: open for reading
	temp  string   // folder of a temporary index, or ""

	seed  maphash.Seed
	faxes [4096]sync.Mutex // a fax is written by one call at a time
	fresh rowBuffer        // rows on their way to the index
}

// Open opens the archive in a folder for writing, and makes a new one when the
// folder is empty or not there. Close it. Errors: [ErrLocked]; fax.ErrInvalid
// for a folder that has something else in it; fax.ErrUnsupported for an archive
// of a later version; those of the file system.
func Open(ctx context.Context, dir string) (*Archive, error) {
	return openOn(ctx, durable.OS{}, dir)
}

// openOn is Open on any disk.
func openOn(ctx context.Context, disk durable.Disk, dir string) (*Archive, error) {
	found, err := checkFormat(dir)
	if err != nil {
		return nil, err
	}
	if !found {
		if err := checkEmpty(dir); err != nil {
			return nil, err
		}
		if err := durable.MakeDir(disk, dir); err != nil {
			return nil, err
		}
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	a := newArchive(disk, dir)
	a.lock = lock
	if !found {
		err = writeFormat(disk, dir)
	}
	if err == nil {
		err = a.openIndex(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return a, nil
}

// Check fails as [Open] would when it has to make the archive, as far as that can
// be known, and makes nothing.
func Check(dir string) error {
	found, err := checkFormat(dir)
	if err == nil && !found {
		err = checkEmpty(dir)
	}
	if err != nil {
		return err
	}
	return mayMake(dir, dir)
}

// mayMake fails when name cannot be made in dir, or in that of the folders above
// which is there.
func mayMake(name, dir string) error {
	for {
		st, err := os.Stat(dir)
		switch above := filepath.Dir(dir); {
		case err == nil && !st.IsDir():
			return &fs.PathError{Op: "make", Path: name, Err: fmt.Errorf("%s is no folder", dir)}
		case err == nil && st.Mode().Perm()&0o222 == 0: // for all that root may, as in /proc
			return &fs.PathError{Op: "make", Path: name, Err: fmt.Errorf("%s: %w", dir, fs.ErrPermission)}
		case err == nil:
			return writable(dir)
		case !errors.Is(err, fs.ErrNotExist) || above == dir:
			return err
		default:
			dir = above
		}
	}
}

// Known fails when there is no archive in the folder (fax.ErrNotFound), or none
// that this program understands.
func Known(dir string) error {
	found, err := checkFormat(dir)
	if err != nil || found {
		return err
	}
	err = fmt.Errorf("archive %s: %w", dir, fax.ErrNotFound)
	if st, there := os.Stat(dir); there != nil || !st.IsDir() || checkEmpty(dir) == nil {
		return fax.WithHint(err, "faxctl faxes archive --to "+plain.Word(dir)+" makes one")
	}
	return fax.WithHint(fmt.Errorf("%w: it is a folder but no archive", err), "name the folder that has "+formatFile+" in it")
}

// Read opens an existing archive for reading, also while another process is
// writing to it: what that has kept in the last moments may not be listed yet.
// Close it. Errors: fax.ErrNotFound when there is no archive; otherwise as
// [Open].
func Read(ctx context.Context, dir string) (*Archive, error) {
	err := Known(dir)
	if err != nil {
		return nil, err
	}
	a := newArchive(durable.OS{}, dir)
	if x, err := index.Open(ctx, filepath.Join(dir, indexFile), false); err == nil {
		clean, err := x.Clean(ctx)
		if err == nil && (clean || locked(dir)) {
			a.index = x
			return a, nil
		}
		if err := x.Close(); err != nil {
			return nil, err
		}
	}
	// The index is of no use. Whoever may write repairs it for all who come
	// after; others make one of their own.
	if w, err := Open(ctx, dir); err == nil {
		if err := w.Close(ctx); err != nil {
			return nil, err
		}
		if a.index, err = index.Open(ctx, filepath.Join(dir, indexFile), false); err == nil {
			return a, nil
		}
	}
	if a.temp, err = os.MkdirTemp("", "faxctl-index-"); err != nil {
		return nil, err
	}
	x, err := index.Create(ctx, filepath.Join(a.temp, indexFile))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(a.temp))
	}
	a.index = x
	if _, _, err := a.reconcile(ctx, false); err != nil {
		return nil, errors.Join(err, a.Close(ctx))
	}
	return a, nil
}

func newArchive(disk durable.Disk, dir string) *Archive {
	shared := durable.NewSyncer(disk)
	return &Archive{dir: dir, disk: shared, store: &Dir{root: filepath.Clean(dir), disk: shared}, seed: maphash.MakeSeed()}
}

// Close brings the index up to date and lets others write.
func (a *Archive) Close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // an interrupted run, too, ends in order
	var errs []error
	if a.lock != nil {
		err := a.flush(ctx)
		if err == nil {
			err = a.index.SetClean(ctx, true)
		}
		errs = append(errs, err)
	}
	errs = append(errs, a.index.Close())
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	if a.temp != "" {
		errs = append(errs, os.RemoveAll(a.temp))
	}
	return errors.Join(errs...)
}

// openIndex opens the index for writing and makes good what an unfinished run
// left.
func (a *Archive) openIndex(ctx context.Context) error {
	name := filepath.Join(a.dir, indexFile)
	x, err := index.Open(ctx, name, true)
	clean := false
	if err == nil {
		if clean, err = x.Clean(ctx); err == nil && !clean {
			err = x.Intact(ctx)
		}
		if err != nil {
			err = errors.Join(err, x.Close())
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, index.ErrDamaged):
		if x, err = index.Create(ctx, name); err != nil {
			return err
		}
		clean = false
	case err != nil:
		return err
	}
	a.index = x
	if clean {
		err = x.SetClean(ctx, false)
	} else {
		err = a.recover(ctx)
	}
	if err != nil {
		return errors.Join(err, x.Close())
	}
	return nil
}

// recover puts in order what an unfinished run left.
func (a *Archive) recover(ctx context.Context) error {
	if d, ok := a.store.(*Dir); ok {
		if err := d.clear(ctx); err != nil {
			return err
		}
	}
	_, _, err := a.reconcile(ctx, false)
	return err
}

// checkFormat reports whether dir holds an archive, and refuses those that this
// program does not understand.
func checkFormat(dir string) (found bool, err error) {
	data, err := os.ReadFile(filepath.Join(dir, formatFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	var f format
	switch err := json.Unmarshal(data, &f); {
	case err != nil || f.Format < 1:
		return false, fmt.Errorf("archive %s: %w: %s is not readable", dir, fax.ErrInvalid, formatFile)
	case f.Format > formatVersion:
		return false, fax.WithHint(fmt.Errorf("archive %s: %w: it has format %d, this program knows %d", dir, fax.ErrUnsupported, f.Format, formatVersion),
			"use a newer faxctl; faxctl version tells which this is")
	}
	return true, nil
}

// checkEmpty refuses a folder that has something in it already.
func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		// A run that was cut off early leaves these.
		if e.Name() != lockName && !strings.HasPrefix(e.Name(), "."+formatFile) {
			return fax.Invalid("name an empty folder, or one that is not there", "archive %s: the folder is not empty and is no archive", dir)
		}
	}
	return nil
}

func writeFormat(disk durable.Disk, dir string) error {
	data, err := json.Marshal(format{Format: formatVersion, Created: time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	return durable.WriteFile(disk, filepath.Join(dir, formatFile), append(data, '\n'))
}

// takeLock makes us the one writer.
func takeLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	taken, err := durable.TryLock(f)
	if err == nil && !taken {
		err = fax.WithHint(fmt.Errorf("archive %s: %w: %w", dir, fax.ErrConflict, ErrLocked), "wait until it has finished and run this again")
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// locked reports whether somebody is writing.
func locked(dir string) bool {
	f, err := takeLock(dir)
	if err == nil {
		err = f.Close()
	}
	return errors.Is(err, ErrLocked)
}
