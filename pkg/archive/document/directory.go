package document

import (
	"errors"
	"io"
)

// TIFFPages is a TIFF file whose pages are looked at one by one. What each costs to
// read is limited as it is for [Inspect].
type TIFFPages struct {
	r    io.ReaderAt
	size int64
	head []byte
	at   []int64 // of the directories of the pages
}

// OpenTIFF finds the pages of the first size bytes of r. It fails as [Inspect] does, and
// where Inspect would tell that the pages cannot be counted.
func OpenTIFF(r io.ReaderAt, size int64) (*TIFFPages, error) {
	f := &file{r: r, size: size, left: maxRead}
	head, err := f.upTo(0, headSize)
	if err != nil {
		return nil, err
	}
	if kind, _ := sniff(head); kind != TIFF {
		return nil, ErrNotDocument
	}
	at, err := f.tiff(head).pages()
	return &TIFFPages{r: r, size: size, head: head, at: at}, err
}

// Len is the number of pages.
func (p *TIFFPages) Len() int { return len(p.at) }

// Page reads what the file says of page n, of which the first is 0.
func (p *TIFFPages) Page(n int) (Directory, error) {
	f := &file{r: p.r, size: p.size, left: maxRead}
	t := f.tiff(p.head)
	fields, _, _, err := t.directory(p.at[n])
	return Directory{t, fields}, err
}

// Directory is what a TIFF file says of one page, by the numbers of its tags (TIFF 6.0).
type Directory struct {
	tiff   tiffFile
	fields map[uint16]field
}

// Numbers are the whole numbers of a tag, at most so many; none when the page has no such
// tag, or it holds something else.
func (d Directory) Numbers(tag uint16, most int) ([]int64, error) {
	f := d.fields[tag]
	if f.count <= 0 || most <= 0 {
		return nil, nil
	}
	all, err := d.tiff.values(f, 0, int64(most))
	if errors.Is(err, errUnknownWay) {
		return nil, nil
	}
	return all, err
}

// Number is the first of the numbers of a tag, or otherwise when it has none.
func (d Directory) Number(tag uint16, otherwise int64) (int64, error) {
	all, err := d.Numbers(tag, 1)
	if err != nil || len(all) == 0 {
		return otherwise, err
	}
	return all[0], nil
}

// Count is how many values a tag has.
func (d Directory) Count(tag uint16) int64 { return d.fields[tag].count }

// Fraction is the value of a tag that is one number over another; 0 when it is not.
func (d Directory) Fraction(tag uint16) (float64, error) {
	const rational = 5
	f := d.fields[tag]
	if f.kind != rational || f.count < 1 {
		return 0, nil
	}
	b := f.value
	if f.count > d.tiff.wide()/f.size() {
		var err error
		if b, err = d.tiff.exactly(d.tiff.offset(f.value), f.size()); err != nil {
			return 0, err
		}
	}
	over := d.tiff.order.Uint32(b[4:])
	if over == 0 {
		return 0, nil
	}
	return float64(d.tiff.order.Uint32(b)) / float64(over), nil
}

// Bytes are n bytes of the file at an offset: those of a strip or a tile. n below 0 is
// all there are.
func (d Directory) Bytes(at, n int64) ([]byte, error) {
	if n < 0 {
		n = d.tiff.size - at
	}
	return d.tiff.exactly(at, n)
}
