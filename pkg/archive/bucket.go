package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/durable"
)

// remote is a store that others write to at the same time.
type remote interface {
	store.Store
	legalHolds

	// Identity tells it from one of the same name at another server.
	Identity() string

	// Above is the nearest place above this one, as a location, that has a file of a name;
	// "": there is none that can be seen.
	Above(ctx context.Context, name string) (string, error)
}

// legalHolds are what some buckets keep files by, against everybody.
type legalHolds interface {
	// ObjectLock reports whether the bucket has them. It may be asked at any time: the
	// answer is remembered.
	ObjectLock(ctx context.Context) (bool, error)

	// Held reports whether what a name stands for now is under one.
	Held(ctx context.Context, name string) (bool, error)

	// LegalHold puts what a name stands for now under one, or releases all its versions.
	LegalHold(ctx context.Context, name string, on bool) error

	// PutHeld is Put of what is under one from the first moment.
	PutHeld(ctx context.Context, name string, content store.Content, when store.Condition) (stamp string, err error)

	// MayRemove fails with problem.ErrConflict when the bucket keeps a version of a file,
	// by a legal hold or for a time.
	MayRemove(ctx context.Context, name string) error
}

// bucket is the files of an archive on S3. There is no lock: of those who write a sidecar
// at the same time one wins, and the others decide again.
type bucket struct {
	remote
	disk  durable.Disk
	local string // folder of this machine, for documents on their way
}

var _ fileStore = bucket{}

func (b bucket) spool(_ context.Context, key string) (string, error) {
	return filepath.Join(b.local, path.Base(key)+partExt), nil
}

// partExt is the end of the name of a document on its way.
const partExt = ".part"

// keep puts the document first, and then the sidecar, whose condition decides between
// those who keep the same fax at the same time. Who loses looks at the whole document
// then, and puts it right where it is not what the sidecar says.
func (b bucket) keep(ctx context.Context, key string, doc *fetch.Part, sidecar []byte, when store.Condition) (string, error) {
	if err := b.keepDocument(ctx, key, doc, when, b.Put); err != nil {
		return "", err
	}
	return b.Put(ctx, key+sidecarExt, bytes.NewReader(sidecar), when)
}

// keepHeld is keep of a fax that is held, whose document has a name ("": there is none). By
// the time that the sidecar says so, both are under a legal hold.
func (b bucket) keepHeld(ctx context.Context, key string, doc *fetch.Part, name string, sidecar []byte, when store.Condition) (string, error) {
	if err := b.keepDocument(ctx, key, doc, when, b.PutHeld); err != nil {
		return "", err
	}
	if name != "" {
		held, err := b.Held(ctx, name)
		if err == nil && !held {
			err = b.LegalHold(ctx, name, true)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // what is lost cannot be held
			return "", err
		}
	}
	return b.PutHeld(ctx, key+sidecarExt, bytes.NewReader(sidecar), when)
}

// putter is Put, or PutHeld.
type putter func(ctx context.Context, name string, content store.Content, when store.Condition) (stamp string, err error)

// keepDocument puts a document (nil: there is none), before the sidecar.
func (b bucket) keepDocument(ctx context.Context, key string, doc *fetch.Part, when store.Condition, put putter) error {
	for tries := 0; doc != nil; tries++ {
		err := b.putDocument(ctx, key, doc, when, put)
		if err == nil {
			break
		}
		if !errors.Is(err, store.ErrChanged) || tries == mostTries {
			return err
		}
		if err := b.holds(ctx, key+sidecarExt, when); err != nil {
			return err
		}
	}
	return nil
}

// putDocument puts a document, unless the same is there. Another one that is there is
// nobody's, or of the sidecar that is about to be replaced, as long as the condition holds
// of the sidecar. store.ErrChanged: that does not hold, or somebody else put one meanwhile.
func (b bucket) putDocument(ctx context.Context, key string, doc *fetch.Part, when store.Condition, put putter) error {
	name := key + doc.Info.Ext
	_, err := put(ctx, name, doc.Content(), store.Absent())
	if !errors.Is(err, store.ErrChanged) {
		return err
	}
	sum, there, err := b.sum(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return store.Changed(name)
	case err != nil || sum == doc.SHA256:
		return err
	}
	if err := b.holds(ctx, key+sidecarExt, when); err != nil {
		return err
	}
	_, err = put(ctx, name, doc.Content(), store.Unchanged(there))
	return err
}

// sum reads what is there: its SHA-256 in hex, and its stamp.
func (b bucket) sum(ctx context.Context, name string) (sum, stamp string, err error) {
	r, there, err := b.Open(ctx, name, 0)
	if err != nil {
		return "", "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), there.Stamp, errors.Join(err, r.Close())
}

// holds fails with store.ErrChanged when a condition does not hold of what is there.
func (b bucket) holds(ctx context.Context, name string, when store.Condition) error {
	there, err := b.Stat(ctx, name)
	gone := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !gone:
		return err
	case when.Absent && !gone, when.Stamp != "" && (gone || there.Stamp != when.Stamp):
		return store.Changed(name)
	}
	return nil
}

// settle has nothing to do: what was put lasts.
func (b bucket) settle(context.Context, string) error { return nil }

// strip removes all that begins as the sidecar does.
func (b bucket) strip(ctx context.Context, key string) error {
	for f, err := range b.List(ctx, key+".") {
		if err == nil && f.Name != key+sidecarExt {
			err = b.Remove(ctx, f.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// clear removes documents that were on their way to this machine, of runs that ended.
func (b bucket) clear(ctx context.Context) error {
	parts, err := filepath.Glob(filepath.Join(b.local, "*"+partExt))
	if err != nil {
		return err
	}
	for _, part := range parts {
		if continued(part) {
			continue
		}
		f, err := durable.Claim(b.disk, part)
		if errors.Is(err, durable.ErrTaken) {
			continue
		} else if err != nil {
			return err
		}
		if err := errors.Join(b.disk.Remove(part), f.Close(), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}
