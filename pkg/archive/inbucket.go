package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// inBucket is an archive on S3: any number of processes write to it at the same time, and
// what this machine knows of it is in the cache folder of whoever runs it.
type inBucket struct {
	Opener
	where string
	remote
}

func (o inBucket) open(ctx context.Context) (*Archive, error) {
	found, err := o.checkFormat(ctx)
	if err == nil && !found {
		err = o.begin(ctx)
	}
	if err != nil {
		return nil, err
	}
	return o.openThere(ctx, true)
}

func (o inBucket) read(ctx context.Context) (*Archive, error) {
	if err := o.known(ctx); err != nil {
		return nil, err
	}
	return o.openThere(ctx, false)
}

// begin makes the archive, unless somebody else does at the same time. A common index may
// know of one that was there before, and was emptied: the mark has it look again.
func (o inBucket) begin(ctx context.Context) error {
	if err := o.checkNew(ctx); err != nil {
		if found, _ := o.checkFormat(ctx); found {
			return nil
		}
		return err
	}
	if err := o.writeFormat(ctx); err != nil {
		return err
	}
	return bucket{o.remote, o.disk(), ""}.leaveMark(ctx, written)
}

func (o inBucket) writeFormat(ctx context.Context) error {
	data, err := newFormat()
	if err != nil {
		return err
	}
	_, err = o.Put(ctx, formatFile, bytes.NewReader(data), store.Absent())
	if errors.Is(err, store.ErrChanged) {
		_, err = o.checkFormat(ctx)
	}
	return err
}

// openThere opens the archive that is there, and brings the index up to date.
func (o inBucket) openThere(ctx context.Context, write bool) (*Archive, error) {
	local, err := o.localFolder()
	if err != nil {
		return nil, err
	}
	spool := filepath.Join(local, "documents")
	if err := durable.MakeDir(o.disk(), spool); err != nil {
		return nil, err
	}
	files := bucket{o.remote, o.disk(), spool}
	a := &Archive{
		dir: o.where, disk: o.disk(), files: files, bucket: &files, writes: write, shared: true,
		readers: sideBySide, reading: o.Reading, lost: o.Lost, seed: maphash.MakeSeed(),
	}
	if write {
		if err := a.files.clear(ctx); err != nil {
			return nil, err
		}
	}
	if a.index, a.common, err = o.openIndex(ctx, local); err != nil {
		return nil, err
	}
	err = a.catchUp(ctx)
	switch {
	case err != nil:
	case a.common:
		err = a.takeOver(ctx, filepath.Join(local, indexFile))
	case write:
		err = files.leaveMark(ctx, writing)
	}
	if err != nil {
		return nil, errors.Join(err, a.index.Close())
	}
	return a, nil
}

// openIndex opens the index that all who use the archive have in common, or that of this
// machine, in a folder.
func (o inBucket) openIndex(ctx context.Context, local string) (x *index.Index, common bool, err error) {
	var db *sql.DB
	if o.Database != nil {
		if db, err = o.Database(ctx); err != nil {
			return nil, false, err
		}
	}
	if db == nil {
		x, err = localIndex(ctx, local)
		return x, false, err
	}
	x, err = index.Shared(ctx, db, o.Identity())
	return x, true, err
}

// sideBySide is how many sidecars are read at a time where each is a request.
const sideBySide = 32

// catchUp has the index know what is there, and nothing else. What others keep meanwhile
// an index of this machine may not know; it forgets nothing that it learns at the same
// time. One that all have in common is kept up by those who write with it, and made good
// when somebody wrote without it. The mark of those is read before the list, so that what
// they do meanwhile is found the next time.
func (a *Archive) catchUp(ctx context.Context) error {
	if !a.common {
		return a.byListing(ctx)
	}
	mark, err := a.bucket.mark(ctx)
	if err != nil {
		return err
	}
	state, err := a.index.State(ctx)
	if err != nil || state == wholeBy(mark) {
		return err
	}
	if err := a.byListing(ctx); err != nil || isWriting(mark) {
		return err
	}
	_, err = a.index.SetState(ctx, wholeBy(mark))
	return err
}

// byListing brings the index up to date by a list of what is there. A fax that is held it
// does not forget: its sidecar was lost, unless it was let go and removed elsewhere since.
// Who has read a sidecar may put the row of it after somebody else has put that of a later
// one: what is common is looked at again.
func (a *Archive) byListing(ctx context.Context) error {
	for tries := 1; ; tries++ {
		found, err := a.reconcile(ctx, false)
		if err != nil {
			return err
		}
		if err := a.index.Remove(ctx, slices.DeleteFunc(slices.Clone(found.gone), held)); err != nil {
			return err
		}
		if !a.common || found.learnt == 0 || tries == mostLooks { // then others are busy, and see to their rows themselves
			return a.tellLost(ctx, found)
		}
	}
}

func held(r index.Row) bool { return r.Held }

