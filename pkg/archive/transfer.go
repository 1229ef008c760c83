package archive

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Copied is what became of one fax in [Archive.CopyTo].
type Copied struct {
	Added   bool  // it was not there
	Renewed bool  // its sidecar was brought up to date, or its document to its place
	Bytes   int64 // of the document that was copied
}

// Keys are the names of all that is kept, without extension, for [Archive.CopyTo], and
// what cannot be copied: documents without a sidecar, and faxes that only the index
// knows of.
func (a *Archive) Keys(ctx context.Context) (keys []string, lost []error, err error) {
	sidecars, documents := map[string]bool{}, map[string]string{}
	for f, err := range a.walk(ctx) {
		if err != nil {
			return nil, nil, err
		}
		key, ext := strings.TrimSuffix(f.Name, path.Ext(f.Name)), path.Ext(f.Name)
		switch {
		case ext == sidecarExt && fetch.CheckID(path.Base(key)) == nil:
			keys, sidecars[key] = append(keys, key), true
		case ext == ".pdf", ext == ".tiff":
			documents[key] = f.Name
		}
	}
	lose := func(f Finding) { lost = append(lost, f.err()) }
	for key, name := range documents {
		if !sidecars[key] && a.there(ctx, name) && !a.there(ctx, key+sidecarExt) {
			lose(Finding{path.Base(key), name, Orphan, problem.Say("a document without a sidecar")})
		}
	}
	for row, err := range a.index.Stamps(ctx) {
		if err != nil {
			return nil, nil, err
		}
		key := strings.TrimSuffix(row.Key, sidecarExt)
		if a.believed(row) != nil {
			lose(a.mislisted(row))
		} else if !sidecars[key] && documents[key] == "" && !a.there(ctx, row.Key) {
			lose(Finding{row.Fax.ID, row.Key, Missing, problem.Say("sidecar and document, of which the index knows")})
		}
	}
	return keys, lost, nil
}

// KeyOf is the key of one fax. Errors as of [Archive.Get].
func (a *Archive) KeyOf(ctx context.Context, id string) (string, error) {
	_, key, found, err := a.findRow(ctx, id)
	if err == nil && !found {
		_, err = a.Get(ctx, id)
	}
	return key, err
}

// CopyTo copies a fax to another archive (nil, in a dry run: there is none yet): first the
// document, which is read again there, then the sidecar, byte for byte but for
// holds that were let go here. What is there whole is not copied again. A sidecar that is there keeps what it tells, and learns what this
// one knows besides: a document, holds, marks. A dry run changes nothing, and reads no
// document.
//
// Errors: [ErrDamagedCopy] of a fax that is not what was kept here; fax.ErrConflict of
// another document that is there; fs.ErrNotExist of a fax that is not here any more.
func (a *Archive) CopyTo(ctx context.Context, to *Archive, key string, dryRun bool) (done Copied, err error) {
	id := path.Base(key)
	if !dryRun {
		if err := to.writable(id); err != nil {
			return Copied{}, err
		}
		defer to.lockFax(id)()
	}
	err = whileChanged(func() error {
		from, sidecar, err := a.toCopy(ctx, key)
		if err == nil && to == nil {
			done.Added = true
			return nil
		}
		if err == nil {
			done, err = to.take(ctx, a, from, sidecar, dryRun)
		}
		return err
	})
	return done, err
}

