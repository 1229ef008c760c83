package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// What it means that the provider has not, or no more.

// ErrGone is a fax that the provider has no more, nor its document, by more than
// one answer. It comes together with fax.ErrNotFound.
var ErrGone = errors.New("gone at the provider")

// slowest is how long a provider may take, from the creation of a fax, until its
// record names the document.
const slowest = time.Hour

// renewed is f as the provider has it now.
func renewed(ctx context.Context, faxes fax.Faxes, f fax.Fax) (fax.Fax, error) {
	now, err := faxes.Get(ctx, f.ID)
	if fax.Denied(err) {
		return f, gone(ctx, faxes, f, err)
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
