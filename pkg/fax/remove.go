package fax

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

// Remove deletes a fax, record and document, for good. What is gone already
// counts as done; was tells which of the two it was. ErrConflict: the fax is
// still in progress.
func Remove(ctx context.Context, faxes Faxes, id string) (was bool, err error) {
	return removed(faxes.Delete(ctx, id))
}

// RemoveDocument deletes the document of f for good and leaves the record.
// Where the record does not name the document, the provider is asked for it. A
// fax in progress, whose document is yet to come, is ErrConflict. Results as of
// [Remove].
func RemoveDocument(ctx context.Context, faxes Faxes, f Fax) (was bool, err error) {
	if f.MediaID != "" {
		return removed(faxes.DeleteMedia(ctx, f.ID, f.MediaID))
	}
	media, err := Collect(faxes.Media(ctx, f.ID))
	if err == nil && len(media) == 0 {
		f, err = faxes.Get(ctx, f.ID)
		if err == nil && !f.Status.Terminal() {
			err = fmt.Errorf("fax %s: %w: it is %s", f.ID, ErrConflict, f.Status)
		}
		if err == nil {
			return false, nil
		}
	}
	if err != nil {
		return removed(err)
	}
	for _, m := range media {
		one, err := removed(faxes.DeleteMedia(ctx, f.ID, m.ID))
		if err != nil {
			return was, err
		}
		was = was || one
	}
	return was, nil
}

func removed(err error) (was bool, _ error) {
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// PlausibleID reports whether id has the shape of a fax id of a provider that is
// known: FX and 32 hex digits at Twilio, a UUID at SignalWire. What is not found
// by another id was mistyped rather than deleted.
func PlausibleID(id string) bool {
	return regexp.MustCompile(`^(FX[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`).MatchString(id)
}
