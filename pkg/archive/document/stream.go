package document

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Limits of what the objects of one file may cost, in sum.
const (
	maxStreams  = 4096     // unpacked
	maxUnpacked = 24 << 20 // bytes that come out of them
	maxLexed    = 6 << 20  // bytes of objects taken apart
	maxObject   = 1 << 20  // bytes of one object, without its stream
)

// resolve is v, or what it refers to.
func (p *pdfFile) resolve(v any) (any, error) {
	r, ok := v.(ref)
	if !ok {
		return v, nil
	}
	at, err := p.locate(r.num)
	switch {
	case err != nil:
		return nil, err
	case at.stream != 0:
		return p.inStream(at, r.num)
	}
	return p.plain(at, r)
}

// plain reads an object that is in no object stream.
func (p *pdfFile) plain(at place, r ref) (any, error) {
	if at.stream != 0 || at.gen != r.gen {
		return nil, errOdd
	}
	v, _, err := p.objectAt(at.at+p.shift, fmt.Sprint(r.num), fmt.Sprint(r.gen), "obj")
	return v, err
}

// dictionary is the dictionary that v refers to.
func (p *pdfFile) dictionary(v any) (dict, error) {
	v, err := p.resolve(v)
	if err != nil {
		return nil, err
	}
	d, ok := v.(dict)
	if !ok {
		return nil, errOdd
	}
	return d, nil
}

// objectAt reads the object after the given words, and tells where in the file
// it ends.
func (p *pdfFile) objectAt(at int64, words ...string) (_ any, end int64, err error) {
	for n := int64(1024); ; n *= 4 {
		b, err := p.upTo(at, n)
		if err != nil {
			return nil, 0, err
		}
		v, rest, err := p.parse(b, words)
		switch {
		case !errors.Is(err, errShort):
			return v, at + int64(len(b)-len(rest)), err
		case int64(len(b)) < n:
			return nil, 0, ErrTruncated
		case n >= maxObject:
			return nil, 0, errIntricate
		}
	}
}

// parse takes words and an object from the front of b.
func (p *pdfFile) parse(b []byte, words []string) (_ any, rest []byte, err error) {
	l := lexer{b: b}
	for _, w := range words {
		if err := l.keyword(w); err != nil {
			return nil, nil, err
		}
	}
	v, err := l.object()
	if errors.Is(err, errShort) { // all of it was looked at
		l.b = nil
	}
	if p.lexed += len(b) - len(l.b); p.lexed > maxLexed {
		return nil, nil, errIntricate
	}
	return v, l.b, err
}

// stream reads the stream at an offset and unpacks it (ISO 32000-1, 7.3.8).
func (p *pdfFile) stream(at int64) (dict, []byte, error) {
	d, from, err := p.streamHead(at)
	if err != nil {
		return nil, nil, err
	}
	data, err := p.unpack(d, from)
	return d, data, err
}

// streamHead reads the dictionary of the stream at an offset, and tells where its bytes begin.
func (p *pdfFile) streamHead(at int64) (_ dict, from int64, err error) {
	if p.opened++; p.opened > maxStreams {
		return nil, 0, errIntricate
	}
	words, err := p.upTo(at+p.shift, 64)
	if err != nil {
		return nil, 0, err
	}
	begin, ok := objectHead(words)
	if !ok {
		return nil, 0, errOdd
	}
	v, end, err := p.objectAt(at + p.shift + int64(begin))
	if err != nil {
		return nil, 0, err
	}
	d, ok := v.(dict)
	if !ok {
		return nil, 0, errOdd
	}
	if words, err = p.upTo(end, 64); err != nil {
		return nil, 0, err
	}
	l := lexer{b: words}
	if err := l.keyword("stream"); err != nil {
		return nil, 0, errOdd
	}
	line := bytes.IndexByte(l.b, '\n')
	if line < 0 || line > 1 { // after a carriage return, at most
		return nil, 0, errOdd
	}
	return d, end + int64(len(words)-len(l.b)+line+1), nil
}

// objectHead tells where the head of an object ends, "12 0 obj".
func objectHead(b []byte) (end int, ok bool) {
	l := lexer{b: b}
	_, err1 := l.integer()
	_, err2 := l.integer()
	err := errors.Join(err1, err2, l.keyword("obj"))
	return len(b) - len(l.b), err == nil
}

// unpack reads the bytes of a stream that begins at an offset. Of the filters it
// knows the one that tables and object streams are written with.
func (p *pdfFile) unpack(d dict, from int64) ([]byte, error) {
	n, err := p.length(d, from)
	if err != nil {
		return nil, err
	}
	var packed io.Reader = &span{p.file, from, from + n}
	switch single(d["Filter"]) {
	case nil:
	case name("FlateDecode"):
		packed = flate.NewReader(&span{p.file, from + 2, from + n}) // after the header of zlib
	default:
		return nil, errOdd
	}
	data, err := io.ReadAll(io.LimitReader(packed, maxUnpacked-p.unpacked+1))
	if p.unpacked += int64(len(data)); p.unpacked > maxUnpacked {
		return nil, errIntricate
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(flate.CorruptInputError)) {
		return nil, errOdd
	} else if err != nil {
		return nil, err
	}
	parms, _ := single(d["DecodeParms"]).(dict)
	return unpredict(data, parms)
}

