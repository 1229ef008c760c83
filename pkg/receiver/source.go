package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/faxctl/faxctl/pkg/fax"
)

// source is where a document comes from: the provider, or the callback.
type source struct {
	fax.Faxes
	uploads *uploads
	upload  string
	wait    bool                    // a document that is not there may still come
	most    int64                   // bytes of a document
	giveUp  context.CancelCauseFunc // ends what cannot succeed
	record  fax.Fax                 // of upload, as the callback told
}

// Get implements fax.Faxes. Of a fax whose document came with its callback the
// provider may know nothing: it was told to keep nothing.
func (s source) Get(ctx context.Context, id string) (fax.Fax, error) {
	f, err := s.Faxes.Get(ctx, id)
	if s.upload != "" && errors.Is(err, fax.ErrNotFound) {
		return s.record, nil
	}
	return f, err
}

// Open implements fax.Faxes.
func (s source) Open(ctx context.Context, f fax.Fax, offset int64) (fax.Document, error) {
	if s.upload != "" {
		return s.uploads.open(s.upload, offset)
	}
	d, err := s.Faxes.Open(ctx, f, offset)
	switch {
	case s.wait && errors.Is(err, fax.ErrNotFound):
		// Not found is for good; the archive would note that it is gone.
		return d, fmt.Errorf("%w: the document is not there yet: %v", fax.ErrUnavailable, err) //nolint:errorlint // its kind is what it must not have
	case err != nil:
		return d, err
	}
	d.Body = &bounded{ReadCloser: d.Body, left: s.most - d.Offset, over: func() {
		s.giveUp(fmt.Errorf("%w: the document is longer than %d bytes", fax.ErrInvalid, s.most))
	}}
	return d, nil
}

// bounded is a body that may be endless.
type bounded struct {
	io.ReadCloser
	left int64 // bytes
	over func()
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.over()
		return n, context.Canceled
	}
	return n, err
}
