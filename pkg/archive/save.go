package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// ErrGone is a fax that the provider has no more, nor its document, by more than
// one answer. It comes together with fax.ErrNotFound.
var ErrGone = errors.New("gone at the provider")

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
	return a.save(ctx, faxes, f, false)
}

// SaveNews is Save for who was told that there is a document: one that is marked
// as gone, or was denied, is asked for again.
func (a *Archive) SaveNews(ctx context.Context, faxes fax.Faxes, f fax.Fax) (e Entry, existed bool, err error) {
	return a.save(ctx, faxes, f, true)
}

// save is Save; when sure, a document that is marked as gone is asked for again.
func (a *Archive) save(ctx context.Context, faxes fax.Faxes, f fax.Fax, sure bool) (e Entry, existed bool, err error) {
	if err := a.writable(f.ID); err != nil {
		return Entry{}, false, err
	}
	defer a.lockFax(f.ID)()
	row, key, found, err := a.findRow(ctx, f.ID)
	if err != nil {
		return Entry{}, false, err
	}
	if found && a.upToDate(ctx, key, row, f) && (row.Document != nil || !sure) {
		return row, true, nil
	}
	if !found {
		key = keyOf(f)
	}
	old, found, err := a.sidecarOrRow(ctx, row, key, found)
	if err != nil {
		return Entry{}, false, err
	}
	if f.Raw == nil && (!found || !same(old.Fax, f)) || !old.Gone.IsZero() {
		if f, err = renewed(ctx, faxes, f); err != nil {
			return Entry{}, false, err
		}
	}
	e = Entry{Fax: f, Record: f.Raw, ArchivedAt: time.Now().UTC().Truncate(time.Millisecond)}
	if found {
		e.Document, e.MediaGone, e.Proven, e.Hold = old.Document, old.MediaGone, old.Proven, old.Hold
		if same(old.Fax, f) {
			e.DocumentDenied = old.DocumentDenied
		}
	}
	var part *fetch.Part
	kept := found && a.documentThere(ctx, key, old.Document)
	if !old.Removing.IsZero() && !kept { // it was removed, as far as that came
		e.Document = nil
	}
	another := kept && old.Fax.MediaID != "" && f.MediaID != "" && old.Fax.MediaID != f.MediaID // the record names it
	if kept && !another {
		e.ArchivedAt = old.ArchivedAt
		err = e.lookForMedia(ctx, faxes)
	} else if mayHaveDocument(f) && (e.MediaGone.IsZero() || f.HasDocument() || sure) {
		if part, err = a.download(ctx, faxes, f, key); err == nil {
			e.MediaGone, e.DocumentDenied = time.Time{}, time.Time{}
		} else if fax.Denied(err) {
			err = e.denied(ctx, faxes, a.dir, err)
		}
	}
	if err != nil {
		if ctx.Err() == nil && !local(err) && !errors.Is(err, ErrGone) {
			err = errors.Join(err, a.putWithoutDocument(ctx, key, e, old, found))
		}
		return Entry{}, false, err
	}
	if part != nil {
		defer part.Discard() // of no effect once it has its name
		if another && part.SHA256 != old.Document.SHA256 {
			return Entry{}, false, fmt.Errorf("fax %s: %w: its record names another document than the one that is kept", f.ID, fax.ErrContradiction)
		}
		e.Document = &Document{
			File: f.ID + part.Info.Ext, SHA256: part.SHA256, Size: part.Size,
			Pages: part.Info.Pages, Uncounted: part.Info.Uncounted, ContentType: part.Info.ContentType, MediaID: part.MediaID,
		}
	}
	unwritten := false
	if found {
		if unwritten, err = a.keepHold(ctx, key, &e); err != nil {
			return Entry{}, false, err
		}
	}
	if found && !unwritten && part == nil && same(old.Fax, e.Fax) && old.MediaGone.Equal(e.MediaGone) && old.Gone.IsZero() && old.Removing.IsZero() && !old.DocumentMissing {
		return old, true, a.correctRow(ctx, key, row, old)
	}
	if e.Record == nil && found && same(old.Fax, e.Fax) {
		e.Record = old.Record
	}
	return e, false, a.put(ctx, key, part, e)
}

