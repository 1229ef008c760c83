package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fetch"
)

// Save keeps a fax: its record, and its document when there is one. existed
// tells that nothing had to be written. A document that is kept already is not
// fetched again, and never given up: when the provider has it no more, the
// entry is marked. That a document is not there is believed when the record,
// fetched again, says so too; a mark is taken back when the record names one.
//
// f need not come with Raw, nor with a link that still works: without Raw the
// record is fetched when it has to be written, and kept as the provider sends it.
// Concurrent calls are safe, and share their fsyncs of folders. Errors: those of
// [fetch.Save]; fax.ErrUnavailable for a document that the record names and nobody
// has; [ErrDamagedCopy] for a sidecar that cannot be read, which stays as it is;
// fax.ErrInvalid for an id that is no file name. When the provider does not give
// the document, the record is kept without it, and every later call asks for it
// again; after any other error the archive is as it was.
func (a *Archive) Save(ctx context.Context, faxes fax.Faxes, f fax.Fax) (e Entry, existed bool, err error) {
	return a.save(ctx, faxes, f, false)
}

// SaveNews is Save for who was told that there is a document: one that is marked
// as gone is asked for again.
func (a *Archive) SaveNews(ctx context.Context, faxes fax.Faxes, f fax.Fax) (e Entry, existed bool, err error) {
	return a.save(ctx, faxes, f, true)
}

