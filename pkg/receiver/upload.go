package receiver

import (
	"context"
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
	dir   string
	most  int64         // bytes of a document
	turns chan struct{} // how many are written at once
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
	u := &uploads{dir: filepath.Join(cfg.StateDir, "incoming"), most: cfg.MaxDocument, turns: make(chan struct{}, 16)}
	if err := os.MkdirAll(u.dir, 0o700); err != nil {
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
			if err := os.Remove(filepath.Join(u.dir, f.Name())); err != nil {
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

func (u *uploads) remove(name string) error { return os.Remove(filepath.Join(u.dir, name)) }

// upload is one document on its way in. A nil upload is a callback without.
type upload struct {
	part  *os.File
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
	if err := os.Rename(u.part.Name(), u.final); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(u.final))
}

// discard removes the document, whole or not.
func (u *upload) discard() {
	if u == nil {
		return
	}
	_ = u.part.Close() // may be closed; what stays is removed at the next start
	_ = os.Remove(u.part.Name())
	_ = os.Remove(u.final)
}

// read takes a multipart callback apart: fields into a form, the document into
// a file. Parts are read one after the other and never held whole.
func (u *uploads) read(w http.ResponseWriter, req *http.Request, boundary string) (_ url.Values, doc *upload, err error) {
	if boundary == "" || len(boundary) > 70 { // RFC 2046, 5.1.1
		return nil, nil, bad("a multipart body without a boundary")
	}
	select {
	case u.turns <- struct{}{}:
		defer func() { <-u.turns }()
	case <-req.Context().Done():
		return nil, nil, req.Context().Err()
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime)) // a test's recorder has none
	defer func() {
		if err != nil {
			doc.discard()
			doc = nil
		}
	}()
	parts := multipart.NewReader(http.MaxBytesReader(w, req.Body, u.most+maxForm), boundary)
	form, room := url.Values{}, int64(maxForm)
	for n := 0; ; n++ {
		part, err := parts.NextRawPart()
		switch {
		case errors.Is(err, io.EOF):
			return form, doc, nil
		case err != nil:
			return nil, doc, bodyError(err)
		case n == maxParts:
			return nil, doc, bad("a multipart body of more than %d parts", maxParts)
		}
		if part.FormName() == mediaField && part.FileName() != "" {
			if doc != nil {
				return nil, doc, bad("two documents in one callback")
			}
			if doc, err = u.write(part); err != nil {
				return nil, doc, err
			}
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, room+1))
		if err != nil {
			return nil, doc, bodyError(err)
		}
		if room -= int64(len(value)); room < 0 {
			return nil, doc, &refusal{http.StatusRequestEntityTooLarge, "too large", "the fields of a multipart body"}
		}
		form.Add(part.FormName(), string(value))
	}
}

// write copies a document to a file that is not whole yet. The file is the
// caller's, also when this fails.
func (u *uploads) write(part *multipart.Part) (*upload, error) {
	begin := make([]byte, 5)
	n, err := io.ReadFull(part, begin)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, bodyError(err)
	}
	kind, ok := documentKind(begin[:n])
	if !ok {
		return nil, &refusal{http.StatusUnsupportedMediaType, "no document", "the document is neither PDF nor TIFF"}
	}
	f, err := os.CreateTemp(u.dir, "*"+kind+partSuffix) // 0600
	if err != nil {
		return nil, err
	}
	doc := &upload{part: f, final: strings.TrimSuffix(f.Name(), partSuffix)}
	from := io.MultiReader(strings.NewReader(string(begin)), part)
	size, err := io.Copy(onlyWriter{f}, io.LimitReader(from, u.most+1))
	var disk *os.PathError
	switch {
	case errors.As(err, &disk):
		return doc, fmt.Errorf("store the document: %w", err)
	case err != nil:
		return doc, bodyError(err)
	case size > u.most:
		return doc, &refusal{http.StatusRequestEntityTooLarge, "too large", fmt.Sprintf("a document of more than %d bytes", u.most)}
	}
	return doc, nil
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
