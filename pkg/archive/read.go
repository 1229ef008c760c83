package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Get finds the entry of one fax, with the record as the provider sent it. It
// fails with fax.ErrNotFound, with [ErrDamagedCopy] when its sidecar cannot be
// read, or with fax.ErrInvalid for an id that is none.
func (a *Archive) Get(ctx context.Context, id string) (Entry, error) {
	e, _, err := a.getToShow(ctx, id)
	return e, err
}

// getToShow is getToChange for those who only look.
func (a *Archive) getToShow(ctx context.Context, id string) (Entry, string, error) {
	e, key, err := a.getToChange(ctx, id)
	if errors.Is(err, errLater) {
		return e, key, nil
	}
	return e, key, err
}

// getToChange finds an entry that may be changed, and its key. With [errLater] it returns
// both as well.
func (a *Archive) getToChange(ctx context.Context, id string) (e Entry, key string, err error) {
	if err := checkID(id); err != nil {
		return Entry{}, "", err
	}
	_, key, found, err := a.findRow(ctx, id)
	if err == nil && found {
		e, err = a.readSidecar(ctx, key+sidecarExt)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Entry{}, "", problem.With(fmt.Errorf("fax %s: its sidecar is gone: %w", id, problem.ErrNotFound), problem.Say("%s tells what else is", problem.Command("archive", "verify").Arg(a.dir)))
	case errors.Is(err, errLater):
		return e, key, fmt.Errorf("fax %s: %w", id, err)
	case errors.Is(err, ErrDamagedCopy):
		return Entry{}, "", problem.With(fmt.Errorf("fax %s: %w", id, err), problem.Say("%s tells what else is wrong", problem.Command("archive", "verify").Arg(a.dir)))
	case err != nil:
		return Entry{}, "", err
	case !found:
		return Entry{}, "", problem.With(fmt.Errorf("fax %s in archive %s: %w", id, a.dir, problem.ErrNotFound), problem.Say("%s tells what is there", problem.Command("archive", "list").Arg(a.dir)))
	}
	return e, key, nil
}

// Kept finds what is kept of a fax before it is decided about, for those who
// cannot rely on the index: a hold counts that was set in the sidecar by hand.
// Document.Uncounted is also known where an older sidecar does not say it.
// [ErrDamagedCopy]: its sidecar cannot be read.
func (a *Archive) Kept(ctx context.Context, f fax.Fax) (e Entry, found bool, err error) {
	if err := checkID(f.ID); err != nil {
		return Entry{}, false, err
	}
	key := keyOf(f)
	if e, found, err = a.sidecarOrRow(ctx, Entry{}, key, false); err == nil && !found {
		var row Entry
		if row, key, found, err = a.findRow(ctx, f.ID); err == nil && found {
			e, found, err = a.sidecarOrRow(ctx, row, key, true)
		}
	}
	if err != nil || !found {
		return Entry{}, false, err
	}
	if d := e.Document; d != nil {
		if info, finding := a.countPages(ctx, f.ID, documentName(key, d), d); finding == nil {
			told := *d
			told.Pages, told.Uncounted = info.Pages, info.Uncounted
			e.Document = &told
		}
	}
	return e, true, nil
}

// Has reports whether there is a whole copy of a fax: its sidecar says so, and the
// document is in its place with its size. [Archive.Verify] looks closer.
func (a *Archive) Has(ctx context.Context, id string) (bool, error) {
	e, key, err := a.getToShow(ctx, id)
	if errors.Is(err, problem.ErrNotFound) || errors.Is(err, ErrDamagedCopy) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return e.Whole() && (e.Document == nil || a.documentThere(ctx, key, e.Document)), nil
}

// HasDocument reads the document of a fax again, and reports whether it is there
// whole and with this SHA-256, in hex. What cannot be read is not there.
func (a *Archive) HasDocument(ctx context.Context, id, sha256 string) (bool, error) {
	d, name, err := a.document(ctx, id)
	if errors.Is(err, problem.ErrNotFound) || errors.Is(err, ErrDamagedCopy) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	whole := a.checkDocument(ctx, id, name, d, io.Discard) == nil
	return whole && d.SHA256 == sha256, ctx.Err()
}

// document finds the document of a fax: what is known of it, and its name in
// the store.
func (a *Archive) document(ctx context.Context, id string) (*Document, string, error) {
	e, key, err := a.getToShow(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if e.Document == nil {
		return nil, "", fmt.Errorf("document of fax %s: %w in the archive", id, problem.ErrNotFound)
	}
	return e.Document, documentName(key, e.Document), nil
}

// ReadDocument reads the document of a fax and compares it with what was kept.
// It fails with fax.ErrNotFound when the archive has none, and with
// [ErrDamagedCopy] when it is not what was kept: no part of it is returned.
func (a *Archive) ReadDocument(ctx context.Context, id string) ([]byte, error) {
	d, name, err := a.document(ctx, id)
	if err != nil {
		return nil, err
	}
	var content bytes.Buffer
	finding := a.checkDocument(ctx, id, name, d, &content)
	switch {
	case finding == nil:
		return content.Bytes(), nil
	case finding.Problem == Missing:
		err = fmt.Errorf("document of fax %s: %w: %s is not there", id, problem.ErrNotFound, name)
	default:
		err = finding.err()
	}
	return nil, problem.With(err, problem.Say("%s tells what else is wrong", problem.Command("archive", "verify").Arg(a.dir)))
}

// DocumentPath is the file that the document of a fax is kept in, for programs
// that open it themselves. fax.ErrNotFound: the archive has no such fax, or no
// document of it. fax.ErrUnsupported: the archive is not on this machine.
func (a *Archive) DocumentPath(ctx context.Context, id string) (string, error) {
	_, name, err := a.document(ctx, id)
	if err != nil {
		return "", err
	}
	d, ok := a.store.(*Dir)
	if !ok {
		return "", fmt.Errorf("document of fax %s: a path: %w", id, problem.ErrUnsupported)
	}
	return d.path(name), nil
}