// toCopy is an entry and its sidecar, if they are fit to be copied.
func (a *Archive) toCopy(ctx context.Context, key string) (located, []byte, error) {
	name, id := key+sidecarExt, path.Base(key)
	l, err := a.readKnown(ctx, name)
	if err != nil {
		return located{}, nil, fmt.Errorf("fax %s: %w", id, err)
	}
	sidecar, now, err := readSmall(ctx, a.files, name)
	switch {
	case err != nil:
		return located{}, nil, err
	case now.Stamp != l.stamp:
		return located{}, nil, store.Changed(name)
	case !l.Removing.IsZero():
		return located{}, nil, fmt.Errorf("fax %s: %w: its removal from the archive was begun", id, ErrDamagedCopy)
	}
	if l.lost { // it is held there by what it says
		if sidecar, err = l.encode(); err != nil {
			return located{}, nil, err
		}
	}
	if l.Document == nil {
		return l, sidecar, nil
	}
	file := documentName(key, l.Document)
	there, err := a.files.Stat(ctx, file)
	found := resized(id, file, there, l.Document)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		found = missing(id, file)
	case err != nil && away(ctx, err):
		return located{}, nil, fmt.Errorf("fax %s: %w", id, err)
	case err != nil:
		found = &Finding{id, file, Unreadable, problem.Say(err.Error())}
	}
	if found != nil {
		return located{}, nil, found.err()
	}
	return l, sidecar, nil
}

// take keeps a fax of another archive.
func (a *Archive) take(ctx context.Context, other *Archive, from located, sidecar []byte, dryRun bool) (done Copied, err error) {
	id := from.Fax.ID
	row, key, found, err := a.findRow(ctx, id)
	if err != nil {
		return Copied{}, err
	}
	if !found {
		key = from.key
	}
	old, _, err := a.sidecarOrRow(ctx, row, key, false)
	if err == nil {
		err = a.beingRemoved(old.Entry)
	}
	if err == nil && from.Hold != nil {
		err = a.beingReleased(old.Entry)
	}
	e, was := from.asElsewhere(), []byte(nil)
	changed := len(from.Holds) > 0 || from.Release != nil
	switch known := old.stamp != ""; {
	case err != nil:
		return Copied{}, err
	case known && old.Document != nil && e.Document != nil && old.Document.SHA256 != e.Document.SHA256:
		return Copied{}, problem.With(fmt.Errorf("fax %s: %w: another document of it is there; it was left as it is", id, problem.ErrConflict),
			problem.Say("look at both: %s, and the same of the other archive", problem.Command("archive", "view").Arg(a.dir).Arg(id)))
	case known:
		e = united(old.Entry, e)
		was, err = old.encode()
	default:
		done.Added = true
		e.unite(old.Hold) // whose sidecar was lost
	}
	if err == nil && (changed || old.stamp != "" || old.Hold != nil) {
		sidecar, err = e.encode()
	}
	if err != nil {
		return Copied{}, err
	}
	there, err := a.documentThere(ctx, key, from.Document)
	if err != nil {
		return Copied{}, err
	}
	lacks := from.Document != nil && !there
	if !lacks && bytes.Equal(was, sidecar) && !old.lost {
		return done, a.correctRow(ctx, row, old)
	}
	if done.Renewed = !done.Added; dryRun {
		return done, nil
	}
	if from.Document != nil && (lacks || done.Added) {
		if err := a.takeDocument(ctx, other, from, key, old); err != nil {
			return Copied{}, err
		}
		done.Bytes = from.Document.Size
	}
	if err := a.checkTurn(); err != nil {
		return Copied{}, err
	}
	stamp, err := a.keep(ctx, key, nil, e, sidecar, old.unchanged())
	if err != nil {
		return Copied{}, fmt.Errorf("archive: %w", err)
	}
	taken, err := rowOf(e, key+sidecarExt, stamp)
	if err != nil {
		return Copied{}, err
	}
	return done, a.indexSoon(ctx, taken)
}

