package prune

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
)

// errNoReceipt is a receipt that cannot be written: nothing more is deleted.
var errNoReceipt = errors.New("no receipt")

// Outcome is what [Run.Delete], or [Removal.Remove], came to.
type Outcome struct {
	MediaOnly bool // documents alone were to be deleted

	Deleted int
	Gone    int // the provider had them no more
	Skipped int // held, or in progress: they were left alone
	Failed  int // they are still there, or nobody knows
	Left    int // not begun
}

// String is "3 faxes, 1 gone already, 2 failed".
func (o Outcome) String() string {
	said := []string{What(o.Deleted, o.MediaOnly)}
	for _, c := range []struct {
		n    int
		what string
	}{{o.Gone, "gone already"}, {o.Skipped, "left alone"}, {o.Failed, "failed"}, {o.Left, "left"}} {
		if c.n > 0 {
			said = append(said, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return strings.Join(said, ", ")
}

// What names so many faxes, or their documents: "3 faxes", "the documents of 1 fax".
func What(n int, mediaOnly bool) string {
	switch {
	case n == 0 && mediaOnly:
		return "no document"
	case n == 0:
		return "no fax"
	case n == 1 && mediaOnly:
		return "the documents of 1 fax"
	case n == 1:
		return "1 fax"
	case mediaOnly:
		return fmt.Sprintf("the documents of %d faxes", n)
	}
	return fmt.Sprintf("%d faxes", n)
}

// Delete deletes the faxes that a plan selects, and nothing else. It tells why one is
// left alone, and what failed, and begins no more once going has ended (with that
// error), or when a receipt cannot be written. Errors, which were told: those of
// [batch.Trouble].
func (r Run) Delete(ctx, going context.Context, faxes fax.Packed, skipped, failed func(error)) (Outcome, error) {
	out, err := deletion{r.Jobs, r.Receipt, "deleted", r.delete}.all(ctx, going, faxes, skipped, failed)
	out.MediaOnly = r.Policy.MediaOnly
	return out, err
}

// deletion is what is done with each of the faxes of a plan.
type deletion struct {
	jobs    int
	receipt func(Receipt) error // nil: nobody takes them
	done    string              // what it is: "deleted"

	// delete deletes one fax, and calls before when all is ready, whose error keeps the
	// fax. The receipt is good in every case.
	delete func(ctx context.Context, f fax.Fax, before func(Receipt) error) (Receipt, error)
}

// all deletes: see [Run.Delete].
func (d deletion) all(ctx, going context.Context, faxes fax.Packed, skipped, failed func(error)) (Outcome, error) {
	going, halt := context.WithCancel(going)
	defer halt()
	trouble := batch.NewTrouble(skipped, failed)
	var out Outcome
	var unwritten, end error
	results := batch.Run(ctx, d.jobs, batch.Until(going, faxes.All()), func(ctx context.Context, f fax.Fax) (done, error) {
		done, err := d.one(ctx, f)
		if done.unwritten != nil {
			halt()
		}
		return done, err
	})
	for done, err := range batch.Sift(trouble, results) {
		if err != nil {
			end = err
		} else if done.Result == AlreadyGone {
			out.Gone++
		}
		if done.unwritten != nil {
			unwritten = done.unwritten
			failed(fmt.Errorf("fax %s is %s, and has no receipt that says so: %w", done.ID, done.Result, unwritten))
		}
	}
	if unwritten != nil {
		end = problem.Of(problem.ErrTold, unwritten)
	}
	halted := errors.Is(end, errNoReceipt) || unwritten != nil
	if end == nil {
		end = trouble.Err()
	}
	n := trouble.Tally
	out.Deleted, out.Skipped, out.Failed, out.Left = n.Done-out.Gone, n.Skipped, n.Failed, n.Left(faxes.Len())
	if halted && n.Done > 0 && out.Failed+out.Left > 0 {
		end = problem.Of(batch.ErrPartial, end)
	}
	return out, end
}

// done is a fax that was dealt with.
type done struct {
	Receipt
	unwritten error // it is deleted, and its receipt does not say so
}

// one deals with one fax, and writes its receipts.
func (d deletion) one(ctx context.Context, f fax.Fax) (done, error) {
	var refused error
	receipt, err := d.delete(ctx, f, func(begun Receipt) error {
		if err := d.write(begun); err != nil {
			refused = batch.Stop(problem.Of(errNoReceipt, fmt.Errorf("not %s, for want of a receipt: %w", d.done, err)))
		}
		return refused
	})
	if err != nil && !strings.Contains(err.Error(), f.ID) {
		err = fmt.Errorf("fax %s: %w", f.ID, err)
	}
	if refused != nil {
		return done{}, err
	}
	if receipt.Result == Skipped {
		err = batch.Skip(err)
	}
	failed := d.write(receipt)
	if failed != nil && err == nil {
		return done{receipt, failed}, nil
	}
	return done{receipt, nil}, errors.Join(err, batch.Stop(failed))
}

func (d deletion) write(receipt Receipt) error {
	if d.receipt == nil {
		return nil
	}
	return d.receipt(receipt)
}

// delete deletes one fax, or its document, after securing its copy when there is an
// archive. before is called when all is ready; its error keeps the DELETE from being
// sent. The receipt is good in every case. What was deleted is marked so; when that
// cannot be written, Receipt.Error says it. Doing it again is safe.
func (r Run) delete(ctx context.Context, f fax.Fax, before func(Receipt) error) (Receipt, error) {
	receipt := receiptOf(f)
	receipt.MediaOnly = r.Policy.MediaOnly
	if !f.Status.Terminal() {
		return receipt.end(Skipped, fmt.Errorf("fax %s is %s: %w", f.ID, f.Status, problem.ErrConflict))
	}
	if r.Archive == nil {
		receipt, err := receipt.remove(ctx, r.Provider.Faxes, f, before)
		return receipt, batch.Lasting(err)
	}
	told := listing.NoteDates(r.Provider.Faxes)
	faxes := fetch.AtMost(told, r.MaxDocument)
	kept, err := r.Archive.Secure(ctx, faxes, f, r.AllowUncounted)
	switch held := new(archive.HeldError); {
	case errors.Is(err, archive.ErrGone), err == nil && kept.Document == nil && r.Policy.MediaOnly:
		return receipt.end(AlreadyGone, nil)
	case errors.As(err, &held):
		return receipt.end(Skipped, err)
	case err != nil:
		receipt, err := receipt.end(Failed, err)
		return receipt, batch.Local(err)
	case kept.Document == nil:
		receipt.NoDocument = true
	default:
		receipt.SHA256 = kept.Document.SHA256
	}
	first, latest := told.Of(f.ID)
	if err := r.otherwiseDated(f, made{}.also(f.Created).also(kept.Fax.Created).also(first).also(latest)); err != nil {
		return receipt.end(Failed, err)
	}
	begun, err := r.Archive.BeginDeleting(ctx, kept)
	switch held := new(archive.HeldError); {
	case errors.As(err, &held):
		return receipt.end(Skipped, err)
	case err != nil:
		receipt, err := receipt.end(Failed, err)
		return receipt, batch.Local(err)
	}
	receipt, err = r.removeKept(ctx, faxes, f, receipt, begun, before)
	return receipt, batch.Local(err)
}

// otherwiseDated fails with fax.ErrContradiction when the policy does not select a fax by all
// that was told of its date while it was secured. One that is newer than the plan knew may be
// among the last.
func (r Run) otherwiseDated(f fax.Fax, m made) error {
	last := time.Time{}
	if r.Policy.KeepLast > 0 {
		last = f.Created
	}
	return r.Policy.contradiction(f.ID, m, last, r.now())
}

// removeKept deletes a fax that is kept, since when its sidecar says that it does, and has
// the sidecar say what became of it. That a deletion has begun stays there when nobody
// knows.
func (r Run) removeKept(ctx context.Context, faxes fax.Faxes, f fax.Fax, receipt Receipt, begun time.Time, before func(Receipt) error) (Receipt, error) {
	sent := false
	send := func(receipt Receipt) error {
		err := before(receipt)
		if err == nil && late(begun) {
			err = fmt.Errorf("%w: not deleted, as that began too long ago", problem.ErrUnavailable)
		}
		sent = err == nil
		return err
	}
	ending := ctx
	if !begun.IsZero() {
		var end context.CancelFunc
		ending, end = context.WithTimeout(ctx, archive.DeletingFor)
		defer end()
	}
	receipt, err := receipt.remove(ending, faxes, f, send)
	ctx = context.WithoutCancel(ctx)
	switch {
	case receipt.Result == Deleted:
		if err := r.Archive.MarkDeleted(ctx, f.ID, begun, r.Policy.MediaOnly); err != nil {
			receipt.Error = "not marked as gone: " + err.Error()
		}
	case receipt.Result == AlreadyGone, !sent, !begun.IsZero() && stillThere(ctx, faxes, f, receipt.MediaOnly):
		if bad := r.Archive.NotDeleted(ctx, f.ID, begun); bad != nil {
			receipt, err = receipt.end(receipt.Result, errors.Join(err, fmt.Errorf("its sidecar still says that it is being deleted: %w", bad)))
		}
	}
	return receipt, err
}

// late reports whether a DELETE that was begun must not be sent any more, also after a
// machine has slept.
func late(begun time.Time) bool { return !begun.IsZero() && time.Since(begun) > archive.DeletingFor }

// stillThere reports whether the provider is known to have what was to be deleted.
func stillThere(ctx context.Context, faxes fax.Faxes, f fax.Fax, mediaOnly bool) bool {
	ctx, cancel := context.WithTimeout(ctx, LookFor)
	defer cancel()
	_, has, err := fax.Look(ctx, faxes, f)
	return err == nil && (has == fax.WithDocument || has == fax.RecordAlone && !mediaOnly)
}

func receiptOf(f fax.Fax) Receipt {
	ours := f.OurNumber()
	return Receipt{ID: f.ID, NumberTail: ours[max(0, len(ours)-4):], Created: f.Created}
}

// LookFor is how long a DELETE whose answer was lost is looked after, at most: an
// interrupt does not end it.
const LookFor = 5 * time.Second

// remove sends the DELETE, and ends the receipt. When its answer is lost, or ctx ends
// before it comes, the provider is asked once more what became of the fax.
func (r Receipt) remove(ctx context.Context, faxes fax.Faxes, f fax.Fax, before func(Receipt) error) (Receipt, error) {
	if err := ctx.Err(); err != nil {
		return r.end(Failed, err)
	}
	begun, _ := r.end(Deleting, nil)
	if err := before(begun); err != nil {
		return r.end(Failed, err)
	}
	var was bool
	var err error
	if r.MediaOnly {
		was, err = fax.RemoveDocument(ctx, faxes, f)
	} else {
		was, err = fax.Remove(ctx, faxes, f)
	}
	switch {
	case err == nil && was:
		return r.end(Deleted, nil)
	case err == nil:
		return r.end(AlreadyGone, nil)
	case errors.Is(err, problem.ErrConflict):
		return r.end(Skipped, err)
	case ctx.Err() != nil, errors.Is(err, problem.ErrUnavailable):
		return r.lookAfter(ctx, faxes, f, err)
	}
	return r.end(Failed, err)
}

// lookAfter ends the receipt of a DELETE without an answer: it may have been
// carried out.
func (r Receipt) lookAfter(ctx context.Context, faxes fax.Faxes, f fax.Fax, lost error) (Receipt, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), LookFor)
	defer cancel()
	switch _, has, err := fax.Look(ctx, faxes, f); {
	case err != nil:
		return r.end(Unknown, lost)
	case has == fax.Gone, r.MediaOnly && has == fax.RecordAlone:
		return r.end(Deleted, nil)
	}
	return r.end(Failed, lost)
}
