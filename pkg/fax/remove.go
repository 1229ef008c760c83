package fax

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Remove deletes a fax, record and document, for good. was tells that it was there:
// what is gone already counts as done, when [Look] finds it gone. Errors, besides
// those of Look: ErrConflict for a fax that is still in progress; those of
// Faxes.Delete.
func Remove(ctx context.Context, faxes Faxes, f Fax) (was bool, err error) {
	err = faxes.Delete(ctx, f.ID)
	if Denied(err) {
		return false, goneTo(ctx, faxes, f, Gone, err)
	}
	return err == nil, err
}

// RemoveDocument deletes the document of f for good and leaves the record.
// Where the record does not name the document, the provider is asked for it. A
// fax in progress, whose document is yet to come, is ErrConflict. Results as of
// [Remove].
func RemoveDocument(ctx context.Context, faxes Faxes, f Fax) (was bool, err error) {
	media := []Media{{ID: f.MediaID}}
	if f.MediaID == "" {
		media, err = Collect(faxes.Media(ctx, f.ID))
	}
	switch {
	case Denied(err):
		return false, goneTo(ctx, faxes, f, RecordAlone, err)
	case err != nil:
		return false, err
	case len(media) == 0:
		return false, goneTo(ctx, faxes, f, RecordAlone, fmt.Errorf("%w: no document is listed", problem.ErrNotFound))
	}
	for _, m := range media {
		err := faxes.DeleteMedia(ctx, f.ID, m.ID)
		if Denied(err) {
			err = goneTo(ctx, faxes, f, RecordAlone, err)
		} else {
			was = was || err == nil
		}
		if err != nil {
			return was, err
		}
	}
	return was, nil
}

// goneTo is nil when the provider has no more of f than it may, as denial says.
func goneTo(ctx context.Context, faxes Faxes, f Fax, most Presence, denial error) error {
	if f.Status == "" && !errors.Is(denial, problem.ErrNotFound) { // known by its id alone: both must say so, in the provider's words
		return denial
	}
	now, has, err := Look(ctx, faxes, f)
	switch {
	case err != nil:
		return err
	case has <= most && has == RecordAlone && !now.Status.Terminal():
		return fmt.Errorf("fax %s: %w: it is %s", f.ID, problem.ErrConflict, now.Status)
	case has <= most:
		return nil
	case has == WithDocument && most == RecordAlone:
		//nolint:errorlint // its kind is what it must not have
		return fmt.Errorf("document of fax %s: %w: the record tells of it: %v", f.ID, ErrContradiction, denial)
	}
	//nolint:errorlint // its kind is what it must not have
	return fmt.Errorf("fax %s: %w: it is there: %v", f.ID, ErrContradiction, denial)
}

// PlausibleID reports whether id has the shape of a fax id of a provider that is
// known: FX and 32 hex digits at Twilio, a UUID at SignalWire. What is not found
// by another id was mistyped rather than deleted.
func PlausibleID(id string) bool {
	hex := func(s string, n int) bool { return len(s) == n && text.MadeOf(s, text.Digits+"abcdef") }
	if digits, sid := strings.CutPrefix(id, "FX"); sid {
		return hex(digits, 32)
	}
	return slices.EqualFunc(strings.Split(id, "-"), []int{8, 4, 4, 4, 12}, hex)
}