// keepHold looks at the sidecar once more before it is written over: a hold that was
// set meanwhile, by hand, counts. unwritten: there is none any more.
func (a *Archive) keepHold(ctx context.Context, key string, e *Entry) (unwritten bool, err error) {
	now, err := a.readSidecar(ctx, key+sidecarExt)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	e.Hold = now.Hold
	return false, nil
}

// putWithoutDocument keeps the record of a fax whose document did not come: when nothing of
// it is kept yet, and when storage denied it for the first time.
func (a *Archive) putWithoutDocument(ctx context.Context, key string, e, old Entry, found bool) error {
	if e.Document != nil || found && e.DocumentDenied.Equal(old.DocumentDenied) {
		return nil
	}
	e.DocumentMissing, e.MediaGone = true, time.Time{}
	if found {
		if _, err := a.keepHold(ctx, key, &e); err != nil {
			return err
		}
	}
	if found && e.Record == nil {
		e.Record = old.Record
	}
	return a.put(ctx, key, nil, e)
}

// slowest is how long a provider may take, from the creation of a fax, until its
// record names the document.
const slowest = time.Hour

// local tells a failure of this machine's files from one of the provider.
func local(err error) bool {
	var file *fs.PathError
	var link *os.LinkError
	return errors.As(err, &file) || errors.As(err, &link)
}

// upToDate reports whether there is nothing to do for f, if the index is right.
func (a *Archive) upToDate(ctx context.Context, key string, row Entry, f fax.Fax) bool {
	gone := !row.MediaGone.IsZero()
	switch {
	case !same(row.Fax, f), !row.Gone.IsZero(), !row.Removing.IsZero():
		return false
	case !a.sidecarThere(ctx, key):
		return false
	case row.DocumentMissing:
		return !row.DocumentDenied.IsZero()
	case a.documentThere(ctx, key, row.Document):
		return f.HasDocument() != gone
	}
	return !f.HasDocument() && (gone || !mayHaveDocument(f))
}

// sidecarThere reports whether the sidecar is there: the index alone is no copy.
func (a *Archive) sidecarThere(ctx context.Context, key string) bool {
	size, err := a.store.Size(ctx, key+sidecarExt)
	return err == nil && size > 0
}

// there reports whether a file is there, as far as can be told.
func (a *Archive) there(ctx context.Context, name string) bool {
	_, err := a.store.Size(ctx, name)
	return !errors.Is(err, fs.ErrNotExist)
}

// renewed is f as the provider has it now.
func renewed(ctx context.Context, faxes fax.Faxes, f fax.Fax) (fax.Fax, error) {
	now, err := faxes.Get(ctx, f.ID)
	if fax.Denied(err) {
		return f, gone(ctx, faxes, f, err)
	}
	if err == nil && now.ID != f.ID {
		return f, fmt.Errorf("fax %s: %w: another one came", f.ID, problem.ErrUnavailable)
	}
	return now, err
}

// gone is what it means that f is denied: [ErrGone], or an error of fax.ProveGone.
func gone(ctx context.Context, faxes fax.Faxes, f fax.Fax, denial error) error {
	if err := fax.ProveGone(ctx, faxes, f, denial); err != nil {
		return err
	}
	return errGone(f.ID)
}

func errGone(id string) error { return fmt.Errorf("fax %s: %w (%w)", id, ErrGone, problem.ErrNotFound) }

