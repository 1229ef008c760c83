package document

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// headerWithin is how far from the beginning readers look for a PDF's header:
// printers' job commands, a byte order mark or a blank line may stand before it.
// Source: ISO 32000-1, annex H (implementation note 13).
const headerWithin = 1024

// pdfHeader finds the header of a PDF file, or -1. Inside a line of text it is
// only talked about.
func pdfHeader(head []byte) int {
	head = head[:min(len(head), headerWithin)]
	for from := 0; ; {
		i := bytes.Index(head[from:], []byte("%PDF-"))
		if i < 0 {
			return -1
		}
		at := from + i
		if at == 0 || head[at-1] < ' ' || head[at-1] > '~' || len(bytes.TrimLeft(head[:at], blank)) == 0 {
			return at
		}
		from = at + 1
	}
}

// blank is what may surround a document without being part of it.
const blank = " \t\r\n\f\x00"

// pdfPages counts the leaves of the page tree. A file that does not end with the
// mark of its end, is shorter than it says or whose tables lie beyond it is
// truncated.
func (f *file) pdfPages(head []byte) (int, error) {
	_, pages, err := f.pdf(head)
	return len(pages), err
}

// pdf finds the leaves of the page tree, in their order.
func (f *file) pdf(head []byte) (*pdfFile, []ref, error) {
	header := int64(pdfHeader(head))
	if err := f.linearized(head[header:]); err != nil {
		return nil, nil, err
	}
	p := &pdfFile{file: f, streams: map[int64]objectStream{}}
	pages, err := p.pages(header)
	switch {
	case !errors.Is(err, errOdd) && !errors.Is(err, errShort):
		return p, pages, err
	case p.encrypted:
		return nil, nil, uncountableError("it is encrypted")
	}
	return nil, nil, uncountableError("the PDF reader does not understand it")
}

// linearized fails when the file is shorter than the dictionary at its beginning
// tells: one made to be read while it arrives has an end mark near the beginning
// as well (ISO 32000-1, annex F).
func (f *file) linearized(from []byte) error {
	line := bytes.IndexAny(from, "\r\n")
	if line < 0 {
		return nil
	}
	begin, ok := objectHead(from[line:])
	if !ok {
		return nil
	}
	l := lexer{b: from[line+begin:]}
	if first, err := l.object(); err == nil {
		d, _ := first.(dict)
		length, ok := d["L"].(int64)
		if ok && d["Linearized"] != nil && length > f.size {
			return ErrTruncated
		}
	}
	return nil
}

// startxref reads where the newest table of objects is. The end mark before it must be the last thing in the file:
// what begins like an update is one whose end is missing.
func (f *file) startxref() (int64, error) {
	const tailSize = 2048
	tail, err := f.upTo(max(0, f.size-tailSize), tailSize)
	if err != nil {
		return 0, err
	}
	const mark, word = "%%EOF", "startxref"
	end := bytes.LastIndex(tail, []byte(mark))
	start := bytes.LastIndex(tail[:max(0, end)], []byte(word))
	if end < 0 || start < 0 {
		return 0, ErrTruncated
	}
	rest := bytes.TrimLeft(tail[end+len(mark):], blank)
	if len(rest) > 0 && bytes.IndexByte([]byte("0123456789%xst"), rest[0]) >= 0 { // an object, a comment, xref, startxref, trailer
		return 0, ErrTruncated
	}
	l := lexer{b: tail[start+len(word):]}
	return l.integer()
}

// measuredFrom tells from where the file counts its bytes: from its beginning,
// or from the header when something was put before it.
func (p *pdfFile) measuredFrom(at, header int64) (int64, error) {
	if header == 0 {
		return 0, nil
	}
	for _, shift := range []int64{0, header} {
		b, err := p.upTo(at+shift, 64)
		if err != nil {
			return 0, err
		}
		l := lexer{b: b}
		if _, ok := objectHead(b); ok || l.keyword("xref") == nil {
			return shift, nil
		}
	}
	return 0, errOdd
}

// pdfFile is a PDF file that is read as far as it takes to walk its page tree.
// Nothing is validated: forms, attachments and scripts are not looked at. What is
// read and unpacked is limited in sum, whatever the file claims.
type pdfFile struct {
	*file
	shift     int64     // what offsets in the file are relative to
	sections  []section // newest first
	encrypted bool
	streams   map[int64]objectStream // by number
	opened    int                    // streams, so far
	unpacked  int64                  // bytes that came out of them
	lexed     int                    // bytes of objects taken apart
}

// pages finds the pages of a file whose header is at an offset.
func (p *pdfFile) pages(header int64) ([]ref, error) {
	at, err := p.startxref()
	if err != nil {
		return nil, err
	}
	if p.shift, err = p.measuredFrom(at, header); err != nil {
		return nil, err
	}
	trailer, err := p.tables(at)
	if err != nil {
		return nil, err
	}
	root, err := p.dictionary(trailer["Root"])
	if err != nil {
		return nil, err
	}
	return p.leaves(root["Pages"])
}

// leaves finds the pages below a node of the page tree, each of which must
// be where the tables say.
func (p *pdfFile) leaves(root any) ([]ref, error) {
	var pages []ref
	seen := map[int64]bool{}
	var count any
	for open := (array{root}); len(open) > 0; {
		r, ok := open[len(open)-1].(ref)
		if !ok || seen[r.num] {
			return nil, errOdd
		}
		if len(seen) == maxPages {
			return nil, uncountableError(fmt.Sprintf("it has more than %d pages", maxPages))
		}
		seen[r.num] = true
		open = open[:len(open)-1]
		d, err := p.dictionary(r)
		if err != nil {
			return nil, err
		}
		if len(seen) == 1 {
			count = d["Count"]
		}
		kids, err := p.resolve(d["Kids"])
		if err != nil {
			return nil, err
		}
		switch kids, ok := kids.(array); {
		case ok:
			open = append(open, kids...)
		case d["Type"] == name("Page"):
			pages = append(pages, r)
		default:
			return nil, errOdd
		}
		if len(open) > maxPages {
			return nil, uncountableError(fmt.Sprintf("it has more than %d pages", maxPages))
		}
	}
	if len(pages) == 0 && count != int64(0) {
		return nil, errOdd // it says that it has some
	}
	slices.Reverse(pages) // the last kid of a node was looked at first
	return pages, nil
}