// length is how many bytes a stream has that begins at an offset.
func (p *pdfFile) length(d dict, from int64) (int64, error) {
	length := d["Length"]
	if r, ok := length.(ref); ok {
		at, err := p.locate(r.num)
		if err != nil {
			return 0, err
		}
		if length, err = p.plain(at, r); err != nil {
			return 0, err
		}
	}
	n, ok := length.(int64)
	switch {
	case !ok || n < 0:
		return 0, errOdd
	case n > p.size-from:
		return 0, ErrTruncated
	}
	return n, nil
}

// single is v, or the one thing in it.
func single(v any) any {
	if all, ok := v.(array); ok && len(all) == 1 {
		return all[0]
	}
	return v
}

// span is a part of a file as a stream, on the account of the file.
type span struct {
	*file
	at, end int64
}

// Read implements io.Reader.
func (s *span) Read(b []byte) (int, error) {
	if s.at >= s.end {
		return 0, io.EOF
	}
	got, err := s.upTo(s.at, min(int64(len(b)), s.end-s.at))
	s.at += int64(len(got))
	return copy(b, got), err
}

// unpredict undoes the predictor of a table: that of PNG, of one byte each
// (ISO 32000-1, 7.4.4.4; PNG, 9.2).
func unpredict(b []byte, parms dict) ([]byte, error) {
	predictor, _ := parms["Predictor"].(int64)
	if predictor <= 1 {
		return b, nil
	}
	columns, ok := parms["Columns"].(int64)
	if !ok {
		columns = 1
	}
	if predictor < 10 || parms["Colors"] != nil && parms["Colors"] != int64(1) ||
		parms["BitsPerComponent"] != nil && parms["BitsPerComponent"] != int64(8) ||
		columns < 1 || columns > maxObject {
		return nil, errOdd
	}
	wide := int(columns)
	above := make([]byte, wide)
	out := b[:0]
	for ; len(b) > wide; b = b[1+wide:] {
		row := b[1 : 1+wide]
		if !unfilter(b[0], row, above) {
			return nil, errOdd
		}
		out = append(out, row...)
		above = out[len(out)-wide:]
	}
	return out, nil
}

// unfilter undoes the filter of one row.
func unfilter(kind byte, row, above []byte) bool {
	var left, corner byte
	for i, up := range above {
		switch kind {
		case 0:
			return true
		case 1:
			row[i] += left
		case 2:
			row[i] += up
		case 3:
			row[i] += byte((int(left) + int(up)) / 2)
		case 4:
			row[i] += paeth(left, up, corner)
		default:
			return false
		}
		left, corner = row[i], up
	}
	return true
}

// paeth is whichever neighbor is nearest to left + up - corner.
func paeth(left, up, corner byte) byte {
	to := int(left) + int(up) - int(corner)
	off := func(b byte) int { return max(to-int(b), int(b)-to) }
	switch {
	case off(left) <= off(up) && off(left) <= off(corner):
		return left
	case off(up) <= off(corner):
		return up
	}
	return corner
}

// objectStream is a stream of objects (ISO 32000-1, 7.5.7).
type objectStream struct {
	data []byte
	list [][2]int64 // of each object: its number, and where in data it begins
}

// inStream reads an object of an object stream.
func (p *pdfFile) inStream(at place, num int64) (any, error) {
	s, ok := p.streams[at.stream]
	if !ok {
		var err error
		if s, err = p.objectStream(at.stream); err != nil {
			return nil, err
		}
		p.streams[at.stream] = s
	}
	if at.index < 0 || at.index >= int64(len(s.list)) || s.list[at.index][0] != num {
		return nil, errOdd
	}
	v, _, err := p.parse(s.data[s.list[at.index][1]:], nil)
	return v, err
}

// objectStream opens the object stream of a number.
func (p *pdfFile) objectStream(num int64) (s objectStream, err error) {
	at, err := p.locate(num)
	if err != nil {
		return s, err
	}
	if at.stream != 0 || p.encrypted {
		return s, errOdd
	}
	d, data, err := p.stream(at.at)
	if err != nil {
		return s, err
	}
	n, ok1 := d["N"].(int64)
	first, ok2 := d["First"].(int64)
	if d["Type"] != name("ObjStm") || !ok1 || !ok2 || first < 0 || first > int64(len(data)) || n < 0 || n > first {
		return s, errOdd
	}
	if p.lexed += int(first); p.lexed > maxLexed {
		return s, errIntricate
	}
	s.data = append(data, ' ') // which ends the last word
	l := lexer{b: append(slices.Clone(data[:first]), ' ')}
	for range n {
		num, err1 := l.integer()
		from, err2 := l.integer()
		if err1 != nil || err2 != nil || from < 0 || from > int64(len(data))-first {
			return s, errOdd
		}
		s.list = append(s.list, [2]int64{num, first + from})
	}
	return s, nil
}
