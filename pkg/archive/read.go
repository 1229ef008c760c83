package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Get finds the entry of one fax, with the record as the provider sent it. It
// fails with fax.ErrNotFound, with [ErrDamagedCopy] when its sidecar cannot be
// read, or with fax.ErrInvalid for an id that is none.
func (a *Archive) Get(ctx context.Context, id string) (Entry, error) {
	l, err := a.getToShow(ctx, id)
	return l.Entry, err
}

// getToShow is getToChange for those who only look.
func (a *Archive) getToShow(ctx context.Context, id string) (located, error) {
	l, err := a.getToChange(ctx, id)
	if errors.Is(err, errLater) {
		err = nil
	}
	return l, err
}

// getToChange finds an entry that may be changed. With [errLater] it returns it as well.
func (a *Archive) getToChange(ctx context.Context, id string) (l located, err error) {
	if err := fetch.CheckID(id); err != nil {
		return located{}, err
	}
	e, key, found, err := a.findRow(ctx, id)
	if err == nil && found {
		l.key = key
		l.Entry, l.stamp, err = a.readSidecar(ctx, key+sidecarExt)
		l = l.knowing(e)
	}
	switch {
	case errors.Is(err, errAstray):
		return located{}, err
	case errors.Is(err, fs.ErrNotExist):
		return located{}, problem.With(fmt.Errorf("fax %s: its sidecar is gone: %w", id, problem.ErrNotFound), problem.Say("%s tells what else is", problem.Command("archive", "verify").Arg(a.dir)))
	case errors.Is(err, errLater):
		return l, fmt.Errorf("fax %s: %w", id, err)
	case errors.Is(err, ErrDamagedCopy):
		return located{}, problem.With(fmt.Errorf("fax %s: %w", id, err), problem.Say("%s tells what else is wrong", problem.Command("archive", "verify").Arg(a.dir)))
	case err != nil:
		return located{}, err
	case !found:
		return located{}, problem.With(fmt.Errorf("fax %s in archive %s: %w", id, a.dir, problem.ErrNotFound), problem.Say("%s tells what is there", problem.Command("archive", "list").Arg(a.dir)))
	}
	return l, nil
}

// Kept finds what is kept of a fax before it is decided about, for those who
// cannot rely on the index: a hold counts that was set in the sidecar by hand.
// Document.Uncounted is also known where an older sidecar does not say it.
// whole: there is a sidecar, which says so, and the document is in its place with its size.
// A document whose sidecar a run that was cut off may have owed is nothing that is kept yet,
// unless it is under a legal hold of its bucket.
// [ErrDamagedCopy]: its sidecar cannot be read, or it has several, or its document has none.
func (a *Archive) Kept(ctx context.Context, f fax.Fax) (e Entry, found, whole bool, err error) {
	if err := fetch.CheckID(f.ID); err != nil {
		return Entry{}, false, false, err
	}
	l, found, err := a.locate(ctx, f)
	if isCutOff(err) {
		switch held, bad := a.documentHeld(ctx, keyOf(f)); {
		case bad != nil:
			return Entry{}, false, false, bad
		case !held:
			return Entry{}, false, false, nil
		}
	}
	if err != nil || !found {
		return Entry{}, false, false, err
	}
	e, whole = l.Entry, l.stamp != "" && l.Whole()
	if d := e.Document; d != nil {
		if whole {
			if whole, err = a.documentThere(ctx, l.key, d); err != nil {
				return Entry{}, false, false, err
			}
		}
		info, finding, err := a.countPages(ctx, f.ID, documentName(l.key, d), d)
		if err != nil {
			return Entry{}, false, false, err
		}
		if finding == nil {
			told := *d
			told.Pages, told.Uncounted = info.Pages, info.Uncounted
			e.Document = &told
		}
	}
	return e, true, whole, nil
}

