package prune

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Result is what became of a fax that was to be deleted.
type Result string

// The results.
const (
	Deleted     Result = "deleted"
	AlreadyGone Result = "already gone" // the provider had it no more: its record and its list say so
	Skipped     Result = "skipped"      // held, or still in progress
	Failed      Result = "failed"       // it is still there
	Unknown     Result = "unknown"      // no answer, neither to the DELETE nor to the question after it

	// Deleting is not the last word: the DELETE is sent next. A fax with nothing
	// after it met the end of the process.
	Deleting Result = "deleting"

	// Those of what is removed from an archive: see [Removal].
	Removed  Result = "removed"
	Removing Result = "removing" // next; not the last word either
)

// begins reports whether what the result is of is yet to come.
func (r Result) begins() bool { return r == Deleting || r == Removing }

// Receipt says what became of one fax.
type Receipt struct {
	ID         string    `json:"id"`
	NumberTail string    `json:"number_tail"` // the last four digits of our number
	Created    time.Time `json:"created,omitzero"`
	At         time.Time `json:"at"`
	SHA256     string    `json:"sha256,omitempty"`      // of the kept copy, read again before deleting
	NoDocument bool      `json:"no_document,omitempty"` // the provider had none: record and list of documents say so; none was kept
	MediaOnly  bool      `json:"media_only,omitempty"`
	Result     Result    `json:"result"`
	Error      string    `json:"error,omitempty"`
}

// end fills in the result, and why when there is an error.
func (r Receipt) end(result Result, err error) (Receipt, error) {
	r.At, r.Result = time.Now().UTC().Truncate(time.Millisecond), result
	if errors.Is(err, context.Canceled) { // which says nothing to those who read receipts
		r.Error = "interrupted"
	} else if err != nil {
		r.Error = err.Error()
	}
	return r, err
}

// Receipts is a file of receipts, one JSON object a line. Safe for concurrent
// use.
type Receipts struct {
	file    durable.File
	regular bool // neither a pipe nor a device, which have no disk

	mu      sync.Mutex // one line after another
	written int64      // lines
	torn    bool       // part of a line is at the end

	syncing sync.Mutex // one fsync after another
	synced  int64      // lines on the disk
	lost    error      // of an fsync: what was written before it may be lost
}

// OpenReceipts opens or makes the file, for appending and for the owner alone. A
// line that an earlier run did not finish is ended, so that it spoils no other.
func OpenReceipts(path string) (*Receipts, error) { return openReceipts(durable.OS{}, path) }

func openReceipts(disk durable.Disk, path string) (*Receipts, error) {
	if err := refuseOthers(path); err != nil {
		return nil, err
	}
	f, err := disk.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND)
	if err != nil {
		return nil, err
	}
	r := &Receipts{file: f}
	st, err := f.Stat()
	if err == nil && st.Mode().IsRegular() {
		r.regular = true
		r.torn, err = unfinished(path, st.Size())
	}
	dir := filepath.Dir(path) // which is there, but perhaps not on the disk
	if err := errors.Join(err, durable.MakeDir(disk, dir), disk.SyncDir(dir)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// CheckReceipts fails as [OpenReceipts] would, and makes nothing.
func CheckReceipts(path string) error {
	if err := refuseOthers(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if st, there := os.Stat(filepath.Dir(path)); there != nil || !st.IsDir() {
		return err // the folder is not made
	}
	return durable.MayMake(path, filepath.Dir(path))
}

// refuseOthers refuses a file that is there and holds something else than receipts: a
// line at the end of a kept document damages the only copy there may be. One that may
// not be read is left to whoever made it so: append-only is a sensible thing for
// receipts to be. None are in an archive, as [archive.Outside] says.
func refuseOthers(path string) error {
	if err := archive.Outside(path); err != nil {
		return err
	}
	refused := problem.Invalid(problem.Say("name a file of its own"), "%s is there, and holds no receipts", path)
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() {
		return nil // what is not there, or is no file, holds nothing; opening it tells
	}
	f, err := os.Open(path)
	if err != nil {
		return nil // as above
	}
	defer f.Close() //nolint:errcheck // only read
	const longest = 64 << 10
	line, err := bufio.NewReaderSize(io.LimitReader(f, longest), 4096).ReadBytes('\n')
	cutOff := errors.Is(err, io.EOF)
	var first Receipt
	switch {
	case len(line) == 0, !json.Valid(line) && isBegun(line, cutOff):
		return nil
	case json.Unmarshal(line, &first) == nil && first.ID != "" && first.Result != "":
		return nil
	}
	return refused
}

// isBegun reports whether a line may be a receipt that was not finished, by a process
// or a disk that ended; cutOff says that nothing comes after it.
func isBegun(line []byte, cutOff bool) bool {
	const begin = `{"id":"`
	return bytes.HasPrefix(line, []byte(begin)) || cutOff && bytes.HasPrefix([]byte(begin), line)
}

// unfinished reports whether the last line of a file lacks its end.
func unfinished(path string, size int64) (bool, error) {
	if size == 0 {
		return false, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return false, nil // append-only is a sensible thing for such a file to be
	} else if err != nil {
		return false, err
	}
	defer f.Close() //nolint:errcheck // only read
	last := make([]byte, 1)
	_, err = f.ReadAt(last, size-1)
	return last[0] != '\n', err
}

// Write appends a receipt. It is with the system when Write returns, so that it
// outlives this process, and one of the result [Deleting] or [Removing] is on the disk. Those
// that come at once share an fsync. After an error no part of the line is there.
func (r *Receipts) Write(receipt Receipt) error {
	line, err := json.Marshal(receipt)
	if err != nil {
		return err
	}
	r.mu.Lock()
	nth, err := r.append(append(line, '\n'))
	r.mu.Unlock()
	if err != nil || !receipt.Result.begins() {
		return err
	}
	return r.sync(nth)
}

func (r *Receipts) append(line []byte) (nth int64, err error) {
	if r.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := r.file.Write(line)
	if err == nil {
		r.written++
		r.torn = false
	} else if n > 0 {
		r.torn = r.takeBack(n) != nil || r.torn
	}
	return r.written, err
}

// takeBack removes the last n bytes, the beginning of a line.
func (r *Receipts) takeBack(n int) error {
	st, err := r.file.Stat()
	if err != nil {
		return err
	}
	return r.file.Truncate(st.Size() - int64(n))
}

// sync returns when so many lines are on the disk.
func (r *Receipts) sync(lines int64) error {
	r.syncing.Lock()
	defer r.syncing.Unlock()
	if !r.regular || r.lost != nil || r.synced >= lines {
		return r.lost
	}
	r.mu.Lock()
	lines = r.written // those of the others who wait as well
	r.mu.Unlock()
	if r.lost = r.file.Sync(); r.lost == nil {
		r.synced = lines
	}
	return r.lost
}

// Close brings all receipts to the disk.
func (r *Receipts) Close() error {
	r.mu.Lock()
	lines := r.written
	r.mu.Unlock()
	return errors.Join(r.sync(lines), r.file.Close())
}
