package pages

import (
	"bytes"
	"compress/zlib"
	"context"
	"io"
	"math/bits"

	"golang.org/x/image/tiff/lzw"
)

// Ways to write a strip or a tile (TIFF 6.0; TIFF-F, RFC 2306; those of libtiff).
const (
	plain     = 1
	faxRuns   = 2 // lines of T.4 without marks, each from a byte on
	faxT4     = 3
	faxT6     = 4
	lempelZiv = 5
	deflate   = 8
	packBits  = 32773
	oldZip    = 32946 // deflate by its first number
)

// isFax reports whether a page is written as fax machines do.
func (p *page) isFax() bool {
	switch p.compression {
	case faxRuns, faxT4, faxT6:
		return true
	}
	return false
}

// coding is how the lines of a fax are coded.
func (p *page) coding() coding {
	switch p.compression {
	case faxRuns:
		return coding{onto: 8}
	case faxT6:
		return coding{group4: true}
	}
	return coding{twoWay: p.t4Options&1 != 0}
}

// unpack fills the lines of a strip or a tile, as far as there are some: it fails with
// [ErrDamaged] when there are not enough.
func (p *page) unpack(ctx context.Context, table *codes, packed, out []byte) error {
	if p.fillOrder == 2 {
		for i, b := range packed {
			packed[i] = bits.Reverse8(b)
		}
	}
	if p.isFax() {
		return faxLines(ctx, table, p.coding(), packed, p.partWide, out)
	}
	var r io.Reader = bytes.NewReader(packed)
	switch p.compression {
	case plain:
	case lempelZiv:
		r = lzw.NewReader(r, lzw.MSB, 8)
	case deflate, oldZip:
		inflated, err := zlib.NewReader(r)
		if err != nil {
			return ErrDamaged
		}
		r = inflated
	case packBits:
		r = bytes.NewReader(unpackBits(packed, len(out)))
	default:
		return unreadable("its compression, %d, is not read", p.compression)
	}
	n, err := readWithin(ctx, r, out)
	if p.predictor == 2 {
		p.undoDifferences(out[:n])
	}
	if err != nil || n == len(out) {
		return err
	}
	return ErrDamaged
}

// readWithin reads into out until it is full, r gives no more, or ctx is done.
func readWithin(ctx context.Context, r io.Reader, out []byte) (n int, err error) {
	for end := error(nil); n < len(out) && end == nil; {
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		var m int
		m, end = io.ReadFull(r, out[n:min(n+1<<20, len(out))])
		n += m
	}
	return n, nil
}

// unpackBits undoes PackBits, up to n bytes (TIFF 6.0, section 9): a count below 128 is
// of bytes that follow and one less, from 129 on of how often the next is repeated.
func unpackBits(packed []byte, n int) []byte {
	out := make([]byte, 0, n)
	for len(packed) > 1 && len(out) < n {
		count, rest := int(packed[0]), packed[1:]
		packed = rest
		switch {
		case count < 128:
			take := min(count+1, len(rest))
			out = append(out, rest[:take]...)
			packed = rest[take:]
		case count > 128:
			for range 257 - count {
				out = append(out, rest[0])
			}
			packed = rest[1:]
		}
	}
	return out[:min(len(out), n)]
}

// undoDifferences makes values of the differences to the pixel at the left (TIFF 6.0, section 14).
func (p *page) undoDifferences(rows []byte) {
	for stride := p.stride(p.partWide); len(rows) > 0; rows = rows[min(stride, len(rows)):] {
		row := rows[:min(stride, len(rows))]
		for i := p.samples; i < len(row); i++ {
			row[i] += row[i-p.samples]
		}
	}
}
