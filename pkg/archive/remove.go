package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Result is what became of a fax that was to be deleted.
type Result string

// The results.
const (
	Deleted     Result = "deleted"
	AlreadyGone Result = "already gone" // the provider had it no more: its record and its list say so
	Skipped     Result = "skipped"      // held, or still in progress
	Failed      Result = "failed"       // it is still there
	Unknown     Result = "unknown"      // no answer, neither to the DELETE nor to the question after it

	// Deleting is not the last word: the DELETE is sent next. A fax with nothing
	// after it met the end of the process.
	Deleting Result = "deleting"
)

// LookFor is how long a DELETE whose answer was lost is looked after, at most: an
// interrupt does not end it.
const LookFor = 5 * time.Second

// ErrDamagedCopy is a kept document that is not what was kept. It is not handed
// out, and its fax is not deleted.
var ErrDamagedCopy = errors.New("the kept copy is not whole")

// ErrUnproven is a fax of which it is not known that all of it is kept: the provider
// shows more documents than the one, or another one, or the pages of the copy cannot
// be counted. It is not deleted.
var ErrUnproven = errors.New("not known to be kept whole")

// Deletion is how faxes are deleted.
type Deletion struct {
	MediaOnly bool // the document alone; the record stays

	// AllowUncounted deletes a fax also when the pages of its copy cannot be
	// counted. For [Archive.SaveThenDelete].
	AllowUncounted bool

	// Before, which may be nil, is called with a receipt of the result [Deleting]
	// when all is ready; an error of it keeps the DELETE from being sent.
	Before func(Receipt) error
}

// Receipt says what became of one fax.
type Receipt struct {
	ID         string    `json:"id"`
	NumberTail string    `json:"number_tail"` // the last four digits of our number
	Created    time.Time `json:"created,omitzero"`
	At         time.Time `json:"at"`
	SHA256     string    `json:"sha256,omitempty"`      // of the kept copy, read again before deleting
	NoDocument bool      `json:"no_document,omitempty"` // the provider had none: record and list of documents say so
	MediaOnly  bool      `json:"media_only,omitempty"`
	Result     Result    `json:"result"`
	Error      string    `json:"error,omitempty"`
}

func (d Deletion) receipt(f fax.Fax) Receipt {
	ours := f.OurNumber()
	return Receipt{ID: f.ID, NumberTail: ours[max(0, len(ours)-4):], Created: f.Created, MediaOnly: d.MediaOnly}
}

// end fills in the result, and why when there is an error.
func (r Receipt) end(result Result, err error) (Receipt, error) {
	r.At, r.Result = time.Now().UTC().Truncate(time.Millisecond), result
	switch {
	case errors.Is(err, context.Canceled): // which says nothing to those who read receipts
		r.Error = "interrupted"
	case err != nil:
		r.Error = err.Error()
	}
	return r, err
}

// changing is the receipt of a fax that may still change.
func (r Receipt) changing(f fax.Fax) (Receipt, error) {
	return r.end(Skipped, fmt.Errorf("fax %s is %s: %w", f.ID, f.Status, problem.ErrConflict))
}

// Delete deletes a fax at the provider, or only its document. What is gone
// already, as fax.Look finds it, counts as done. A fax that may still change is
// refused with fax.ErrConflict. Other errors are those of fax.Remove. The receipt
// is good in every case. When the answer to the DELETE is lost, or ctx ends before
// it comes, the provider is asked once more, for a few seconds, what became of the
// fax.
func Delete(ctx context.Context, faxes fax.Faxes, f fax.Fax, how Deletion) (Receipt, error) {
	r := how.receipt(f)
	if !f.Status.Terminal() {
		return r.changing(f)
	}
	return r.remove(ctx, faxes, f, how.Before)
}

