package document

import (
	"encoding/binary"
	"fmt"
)

// Tags of an image file directory (TIFF 6.0, section 8).
const (
	tagNewSubfileType  = 254
	tagImageWidth      = 256
	tagImageLength     = 257
	tagStripOffsets    = 273
	tagStripByteCounts = 279
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
)

// known reports whether a tag is one that pages are counted by, or that says how
// their pictures are written.
func known(tag uint16) bool {
	switch tag {
	case tagNewSubfileType, tagImageWidth, tagImageLength, tagStripOffsets, tagStripByteCounts, tagTileOffsets, tagTileByteCounts:
		return true
	case 258, 259, 262, 266, 277, 278, 282, 283, 284, 292, 293, 296, 317, 320, 322, 323:
		return true
	}
	return false
}

// tiffFile is a TIFF or BigTIFF file; the two differ in the width of their
// counts and offsets.
type tiffFile struct {
	*file
	order binary.ByteOrder
	big   bool
}

// tiffPages counts the pages of a file.
func (f *file) tiffPages(head []byte) (int, error) {
	pages, err := f.tiff(head).pages()
	return len(pages), err
}

// tiff tells how a file that begins with head writes its numbers.
func (f *file) tiff(head []byte) tiffFile {
	t := tiffFile{file: f, order: binary.LittleEndian}
	if head[0] == 'M' {
		t.order = binary.BigEndian
	}
	t.big = t.order.Uint16(head[2:]) == 43
	return t
}

// pages walks the chain of directories, one a page, and tells where those are. Every
// directory, all the values of its fields and every strip or tile must lie within the file.
func (t tiffFile) pages() ([]int64, error) {
	at := int64(4)
	if t.big {
		at = 8 // after the width of an offset and two zero bytes
	}
	b, err := t.exactly(at, t.wide())
	if err != nil {
		return nil, err
	}
	if t.offset(b) == 0 { // writers put it in last
		return nil, fmt.Errorf("%w: it tells of no page yet", ErrTruncated)
	}
	var pages []int64
	seen := map[int64]bool{}
	for next := t.offset(b); next != 0; {
		if seen[next] {
			return nil, uncountableError("its chain of pages runs in a circle")
		}
		if len(seen) == maxPages {
			return nil, uncountableError(fmt.Sprintf("it has more than %d pages", maxPages))
		}
		seen[next] = true
		at := next
		var isPage bool
		if _, isPage, next, err = t.directory(at); err != nil {
			return nil, err
		}
		if isPage {
			pages = append(pages, at)
		}
	}
	return pages, nil
}

// wide is the size of an offset.
func (t tiffFile) wide() int64 {
	if t.big {
		return 8
	}
	return 4
}

// offset reads an offset or a count. What does not fit becomes one beyond
// every file.
func (t tiffFile) offset(b []byte) int64 {
	if !t.big {
		return int64(t.order.Uint32(b))
	}
	return int64(min(t.order.Uint64(b), 1<<62))
}

// field is one entry of a directory: count values of a type, here or at an
// offset.
type field struct {
	kind  uint16
	count int64
	value []byte
}

// size is that of one value in bytes (TIFF 6.0, section 2; BigTIFF); 0: of a type
// that readers pass by.
func (f field) size() int64 {
	switch f.kind {
	case 1, 2, 6, 7: // BYTE, ASCII, SBYTE, UNDEFINED
		return 1
	case 3, 8: // SHORT, SSHORT
		return 2
	case 4, 9, 11, 13: // LONG, SLONG, FLOAT, IFD
		return 4
	case 5, 10, 12, 16, 17, 18: // RATIONAL, SRATIONAL, DOUBLE, LONG8, SLONG8, IFD8
		return 8
	}
	return 0
}

