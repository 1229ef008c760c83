package receiver

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/server"
)

// uploads is the folder of documents that came with a callback and are not yet
// archived. The provider has no copy of them.
type uploads struct {
	disk durable.Disk
	dir  string
	most int64 // bytes of a document
}

const partSuffix = ".part" // of a file that is not known to be whole

func uploadDir(stateDir string) string { return filepath.Join(stateDir, "incoming") }

// openUploads prepares the folder and removes what a crash left in it: files
// that no event mentions were never acknowledged.
func openUploads(ctx context.Context, cfg Config, q *queue) (*uploads, error) {
	u := &uploads{disk: cfg.Disk, dir: uploadDir(cfg.StateDir), most: cfg.MaxDocument}
	if err := durable.MakeDir(u.disk, u.dir); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(u.dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		needed, err := q.hasUpload(ctx, f.Name())
		if err != nil {
			return nil, err
		}
		if !needed {
			if err := u.remove(f.Name()); err != nil {
				return nil, err
			}
		}
	}
	return u, nil
}

// open reads a kept document again.
func (u *uploads) open(name string, offset int64) (_ fax.Document, err error) {
	f, err := os.Open(filepath.Join(u.dir, name))
	if err != nil {
		return fax.Document{}, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return fax.Document{}, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return fax.Document{}, err
	}
	return fax.Document{Body: f, Offset: offset, Size: info.Size()}, nil
}

func (u *uploads) remove(name string) error { return u.disk.Remove(filepath.Join(u.dir, name)) }

// sum is the SHA-256 of a kept document in hex, and how long it is.
func (u *uploads) sum(name string) (sum string, size int64, err error) {
	f, err := os.Open(filepath.Join(u.dir, name))
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// inspect tells what a kept document is.
func (u *uploads) inspect(name string) error {
	f, err := os.Open(filepath.Join(u.dir, name))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err == nil {
		_, err = document.Inspect(f, info.Size())
	}
	return err
}

// upload is one document on its way in. A nil upload is a callback without.
type upload struct {
	disk durable.Disk
	part durable.File
	size int64  // bytes
	path string // once it is durable
}

// name is the file name the document has; it is ours, never the sender's.
func (d *upload) name() string {
	if d == nil {
		return ""
	}
	return filepath.Base(d.path)
}

// makeDurable makes the document last, and tells what is wrong with it: nil, or
// [document.ErrNotDocument] or [document.ErrTruncated] with the details. Such a file
// has a name that no program opens.
func (d *upload) makeDurable() (wrong, err error) {
	suffix := ".bin"
	info, wrong := document.Inspect(d.part, d.size)
	if wrong == nil {
		suffix = info.Ext
	} else if !errors.Is(wrong, document.ErrNotDocument) && !errors.Is(wrong, document.ErrTruncated) {
		return nil, wrong
	}
	if err := d.part.Sync(); err != nil {
		return wrong, err
	}
	if err := d.part.Close(); err != nil {
		return wrong, err
	}
	d.path = strings.TrimSuffix(d.part.Name(), partSuffix) + suffix
	if err := d.disk.Rename(d.part.Name(), d.path); err != nil {
		return wrong, err
	}
	return wrong, d.disk.SyncDir(filepath.Dir(d.path))
}

// discard removes the document, whole or not.
func (d *upload) discard() {
	_ = d.part.Close() // may be closed; what stays is removed at the next start
	_ = d.disk.Remove(d.part.Name())
	if d.path != "" {
		_ = d.disk.Remove(d.path)
	}
}

func discard(docs []*upload) {
	for _, d := range docs {
		d.discard()
	}
}

// read takes a multipart callback apart: fields into a form, documents into
// files; what has a file name is one, as it is to those who sign. Parts are read one
// after the other and never held whole. signed tells whether the provider signed the
// fields that came so far. When it fails, form and docs are what came whole before.
func (u *uploads) read(from *server.Stranger, boundary string, signed func(url.Values) bool) (form url.Values, docs []*upload, err error) {
	if boundary == "" || len(boundary) > 70 { // RFC 2046, 5.1.1
		return nil, nil, bad("a multipart body without a boundary")
	}
	body := &allowance{from, maxForm}
	parts := multipart.NewReader(body, boundary)
	form = url.Values{}
	for left := u.most; ; {
		part, err := parts.NextRawPart()
		switch {
		case err == io.EOF: //nolint:errorlint // wrapped, it is an end that came too early
			return form, docs, nil
		case err != nil:
			return form, docs, bodyError(err)
		case part.FileName() != "":
			begin := bufio.NewReaderSize(part, server.Slowest)
			if len(docs) == 0 { // for all of them
				err = from.Begin(begin, signed(form))
			}
			if err != nil {
				return form, docs, err
			}
			doc, err := u.take(begin, body, left)
			if err != nil {
				return form, docs, err
			}
			docs = append(docs, doc)
			left -= doc.size
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return form, docs, bodyError(err)
		}
		form.Add(part.FormName(), string(value))
	}
}

// allowance is a body of which no more is read than what is left, all parts and
// their headers together. Beyond it fails as [http.MaxBytesReader] does.
type allowance struct {
	body io.Reader
	left int64 // bytes
}

// Read implements io.Reader.
func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, &http.MaxBytesError{Limit: maxForm}
	}
	n, err := a.body.Read(p[:min(int64(len(p)), a.left)])
	a.left -= int64(n)
	return n, err
}

// take writes a document, which has an allowance of its own: what is left of that
// of all documents of a callback.
func (u *uploads) take(part io.Reader, body *allowance, left int64) (_ *upload, err error) {
	f, err := u.disk.OpenFile(filepath.Join(u.dir, rand.Text()+partSuffix), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	body.left += left
	doc := &upload{disk: u.disk, part: f}
	defer func() {
		if err != nil {
			doc.discard()
		}
	}()
	doc.size, err = io.Copy(onlyWriter{f}, io.LimitReader(part, left+1))
	body.left -= left - doc.size
	var disk *os.PathError
	switch {
	case errors.As(err, &disk):
		return nil, fmt.Errorf("store the document: %w", err)
	case err != nil:
		return nil, bodyError(err)
	case doc.size > left:
		return nil, refused(http.StatusRequestEntityTooLarge, "too large", "a document of more than %d bytes", u.most)
	}
	return doc, nil
}

// onlyWriter hides the file's ReadFrom, which would look for a descriptor to
// splice from and find none.
type onlyWriter struct{ io.Writer }
