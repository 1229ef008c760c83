package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Save keeps a fax: its record, and its document when there is one. existed
// tells that nothing had to be written. A document that is kept already is not
// fetched again, and never given up: when the provider has it no more, the
// entry is marked. That a document is not there is believed when the record,
// fetched again, and the list of its documents say so too; a mark is taken back
// when the record names one.
//
// f need not come with Raw, nor with a link that still works: without Raw the
// record is fetched when it has to be written, and kept as the provider sends it.
// Concurrent calls are safe, and share their fsyncs of folders. Errors: those of
// [fetch.Save]; fax.ErrContradiction for a document that the record names and
// storage denies, or a fax that the list shows and its record denies; [ErrGone];
// [ErrDamagedCopy] for a sidecar that cannot be read, which stays as it is;
// fax.ErrInvalid for an id that is no file name. When the provider does not give
// the document, the record is kept without it, and every later call asks for it
// again, unless storage denied it: then only [Archive.SaveNews] does, and
// Entry.DocumentDenied tells of it. After any other error the archive is as it was.
func (a *Archive) Save(ctx context.Context, faxes fax.Faxes, f fax.Fax) (e Entry, existed bool, err error) {
	return a.save(ctx, f, saving{faxes: faxes})
}

// SaveNews is Save for who was told that there is a document: one that is marked
// as gone, or was denied, is asked for again.
func (a *Archive) SaveNews(ctx context.Context, faxes fax.Faxes, f fax.Fax) (e Entry, existed bool, err error) {
	return a.save(ctx, f, saving{faxes: faxes, sure: true})
}

// save is Save, as s is to go about it.
func (a *Archive) save(ctx context.Context, f fax.Fax, s saving) (e Entry, existed bool, err error) {
	if err := a.writable(f.ID); err != nil {
		return Entry{}, false, err
	}
	defer a.lockFax(f.ID)()
	s.a = a
	defer s.discard()
	err = whileChanged(func() error {
		e, existed, err = s.once(ctx, f)
		s.again = true
		if errors.Is(err, store.ErrChanged) {
			a.rivals.Store(true)
		}
		return err
	})
	return e, existed, err
}

// saving is one Save under way: it reads what is kept, decides, and writes unless somebody
// has changed that.
type saving struct {
	a      *Archive
	faxes  fax.Faxes
	sure   bool // there is a document: one that is marked as gone is asked for again
	absent bool // the index was asked a moment ago, and knew of none
	again  bool // it was tried before

	// What came of the download, for another try as well.
	asked  bool
	part   *fetch.Part
	failed error
}

// discard is of no effect once the document has its name.
func (s *saving) discard() {
	if s.part != nil {
		s.part.Discard()
	}
}

// findRow does without the index where that was asked a moment ago. What is kept under the
// fax's own name is found all the same.
func (s *saving) findRow(ctx context.Context, id string) (e Entry, key string, found bool, err error) {
	if _, pending := s.a.pendingRow(id); s.absent && !s.again && !pending {
		return Entry{}, "", false, nil
	}
	return s.a.findRow(ctx, id)
}

// sidecar is what is kept of the fax. Of one that nobody knew of a moment ago a bucket is not
// asked: that it is new, the condition on its sidecar says.
func (s *saving) sidecar(ctx context.Context, row Entry, key string, found bool) (located, bool, error) {
	if s.absent && !s.again && !found && s.a.bucket != nil {
		return located{key: key}, false, nil
	}
	return s.a.sidecarOrRow(ctx, row, key, found)
}

func (s *saving) once(ctx context.Context, f fax.Fax) (e Entry, existed bool, err error) {
	a := s.a
	row, key, found, err := s.findRow(ctx, f.ID)
	if err != nil {
		return Entry{}, false, err
	}
	if found && (row.Document != nil || !s.sure) {
		if upToDate, err := a.upToDate(ctx, key, row, f); err != nil {
			return Entry{}, false, err
		} else if upToDate {
			return row, true, nil
		}
	}
	if !found {
		key = keyOf(f)
	}
	old, found, err := s.sidecar(ctx, row, key, found)
	if err != nil {
		return Entry{}, false, err
	}
	if err := a.beingRemoved(old.Entry); err != nil {
		return Entry{}, false, err
	}
	if f.Raw == nil && (!found || !same(old.Fax, f)) || !old.Gone.IsZero() {
		if f, err = renewed(ctx, s.faxes, f); err != nil {
			return Entry{}, false, err
		}
	}
	e = old.renewed(f, found)
	part, err := s.document(ctx, &e, old)
	if err != nil {
		if ctx.Err() == nil && !local(err) && !errors.Is(err, ErrGone) {
			err = errors.Join(err, a.putWithoutDocument(ctx, e, old, found))
		}
		return Entry{}, false, err
	}
	if found && old.stamp != "" && !old.lost && part == nil && same(old.Fax, e.Fax) && old.MediaGone.Equal(e.MediaGone) && old.Gone.IsZero() && old.Removing.IsZero() && !old.DocumentMissing {
		return old.Entry, true, a.correctRow(ctx, row, old)
	}
	if e.Record == nil && found && same(old.Fax, e.Fax) {
		e.Record = old.Record
	}
	return e, false, a.put(ctx, old, part, e)
}

