package fax

import (
	"context"
	"errors"
)

// Remove deletes a fax, record and document, for good. What is gone already
// counts as done; was tells which of the two it was. ErrConflict: the fax is
// still in progress.
func Remove(ctx context.Context, faxes Faxes, id string) (was bool, err error) {
	return removed(faxes.Delete(ctx, id))
}

// RemoveDocument deletes the document of f for good and leaves the record.
// Where the record does not name the document, the provider is asked for it.
// Results as of [Remove].
func RemoveDocument(ctx context.Context, faxes Faxes, f Fax) (was bool, err error) {
	if f.MediaID != "" {
		return removed(faxes.DeleteMedia(ctx, f.ID, f.MediaID))
	}
	media, err := Collect(faxes.Media(ctx, f.ID))
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