// directory checks the directory at an offset. A page is an image that is
// neither a thumbnail nor a mask of another.
func (t tiffFile) directory(at int64) (fields map[uint16]field, isPage bool, next int64, err error) {
	// The number of entries, the entries, the offset of the next directory.
	counter, entry := int64(2), int64(12)
	if t.big {
		counter, entry = 8, 20
	}
	b, err := t.exactly(at, counter)
	if err != nil {
		return nil, false, 0, err
	}
	n := int64(t.order.Uint16(b))
	if t.big {
		n = t.offset(b)
	}
	if n > 4096 {
		return nil, false, 0, uncountableError("a page has too many properties")
	}
	if b, err = t.exactly(at+counter, n*entry+t.wide()); err != nil {
		return nil, false, 0, err
	}
	fields = map[uint16]field{}
	for ; n > 0; n, b = n-1, b[entry:] {
		w := t.wide()
		f := field{kind: t.order.Uint16(b[2:]), count: t.offset(b[4:]), value: b[4+w : 4+2*w]}
		if !t.there(f) {
			return nil, false, 0, ErrTruncated
		}
		if tag := t.order.Uint16(b); known(tag) {
			fields[tag] = f
		}
	}
	next = t.offset(b)
	isPage, err = t.picture(fields)
	if sub, there := fields[tagNewSubfileType]; there && t.order.Uint32(sub.value)&0b101 != 0 {
		isPage = false
	}
	return fields, isPage, next, err
}

// there reports whether the values of a field lie within the file.
func (t tiffFile) there(f field) bool {
	size := f.size()
	if size == 0 || f.count <= t.wide()/size {
		return true
	}
	return f.count <= t.size/size && t.offset(f.value) <= t.size-f.count*size
}

// picture checks the strips or tiles of a page, if it has some. One of some size
// whose picture has not a single byte was never finished.
func (t tiffFile) picture(fields map[uint16]field) (there bool, err error) {
	sized := t.nonzero(fields[tagImageWidth]) && t.nonzero(fields[tagImageLength])
	for _, tags := range [][2]uint16{{tagStripOffsets, tagStripByteCounts}, {tagTileOffsets, tagTileByteCounts}} {
		offsets, ok := fields[tags[0]]
		if !ok {
			continue
		}
		there = true
		switch empty, err := t.parts(offsets, fields[tags[1]]); {
		case err != nil:
			return false, err
		case empty && sized:
			return false, ErrTruncated
		}
	}
	if sized && !there {
		return false, errUnknownWay
	}
	return there, nil
}

const errUnknownWay = uncountableError("a page is described in an unknown way")

// nonzero reports whether a field has a number, and that is not 0.
func (t tiffFile) nonzero(f field) bool {
	v, err := t.values(f, 0, 1)
	return err == nil && len(v) > 0 && v[0] != 0
}

// parts checks that the strips or tiles of a page lie within the file, and tells
// whether they have no bytes at all. Old writers leave the byte counts out.
func (t tiffFile) parts(offsets, counts field) (empty bool, err error) {
	if counts.count != 0 && counts.count != offsets.count {
		return false, uncountableError("a page is described in two ways")
	}
	empty = counts.count != 0 || offsets.count == 0
	const window = 1024 // values looked at together
	for from := int64(0); from < offsets.count; from += window {
		at, err := t.values(offsets, from, window)
		if err != nil {
			return false, err
		}
		long := make([]int64, len(at))
		if counts.count != 0 {
			if long, err = t.values(counts, from, window); err != nil {
				return false, err
			}
		}
		for i := range at {
			if at[i] > t.size-long[i] {
				return false, ErrTruncated
			}
			empty = empty && long[i] == 0
		}
	}
	return empty, nil
}

// values reads up to n whole numbers of a field, from index from on.
func (t tiffFile) values(f field, from, n int64) ([]int64, error) {
	width := f.size()
	switch f.kind {
	case 3, 4, 13, 16, 18: // SHORT, LONG, IFD, LONG8, IFD8
	default:
		return nil, errUnknownWay
	}
	n = min(n, f.count-from)
	b := f.value
	if f.count > t.wide()/width { // too many for the entry: they are elsewhere
		var err error
		if b, err = t.exactly(t.offset(f.value)+from*width, n*width); err != nil {
			return nil, err
		}
	}
	all := make([]int64, n)
	for i := range all {
		switch v := b[int64(i)*width:]; width {
		case 2:
			all[i] = int64(t.order.Uint16(v))
		case 4:
			all[i] = int64(t.order.Uint32(v))
		default:
			all[i] = int64(min(t.order.Uint64(v), 1<<62))
		}
	}
	return all, nil
}
