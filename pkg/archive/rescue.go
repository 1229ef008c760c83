package archive

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Rescue is Open for an archive that must be there already. One that has lost
// its format file gets a new one, which is told: it is known by a sidecar in its
// place. Errors are also those of [Known].
func (o Opener) Rescue(ctx context.Context, dir string) (a *Archive, rescued bool, err error) {
	if err = Known(dir); err == nil {
		a, err = o.Open(ctx, dir)
		return a, false, err
	}
	if !errors.Is(err, problem.ErrNotFound) {
		return nil, false, err
	}
	lost, bad := hasSidecar(ctx, dir)
	if bad != nil || !lost {
		return nil, false, errors.Join(err, bad)
	}
	if err := durable.MakeDir(o.disk(), dir); err != nil {
		return nil, false, err
	}
	a, err = o.openThere(ctx, dir)
	return a, err == nil, err
}

// hasSidecar reports whether there is a sidecar where the archive in dir would keep
// it. No other folder has one there, whatever lies in it: not one above an archive,
// nor a part of one.
func hasSidecar(ctx context.Context, dir string) (bool, error) {
	a := newArchive(durable.OS{}, dir)
	for _, pattern := range []string{"[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]/*" + sidecarExt, "undated/*" + sidecarExt} {
		names, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			return false, err
		}
		for _, name := range names {
			e, err := a.readAnySidecar(ctx, name)
			if err == nil && keyOf(e.Fax) == strings.TrimSuffix(name, sidecarExt) {
				return true, nil
			}
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
		}
	}
	return false, nil
}
