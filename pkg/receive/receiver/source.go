package receiver

import (
	"context"
	"errors"
	"fmt"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// source is where a document comes from: the provider, or the callback.
type source struct {
	fax.Faxes
	uploads *uploads
	upload  string
	wait    bool    // a document that is not there may still come
	record  fax.Fax // of upload, as the callback told
}

// Get implements fax.Faxes. Of a fax whose document came with its callback the
// provider may know nothing: it was told to keep nothing.
func (s source) Get(ctx context.Context, id string) (fax.Fax, error) {
	f, err := s.Faxes.Get(ctx, id)
	if s.upload != "" && errors.Is(err, problem.ErrNotFound) {
		return s.record, nil
	}
	return f, err
}

// Open implements fax.Faxes.
func (s source) Open(ctx context.Context, f fax.Fax, offset int64) (fax.Document, error) {
	if s.upload != "" {
		return s.uploads.document(ctx, s.upload, offset)
	}
	d, err := s.Faxes.Open(ctx, f, offset)
	if s.wait && errors.Is(err, problem.ErrNotFound) {
		// Not found is for good; the archive would note that it is gone.
		return d, fmt.Errorf("%w: the document is not there yet: %v", problem.ErrUnavailable, err) //nolint:errorlint // its kind is what it must not have
	}
	return d, err
}
