package fetch

import (
	"context"
	"fmt"
	"io"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// MaxDocument is how many bytes of a document are taken unless told otherwise. A
// page of fax is some 50 kB; the providers' own limits are far below.
const MaxDocument = 64 << 20

// TooLargeError is a document of more bytes than are taken. It is fax.ErrInvalid:
// it stays so until another limit is given.
type TooLargeError struct{ Most int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the document is longer than %d bytes", e.Most)
}

// Unwrap is the kind.
func (e *TooLargeError) Unwrap() error { return problem.ErrInvalid }

// AtMost is faxes whose documents have so many bytes at most: opening one that is
// announced to be longer, and reading beyond, fails with [TooLargeError].
func AtMost(faxes fax.Faxes, most int64) fax.Faxes { return atMost{faxes, most} }

type atMost struct {
	fax.Faxes
	most int64
}

// Open fails at once when the length is announced.
func (a atMost) Open(ctx context.Context, f fax.Fax, offset int64) (fax.Document, error) {
	doc, err := a.Faxes.Open(ctx, f, offset)
	if err != nil {
		return doc, err
	}
	if doc.Size > a.most {
		_ = doc.Body.Close() // nothing of it is wanted
		return fax.Document{}, &TooLargeError{a.most}
	}
	doc.Body = &bounded{doc.Body, a.most - doc.Offset, a.most}
	return doc, nil
}

// bounded is a body that may be endless.
type bounded struct {
	io.ReadCloser
	left, most int64 // bytes
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, &TooLargeError{b.most}
	}
	return n, err
}
