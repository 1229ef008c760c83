// Package fetch brings the document of a fax from its provider into a file,
// and lets nothing be taken for the document that is not all of it.
//
// Use [Save] to download into a folder and [Copy] to download into a stream.
// [Part] is the step below both, for those who keep documents in their own
// way.
//
// A document is written to a hidden .part file beside its target, continued
// where a broken connection left off, and checked: its length against the
// length announced, its first bytes and structure against PDF and TIFF, its
// pages against the provider's record. Only then does it get its name, with an
// fsync before and after. So a file with a final name is always whole. Files
// are for the owner alone (0600).
//
// Several runs may save to one folder at once: each document is downloaded by
// one of them, and found by the others.
//
// [ParseName] turns a template such as "{date}_{from}_{id}" into safe file
// names.
package fetch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Target is where a document goes.
type Target struct {
	Dir  string // made if it is not there
	Base string // file name without extension, from [Name.Base]
	Ext  string // with its dot; empty: by the kind of document

	// Replace tells that the name does not say which fax it is: what is
	// there already is replaced, not taken for the document.
	Replace bool
}

// Options are the finer points. The zero value is good.
type Options struct {
	Progress func(bytes int) // called as bytes arrive, from the calling goroutine
	Disk     durable.Disk    // nil: durable.OS; a durable.Syncer is for concurrent calls
	New      bool            // of [SaveAs]: what has the name already is not replaced
	Passing  bool            // of [Get]: it goes on to another place, and is in memory alone as long as it is small
}

func (o Options) disk() durable.Disk { return cmp.Or[durable.Disk](o.Disk, durable.OS{}) }

// File is a document in a file.
type File struct {
	Path    string        `json:"path"`
	SHA256  string        `json:"sha256"` // lower-case hex
	Size    int64         `json:"size"`   // bytes
	Info    document.Info `json:"-"`
	Existed bool          `json:"existed"` // it was there, whole, and was left alone
}

// Save downloads the document of f. A file that is there already, is a whole
// document and has the pages of the record is left as it is, without asking
// the provider anything; only others lose the right to read it. Concurrent calls
// are safe, also of several processes: for the same target, one waits for the
// other.
//
// Errors: those of [CheckID] and fax.Faxes.Open, [IncompleteError], [NotDocumentError],
// [PagesError], those of [AtMost], fax.ErrConflict when another call takes longer than 10 s for the
// same target, and those of the file system. After an error there is no file of
// that name that was not there before.
func Save(ctx context.Context, faxes fax.Faxes, f fax.Fax, to Target, opt Options) (File, error) {
	if err := CheckID(f.ID); err != nil { // what is there under its name may be of another fax
		return File{}, err
	}
	if got, ok := to.existing(f); ok {
		return got, nil
	}
	path := filepath.Join(to.Dir, "."+to.Base+".part")
	part, err := claimed(ctx, opt.disk(), path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = durable.MakeDir(opt.disk(), to.Dir); err == nil {
			part, err = claimed(ctx, opt.disk(), path)
		}
	}
	if err != nil {
		return File{}, err
	}
	if got, ok := to.existing(f); ok { // another was faster
		part.Discard()
		return got, nil
	}
	if err := part.get(ctx, faxes, f, opt); err != nil {
		return File{}, err
	}
	ext := to.Ext
	if ext == "" {
		ext = part.Info.Ext
	}
	return part.keep(filepath.Join(to.Dir, to.Base+ext))
}

// SaveAs downloads the document of f to exactly this path. fs.ErrExist: something is
// there, and [Options.New] says that it stays. Else errors as of [Save].
func SaveAs(ctx context.Context, faxes fax.Faxes, f fax.Fax, path string, opt Options) (File, error) {
	dir, base := filepath.Split(path)
	part, err := Get(ctx, faxes, f, filepath.Join(dir, "."+base+".part"), opt)
	if err == nil && opt.New {
		if err = durable.Unused(path); err != nil { // made meanwhile
			part.Discard()
		}
	}
	if err != nil {
		return File{}, err
	}
	return part.keep(path)
}

// keep gives the document its name, on the disk for good.
func (p *Part) keep(path string) (File, error) {
	err := p.Sync()
	if err == nil { // else it is not known to be whole
		err = p.Rename(path)
	}
	if err != nil {
		p.Discard()
		return File{}, err
	}
	return p.file(path), p.disk.SyncDir(filepath.Dir(path))
}

// Copy downloads the document of f and writes it to w once it has passed the
// checks. Errors as of [Save], and those of w.
func Copy(ctx context.Context, faxes fax.Faxes, f fax.Fax, w io.Writer, opt Options) (File, error) {
	dir, err := os.MkdirTemp("", "faxctl-")
	if err != nil {
		return File{}, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // an empty folder among temporary files harms nobody
	opt.Passing = true
	part, err := Get(ctx, faxes, f, filepath.Join(dir, "document.part"), opt)
	if err != nil {
		return File{}, err
	}
	defer part.Discard()
	if _, err := io.Copy(w, part.Content()); err != nil {
		return File{}, err
	}
	return part.file(""), nil
}

// existing finds the document of f under its final name.
func (to Target) existing(f fax.Fax) (File, bool) {
	if to.Replace {
		return File{}, false
	}
	for _, ext := range []string{to.Ext, ".pdf", ".tiff"} {
		if to.Ext != "" && ext != to.Ext || ext == "" {
			continue
		}
		got, err := check(filepath.Join(to.Dir, to.Base+ext), f)
		if err == nil {
			got.Existed = true
			return got, true
		}
	}
	return File{}, false
}

// check tells what the file at path is, and makes it one for the owner alone. It
// fails when the file is not the whole document of f, or no file but a link.
func check(path string, f fax.Fax) (File, error) {
	named, err := os.Lstat(path)
	if err != nil {
		return File{}, err
	}
	if !named.Mode().IsRegular() {
		return File{}, fmt.Errorf("%s: %w: not a file", path, fs.ErrInvalid)
	}
	file, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer file.Close() //nolint:errcheck // only read
	st, err := file.Stat()
	if err != nil {
		return File{}, err
	}
	if !os.SameFile(st, named) {
		return File{}, fmt.Errorf("%s: %w: it was replaced", path, fs.ErrInvalid)
	}
	info, err := inspect(file, st.Size(), f)
	if err != nil {
		return File{}, err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return File{}, err
	}
	return File{Path: path, SHA256: hexOf(sum), Size: st.Size(), Info: info}, durable.Tighten(file)
}

// inspect is what [document.Inspect] finds, held against the record.
func inspect(r io.ReaderAt, size int64, f fax.Fax) (document.Info, error) {
	info, err := document.Inspect(r, size)
	switch {
	case errors.Is(err, document.ErrTruncated):
		return info, &IncompleteError{Got: size, Want: -1, Reason: err}
	case errors.Is(err, document.ErrNotDocument):
		return info, &NotDocumentError{Reason: err}
	case err != nil:
		return info, err
	}
	return info, EnoughPages(info, f)
}

// EnoughPages fails with [PagesError] when a document is known to have fewer pages
// than the record of its fax tells, none among them. One whose pages could not be
// counted may have them all.
func EnoughPages(info document.Info, f fax.Fax) error {
	if f.Pages != nil && info.Uncounted == "" && info.Pages < *f.Pages {
		return &PagesError{Got: info.Pages, Want: *f.Pages}
	}
	return nil
}

func hexOf(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
