package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
)

// pdfPages counts the leaves of the page tree. A file without the mark at its
// end, or whose tables lie beyond it, is truncated.
func (f *file) pdfPages() (int, error) {
	const tailSize = 2048
	tail, err := f.upTo(max(0, f.size-tailSize), tailSize)
	if err != nil {
		return 0, err
	}
	mark := bytes.LastIndex(tail, []byte("%%EOF"))
	start := bytes.LastIndex(tail[:max(0, mark)], []byte("startxref"))
	if mark < 0 || start < 0 {
		return 0, ErrTruncated
	}
	l := lexer{b: tail[start+len("startxref"):]}
	at, err := l.integer()
	if err != nil {
		return f.pdfcpu()
	}
	p := pdfFile{file: f}
	switch n, err := p.pages(at); {
	case errors.Is(err, errOdd), errors.Is(err, errShort):
		return f.pdfcpu()
	case err != nil:
		return 0, err
	default:
		return n, nil
	}
}

// pdfFile is a PDF file with a cross-reference table in plain text, as fax
// servers write it (ISO 32000-1, 7.5.4). Reading it with a library that
// understands every PDF takes more than ten times as long.
type pdfFile struct {
	*file
	sections []section // newest first
}

// section is a run of the cross-reference table: entries of 20 bytes.
type section struct{ first, count, at int64 }

func (p *pdfFile) pages(at int64) (int, error) {
	trailer, err := p.tables(at)
	if err != nil {
		return 0, err
	}
	root, err := p.follow(trailer["Root"])
	if err != nil {
		return 0, err
	}
	return p.leaves(root["Pages"])
}

// tables reads the headings of the cross-reference table and of the earlier
// ones it adds to. It returns the newest trailer.
func (p *pdfFile) tables(at int64) (dict, error) {
	const maxTables, maxSections = 64, 1024
	var newest dict
	for range maxTables {
		head, err := p.upTo(at, 64)
		if err != nil {
			return nil, err
		}
		l := lexer{b: head}
		if err := l.keyword("xref"); err != nil {
			return nil, errOdd
		}
		for at += int64(len(head) - len(l.b)); ; {
			line, err := p.upTo(at, 64)
			if err != nil {
				return nil, err
			}
			l := lexer{b: line}
			first, err1 := l.integer()
			count, err2 := l.integer()
			if err1 != nil || err2 != nil {
				break
			}
			l.skip()
			at += int64(len(line) - len(l.b))
			if first < 0 || count < 0 || len(p.sections) == maxSections {
				return nil, errOdd
			}
			if count > (p.size-at)/20 {
				return nil, ErrTruncated
			}
			p.sections = append(p.sections, section{first, count, at})
			at += 20 * count
		}
		trailer, err := p.dictAt(at, "trailer")
		if err != nil {
			return nil, err
		}
		if newest == nil {
			newest = trailer
		}
		if trailer["XRefStm"] != nil {
			return nil, errOdd
		}
		prev, more := trailer["Prev"].(int64)
		if !more {
			return newest, nil
		}
		at = prev
	}
	return nil, errOdd
}

// leaves counts the pages below a node of the page tree, each of which must
// be where the tables say.
func (p *pdfFile) leaves(node any) (int, error) {
	pages, seen := 0, map[int64]bool{}
	for open := (array{node}); len(open) > 0; {
		r, ok := open[len(open)-1].(ref)
		if !ok || seen[r.num] || len(seen) == maxPages {
			return 0, errOdd
		}
		seen[r.num] = true
		open = open[:len(open)-1]
		d, err := p.follow(r)
		if err != nil {
			return 0, err
		}
		switch kids, ok := d["Kids"].(array); {
		case ok:
			open = append(open, kids...)
		case d["Type"] == name("Page"):
			pages++
		default:
			return 0, errOdd
		}
		if len(open) > maxPages {
			return 0, errOdd
		}
	}
	if pages == 0 {
		return 0, errOdd
	}
	return pages, nil
}

// follow reads the dictionary a reference means.
func (p *pdfFile) follow(v any) (dict, error) {
	r, ok := v.(ref)
	if !ok {
		return nil, errOdd
	}
	for _, s := range p.sections {
		if r.num < s.first || r.num-s.first >= s.count {
			continue
		}
		entry, err := p.exactly(s.at+20*(r.num-s.first), 20)
		if err != nil {
			return nil, err
		}
		l := lexer{b: entry}
		at, err1 := l.integer()
		gen, err2 := l.integer()
		err3 := l.keyword("n")
		if errors.Join(err1, err2, err3) != nil || gen != r.gen {
			return nil, errOdd
		}
		return p.dictAt(at, fmt.Sprint(r.num), fmt.Sprint(r.gen), "obj")
	}
	return nil, errOdd
}

// dictAt reads the dictionary after the given words.
func (p *pdfFile) dictAt(at int64, words ...string) (dict, error) {
	const most = 1 << 20
	for n := int64(1024); ; n *= 4 {
		b, err := p.upTo(at, n)
		if err != nil {
			return nil, err
		}
		d, err := parseDict(b, words)
		if !errors.Is(err, errShort) {
			return d, err
		}
		if int64(len(b)) < n {
			return nil, ErrTruncated
		}
		if n >= most {
			return nil, errOdd
		}
	}
}

func parseDict(b []byte, words []string) (dict, error) {
	l := lexer{b: b}
	for _, w := range words {
		if err := l.keyword(w); err != nil {
			return nil, err
		}
	}
	v, err := l.object()
	if err != nil {
		return nil, err
	}
	d, ok := v.(dict)
	if !ok {
		return nil, errOdd
	}
	return d, nil
}

// pdfcpu counts with a library that knows every way to write a PDF, within
// limits. A file it does not understand either is uncountable.
func (f *file) pdfcpu() (pages int, err error) {
	const mb = 1 << 20
	if f.size > 64*mb {
		return 0, uncountableError("it is large and written in an uncommon way")
	}
	defer func() {
		if recover() != nil {
			pages, err = 0, uncountableError("the PDF reader gave up on it")
		}
	}()
	limits := model.DefaultResourceLimits()
	limits.MaxStreamBytes, limits.MaxDecodeBytes = 64*mb, 64*mb
	limits.MaxObjectCount, limits.MaxXRefEntries = 500_000, 500_000
	limits.MaxObjectStreamCount = 100_000
	// Written out, for the library's own default looks for a file in the
	// user's configuration.
	pages, err = api.PageCount(io.NewSectionReader(f.r, 0, f.size), &model.Configuration{
		Reader15:       true,
		ValidationMode: model.ValidationRelaxed,
		Offline:        true,
		Limits:         limits,
	})
	switch {
	case err != nil && f.encrypted():
		return 0, uncountableError("it is encrypted")
	case err != nil:
		return 0, uncountableError("the PDF reader does not understand it")
	case pages < 1:
		return 0, uncountableError("it has no pages")
	}
	return pages, nil
}

// encrypted tells whether the last trailer mentions encryption.
func (f *file) encrypted() bool {
	const near = 64 << 10
	tail, err := f.upTo(max(0, f.size-near), near)
	return err == nil && bytes.Contains(tail, []byte("/Encrypt"))
}
