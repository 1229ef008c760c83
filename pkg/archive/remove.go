package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fetch"
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

// ErrDamagedCopy is a kept document that is not what was kept: the fax is not
// deleted.
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
	ours := f.To
	if f.Direction == fax.Outbound {
		ours = f.From
	}
	return Receipt{ID: f.ID, NumberTail: ours[max(0, len(ours)-4):], Created: f.Created, MediaOnly: mediaOnly}
}

// end fills in the result.
func (r Receipt) end(gone bool, err error) (Receipt, error) {
	r.At = time.Now().UTC().Truncate(time.Millisecond)
	switch {
	case err == nil && gone:
		r.Result = AlreadyGone
	case err == nil:
		r.Result = Deleted
	case errors.Is(err, fax.ErrConflict) && !errors.As(err, new(*fetch.PagesError)):
		r.Result, r.Error = Skipped, err.Error()
	default:
		r.Result, r.Error = Failed, err.Error()
	}
	return r, err
}

// Delete deletes a fax at the provider, or only its document. What is gone
// already counts as done. A fax that may still change is refused with
// fax.ErrConflict. Other errors are those of fax.Faxes.Delete. The receipt is
// good in every case.
func Delete(ctx context.Context, faxes fax.Faxes, f fax.Fax, mediaOnly bool) (Receipt, error) {
	r := receipt(f, mediaOnly)
	if !f.Status.Terminal() {
		return r.end(false, fmt.Errorf("fax %s is %s: %w", f.ID, f.Status, fax.ErrConflict))
	}
	return r.end(remove(ctx, faxes, f, mediaOnly))
}

// SaveThenDelete keeps a fax, reads the kept document again, and only when that
// is what was kept deletes the fax at the provider, or only its document. A
// held fax, and one that may still change, is refused with fax.ErrConflict; one
// whose copy has been damaged with [ErrDamagedCopy]. Other errors are those of [Archive.Save] and of fax.Faxes.Delete. The receipt is
// good in every case. Doing it again is safe.
func (a *Archive) SaveThenDelete(ctx context.Context, faxes fax.Faxes, f fax.Fax, mediaOnly bool) (Receipt, error) {
	r := receipt(f, mediaOnly)
	if !f.Status.Terminal() {
		return r.end(false, fmt.Errorf("fax %s is %s: %w", f.ID, f.Status, fax.ErrConflict))
	}
	e, _, err := a.Save(ctx, faxes, f)
	if err != nil {
		return r.end(false, err)
	}
	kept, key, err := a.get(ctx, f.ID) // from the sidecar, not from memory
	switch {
	case err != nil:
		return r.end(false, err)
	case kept.Hold != nil:
		return r.end(false, fmt.Errorf("fax %s is held (%s): %w", f.ID, kept.Hold.Reason, fax.ErrConflict))
	case kept.Document == nil && e.Document != nil:
		return r.end(false, fmt.Errorf("fax %s: %w: its sidecar tells of no document", f.ID, ErrDamagedCopy))
	case kept.Document != nil:
		if finding := a.recheck(ctx, f.ID, beside(key, kept.Document), kept.Document); finding != nil {
			return r.end(false, fmt.Errorf("fax %s: %w: %s: %s", f.ID, ErrDamagedCopy, finding.Problem, finding.Detail))
		}
		r.SHA256 = kept.Document.SHA256
	}
	return r.end(remove(ctx, faxes, f, mediaOnly))
}

// remove sends the DELETE. gone tells that there was nothing to delete.
func remove(ctx context.Context, faxes fax.Faxes, f fax.Fax, mediaOnly bool) (gone bool, err error) {
	if !mediaOnly {
		err := faxes.Delete(ctx, f.ID)
		if errors.Is(err, fax.ErrNotFound) {
			return true, nil
		}
		return false, err
	}
	all, err := fax.Collect(faxes.Media(ctx, f.ID)) // before the list changes
	if err != nil && !errors.Is(err, fax.ErrNotFound) {
		return false, err
	}
	gone = true
	for _, m := range all {
		switch err := faxes.DeleteMedia(ctx, f.ID, m.ID); {
		case err == nil:
			gone = false
		case !errors.Is(err, fax.ErrNotFound):
			return false, err
		}
	}
	return gone, nil
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
	var dirs *fetch.Syncer
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