// renewed is the entry of f before it is known what there is of a document, with what
// stays of what is kept already.
func (l located) renewed(f fax.Fax, found bool) Entry {
	e := Entry{Fax: f, Record: f.Raw, ArchivedAt: time.Now().UTC().Truncate(time.Millisecond)}
	if found {
		e.Document, e.MediaGone, e.Proven, e.Hold, e.Holds, e.Release, e.Deleting = l.Document, l.MediaGone, l.Proven, l.Hold, l.Holds, l.Release, l.Deleting
		if same(l.Fax, f) {
			e.DocumentDenied = l.DocumentDenied
		}
	}
	return e
}

// document finds out what there is of a document: e tells of it then, and it is
// downloaded when it is not kept yet, or may be another one.
func (s *saving) document(ctx context.Context, e *Entry, old located) (part *fetch.Part, err error) {
	f := e.Fax
	kept, err := s.kept(ctx, old)
	if err != nil {
		return nil, err
	}
	if !old.Removing.IsZero() && !kept { // it was removed, as far as that came
		e.Document = nil
	}
	another := kept && old.Fax.MediaID != "" && f.MediaID != "" && old.Fax.MediaID != f.MediaID // the record names it
	switch {
	case kept && !another:
		e.ArchivedAt = old.ArchivedAt
		return nil, e.lookForMedia(ctx, s.faxes)
	case !mayHaveDocument(f) || !e.MediaGone.IsZero() && !f.HasDocument() && !s.sure:
		return nil, nil
	}
	part, err = s.download(ctx, f, old.key)
	if fax.Denied(err) {
		return nil, e.denied(ctx, s.faxes, s.a.dir, err)
	} else if err != nil {
		return nil, err
	}
	e.MediaGone, e.DocumentDenied = time.Time{}, time.Time{}
	if another && part.SHA256 != old.Document.SHA256 {
		return nil, fmt.Errorf("fax %s: %w: its record names another document than the one that is kept", f.ID, fax.ErrContradiction)
	}
	e.Document = &Document{
		File: f.ID + part.Info.Ext, SHA256: part.SHA256, Size: part.Size,
		Pages: part.Info.Pages, Uncounted: part.Info.Uncounted, ContentType: part.Info.ContentType, MediaID: part.MediaID,
	}
	return part, nil
}

// kept reports whether the document is in its place, which its size tells. When somebody
// else has kept the fax just now it is read: two may have put what they were given.
func (s *saving) kept(ctx context.Context, old located) (bool, error) {
	there, err := s.a.documentThere(ctx, old.key, old.Document)
	if !there || !s.again {
		return there, err
	}
	finding, err := s.a.checkDocument(ctx, old.Fax.ID, documentName(old.key, old.Document), old.Document, io.Discard)
	return err == nil && finding == nil, err
}

// download fetches the document, once.
func (s *saving) download(ctx context.Context, f fax.Fax, key string) (*fetch.Part, error) {
	if !s.asked {
		s.asked = true
		s.part, s.failed = s.a.download(ctx, s.faxes, f, key)
	}
	return s.part, s.failed
}

// putWithoutDocument keeps the record of a fax whose document did not come: when nothing of
// it is kept yet, and when storage denied it for the first time.
func (a *Archive) putWithoutDocument(ctx context.Context, e Entry, old located, found bool) error {
	if e.Document != nil || found && e.DocumentDenied.Equal(old.DocumentDenied) {
		return nil
	}
	e.DocumentMissing, e.MediaGone = true, time.Time{}
	if found && e.Record == nil {
		e.Record = old.Record
	}
	return a.put(ctx, old, nil, e)
}

// local tells a failure of this machine's files from one of the provider.
func local(err error) bool {
	var file *fs.PathError
	var link *os.LinkError
	return errors.As(err, &file) || errors.As(err, &link)
}

