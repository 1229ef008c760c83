package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// checkDocument reads a document, also into to, and compares it with its description. An
// error says nothing of it: the place where it is was not to be had.
func (a *Archive) checkDocument(ctx context.Context, id, name string, want *Document, to io.Writer) (*Finding, error) {
	r, there, err := a.files.Open(ctx, name, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing(id, name), nil
	case err != nil && away(ctx, err):
		return nil, fmt.Errorf("fax %s: %w", id, err)
	case err != nil:
		return &Finding{id, name, Unreadable, problem.Say(err.Error())}, nil
	}
	defer r.Close() //nolint:errcheck // only read
	if f := resized(id, name, there, want); f != nil {
		return f, nil
	}
	sum := sha256.New()
	// Through no more memory than there is to read; a byte too many is another document.
	if _, err := io.Copy(io.MultiWriter(sum, to), io.LimitReader(r, want.Size+1)); err != nil && away(ctx, err) {
		return nil, fmt.Errorf("fax %s: %w", id, err)
	} else if err != nil {
		return &Finding{id, name, Unreadable, problem.Say(err.Error())}, nil
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want.SHA256 {
		return &Finding{id, name, Changed, problem.Say("sha256 " + got + " instead of " + want.SHA256)}, nil
	}
	return nil, nil
}

// missing is a document that is not there.
func missing(id, name string) *Finding {
	return &Finding{id, name, Missing, problem.Say("its sidecar is there")}
}

// resized is a document that has another size than it had; nil: it has not.
func resized(id, name string, there store.File, want *Document) *Finding {
	if there.Size == want.Size {
		return nil
	}
	return &Finding{id, name, Changed, problem.Say(fmt.Sprintf("%d bytes instead of %d", there.Size, want.Size))}
}

// damage is what [Archive.checkDocument] finds, as an error.
func (a *Archive) damage(ctx context.Context, id, name string, want *Document) error {
	finding, err := a.checkDocument(ctx, id, name, want, io.Discard)
	if err == nil && finding != nil {
		err = finding.err()
	}
	return err
}
