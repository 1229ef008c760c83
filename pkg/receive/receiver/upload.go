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
	"time"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/server"
)

// uploads are the documents that came with a callback and are not yet archived. The
// provider has no copy of them.
type uploads struct {
	shelf
	room *room // of all replicas; nil: the shelf is this one's alone
	disk durable.Disk
	dir  string // of parts
	most int64  // bytes of a document
}

func uploadDir(stateDir string) string { return filepath.Join(stateDir, "incoming") }

// openUploads prepares the folder and removes what a crash left in it.
func openUploads(ctx context.Context, r *Receiver) (*uploads, error) {
	cfg := r.cfg
	u := &uploads{disk: cfg.Disk, dir: uploadDir(cfg.StateDir), most: cfg.MaxDocument}
	if err := durable.MakeDir(u.disk, u.dir); err != nil {
		return nil, err
	}
	if cfg.Incoming != nil {
		u.room = &room{cfg.Incoming, roomOf(r.id), u.disk}
		u.shelf = counted{u.room, r.metrics}
		return u, clearParts(u.disk, u.dir)
	}
	own := folder{u.disk, u.dir}
	u.shelf = counted{own, r.metrics}
	return u, own.clear(ctx, r.queue)
}

// document reads a kept document again.
func (u *uploads) document(ctx context.Context, name string, offset int64) (fax.Document, error) {
	body, size, err := u.open(ctx, name, offset)
	if err != nil {
		return fax.Document{}, err
	}
	return fax.Document{Body: body, Offset: offset, Size: size}, nil
}

// sum is the SHA-256 of a kept document in hex, and how long it is.
func (u *uploads) sum(ctx context.Context, name string) (sum string, size int64, err error) {
	f, _, err := u.open(ctx, name, 0)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// inspect tells what is wrong with a kept document; an error that is neither
// [document.ErrNotDocument] nor [document.ErrTruncated] is that it cannot be read.
func (u *uploads) inspect(ctx context.Context, name string) error {
	f, size, err := u.open(ctx, name, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	if at, ok := f.(io.ReaderAt); ok {
		_, err = document.Inspect(at, size)
		return err
	}
	copied, err := u.newPart()
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(copied.Close(), u.disk.Remove(copied.Name())) }() // what stays is a part
	if size, err = io.Copy(onlyWriter{copied}, f); err == nil {
		_, err = document.Inspect(copied, size)
	}
	return err
}

// newPart is a file for a document on its way in, for us alone.
func (u *uploads) newPart() (durable.File, error) {
	return u.disk.OpenFile(filepath.Join(u.dir, rand.Text()+partSuffix), os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

// unsound reports whether the error of an inspection is about the document.
func unsound(wrong error) bool {
	return errors.Is(wrong, document.ErrNotDocument) || errors.Is(wrong, document.ErrTruncated)
}

// upload is one document on its way in. A nil upload is a callback without.
type upload struct {
	of   *uploads
	part durable.File // nil: it is durable already
	size int64        // bytes
	kept string       // the name that it has, or may have, once it is durable
}

// name is the name that the document has; it is ours, never the sender's.
func (d *upload) name() string {
	if d == nil {
		return ""
	}
	return d.kept
}

// makeDurable makes the document last, and tells what is wrong with it: nil, or
// [document.ErrNotDocument] or [document.ErrTruncated] with the details. Such a file
// has a name that no program opens. The name tells of which fax it is (""; nobody knows),
// and whether there is a doubt about that.
func (d *upload) makeDurable(ctx context.Context, faxID string, doubted bool) (wrong, err error) {
	suffix := ".bin"
	info, wrong := document.Inspect(d.part, d.size)
	if wrong == nil {
		suffix = info.Ext
	} else if !unsound(wrong) {
		return nil, wrong
	}
	d.kept = label{time.Now(), faxID, doubted || wrong != nil, suffix}.name()
	return wrong, d.of.keep(ctx, d.part, d.size, d.kept)
}

// discard removes the document, whole or not.
func (d *upload) discard(ctx context.Context) {
	if d.part != nil {
		_ = d.part.Close() // may be closed; what stays is removed later
		_ = d.of.disk.Remove(d.part.Name())
	}
	if d.kept != "" {
		_ = d.of.remove(ctx, d.kept)
	}
}

func discard(ctx context.Context, docs []*upload) {
	for _, d := range docs {
		d.discard(ctx)
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
	f, err := u.newPart()
	if err != nil {
		return nil, err
	}
	body.left += left
	doc := &upload{of: u, part: f}
	defer func() {
		if err != nil {
			doc.discard(context.Background())
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
