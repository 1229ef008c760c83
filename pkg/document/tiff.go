package document

import (
	"encoding/binary"
	"fmt"
)

// Tags of an image file directory (TIFF 6.0, section 8).
const (
	tagNewSubfileType  = 254
	tagStripOffsets    = 273
	tagStripByteCounts = 279
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
)

// tiffFile is a TIFF or BigTIFF file; the two differ in the width of their
// counts and offsets.
type tiffFile struct {
	*file
	order binary.ByteOrder
	big   bool
}

// tiffPages walks the chain of directories, one a page. Every directory and
// every strip or tile must lie within the file.
func (f *file) tiffPages(head []byte) (int, error) {
	t := tiffFile{file: f, order: binary.LittleEndian}
	if head[0] == 'M' {
		t.order = binary.BigEndian
	}
	t.big = t.order.Uint16(head[2:]) == 43
	at := int64(4)
	if t.big {
		at = 8 // after the width of an offset and two zero bytes
	}
	b, err := f.exactly(at, t.wide())
	if err != nil {
		return 0, err
	}
	pages, seen := 0, map[int64]bool{}
	for next := t.offset(b); next != 0; {
		if seen[next] {
			return 0, uncountableError("its chain of pages runs in a circle")
		}
		if len(seen) == maxPages {
			return 0, uncountableError(fmt.Sprintf("it has more than %d pages", maxPages))
		}
		seen[next] = true
		var isPage bool
		if isPage, next, err = t.directory(next); err != nil {
			return 0, err
		}
		if isPage {
			pages++
		}
	}
	if pages == 0 {
		return 0, uncountableError("it has no pages")
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

// directory checks the directory at an offset. A page is an image that is
// neither a thumbnail nor a mask of another.
func (t tiffFile) directory(at int64) (isPage bool, next int64, err error) {
	// The number of entries, the entries, the offset of the next directory.
	counter, entry := int64(2), int64(12)
	if t.big {
		counter, entry = 8, 20
	}
	b, err := t.exactly(at, counter)
	if err != nil {
		return false, 0, err
	}
	n := int64(t.order.Uint16(b))
	if t.big {
		n = t.offset(b)
	}
	if n > 4096 {
		return false, 0, uncountableError("a page has too many properties")
	}
	if b, err = t.exactly(at+counter, n*entry+t.wide()); err != nil {
		return false, 0, err
	}
	fields := map[uint16]field{}
	for ; n > 0; n, b = n-1, b[entry:] {
		w := t.wide()
		fields[t.order.Uint16(b)] = field{kind: t.order.Uint16(b[2:]), count: t.offset(b[4:]), value: b[4+w : 4+2*w]}
	}
	next = t.offset(b)
	for _, tags := range [][2]uint16{{tagStripOffsets, tagStripByteCounts}, {tagTileOffsets, tagTileByteCounts}} {
		offsets, there := fields[tags[0]]
		if !there {
			continue
		}
		isPage = true
		if err := t.parts(offsets, fields[tags[1]]); err != nil {
			return false, 0, err
		}
	}
	if sub, there := fields[tagNewSubfileType]; there && t.order.Uint32(sub.value)&0b101 != 0 {
		isPage = false
	}
	return isPage, next, nil
}

// parts checks that the strips or tiles of a page lie within the file. Old
// writers leave the byte counts out.
func (t tiffFile) parts(offsets, counts field) error {
	if counts.count != 0 && counts.count != offsets.count {
		return uncountableError("a page is described in two ways")
	}
	const window = 1024 // values looked at together
	for from := int64(0); from < offsets.count; from += window {
		at, err := t.values(offsets, from, window)
		if err != nil {
			return err
		}
		sizes := make([]int64, len(at))
		if counts.count != 0 {
			if sizes, err = t.values(counts, from, window); err != nil {
				return err
			}
		}
		for i := range at {
			if at[i] > t.size-sizes[i] {
				return ErrTruncated
			}
		}
	}
	return nil
}

// values reads up to n whole numbers of a field, from index from on.
func (t tiffFile) values(f field, from, n int64) ([]int64, error) {
	width := map[uint16]int64{3: 2, 4: 4, 13: 4, 16: 8, 18: 8}[f.kind] // SHORT, LONG, IFD, LONG8, IFD8
	if width == 0 {
		return nil, uncountableError("a page is described in an unknown way")
	}
	n = min(n, f.count-from)
	b := f.value
	if f.count > t.wide()/width { // too many for the entry: they are elsewhere
		if f.count > t.size/width {
			return nil, ErrTruncated
		}
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