// SaveThenDelete keeps a fax, reads the kept document again, and only when that
// is what was kept, its pages can be counted and the provider shows no other
// document deletes the fax at the provider, or only its document. A copy that is not
// known to be of the document that the provider shows, as one that came with a
// callback, is compared with that, which is fetched for it. A fax of which no document
// is kept is deleted only when the provider's record, fetched again, and the list of
// its documents tell of none; Receipt.NoDocument says so.
// One that is found to be gone is left as it is, in the archive too. A held fax,
// and one that may still change, is refused with fax.ErrConflict; one whose copy
// has been damaged with [ErrDamagedCopy]; one of which more may be there than is
// kept with [ErrUnproven]. Other errors are those of [Archive.Save] and of
// fax.Remove. The receipt is good in every case. What was deleted is marked so; when
// that cannot be written, Receipt.Error says it. Doing it again is safe.
func (a *Archive) SaveThenDelete(ctx context.Context, faxes fax.Faxes, f fax.Fax, how Deletion) (Receipt, error) {
	r := how.receipt(f)
	if !f.Status.Terminal() {
		return r.changing(f)
	}
	switch _, _, err := a.save(ctx, faxes, f, true); {
	case errors.Is(err, ErrGone):
		return r.end(AlreadyGone, nil)
	case err != nil:
		return r.end(Failed, err)
	}
	kept, key, err := a.get(ctx, f.ID) // from the sidecar, not from memory
	switch {
	case err != nil:
		return r.end(Failed, err)
	case kept.Hold != nil:
		return r.end(Skipped, fmt.Errorf("fax %s is held (%s): %w", f.ID, kept.Hold.Reason, problem.ErrConflict))
	case kept.Document == nil && !kept.Whole():
		return r.end(Failed, fmt.Errorf("fax %s: %w: its document is not kept", f.ID, ErrDamagedCopy))
	case kept.Document == nil:
		_, has, err := fax.Look(ctx, faxes, f)
		switch {
		case err != nil:
			return r.end(Failed, err)
		case has == fax.WithDocument:
			return r.end(Failed, fmt.Errorf("fax %s: %w: the provider has a document, which is not kept", f.ID, problem.ErrUnavailable))
		case has == fax.Gone, how.MediaOnly:
			return r.end(AlreadyGone, nil)
		}
		r.NoDocument = true
	default:
		if finding := a.recheck(ctx, f.ID, beside(key, kept.Document), kept.Document, io.Discard); finding != nil {
			return r.end(Failed, finding.err())
		}
		if err := a.enough(ctx, key, kept, how.AllowUncounted); err != nil {
			return r.end(Failed, err)
		}
		switch err := a.onlyDocument(ctx, faxes, f, key, kept); {
		case errors.Is(err, ErrGone):
			return r.end(AlreadyGone, nil)
		case err != nil:
			return r.end(Failed, err)
		}
		r.SHA256 = kept.Document.SHA256
	}
	if r, err = r.remove(ctx, faxes, f, how.Before); r.Result == Deleted {
		if err := a.markGone(context.WithoutCancel(ctx), f.ID, how.MediaOnly); err != nil {
			r.Error = "not marked as gone: " + err.Error()
		}
	}
	return r, err
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
		switch {
		case fax.Denied(err):
			return gone(ctx, faxes, f, err)
		case err != nil:
			return fmt.Errorf("list the documents of fax %s: %w", f.ID, err)
		}
		shown[m.ID] = true
	}
	switch {
	case len(shown) > 1:
		return problem.With(fmt.Errorf("fax %s: %w: the provider shows %d documents, and one is kept; nothing was deleted", f.ID, ErrUnproven, len(shown)),
			problem.Say("%s list %s names them; %s deletes the fax with all of them", problem.Command("faxes", "media"), problem.Text(f.ID), problem.Command("faxes", "delete").Arg(f.ID)))
	case len(shown) == 0, kept.Document.MediaID != "" && shown[kept.Document.MediaID]:
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
		problem.Say("look at both: the copy is in the archive, as %s, and %s gets the other", problem.Text(beside(key, kept)), problem.Command("faxes", "download").Arg(f.ID)))
}

// markGone notes that a fax, or its document, was deleted at the provider.
func (a *Archive) markGone(ctx context.Context, id string, mediaOnly bool) error {
	return a.change(ctx, id, func(e *Entry) {
		if mediaOnly {
			e.mediaGone()
			return
		}
		e.Gone, e.Proven = time.Now().UTC().Truncate(time.Millisecond), true
	})
}

// remove sends the DELETE, and ends the receipt.
func (r Receipt) remove(ctx context.Context, faxes fax.Faxes, f fax.Fax, before func(Receipt) error) (Receipt, error) {
	if err := ctx.Err(); err != nil {
		return r.end(Failed, err)
	}
	if before != nil {
		begun, _ := r.end(Deleting, nil)
		if err := before(begun); err != nil {
			return r.end(Failed, fmt.Errorf("not deleted, for want of a receipt: %w", err))
		}
	}
	var was bool
	var err error
	if r.MediaOnly {
		was, err = fax.RemoveDocument(ctx, faxes, f)
	} else {
		was, err = fax.Remove(ctx, faxes, f)
	}
	switch {
	case err == nil && was:
		return r.end(Deleted, nil)
	case err == nil:
		return r.end(AlreadyGone, nil)
	case errors.Is(err, problem.ErrConflict):
		return r.end(Skipped, err)
	case ctx.Err() != nil, errors.Is(err, problem.ErrUnavailable):
		return r.lookAfter(ctx, faxes, f, err)
	}
	return r.end(Failed, err)
}

// lookAfter ends the receipt of a DELETE without an answer: it may have been
// carried out.
func (r Receipt) lookAfter(ctx context.Context, faxes fax.Faxes, f fax.Fax, lost error) (Receipt, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), LookFor)
	defer cancel()
	switch _, has, err := fax.Look(ctx, faxes, f); {
	case err != nil:
		return r.end(Unknown, lost)
	case has == fax.Gone, r.MediaOnly && has == fax.RecordAlone:
		return r.end(Deleted, nil)
	}
	return r.end(Failed, lost)
}