// tellLost tells of what is held and has no sidecar that says so. A list may miss one that is
// replaced at that moment: it is asked for once more.
func (a *Archive) tellLost(ctx context.Context, found reconciled) error {
	if a.lost == nil {
		return nil
	}
	for _, l := range found.unheld {
		a.lost(l)
	}
	for _, row := range found.gone {
		if !row.Held {
			continue
		}
		there, err := a.anythingAt(ctx, row.Key)
		if err != nil {
			return err
		}
		if !there || a.believed(row) != nil {
			a.lost(lostWith(row))
		}
	}
	return nil
}

// mostLooks is how often a list is held against an index that others write to.
const mostLooks = 5

// localFolder is where this machine has what it knows of the archive, and the documents on
// their way.
func (o inBucket) localFolder() (string, error) {
	cache, err := durable.CacheHome(o.getenv())
	if err != nil {
		return "", problem.With(fmt.Errorf("there is no folder for what is known of %s: %w", o.where, err),
			problem.Say("set XDG_CACHE_HOME to a folder that may be lost"))
	}
	sum := sha256.Sum256([]byte(o.Identity()))
	return filepath.Join(cache, "faxctl", "archives", hex.EncodeToString(sum[:16])), nil
}

// localIndex opens the index in a folder, or makes it. Several processes may do so at once,
// and use it together.
func localIndex(ctx context.Context, dir string) (*index.Index, error) {
	lock, err := durable.Lock(ctx, filepath.Join(dir, lockName), opening)
	if err != nil {
		return nil, err
	}
	defer lock.Close() //nolint:errcheck // nothing is written to it
	name := filepath.Join(dir, indexFile)
	x, err := index.Open(ctx, name, true)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, index.ErrDamaged) {
		return index.Create(ctx, name)
	} else if err != nil {
		return nil, err
	}
	state, err := x.State(ctx)
	if err == nil && state == handedOver {
		_, err = x.SetState(ctx, index.Torn)
	}
	if err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// opening is how long another process may take to open the same index.
const opening = 30 * time.Second

func (o inBucket) check(ctx context.Context) error {
	found, err := o.checkFormat(ctx)
	if err == nil && !found {
		err = o.checkNew(ctx)
	}
	return err
}

// checkNew refuses a place where no archive may be made.
func (o inBucket) checkNew(ctx context.Context) error {
	if err := o.checkEmpty(ctx); err != nil {
		return err
	}
	above, err := o.Above(ctx, formatFile)
	if err == nil && above != "" {
		err = inAnother(o.where, above)
	}
	return err
}

func (o inBucket) known(ctx context.Context) error {
	found, err := o.checkFormat(ctx)
	if err != nil || found {
		return err
	}
	err = fmt.Errorf("archive %s: %w", o.where, problem.ErrNotFound)
	lost, bad := o.hasSidecar(ctx)
	switch {
	case bad != nil:
		return bad
	case lost:
		return problem.With(fmt.Errorf("%w: it has lost its %s", err, formatFile), problem.Say("%s makes it one again", problem.Command("archive", "reindex").Arg(o.where)))
	case o.checkEmpty(ctx) == nil:
		return problem.With(err, problem.Say("is it spelled right?"))
	}
	return problem.With(fmt.Errorf("%w: something else is there", err), problem.Say("name the part of the bucket that has "+formatFile+" in it"))
}

// rescue makes the archive whole of which the format file is lost.
func (o inBucket) rescue(ctx context.Context) (*Archive, bool, error) {
	lost, err := o.hasSidecar(ctx)
	if err == nil && lost {
		err = o.writeFormat(ctx)
	}
	if err != nil || !lost {
		return nil, false, err
	}
	a, err := o.openThere(ctx, true)
	return a, err == nil, err
}

// checkFormat reports whether there is an archive, and refuses those that this program
// does not understand.
func (o inBucket) checkFormat(ctx context.Context) (found bool, err error) {
	data, _, err := readSmall(ctx, o.remote, formatFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, understood(o.where, data)
}

// checkEmpty refuses a place that has something in it already.
func (o inBucket) checkEmpty(ctx context.Context) error {
	for _, err := range o.List(ctx, "") {
		if err != nil {
			return err
		}
		return problem.Invalid(problem.Say("name an empty part of the bucket, as in s3://bucket/faxes"), "archive %s: something is there that is no archive", o.where)
	}
	return nil
}

// hasSidecar reports whether there is a sidecar where an archive would keep it.
func (o inBucket) hasSidecar(ctx context.Context) (bool, error) {
	for f, err := range o.List(ctx, "") {
		if err != nil {
			return false, err
		}
		if !strings.HasSuffix(f.Name, sidecarExt) || path.Dir(f.Name) == "." {
			continue
		}
		data, _, err := readSmall(ctx, o.remote, f.Name)
		if err != nil && away(ctx, err) {
			return false, err
		}
		if e, bad := decode(f.Name, data); err == nil && (bad == nil || errors.Is(bad, errLater)) && keyOf(e.Fax) == strings.TrimSuffix(f.Name, sidecarExt) {
			return true, nil
		}
	}
	return false, nil
}
