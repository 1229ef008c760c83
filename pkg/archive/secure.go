package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// ErrDamagedCopy is a kept document that is not what was kept. It is not handed
// out, and its fax is not deleted.
var ErrDamagedCopy = errors.New("the kept copy is not whole")

// ErrUnproven is a fax of which it is not known that all of it is kept: the provider
// shows more documents than the one, or another one, or the pages of the copy cannot
// be counted. It is not deleted.
var ErrUnproven = errors.New("not known to be kept whole")

// HeldError is a fax that a person asked to keep. It is fax.ErrConflict.
type HeldError struct{ ID, Reason string }

func (e *HeldError) Error() string {
	return fmt.Sprintf("fax %s is held (%s): %v", e.ID, e.Reason, problem.ErrConflict)
}

// Unwrap is the kind.
func (e *HeldError) Unwrap() error { return problem.ErrConflict }

// Secure is what has to succeed before a fax is deleted at the provider: it keeps the
// fax as [Archive.SaveNews] does, and proves that the copy is all that the provider
// has. The kept document is read again and compared with its description, its pages
// are held against the record, and the provider shows no other document. A copy that
// is not known to be of the document that is shown, as one that came with a callback,
// is compared with that, which is fetched for it. Entry.Document is nil only when the
// provider's record, fetched again, and the list of its documents tell of none.
//
// With uncounted, pages that cannot be counted need not be. Errors: [HeldError];
// [ErrGone]; [ErrDamagedCopy]; [ErrUnproven]; otherwise those of [Archive.Save].
func (a *Archive) Secure(ctx context.Context, faxes fax.Faxes, f fax.Fax, uncounted bool) (Entry, error) {
	if _, _, err := a.save(ctx, f, saving{faxes: faxes, sure: true}); err != nil {
		return Entry{}, err
	}
	l, err := a.getToChange(ctx, f.ID) // from the sidecar, not from memory
	kept, key := l.Entry, l.key
	switch {
	case err != nil:
		return Entry{}, err
	case kept.Hold != nil:
		return Entry{}, &HeldError{f.ID, kept.Hold.Reason}
	}
	switch err := a.alone(ctx, f, l, l.key); {
	case err != nil:
		return Entry{}, err
	case !kept.Removing.IsZero():
		return Entry{}, fmt.Errorf("fax %s: %w: its removal from the archive was begun", f.ID, ErrDamagedCopy)
	case kept.Document == nil && !kept.Whole():
		return Entry{}, fmt.Errorf("fax %s: %w: its document is not kept", f.ID, ErrDamagedCopy)
	case kept.Document == nil:
		if err := a.undescribed(ctx, kept.Fax, key); err != nil {
			return Entry{}, err
		}
		return kept, noDocument(ctx, faxes, f)
	}
	if err := a.damage(ctx, f.ID, documentName(key, kept.Document), kept.Document); err != nil {
		return Entry{}, err
	}
	if err := a.enoughPages(ctx, key, kept, uncounted); err != nil {
		return Entry{}, err
	}
	return kept, a.onlyDocument(ctx, faxes, f, key, kept)
}

// undescribed fails with [ErrDamagedCopy] when a document is there of which the sidecar says
// nothing, as that is a new one: the document is no copy, and may be all that there is. It may
// be of a time when the fax had no date yet.
func (a *Archive) undescribed(ctx context.Context, f fax.Fax, key string) error {
	places := []string{key, keyOf(f), keyOf(fax.Fax{ID: f.ID})}
	slices.Sort(places)
	for _, place := range slices.Compact(places) {
		for _, ext := range []string{".pdf", ".tiff"} {
			switch _, err := a.files.Stat(ctx, place+ext); {
			case err == nil:
				return problem.With(fmt.Errorf("fax %s: %w: its sidecar is another one than that of %s, and the provider has no document any more; nothing was deleted", f.ID, ErrDamagedCopy, place+ext),
					problem.Say("bring the sidecar back from a backup, since a hold may be noted in it"))
			case !errors.Is(err, fs.ErrNotExist):
				return err
			}
		}
	}
	return nil
}

// noDocument makes sure that the provider has no document of f. Errors: [ErrGone],
// fax.ErrUnavailable when it has one, and those of fax.Look.
func noDocument(ctx context.Context, faxes fax.Faxes, f fax.Fax) error {
	_, has, err := fax.Look(ctx, faxes, f)
	switch {
	case err != nil:
		return err
	case has == fax.WithDocument:
		return fmt.Errorf("fax %s: %w: the provider has a document, which is not kept", f.ID, problem.ErrUnavailable)
	case has == fax.Gone:
		return errGone(f.ID)
	}
	return nil
}

// onlyDocument makes sure that the provider shows no document of f but the one that
// is kept. [ErrUnproven]: it does, or that is not known. [ErrGone]: f is gone. Other
// errors are those of fax.ProveGone and fax.Faxes.Media.
func (a *Archive) onlyDocument(ctx context.Context, faxes fax.Faxes, f fax.Fax, key string, kept Entry) error {
	shown := map[string]bool{}
	if kept.Fax.MediaID != "" {
		shown[kept.Fax.MediaID] = true
	}
	for m, err := range faxes.Media(ctx, f.ID) {
		if fax.Denied(err) {
			return gone(ctx, faxes, f, err)
		}
		if err != nil {
			return fmt.Errorf("list the documents of fax %s: %w", f.ID, err)
		}
		shown[m.ID] = true
	}
	if len(shown) > 1 {
		return problem.With(fmt.Errorf("fax %s: %w: the provider shows %d documents, and one is kept; nothing was deleted", f.ID, ErrUnproven, len(shown)),
			problem.Say("%s list %s names them; %s deletes the fax with all of them", problem.Command("faxes", "media"), problem.Text(f.ID), problem.Command("faxes", "delete").Arg(f.ID)))
	} else if len(shown) == 0 || kept.Document.MediaID != "" && shown[kept.Document.MediaID] {
		return nil
	}
	return a.compare(ctx, faxes, f, key, kept.Document, shown)
}

// compare fetches the one document that the provider shows, and holds it against the
// copy. [ErrUnproven]: they differ, or it is not to be had.
func (a *Archive) compare(ctx context.Context, faxes fax.Faxes, f fax.Fax, key string, kept *Document, shown map[string]bool) error {
	part, err := a.download(ctx, faxes, f, key)
	if err != nil {
		return fmt.Errorf("fax %s: %w: its copy is to be compared with the provider's document; nothing was deleted: %w", f.ID, ErrUnproven, err)
	}
	part.Discard()
	if part.SHA256 == kept.SHA256 && shown[part.MediaID] {
		return nil
	}
	return problem.With(fmt.Errorf("fax %s: %w: the provider shows another document than the one that is kept; nothing was deleted", f.ID, ErrUnproven),
		problem.Say("look at both: the copy is in the archive, as %s, and %s gets the other", problem.Text(documentName(key, kept)), problem.Command("faxes", "download").Arg(f.ID)))
}
