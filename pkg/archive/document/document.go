// Package document tells whether a file is a fax document, and how many pages
// it has.
//
// Use it on whatever was downloaded or received before it is kept: providers
// deliver PDF or TIFF files, but what arrives in their place may be a gateway's
// error page or half a file. [Inspect] reads little, whatever the file claims:
// it is safe on files from strangers.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Kind is the format of a document.
type Kind string

// The formats fax providers deliver.
const (
	PDF  Kind = "pdf"
	TIFF Kind = "tiff"
)

// What is wrong with a file. Compare with [errors.Is].
var (
	// ErrNotDocument: the file is something else; the text says what it
	// looks like.
	ErrNotDocument = errors.New("not a fax document")

	// ErrTruncated: the file is a document, but its end or other parts of
	// it are missing.
	ErrTruncated = errors.New("document is cut short")
)

// Info is what a document is.
type Info struct {
	Kind        Kind
	ContentType string // "application/pdf" or "image/tiff"
	Ext         string // ".pdf" or ".tiff"

	// Pages is how many pages the file really holds, not how many it says
	// it does. 0: it is known to have none; or they could not be counted,
	// though nothing is missing from the file, and Uncounted says why, in a
	// few words.
	Pages     int
	Uncounted string
}

// limits for files that are built to waste time or memory.
const (
	headSize = 4096     // bytes looked at first
	maxPages = 20_000   // pages and nodes above them in one document
	maxRead  = 64 << 20 // bytes read to count pages
)

// uncountableError is the reason why pages cannot be counted.
type uncountableError string

func (e uncountableError) Error() string { return string(e) }

// Is tells the kind: the document may be a good one all the same.
func (e uncountableError) Is(kind error) bool { return kind == problem.ErrUnsupported }

const errIntricate = uncountableError("it is too intricate")

// Inspect tells what the first size bytes of r are. It fails with
// [ErrNotDocument], [ErrTruncated] or the error of r. Pages that cannot be
// counted are no error: the file may be encrypted, or stranger than the
// readers here understand, and still be the document that was sent.
func Inspect(r io.ReaderAt, size int64) (Info, error) {
	f := &file{r: r, size: size, left: maxRead}
	head, err := f.upTo(0, headSize)
	if err != nil {
		return Info{}, err
	}
	var info Info
	switch kind, what := sniff(head); kind {
	case PDF:
		info = Info{Kind: PDF, ContentType: "application/pdf", Ext: ".pdf"}
		info.Pages, err = f.pdfPages(head)
	case TIFF:
		info = Info{Kind: TIFF, ContentType: "image/tiff", Ext: ".tiff"}
		info.Pages, err = f.tiffPages(head)
	default:
		return Info{}, fmt.Errorf("%w: it looks like %s", ErrNotDocument, what)
	}
	var why uncountableError
	switch {
	case errors.As(err, &why):
		info.Pages, info.Uncounted = 0, string(why)
	case err != nil:
		return Info{}, err
	}
	return info, nil
}

// sniff names the format of a file by its first bytes, or else what it looks
// like.
func sniff(head []byte) (Kind, string) {
	for _, magic := range []string{"II*\x00", "MM\x00*", "II+\x00", "MM\x00+"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return TIFF, ""
		}
	}
	if pdfHeader(head) >= 0 {
		return PDF, ""
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), blank)
	lower := lowercase(text[:min(len(text), 256)])
	for _, look := range [][2]string{
		{"<!doctype html", "an HTML page"}, {"<html", "an HTML page"}, {"<head", "an HTML page"}, {"<body", "an HTML page"},
		{"<", "an XML document"}, {"{", "a JSON answer"}, {"[", "a JSON answer"},
		{"\x89png", "a PNG image"}, {"\xff\xd8\xff", "a JPEG image"}, {"gif8", "a GIF image"},
		{"pk\x03\x04", "a ZIP archive"}, {"\x1f\x8b", "gzip data"},
	} {
		if strings.HasPrefix(lower, look[0]) {
			if look[0] == "<" && strings.Contains(lower, "<html") {
				return "", "an HTML page"
			}
			return "", look[1]
		}
	}
	switch {
	case len(text) == 0:
		return "", "nothing: it is empty"
	case printable(text):
		return "", "plain text"
	}
	return "", "binary data of some other kind"
}

// lowercase changes ASCII letters alone; the rest may be no text at all.
func lowercase(b []byte) string {
	low := bytes.Clone(b)
	for i, c := range low {
		if 'A' <= c && c <= 'Z' {
			low[i] = c + 'a' - 'A'
		}
	}
	return string(low)
}

func printable(text []byte) bool {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && len(text) >= utf8.UTFMax || r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		text = text[n:]
	}
	return true
}

// file reads from a document within its limits.
type file struct {
	r    io.ReaderAt
	size int64
	left int64 // bytes that may still be read
}

// upTo reads n bytes at off, fewer at the end of the file. Reading beyond it
// is ErrTruncated.
func (f *file) upTo(off, n int64) ([]byte, error) {
	if off < 0 || off > f.size {
		return nil, ErrTruncated
	}
	n = min(n, f.size-off)
	if f.left -= n; f.left < 0 {
		return nil, errIntricate
	}
	buf := make([]byte, n)
	got, err := f.r.ReadAt(buf, off)
	switch {
	case got == len(buf):
		return buf, nil
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, ErrTruncated
	}
	return nil, err
}

// exactly reads n bytes at off; all of them must be there.
func (f *file) exactly(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > f.size-n {
		return nil, ErrTruncated
	}
	return f.upTo(off, n)
}
