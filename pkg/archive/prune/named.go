package prune

import (
	"context"
	"errors"
	"fmt"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Named deletes a fax that a person has named, or its document, whether or not it is kept:
// of Policy counts MediaOnly alone. Where Archive has the fax it is deleted as [Run.Delete]
// does, by the word of its sidecar: a hold that came first keeps it, and one that comes
// later is told that it does. Receipt.Result is Skipped of a fax that is left alone, as it
// is held, is being removed from the archive, or is in progress; the error says why.
//
// Others may have kept a fax since Archive was opened, where its date says. The provider's
// record tells that; without it nobody knows whether the fax is held, and no DELETE is sent.
// A copy that came after that is marked, and Receipt.Error tells of its hold, which came too late.
func (r Run) Named(ctx context.Context, id string) (Receipt, error) {
	f := fax.Fax{ID: id}
	receipt := receiptOf(f)
	receipt.MediaOnly = r.Policy.MediaOnly
	none := func(Receipt) error { return nil }
	if r.Archive == nil {
		receipt, err := receipt.remove(ctx, r.Provider.Faxes, f, none)
		return receipt, batch.Lasting(err)
	}
	begun, kept, err := r.Archive.BeginDeletingNamed(ctx, f)
	record := f
	if err == nil && !kept {
		var has fax.Presence
		var unknown error
		record, has, unknown = recordOf(ctx, r.Provider.Faxes, id)
		switch {
		case unknown != nil:
			receipt, err := receipt.end(Failed, fmt.Errorf("whether fax %s is held: %w; it was not deleted", id, unknown))
			return receipt, batch.Lasting(err)
		case has == fax.Gone:
			return receipt.end(AlreadyGone, nil)
		}
		begun, kept, err = r.Archive.BeginDeletingNamed(ctx, record)
	}
	switch {
	case errors.As(err, new(*archive.HeldError)), errors.As(err, new(*archive.LeavingError)):
		return receipt.end(Skipped, err)
	case err != nil:
		receipt, err := receipt.end(Failed, err)
		return receipt, batch.Lasting(batch.Local(err))
	case kept:
		receipt, err = r.removeKept(ctx, r.Provider.Faxes, f, receipt, begun, none)
		return receipt, batch.Lasting(batch.Local(err))
	}
	receipt, err = receipt.remove(ctx, r.Provider.Faxes, f, none)
	if receipt.Result == Deleted {
		hold, bad := r.Archive.MarkDeletedNamed(context.WithoutCancel(ctx), record, r.Policy.MediaOnly)
		switch {
		case bad != nil:
			receipt.Error = "whether somebody has kept it meanwhile is not known: " + bad.Error()
		case hold != nil:
			receipt.Error = "it was kept and held meanwhile (" + hold.Reason + "), which came too late: only the copy is left"
		}
	}
	return receipt, batch.Lasting(err)
}

// recordOf is the record of a fax of which only the id is known. Gone is what the provider
// has said twice, in its own words. Errors: those of [fax.Look].
func recordOf(ctx context.Context, faxes fax.Faxes, id string) (record fax.Fax, has fax.Presence, err error) {
	record, err = faxes.Get(ctx, id)
	if errors.Is(err, problem.ErrNotFound) {
		return fax.Look(ctx, faxes, fax.Fax{ID: id})
	}
	return record, fax.RecordAlone, err
}
