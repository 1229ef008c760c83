package document

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Limits of the tables of one file.
const (
	maxTables   = 256
	maxSections = 4096
)

// section is a run of the cross-reference table: lines of 20 bytes in the file
// (ISO 32000-1, 7.5.4), or rows of a cross-reference stream (7.5.8).
type section struct {
	first, count int64
	at           int64  // of the lines
	rows         []byte // nil: lines
	wide         [3]int // bytes of the columns of a row
}

// tables reads the headings of the cross-reference table and of the earlier
// ones it adds to. It returns the newest trailer.
func (p *pdfFile) tables(at int64) (dict, error) {
	var newest dict
	for range maxTables {
		trailer, err := p.table(at)
		if err != nil {
			return nil, err
		}
		if newest == nil {
			newest = trailer
		}
		p.encrypted = p.encrypted || trailer["Encrypt"] != nil
		prev, more := trailer["Prev"].(int64)
		if !more {
			return newest, nil
		}
		at = prev
	}
	return nil, errIntricate
}

// table reads one table, of either kind, and returns its trailer.
func (p *pdfFile) table(at int64) (dict, error) {
	head, err := p.upTo(at+p.shift, 64)
	if err != nil {
		return nil, err
	}
	l := lexer{b: head}
	if l.keyword("xref") != nil {
		return p.tableStream(at)
	}
	before := len(p.sections)
	trailer, err := p.tableLines(at + p.shift + int64(len(head)-len(l.b)))
	if err != nil {
		return nil, err
	}
	// What older readers are not to see is in a stream besides (7.5.8.4).
	if hidden, ok := trailer["XRefStm"].(int64); ok {
		lines := slices.Clone(p.sections[before:])
		p.sections = p.sections[:before]
		if _, err := p.tableStream(hidden); err != nil {
			return nil, err
		}
		p.sections = append(p.sections, lines...)
	}
	return trailer, nil
}

// tableLines reads the headings of a plain table, and its trailer.
func (p *pdfFile) tableLines(at int64) (dict, error) {
	for {
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
		switch {
		case first < 0 || count < 0:
			return nil, errOdd
		case len(p.sections) == maxSections:
			return nil, errIntricate
		case count > (p.size-at)/20:
			return nil, ErrTruncated
		}
		p.sections = append(p.sections, section{first: first, count: count, at: at})
		at += 20 * count
	}
	trailer, _, err := p.objectAt(at, "trailer")
	if d, ok := trailer.(dict); ok || err != nil {
		return d, err
	}
	return nil, errOdd
}

// tableStream reads a table that is a stream, whose dictionary is the trailer.
func (p *pdfFile) tableStream(at int64) (dict, error) {
	d, rows, err := p.stream(at)
	if err != nil {
		return nil, err
	}
	s := section{rows: rows}
	columns, _ := d["W"].(array)
	if d["Type"] != name("XRef") || len(columns) != 3 {
		return nil, errOdd
	}
	for i, c := range columns {
		n, ok := c.(int64)
		if !ok || n < 0 || n > 8 {
			return nil, errOdd
		}
		s.wide[i] = int(n)
	}
	runs, ok := d["Index"].(array)
	if !ok {
		runs = array{int64(0), d["Size"]}
	}
	row := int64(s.wide[0] + s.wide[1] + s.wide[2])
	for ; len(runs) >= 2; runs = runs[2:] {
		first, ok1 := runs[0].(int64)
		count, ok2 := runs[1].(int64)
		if !ok1 || !ok2 || first < 0 || count < 0 || row == 0 || count > int64(len(rows))/row {
			return nil, errOdd
		}
		if len(p.sections) == maxSections {
			return nil, errIntricate
		}
		s.first, s.count, s.rows = first, count, rows[:count*row]
		p.sections = append(p.sections, s)
		rows = rows[count*row:]
	}
	return d, nil
}

// place is where an object is: at an offset, or in an object stream.
type place struct {
	at     int64
	gen    int64
	stream int64 // number of the object stream; 0: none
	index  int64 // in the object stream
}

// locate finds an object in the tables.
func (p *pdfFile) locate(num int64) (place, error) {
	for _, s := range p.sections {
		i := num - s.first
		if i < 0 || i >= s.count {
			continue
		}
		if s.rows != nil {
			return s.row(i)
		}
		line, err := p.exactly(s.at+20*i, 20)
		if err != nil {
			return place{}, err
		}
		l := lexer{b: line}
		at, err1 := l.integer()
		gen, err2 := l.integer()
		if errors.Join(err1, err2, l.keyword("n")) != nil {
			return place{}, errOdd
		}
		return place{at: at, gen: gen}, nil
	}
	return place{}, errOdd
}

// row reads a row of a cross-reference stream (ISO 32000-1, table 18).
func (s section) row(i int64) (place, error) {
	b := s.rows[i*int64(s.wide[0]+s.wide[1]+s.wide[2]):]
	var values [3]int64
	for c, wide := range s.wide {
		var v [8]byte
		copy(v[8-wide:], b[:wide])
		b = b[wide:]
		values[c] = int64(binary.BigEndian.Uint64(v[:]) &^ (1 << 63))
	}
	if s.wide[0] == 0 {
		values[0] = 1
	}
	switch values[0] {
	case 1:
		return place{at: values[1], gen: values[2]}, nil
	case 2:
		if values[1] == 0 {
			return place{}, errOdd
		}
		return place{stream: values[1], index: values[2]}, nil
	}
	return place{}, errOdd
}
