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
//	ARCHIVE/.elsewhere             on S3: that somebody wrote without the common index
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
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/faxctl/faxctl/pkg/archive/dir"
	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/durable"
)

// ErrLocked is an archive that another process is writing to. It comes together
// with fax.ErrConflict.
var ErrLocked = errors.New("another process is writing to this archive")

const indexFile = "index.db"

// Archive is an open archive. Safe for concurrent use.
type Archive struct {
	dir      string // where it is, as it was named
	disk     durable.Disk
	files    fileStore
	bucket   *bucket // the same, if it is one
	index    *index.Index
	turn     *turn // of who writes to a folder
	inMemory bool  // the index is ours alone, as that of the archive is of no use
	writes   bool
	shared   bool // others write to it at the same time
	common   bool // and have the index in common

	rivals atomic.Bool // somebody else was met who keeps the same faxes now

	readers int            // sidecars that are read at a time
	reading func(int)      // told of sidecars that the index does not know; may be nil
	lost    func(LostHold) // may be nil

	surveying sync.Mutex
	surveyed  *survey // guarded by surveying; nil: nothing was listed yet

	seed    maphash.Seed
	faxes   [4096]sync.Mutex // a fax is written by one call at a time
	newRows rowBuffer        // rows on their way to the index
}

func newArchive(disk durable.Disk, where string) *Archive {
	shared := durable.NewSyncer(disk)
	return &Archive{dir: where, disk: shared, files: folder{dir.New(where, shared)}, readers: 1, seed: maphash.MakeSeed()}
}

// Close brings the index up to date and lets others write.
func (a *Archive) Close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // an interrupted run, too, ends in order
	switch {
	case !a.writes:
		return a.index.Close()
	case a.turn == nil:
		err := a.flushRows(ctx)
		if a.bucket != nil && !a.common {
			err = errors.Join(err, a.bucket.leaveMark(ctx, written))
		}
		return errors.Join(err, a.index.Close())
	}
	return errors.Join(a.settleIndex(ctx), a.index.Close(), a.turn.Close())
}

// checkTurn fails when others may be writing who must not.
func (a *Archive) checkTurn() error {
	if a.turn == nil {
		return nil
	}
	return a.turn.check()
}

// settleIndex has the index say that it is whole. Where that may be lost, because
// somebody reads, or others write since our lock was removed, the mark stays: those
// who come next compare it with the sidecars.
func (a *Archive) settleIndex(ctx context.Context) error {
	if err := a.checkTurn(); err != nil {
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