// takeDocument copies a document, and reads it again. What is there without a sidecar
// stays, unless it is the same; what is not whole, though a sidecar tells of it, is
// replaced.
func (a *Archive) takeDocument(ctx context.Context, other *Archive, from located, key string, old located) error {
	id, d := from.Fax.ID, from.Document
	name := documentName(key, d)
	content, clear, err := other.spooled(ctx, id, documentName(from.key, d), d)
	if err != nil {
		return err
	}
	defer clear()
	when := store.Absent()
	there, err := a.files.Stat(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		switch finding, err := a.checkDocument(ctx, id, name, d, io.Discard); {
		case err != nil || finding == nil:
			return err
		case old.stamp == "":
			return fmt.Errorf("fax %s: %w: another document is there, without a sidecar; it was left as it is", id, problem.ErrConflict)
		}
		when = store.Unchanged(there.Stamp)
	}
	put := a.files.Put
	if held := from.Hold != nil || old.Hold != nil; held {
		if locks, err := a.locks(ctx); err != nil {
			return err
		} else if locks {
			put = a.bucket.PutHeld
		}
	}
	if _, err := put(ctx, name, content, when); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if finding, err := a.checkDocument(ctx, id, name, d, io.Discard); err != nil {
		return err
	} else if finding != nil {
		return problem.Of(problem.ErrUnavailable, fmt.Errorf("fax %s: what was copied is not what is there: %s", id, finding.Detail))
	}
	return nil
}

// spooled is a document in a private file of this machine, if it is what was kept.
func (a *Archive) spooled(ctx context.Context, id, name string, d *Document) (content store.Content, clear func(), err error) {
	f, err := os.CreateTemp("", "faxctl-copy-*")
	if err != nil {
		return nil, nil, err
	}
	clear = func() { _ = errors.Join(f.Close(), os.Remove(f.Name())) }
	sum, spool := sha256.New(), bufio.NewWriter(f)
	finding, err := a.checkDocument(ctx, id, name, d, io.MultiWriter(spool, sum))
	switch full := spool.Flush(); {
	case full != nil: // then nothing is known of the document
		err = full
	case err != nil:
	case finding != nil:
		err = finding.err()
	case hex.EncodeToString(sum.Sum(nil)) != d.SHA256:
		err = fmt.Errorf("fax %s: %w", id, problem.ErrUnavailable)
	}
	if err != nil {
		clear()
		return nil, nil, err
	}
	return io.NewSectionReader(f, 0, d.Size), clear, nil
}

// asElsewhere is an entry as another archive takes it: a hold that was let go here was not let
// go there.
func (e Entry) asElsewhere() Entry {
	e.Holds, e.Release = nil, nil
	if e.Hold != nil {
		e.note(*e.Hold)
	}
	return e
}

// united is what two archives know of one fax. What the one knows to which it is copied
// stays; a hold of either is one, and so is a mark.
func united(kept, from Entry) Entry {
	e := kept
	if kept.Document == nil && from.Document != nil || !kept.Fax.Status.Terminal() && from.Fax.Status.Terminal() {
		e.Fax, e.Record, e.ArchivedAt = from.Fax, from.Record, from.ArchivedAt
		e.DocumentMissing, e.DocumentDenied = from.DocumentMissing, from.DocumentDenied
		if from.Document != nil {
			e.Document = from.Document
		}
	}
	if e.Document != nil {
		e.DocumentMissing, e.DocumentDenied = false, time.Time{}
	}
	e.Removing = time.Time{}
	e.unite(from.Hold)
	e.Gone, e.MediaGone = cmp.Or(kept.Gone, from.Gone), cmp.Or(kept.MediaGone, from.MediaGone)
	e.Proven = (kept.Proven || !kept.marked()) && (from.Proven || !from.marked()) && e.marked()
	for _, begun := range from.Deleting {
		e.ended(begun)
		e.Deleting = append(e.Deleting, begun)
	}
	return e
}

// bothHolds is the hold that says what two say (nil: there is none).
func bothHolds(kept, from *Hold) *Hold {
	switch {
	case kept == nil:
		return from
	case from == nil, strings.Contains(kept.Reason, from.Reason):
		return kept
	}
	both := Hold{Reason: kept.Reason + "; " + from.Reason, Since: kept.Since}
	if strings.Contains(from.Reason, kept.Reason) {
		both.Reason = from.Reason
	}
	if from.Since.Before(both.Since) {
		both.Since = from.Since
	}
	return &both
}
