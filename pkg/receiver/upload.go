package receiver

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/durable"
	"github.com/faxctl/faxctl/pkg/fax"
)

// uploads is the folder of documents that came with a callback and are not yet
// archived. The provider has no copy of them.
type uploads struct {
	disk durable.Disk
	dir  string
	most int64 // bytes of a document
}

const (
	maxParts   = 64
	partSuffix = ".part" // of a file that is not known to be whole
	mediaField = "Media"
	// uploadTime is how long a callback with a document may take: 64 MiB at
	// 5 Mbit/s.
	uploadTime = 2 * time.Minute
)

// openUploads prepares the folder and removes what a crash left in it: files
// that no event mentions were never acknowledged.
func openUploads(ctx context.Context, cfg Config, q queue) (*uploads, error) {
	u := &uploads{disk: cfg.Disk, dir: filepath.Join(cfg.StateDir, "incoming"), most: cfg.MaxDocument}
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
	return fax.Document{Body: f, ContentType: contentType(name), Offset: offset, Size: info.Size()}, nil
}

func (u *uploads) remove(name string) error { return u.disk.Remove(filepath.Join(u.dir, name)) }

// upload is one document on its way in. A nil upload is a callback without.
type upload struct {
	disk  durable.Disk
	part  durable.File
	final string
}

// name is the file name the document will have; it is ours, never the sender's.
func (u *upload) name() string {
	if u == nil {
		return ""
	}
	return filepath.Base(u.final)
}

// keep makes the document last.
func (u *upload) keep() error {
	if u == nil {
		return nil
	}
	if err := u.part.Sync(); err != nil {
		return err
	}
	if err := u.part.Close(); err != nil {
		return err
	}
	if err := u.disk.Rename(u.part.Name(), u.final); err != nil {
		return err
	}
	return u.disk.SyncDir(filepath.Dir(u.final))
}

// discard removes the document, whole or not.
func (u *upload) discard() {
	if u == nil {
		return
	}
	_ = u.part.Close() // may be closed; what stays is removed at the next start
	_ = u.disk.Remove(u.part.Name())
	_ = u.disk.Remove(u.final)
}

// read takes a multipart callback apart: fields into a form, the document into
// a file. Parts are read one after the other and never held whole. signed tells
// whether the provider signed the fields that came so far.
func (u *uploads) read(from *stranger, boundary string, signed func(url.Values) bool) (form url.Values, doc *upload, err error) {
	if boundary == "" || len(boundary) > 70 { // RFC 2046, 5.1.1
		return nil, nil, bad("a multipart body without a boundary")
	}
	defer func() {
		if err != nil {
			doc.discard()
			doc = nil
		}
	}()
	body := &allowance{from, maxForm}
	parts := multipart.NewReader(body, boundary)
	form = url.Values{}
	for n := 0; ; n++ {
		part, err := parts.NextRawPart()
		switch {
		case err == io.EOF: //nolint:errorlint // wrapped, it is an end that came too early
			return form, doc, nil
		case err != nil:
			return nil, doc, bodyError(err)
		case n == maxParts:
			return nil, doc, bad("a multipart body of more than %d parts", maxParts)
		case part.FormName() == mediaField && part.FileName() != "" && doc != nil:
			return nil, doc, bad("two documents in one callback")
		case part.FormName() == mediaField && part.FileName() != "":
			if doc, err = u.take(from, part, body, signed(form)); err != nil {
				return nil, doc, err
			}
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, doc, bodyError(err)
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

// take writes a document, which has an allowance of its own. A sender whose
// fields came first and are rightly signed waits for nobody; strangers, who could
// fill the disk and keep others waiting, take turns once they have shown that they
// have something to send. The file is the caller's, also when this fails.
func (u *uploads) take(from *stranger, part *multipart.Part, body *allowance, signed bool) (*upload, error) {
	begin := bufio.NewReaderSize(part, slowest)
	if signed {
		from.known()
	} else {
		_, _ = begin.Peek(slowest) // what is wrong with it shows when it is read
		if err := from.document(); err != nil {
			return nil, err
		}
	}
	body.left += u.most
	doc, size, err := u.write(begin)
	body.left -= u.most - size
	return doc, err
}

// write copies a document to a file that is not whole yet, and tells how long it
// is.
func (u *uploads) write(part io.Reader) (_ *upload, size int64, err error) {
	begin := make([]byte, 5)
	n, err := io.ReadFull(part, begin)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, 0, bodyError(err)
	}
	kind, ok := documentKind(begin[:n])
	if !ok {
		return nil, 0, &refusal{http.StatusUnsupportedMediaType, "no document", "the document is neither PDF nor TIFF"}
	}
	final := filepath.Join(u.dir, rand.Text()+kind)
	f, err := u.disk.OpenFile(final+partSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, 0, err
	}
	doc := &upload{disk: u.disk, part: f, final: final}
	from := io.MultiReader(strings.NewReader(string(begin)), part)
	size, err = io.Copy(onlyWriter{f}, io.LimitReader(from, u.most+1))
	var disk *os.PathError
	switch {
	case errors.As(err, &disk):
		return doc, size, fmt.Errorf("store the document: %w", err)
	case err != nil:
		return doc, size, bodyError(err)
	case size > u.most:
		return doc, size, &refusal{http.StatusRequestEntityTooLarge, "too large", fmt.Sprintf("a document of more than %d bytes", u.most)}
	}
	return doc, size, nil
}

// onlyWriter hides the file's ReadFrom, which would look for a descriptor to
// splice from and find none.
type onlyWriter struct{ io.Writer }

// documentKind tells a document from its first bytes: the suffix of its file.
func documentKind(begin []byte) (suffix string, ok bool) {
	s := string(begin)
	switch {
	case strings.HasPrefix(s, "%PDF-"):
		return ".pdf", true
	case strings.HasPrefix(s, "II*\x00"), strings.HasPrefix(s, "MM\x00*"):
		return ".tiff", true
	}
	return "", false
}

func contentType(name string) string {
	if filepath.Ext(name) == ".pdf" {
		return "application/pdf"
	}
	return "image/tiff"
}
