// Package archive keeps copies of faxes, records and documents, in a folder
// that outlives the provider, the account and this program.
//
// Use [Open] to add to an archive and [Read] to look into one. [Archive.Save]
// keeps a fax, [Archive.Secure] proves as well that all of it is kept, as it must be
// before it is deleted at the provider, [Archive.Verify] reads everything again, and
// [Archive.Remove] lets a fax go.
//
//	ARCHIVE/faxctl-archive.json    the version of this layout
//	ARCHIVE/2026/11/23/FX….pdf     a document (or .tiff), under the day of the fax in UTC
//	ARCHIVE/2026/11/23/FX….json    its sidecar: the record, sha256, size, pages, hold
//	ARCHIVE/index.db               finds records quickly; made from the sidecars
//	ARCHIVE/.lock, .writing        who writes, and that the one before has ended in order
//	ARCHIVE/.receiver-AC….json     whose programs run for the faxes of an account: see [Claim]
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
// not there, unless it says that the fax is being removed. Hidden .part files are what was cut off; the next run clears them.
package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// ErrLocked is an archive that another process is writing to. It comes together
// with fax.ErrConflict.
var ErrLocked = errors.New("another process is writing to this archive")

const (
	formatFile    = "faxctl-archive.json"
	formatVersion = 1
	indexFile     = "index.db"
)

// format is the content of faxctl-archive.json.
type format struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
}

// Archive is an open archive. Safe for concurrent use.
type Archive struct {
	dir      string
	disk     durable.Disk
	store    Store
	index    *index.Index
	turn     *turn // nil: open for reading
	inMemory bool  // the index is ours alone, as that of the archive is of no use

	seed    maphash.Seed
	faxes   [4096]sync.Mutex // a fax is written by one call at a time
	newRows rowBuffer        // rows on their way to the index
}

// Open opens the archive in a folder for writing, and makes a new one when the
// folder is empty or not there. Close it. Errors: [ErrLocked]; fax.ErrInvalid for a
// folder that has something else in it; fax.ErrUnsupported for an archive of a later
// version; those of the file system.
func Open(ctx context.Context, dir string) (*Archive, error) { return Opener{}.Open(ctx, dir) }

// Opener opens archives for writing. The zero value does not wait for others.
type Opener struct {
	// Wait is how long to wait while another process writes.
	Wait time.Duration

	// Waiting, unless nil, is told once who is waited for (it may be empty: nobody
	// knows), when that has taken a second.
	Waiting func(who string)

	Disk durable.Disk // nil: durable.OS
}

// Open is [Open] that waits.
func (o Opener) Open(ctx context.Context, dir string) (*Archive, error) {
	found, err := checkFormat(dir)
	if err == nil && !found {
		err = checkEmpty(dir)
	}
	if err != nil {
		return nil, err
	}
	if err := durable.MakeDir(o.disk(), dir); err != nil {
		return nil, err
	}
	return o.openThere(ctx, dir)
}

func (o Opener) disk() durable.Disk {
	if o.Disk == nil {
		return durable.OS{}
	}
	return o.Disk
}

