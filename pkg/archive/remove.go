package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/durable"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Result is what became of a fax that was to be deleted.
type Result string

// The results.
const (
	Deleted     Result = "deleted"
	AlreadyGone Result = "already gone" // the provider had it no more
	Skipped     Result = "skipped"      // held, or still in progress
	Failed      Result = "failed"       // it is still there
)

// ErrDamagedCopy is a kept document that is not what was kept. It is not handed
// out, and its fax is not deleted.
var ErrDamagedCopy = errors.New("the kept copy is not whole")

// Receipt says what became of one fax.
type Receipt struct {
	ID         string    `json:"id"`
	NumberTail string    `json:"number_tail"` // the last four digits of our number
	Created    time.Time `json:"created,omitzero"`
	At         time.Time `json:"at"`
	SHA256     string    `json:"sha256,omitempty"` // of the kept copy, read again before deleting
	MediaOnly  bool      `json:"media_only,omitempty"`
	Result     Result    `json:"result"`
	Error      string    `json:"error,omitempty"`
}

func receipt(f fax.Fax, mediaOnly bool) Receipt {
	ours := f.OurNumber()
	return Receipt{ID: f.ID, NumberTail: ours[max(0, len(ours)-4):], Created: f.Created, MediaOnly: mediaOnly}
}

// end fills in the result, and why when there is an error.
func (r Receipt) end(result Result, err error) (Receipt, error) {
	r.At, r.Result = time.Now().UTC().Truncate(time.Millisecond), result
	if err != nil {
		r.Error = err.Error()
	}
	return r, err
}

// changing is the receipt of a fax that may still change.
func (r Receipt) changing(f fax.Fax) (Receipt, error) {
	return r.end(Skipped, fmt.Errorf("fax %s is %s: %w", f.ID, f.Status, fax.ErrConflict))
}

// Delete deletes a fax at the provider, or only its document. What is gone
// already counts as done. A fax that may still change is refused with
// fax.ErrConflict. Other errors are those of fax.Faxes.Delete. The receipt is
// good in every case.
func Delete(ctx context.Context, faxes fax.Faxes, f fax.Fax, mediaOnly bool) (Receipt, error) {
	r := receipt(f, mediaOnly)
	if !f.Status.Terminal() {
		return r.changing(f)
	}
	return r.remove(ctx, faxes, f)
}

// SaveThenDelete keeps a fax, reads the kept document again, and only when that
// is what was kept deletes the fax at the provider, or only its document. A fax
// that should have a document is deleted without one only when the provider's
// record, fetched again, tells of none. A held fax, and one that may still change, is refused with fax.ErrConflict; one
// whose copy has been damaged with [ErrDamagedCopy]. Other errors are those of
// [Archive.Save] and of fax.Faxes.Delete. The receipt is good in every case.
// Doing it again is safe.
func (a *Archive) SaveThenDelete(ctx context.Context, faxes fax.Faxes, f fax.Fax, mediaOnly bool) (Receipt, error) {
	r := receipt(f, mediaOnly)
	if !f.Status.Terminal() {
		return r.changing(f)
	}
	e, _, err := a.save(ctx, faxes, f, true)
	if err != nil {
		return r.end(Failed, err)
	}
	kept, key, err := a.get(ctx, f.ID) // from the sidecar, not from memory
	switch {
	case err != nil:
		return r.end(Failed, err)
	case kept.Hold != nil:
		return r.end(Skipped, fmt.Errorf("fax %s is held (%s): %w", f.ID, kept.Hold.Reason, fax.ErrConflict))
	case kept.Document == nil && e.Document != nil:
		return r.end(Failed, fmt.Errorf("fax %s: %w: its sidecar tells of no document", f.ID, ErrDamagedCopy))
	case kept.Document == nil && kept.MediaGone.IsZero() && mayHaveDocument(kept.Fax):
		return r.end(Failed, fmt.Errorf("fax %s: %w: its document is not kept", f.ID, ErrDamagedCopy))
	case kept.Document != nil:
		if finding := a.recheck(ctx, f.ID, beside(key, kept.Document), kept.Document, io.Discard); finding != nil {
			return r.end(Failed, finding.err())
		}
		r.SHA256 = kept.Document.SHA256
	}
	return r.remove(ctx, faxes, f)
}

// remove sends the DELETE, and ends the receipt.
func (r Receipt) remove(ctx context.Context, faxes fax.Faxes, f fax.Fax) (Receipt, error) {
	var was bool
	var err error
	if r.MediaOnly {
		was, err = fax.RemoveDocument(ctx, faxes, f)
	} else {
		was, err = fax.Remove(ctx, faxes, f.ID)
	}
	switch {
	case err == nil && was:
		return r.end(Deleted, nil)
	case err == nil:
		return r.end(AlreadyGone, nil)
	case errors.Is(err, fax.ErrConflict):
		return r.end(Skipped, err)
	}
	return r.end(Failed, err)
}

// Receipts is a file of receipts, one JSON object a line. Safe for concurrent
// use.
type Receipts struct {
	mu     sync.Mutex
	file   *os.File
	synced time.Time
}

// OpenReceipts opens or makes the file, for appending and for the owner alone.
func OpenReceipts(path string) (*Receipts, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	var dirs *durable.Syncer
	if err := dirs.Sync(filepath.Dir(path)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Receipts{file: f, synced: time.Now()}, nil
}

// Write appends a receipt. It is with the system when Write returns, so that
// it outlives this process, and on the disk within about a second.
func (r *Receipts) Write(receipt Receipt) error {
	line, err := json.Marshal(receipt)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.file.Write(append(line, '\n')); err != nil {
		return err
	}
	if time.Since(r.synced) < time.Second {
		return nil
	}
	r.synced = time.Now()
	return r.file.Sync()
}

// Close brings all receipts to the disk.
func (r *Receipts) Close() error { return errors.Join(r.file.Sync(), r.file.Close()) }