// upToDate reports whether there is nothing to do for f, if the index is right.
func (a *Archive) upToDate(ctx context.Context, key string, row Entry, f fax.Fax) (bool, error) {
	gone := !row.MediaGone.IsZero()
	if !same(row.Fax, f) || !row.Gone.IsZero() || !row.Removing.IsZero() {
		return false, nil
	}
	if stamp, err := a.sidecarStamp(ctx, key); err != nil || stamp == "" || stamp != row.listed { // what was written or damaged since is read
		return false, err
	}
	if row.DocumentMissing {
		return !row.DocumentDenied.IsZero(), nil
	}
	if there, err := a.documentThere(ctx, key, row.Document); err != nil || there {
		return f.HasDocument() != gone, err
	}
	return !f.HasDocument() && (gone || !mayHaveDocument(f)), nil
}

// sidecarStamp is the stamp of the sidecar; "": none is there, and the index alone is no copy.
func (a *Archive) sidecarStamp(ctx context.Context, key string) (string, error) {
	f, err := a.files.Stat(ctx, key+sidecarExt)
	if err != nil && away(ctx, err) {
		return "", err
	}
	if err != nil || f.Size == 0 {
		return "", nil //nolint:nilerr // it is read next, which tells
	}
	return f.Stamp, nil
}

// there reports whether a file is there, as far as can be told.
func (a *Archive) there(ctx context.Context, name string) bool {
	_, err := a.files.Stat(ctx, name)
	return !errors.Is(err, fs.ErrNotExist)
}

func (a *Archive) download(ctx context.Context, faxes fax.Faxes, f fax.Fax, key string) (*fetch.Part, error) {
	path, err := a.files.spool(ctx, key)
	if err != nil {
		return nil, err
	}
	return fetch.Get(ctx, faxes, f, path, fetch.Options{Disk: a.disk, Passing: a.bucket != nil})
}

// documentThere reports whether the document is in its place with the right size.
// [Archive.Verify] looks closer.
func (a *Archive) documentThere(ctx context.Context, key string, d *Document) (bool, error) {
	if d == nil {
		return false, nil
	}
	f, err := a.files.Stat(ctx, documentName(key, d))
	if err != nil && away(ctx, err) {
		return false, err
	}
	return err == nil && f.Size == d.Size, nil
}

// documentName is the name of the document of the fax kept under key.
func documentName(key string, d *Document) string { return path.Join(path.Dir(key), d.File) }

// put writes an entry in the place of what was read of it, with its document when that is
// new. store.ErrChanged: what was read is not what is there.
func (a *Archive) put(ctx context.Context, before located, part *fetch.Part, e Entry) error {
	sidecar, err := e.encode()
	if err != nil {
		return err
	}
	if len(sidecar) > mostSidecar {
		return fmt.Errorf("%w: the record of fax %s is %d bytes long", problem.ErrInvalid, e.Fax.ID, len(sidecar))
	}
	if err := a.checkTurn(); err != nil { // the download may have taken a while
		return err
	}
	key := before.key
	stamp, err := a.keep(ctx, key, part, e, sidecar, before.unchanged())
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	row, err := rowOf(e, key+sidecarExt, stamp)
	if err != nil {
		return err
	}
	return a.indexSoon(ctx, row)
}

// correctRow has the index know of an entry what its sidecar says. A sidecar that it
// does not know was written by a call that failed, or by hand.
func (a *Archive) correctRow(ctx context.Context, row Entry, kept located) error {
	name := kept.key + sidecarExt
	knows, err := rowOf(row, name, "")
	if err != nil {
		return err
	}
	right, err := rowOf(kept.Entry, name, kept.stamp)
	if err != nil || row.listed == kept.stamp && bytes.Equal(knows.Entry, right.Entry) {
		return err
	}
	if err := a.files.settle(ctx, kept.key); err != nil {
		return err
	}
	return a.indexSoon(ctx, right)
}

// lockFax waits until no other call writes the fax, and keeps others waiting until
// the function it returns is called.
func (a *Archive) lockFax(id string) (release func()) {
	mu := &a.faxes[maphash.String(a.seed, id)%uint64(len(a.faxes))]
	mu.Lock()
	return mu.Unlock
}

func (a *Archive) writable(id string) error {
	if !a.writes {
		return fmt.Errorf("archive %s: %w: it is open for reading", a.dir, problem.ErrInvalid)
	}
	if err := a.checkTurn(); err != nil {
		return err
	}
	return fetch.CheckID(id)
}
