package archive

import (
	"context"
	"fmt"

	"github.com/faxctl/faxctl/pkg/fax"
)

// DocumentPath is the file that the document of a fax is kept in, for programs
// that open it themselves. fax.ErrNotFound: the archive has no such fax, or no
// document of it. fax.ErrUnsupported: the archive is not on this machine.
func (a *Archive) DocumentPath(ctx context.Context, id string) (string, error) {
	e, key, err := a.get(ctx, id)
	if err != nil {
		return "", err
	}
	if e.Document == nil {
		return "", fmt.Errorf("document of fax %s: %w in the archive", id, fax.ErrNotFound)
	}
	d, ok := a.store.(*Dir)
	if !ok {
		return "", fmt.Errorf("document of fax %s: a path: %w", id, fax.ErrUnsupported)
	}
	return d.path(beside(key, e.Document)), nil
}
