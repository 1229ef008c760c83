package fetch

import (
	"context"
	"errors"
	"fmt"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// ErrNothing says that a fax which was selected among others has no document, and
// need not have one: there is nothing to download.
var ErrNothing = errors.New("there is no document")

// Wanted is a fax whose document is to be downloaded.
type Wanted struct {
	Fax fax.Fax

	// Named says that the fax was asked for by its id, which is all that is known of
	// it: that it has no document is a failure then. Else it was selected among
	// others, as a full record.
	Named bool
}

// Record is the record of the fax. Errors as of fax.Faxes.Get.
func (w Wanted) Record(ctx context.Context, faxes fax.Faxes) (fax.Fax, error) {
	if !w.Named {
		return w.Fax, nil
	}
	return faxes.Get(ctx, w.Fax.ID)
}

// Save is [Save] of a fax that is wanted, and f its record. [ErrNothing]: the fax was
// selected among others, and failed, is in progress, has no document by the provider's
// record and list, or is gone by now. fax.ErrContradiction: the record tells of a
// document, and storage does not have it.
func (w Wanted) Save(ctx context.Context, faxes fax.Faxes, f fax.Fax, to Target, opt Options) (File, error) {
	if !w.Named && !f.HasDocument() && (f.Status.Unsuccessful() || !f.Status.Terminal()) {
		return File{}, ErrNothing
	}
	got, err := Save(ctx, faxes, f, to, opt)
	if !w.Named && fax.Denied(err) {
		err = denied(ctx, faxes, f, err)
	}
	return got, err
}

// denied is what it means that there is no document of a fax that was selected.
func denied(ctx context.Context, faxes fax.Faxes, f fax.Fax, denial error) error {
	switch _, has, err := fax.Look(ctx, faxes, f); {
	case err != nil:
		return err
	case has != fax.WithDocument:
		return ErrNothing
	case !errors.Is(denial, problem.ErrNotFound):
		return denial
	}
	//nolint:errorlint // its kind is what it must not have
	return fmt.Errorf("%w: the record tells of a document: %v", fax.ErrContradiction, denial)
}