// save is Save; when sure, a document that is marked as gone is asked for again.
func (a *Archive) save(ctx context.Context, faxes fax.Faxes, f fax.Fax, sure bool) (e Entry, existed bool, err error) {
	if err := a.writable(f.ID); err != nil {
		return Entry{}, false, err
	}
	defer a.only(f.ID)()
	row, key, found, err := a.find(ctx, f.ID)
	if err != nil {
		return Entry{}, false, err
	}
	if found && a.settled(ctx, key, row, f) && (row.Document != nil || !sure) {
		return row, true, nil
	}
	if !found {
		key = keyOf(f)
	}
	old, found, err := a.latest(ctx, row, key, found)
	if err != nil {
		return Entry{}, false, err
	}
	if f.Raw == nil && (!found || !same(old.Fax, f)) {
		if f, err = renewed(ctx, faxes, f); err != nil {
			return Entry{}, false, err
		}
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	e = Entry{Fax: f, Record: f.Raw, ArchivedAt: now}
	if found {
		e.Document, e.MediaGone, e.Gone, e.Hold = old.Document, old.MediaGone, old.Gone, old.Hold
	}
	if f.HasDocument() {
		e.MediaGone = time.Time{}
	}
	var part *fetch.Part
	if found && a.there(ctx, key, old.Document) {
		e.ArchivedAt = old.ArchivedAt
		err = a.lookForMedia(ctx, faxes, &e, now)
	} else if mayHaveDocument(f) && (e.MediaGone.IsZero() || sure) {
		part, err = a.download(ctx, faxes, f, key)
		switch {
		case errors.Is(err, fax.ErrNotFound):
			if e.Fax, err = withoutDocument(ctx, faxes, f, err); err == nil {
				e.Record = e.Fax.Raw
				if e.MediaGone = old.MediaGone; now.Sub(f.Created) > slowest {
					e.MediaGone = cmp.Or(e.MediaGone, now)
				}
			}
		case err == nil:
			e.MediaGone = time.Time{}
		}
	}
	if err != nil {
		if !found && ctx.Err() == nil && !local(err) {
			e.DocumentMissing = true
			err = errors.Join(err, a.put(ctx, key, nil, e))
		}
		return Entry{}, false, err
	}
	if part != nil {
		defer part.Discard() // of no effect once it has its name
		e.Document = &Document{
			File: f.ID + part.Info.Ext, SHA256: part.SHA256, Size: part.Size,
			Pages: part.Info.Pages, ContentType: part.Info.ContentType,
		}
	}
	if found && part == nil && same(old.Fax, e.Fax) && old.MediaGone.Equal(e.MediaGone) && !old.DocumentMissing {
		return old, true, a.correct(ctx, key, row, old)
	}
	if e.Record == nil && found && same(old.Fax, e.Fax) {
		e.Record = old.Record
	}
	return e, false, a.put(ctx, key, part, e)
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

// settled reports whether there is nothing to do for f, if the index is right.
func (a *Archive) settled(ctx context.Context, key string, row Entry, f fax.Fax) bool {
	gone := !row.MediaGone.IsZero()
	switch {
	case !same(row.Fax, f), row.DocumentMissing:
		return false
	case a.there(ctx, key, row.Document):
		return f.HasDocument() != gone
	}
	return !f.HasDocument() && (gone || !mayHaveDocument(f))
}

// renewed is f as the provider has it now, as far as it still has it.
func renewed(ctx context.Context, faxes fax.Faxes, f fax.Fax) (fax.Fax, error) {
	now, err := faxes.Get(ctx, f.ID)
	switch {
	case errors.Is(err, fax.ErrNotFound):
		return f, nil
	case err == nil && now.ID != f.ID:
		return f, another(f.ID)
	}
	return now, err
}

func another(id string) error {
	return fmt.Errorf("fax %s: %w: another one came", id, fax.ErrUnavailable)
}

// withoutDocument is f as the provider has it now, when it is certain that it
// has no document of it: storage's word, notThere, is not enough. Neither the
// record, fetched again, nor the list of its documents tells of one; or the
// provider does not know the fax at all.
func withoutDocument(ctx context.Context, faxes fax.Faxes, f fax.Fax, notThere error) (fax.Fax, error) {
	now, there, document, err := look(ctx, faxes, f.ID)
	switch {
	case err != nil:
		return f, err
	case !there:
		return f, nil
	case document:
		//nolint:errorlint // its kind is what it must not have: running it again may help
		return f, fmt.Errorf("document of fax %s: %w: the record tells of it: %v", f.ID, fax.ErrUnavailable, notThere)
	}
	return now, nil
}

// look asks the provider what it has of a fax: its record, and whether that or
// the list of its documents tells of one.
func look(ctx context.Context, faxes fax.Faxes, id string) (now fax.Fax, there, document bool, err error) {
	now, err = faxes.Get(ctx, id)
	switch {
	case errors.Is(err, fax.ErrNotFound):
		return fax.Fax{}, false, false, nil
	case err != nil:
		return fax.Fax{}, false, false, err
	case now.ID != id:
		return fax.Fax{}, false, false, another(id)
	case now.HasDocument():
		return now, true, true, nil
	}
	document, err = hasMedia(ctx, faxes, id)
	return now, true, document, err
}

// hasMedia asks for the list of the documents of a fax. A fax that is not there
// has none.
func hasMedia(ctx context.Context, faxes fax.Faxes, id string) (bool, error) {
	for _, err := range faxes.Media(ctx, id) {
		if errors.Is(err, fax.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	return false, nil
}

// mayHaveDocument tells whether to ask for a document. A fax without a media id
// may have one at SignalWire, but not when it failed or is still under way.
func mayHaveDocument(f fax.Fax) bool {
	return f.MediaID != "" || f.MediaURL != "" || f.Status.Terminal() && !f.Status.Unsuccessful()
}

// lookForMedia marks an entry whose document the provider has no more.
func (a *Archive) lookForMedia(ctx context.Context, faxes fax.Faxes, e *Entry, now time.Time) error {
	if e.Fax.MediaID != "" || e.Fax.MediaURL != "" || !e.MediaGone.IsZero() {
		return nil
	}
	listed, err := hasMedia(ctx, faxes, e.Fax.ID)
	if err == nil && !listed {
		e.MediaGone = now
	}
	return err
}

func (a *Archive) download(ctx context.Context, faxes fax.Faxes, f fax.Fax, key string) (*fetch.Part, error) {
	path, err := a.store.Prepare(key)
	if err != nil {
		return nil, err
	}
	return fetch.Get(ctx, faxes, f, path, fetch.Options{Disk: a.disk})
}

// there reports whether the document is in its place with the right size.
// [Archive.Verify] looks closer.
func (a *Archive) there(ctx context.Context, key string, d *Document) bool {
	if d == nil {
		return false
	}
	size, err := a.store.Size(ctx, beside(key, d))
	return err == nil && size == d.Size
}

// beside is the name of the document of the fax kept under key.
func beside(key string, d *Document) string { return path.Join(path.Dir(key), d.File) }

// put writes an entry, with its document when that is new.
func (a *Archive) put(ctx context.Context, key string, part *fetch.Part, e Entry) error {
	sidecar, err := e.encode()
	if err != nil {
		return err
	}
	if len(sidecar) > mostSidecar {
		return fmt.Errorf("%w: the record of fax %s is %d bytes long", fax.ErrInvalid, e.Fax.ID, len(sidecar))
	}
	stamp, err := a.store.Put(ctx, key, part, sidecar)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	row, err := rowOf(e, key+sidecarExt, stamp)
	if err != nil {
		return err
	}
	return a.remember(ctx, row)
}

// correct has the index know of an entry what its sidecar says.
func (a *Archive) correct(ctx context.Context, key string, row, kept Entry) error {
	knows, err := rowOf(row, key+sidecarExt, "")
	if err != nil {
		return err
	}
	right, err := rowOf(kept, key+sidecarExt, "")
	if err != nil || bytes.Equal(knows.Entry, right.Entry) {
		return err
	}
	return a.remember(ctx, right)
}

// only waits until no other call writes the fax, and keeps others waiting until
// the function it returns is called.
func (a *Archive) only(id string) (release func()) {
	mu := &a.faxes[maphash.String(a.seed, id)%uint64(len(a.faxes))]
	mu.Lock()
	return mu.Unlock
}

func (a *Archive) writable(id string) error {
	if a.lock == nil {
		return fmt.Errorf("archive %s: %w: it is open for reading", a.dir, fax.ErrInvalid)
	}
	return checkID(id)
}

// Hold keeps a fax from being pruned until [Archive.Unhold], and returns the hold
// that was there (nil: none). It is written to the sidecar before Hold returns. A
// second hold replaces the reason. Errors as of [Archive.Get].
func (a *Archive) Hold(ctx context.Context, id, reason string) (was *Hold, err error) {
	err = a.change(ctx, id, func(e *Entry) {
		since := time.Now().UTC().Truncate(time.Second)
		if was = e.Hold; was != nil {
			since = was.Since
		}
		e.Hold = &Hold{Reason: reason, Since: since}
	})
	return was, err
}

// Unhold lets a fax be pruned again, and returns the hold that was there. Without
// one (nil) it changes nothing.
func (a *Archive) Unhold(ctx context.Context, id string) (was *Hold, err error) {
	err = a.change(ctx, id, func(e *Entry) { was, e.Hold = e.Hold, nil })
	return was, err
}

// change alters an entry, and writes it when that made a difference.
func (a *Archive) change(ctx context.Context, id string, alter func(*Entry)) error {
	if err := a.writable(id); err != nil {
		return err
	}
	defer a.only(id)()
	before, key, err := a.get(ctx, id)
	if err != nil {
		return err
	}
	e := before
	alter(&e)
	if e.Hold == before.Hold && e.MediaGone.Equal(before.MediaGone) && e.Gone.Equal(before.Gone) {
		return nil
	}
	return a.put(ctx, key, nil, e)
}