// openThere opens the archive in a folder that is there, and may be without its
// format file.
func (o Opener) openThere(ctx context.Context, dir string) (*Archive, error) {
	a := newArchive(o.disk(), dir)
	var err error
	if a.turn, err = o.takeTurn(ctx, a.disk, dir); err != nil {
		return nil, err
	}
	found, err := checkFormat(dir)
	if err == nil && !found {
		err = writeFormat(o.disk(), dir)
	}
	if err == nil {
		err = a.openIndex(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, a.turn.Close())
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
	return durable.MayMake(dir, dir)
}

// Known fails when there is no archive in the folder (fax.ErrNotFound), or none
// that this program understands.
func Known(dir string) error {
	found, err := checkFormat(dir)
	if err != nil || found {
		return err
	}
	err = fmt.Errorf("archive %s: %w", dir, problem.ErrNotFound)
	if st, there := os.Stat(dir); there != nil || !st.IsDir() || checkEmpty(dir) == nil {
		return problem.With(err, problem.Say("%s makes one", problem.Command("faxes", "archive").Set("to", dir)))
	}
	err = fmt.Errorf("%w: it is a folder but no archive", err)
	if lost, bad := hasSidecar(context.Background(), dir); bad == nil && lost {
		return problem.With(fmt.Errorf("%w: it has lost its %s", err, formatFile), problem.Say("%s makes it one again", problem.Command("archive", "reindex").Arg(dir)))
	}
	return problem.With(err, problem.Say("name the folder that has "+formatFile+" in it"))
}

// Read opens an existing archive for reading, also while another process is
// writing to it: what that has kept in the last moments may not be listed yet. It
// needs no lock and writes nothing. When the index is of no use, as after a run that
// was killed, or cannot be opened, as on a disk that is full or read-only, it makes
// one of its own in memory, which takes longer. Close it. Errors: fax.ErrNotFound
// when there is no archive; otherwise as [Open].
func Read(ctx context.Context, dir string) (*Archive, error) {
	if err := Known(dir); err != nil {
		return nil, err
	}
	a := newArchive(durable.OS{}, dir)
	writer, live := readMark(dir)
	x, err := index.Open(ctx, filepath.Join(dir, indexFile), false)
	if err == nil {
		state, err := x.State(ctx)
		if err == nil && (state == index.Whole && writer == "" || state == index.Growing(writer) && live) {
			a.index = x
			return a, nil
		}
	}
	a.inMemory = true
	own, err := a.ownIndex(ctx, x)
	if x != nil {
		err = errors.Join(err, x.Close())
	}
	if err != nil {
		return nil, err
	}
	return own, nil
}

// ownIndex gives an archive an index in memory, made from the sidecars and what
// the one of the archive (nil: there is none) still knows.
func (a *Archive) ownIndex(ctx context.Context, old *index.Index) (*Archive, error) {
	var err error
	if a.index, err = index.InMemory(ctx); err != nil {
		return nil, err
	}
	if old != nil && old.Intact(ctx) == nil {
		err = a.copyRows(ctx, old)
	}
	if err == nil {
		_, _, err = a.reconcile(ctx, false)
	}
	if err != nil {
		return nil, errors.Join(err, a.index.Close())
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
	if a.turn == nil {
		return a.index.Close()
	}
	return errors.Join(a.settleIndex(ctx), a.index.Close(), a.turn.Close())
}

// settleIndex has the index say that it is whole. Where that may be lost, because
// somebody reads, or others write since our lock was removed, the mark stays: those
// who come next compare it with the sidecars.
func (a *Archive) settleIndex(ctx context.Context) error {
	if err := a.turn.check(); err != nil {
		return err
	}
	if err := a.flushRows(ctx); err != nil {
		return err
	}
	lasts, err := a.index.SetState(ctx, index.Whole)
	if err != nil || !lasts {
		return err
	}
	return a.turn.finish()
}

// openIndex opens the index for writing and makes good what an unfinished run
// left.
func (a *Archive) openIndex(ctx context.Context) error {
	name := filepath.Join(a.dir, indexFile)
	x, err := index.Open(ctx, name, true)
	whole := false
	if err == nil {
		var state index.State
		state, err = x.State(ctx)
		if whole = err == nil && state == index.Whole && !a.turn.unfinished; err == nil && !whole {
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
		whole = false
	case err != nil:
		return err
	}
	a.index = x
	if !whole {
		err = a.recover(ctx)
	}
	if err == nil {
		_, err = x.SetState(ctx, index.Growing(a.turn.name))
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
	file, err := openRegular(filepath.Join(dir, formatFile), os.Lstat)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.Is(err, syscall.ENOTDIR):
		return false, problem.With(problem.Of(problem.ErrInvalid, fmt.Errorf("archive %s is no folder, or is below what is none", dir)), problem.Say("name the folder of an archive"))
	case err != nil:
		return false, err
	}
	data, err := io.ReadAll(io.LimitReader(file, mostSidecar))
	if err := errors.Join(err, file.Close()); err != nil {
		return false, err
	}
	var f format
	switch err := json.Unmarshal(data, &f); {
	case err != nil || f.Format < 1:
		return false, problem.With(fmt.Errorf("archive %s: %w: %s is not readable", dir, problem.ErrInvalid, formatFile),
			problem.Say("bring it back from a backup, or move it away and run: %s", problem.Command("archive", "reindex").Arg(dir)))
	case f.Format > formatVersion:
		return false, problem.With(fmt.Errorf("archive %s: %w: it has format %d, this program knows %d", dir, problem.ErrUnsupported, f.Format, formatVersion),
			newer())
	}
	return true, nil
}

func newer() problem.Advice {
	return problem.Say("use a newer faxctl; %s tells which this is", problem.Command("version"))
}

// checkEmpty refuses a folder that has something in it already.
func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		// A run that was cut off early leaves these.
		ours := slices.ContainsFunc([]string{markName, claimPrefix, "." + formatFile}, func(prefix string) bool { return strings.HasPrefix(e.Name(), prefix) })
		if e.Name() != lockName && !ours {
			return problem.Invalid(problem.Say("name an empty folder, or one that is not there"), "archive %s: the folder is not empty and is no archive", dir)
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