// denied takes in that storage has not the document of the fax. That proves
// nothing: the entry is marked when the record, fetched again, and the list of its
// documents tell of none. ErrContradiction: they tell of one.
func (e *Entry) denied(ctx context.Context, faxes fax.Faxes, dir string, denial error) error {
	now, has, err := fax.Look(ctx, faxes, e.Fax)
	late := e.ArchivedAt.Sub(e.Fax.Created) > slowest
	switch {
	case err != nil:
		return err
	case has == fax.Gone:
		return errGone(e.Fax.ID)
	case has == fax.RecordAlone:
		e.Fax, e.Record, e.DocumentDenied = now, now.Raw, time.Time{}
		if late {
			e.mediaGone()
		}
		return nil
	case !errors.Is(denial, problem.ErrNotFound): // nor did storage say so itself
		return denial
	case late:
		e.DocumentDenied = e.ArchivedAt
	}
	//nolint:errorlint // its kind is what it must not have
	return problem.With(fmt.Errorf("document of fax %s: %w: the record tells of it: %v", e.Fax.ID, fax.ErrContradiction, denial),
		problem.Say("its record is kept without it; %s asks again", problem.Command("faxes", "archive").Set("to", dir).Switch("retry-missing")))
}

// mediaGone marks an entry whose document the provider has no more.
func (e *Entry) mediaGone() {
	if e.MediaGone.IsZero() {
		e.MediaGone = time.Now().UTC().Truncate(time.Millisecond)
	}
	e.Proven = true
}

// mayHaveDocument tells whether to ask for a document. A fax without a media id
// may have one at SignalWire, but not when it failed or is still under way.
func mayHaveDocument(f fax.Fax) bool {
	return f.MediaID != "" || f.MediaURL != "" || f.Status.Terminal() && !f.Status.Unsuccessful()
}

// lookForMedia marks an entry whose document the provider has no more.
func (e *Entry) lookForMedia(ctx context.Context, faxes fax.Faxes) error {
	if e.Fax.HasDocument() {
		e.MediaGone = time.Time{}
		return nil
	}
	if !e.MediaGone.IsZero() {
		return nil
	}
	now, has, err := fax.Look(ctx, faxes, e.Fax)
	switch {
	case err != nil:
		return err
	case has == fax.Gone:
		return errGone(e.Fax.ID)
	case has == fax.RecordAlone:
		e.Fax, e.Record = now, now.Raw
		e.mediaGone()
	}
	return nil
}

func (a *Archive) download(ctx context.Context, faxes fax.Faxes, f fax.Fax, key string) (*fetch.Part, error) {
	path, err := a.store.Prepare(key)
	if err != nil {
		return nil, err
	}
	return fetch.Get(ctx, faxes, f, path, fetch.Options{Disk: a.disk})
}

// documentThere reports whether the document is in its place with the right size.
// [Archive.Verify] looks closer.
func (a *Archive) documentThere(ctx context.Context, key string, d *Document) bool {
	if d == nil {
		return false
	}
	size, err := a.store.Size(ctx, documentName(key, d))
	return err == nil && size == d.Size
}

// documentName is the name of the document of the fax kept under key.
func documentName(key string, d *Document) string { return path.Join(path.Dir(key), d.File) }

// put writes an entry, with its document when that is new.
func (a *Archive) put(ctx context.Context, key string, part *fetch.Part, e Entry) error {
	sidecar, err := e.encode()
	if err != nil {
		return err
	}
	if len(sidecar) > mostSidecar {
		return fmt.Errorf("%w: the record of fax %s is %d bytes long", problem.ErrInvalid, e.Fax.ID, len(sidecar))
	}
	if err := a.turn.check(); err != nil { // the download may have taken a while
		return err
	}
	stamp, err := a.store.Put(ctx, key, part, sidecar)
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
func (a *Archive) correctRow(ctx context.Context, key string, row, kept Entry) error {
	knows, err := rowOf(row, key+sidecarExt, "")
	if err != nil {
		return err
	}
	right, err := rowOf(kept, key+sidecarExt, "")
	if err != nil || bytes.Equal(knows.Entry, right.Entry) {
		return err
	}
	if err := a.store.Settle(ctx, key); err != nil {
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
	if a.turn == nil {
		return fmt.Errorf("archive %s: %w: it is open for reading", a.dir, problem.ErrInvalid)
	}
	if err := a.turn.check(); err != nil {
		return err
	}
	return checkID(id)
}