// locate finds what is kept of a fax by its sidecar, where f and where the index say that it
// is, and then wherever one is; where only the id is known, the index first. Without a sidecar
// it is the row of the index, and so is its hold until it was let go.
// [ErrDamagedCopy] is also a fax that has several, unless the one that was found is held, and
// one whose document is there and whose sidecar is not.
func (a *Archive) locate(ctx context.Context, f fax.Fax) (l located, found bool, err error) {
	byDate := func() (located, bool, error) { return a.sidecarOrRow(ctx, Entry{}, keyOf(f), false) }
	byIndex := func() (located, bool, error) {
		row, key, found, err := a.findRow(ctx, f.ID)
		if err != nil || !found {
			return located{}, false, err
		}
		return a.sidecarOrRow(ctx, row, key, true)
	}
	first, second := byDate, byIndex
	if f.Created.IsZero() {
		first, second = byIndex, byDate
	}
	l, found, err = first()
	if err == nil && l.stamp == "" {
		other, there, bad := second()
		if err = bad; bad == nil && there {
			l, found = other, there
		}
	}
	if err == nil && l.stamp == "" {
		l, found, err = a.anywhere(ctx, f.ID, l, found)
	}
	if err == nil && l.stamp != "" && l.Hold == nil {
		row, listed, _, bad := a.findRow(ctx, f.ID)
		if err = bad; err == nil {
			err = a.alone(ctx, f, l, listed)
		}
		l = l.knowing(row)
	}
	if err != nil {
		return located{}, false, err
	}
	return l, found, nil
}

// Has reports whether there is a whole copy of a fax: its sidecar says so, and the
// document is in its place with its size. [Archive.Verify] looks closer.
func (a *Archive) Has(ctx context.Context, id string) (bool, error) {
	l, err := a.getToShow(ctx, id)
	if errors.Is(err, problem.ErrNotFound) || errors.Is(err, ErrDamagedCopy) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !l.Whole() || l.Document == nil {
		return l.Whole(), nil
	}
	return a.documentThere(ctx, l.key, l.Document)
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
	finding, err := a.checkDocument(ctx, id, name, d, io.Discard)
	return err == nil && finding == nil && d.SHA256 == sha256, err
}

// document finds the document of a fax: what is known of it, and its name in
// the store.
func (a *Archive) document(ctx context.Context, id string) (*Document, string, error) {
	l, err := a.getToShow(ctx, id)
	if err != nil {
		return nil, "", err
	}
	if l.Document == nil {
		return nil, "", fmt.Errorf("document of fax %s: %w in the archive", id, problem.ErrNotFound)
	}
	return l.Document, documentName(l.key, l.Document), nil
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
	finding, err := a.checkDocument(ctx, id, name, d, &content)
	switch {
	case err != nil:
		return nil, err
	case finding == nil:
		return content.Bytes(), nil
	case finding.Problem == Missing:
		err = fmt.Errorf("document of fax %s: %w: %s is not there", id, problem.ErrNotFound, name)
	default:
		err = finding.err()
	}
	return nil, problem.With(err, problem.Say("%s tells what else is wrong", problem.Command("archive", "verify").Arg(a.dir)))
}

// DocumentLocation is where the document of a fax is kept, as people name it: the path of
// a file, or a location on S3. Errors as of [Archive.DocumentPath].
func (a *Archive) DocumentLocation(ctx context.Context, id string) (string, error) {
	if !a.shared {
		return a.DocumentPath(ctx, id)
	}
	_, name, err := a.document(ctx, id)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(a.dir, "/") + "/" + name, nil
}

// DocumentPath is the file that the document of a fax is kept in, for programs
// that open it themselves. fax.ErrNotFound: the archive has no such fax, or no
// document of it. fax.ErrUnsupported: the archive is not on this machine.
func (a *Archive) DocumentPath(ctx context.Context, id string) (string, error) {
	_, name, err := a.document(ctx, id)
	if err != nil {
		return "", err
	}
	on, ok := a.files.(folder)
	if !ok {
		return "", fmt.Errorf("document of fax %s: a path: %w", id, problem.ErrUnsupported)
	}
	return on.Path(name)
}
