package paper

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
)

// code is a prefix code: the low n bits of word, first bit highest.
type code struct {
	word uint32
	n    uint8
}

// codes reads codes as the standard prints them.
func codes(table string) []code {
	var all []code
	for _, s := range strings.Fields(table) {
		word, _ := strconv.ParseUint(s, 2, 32)
		all = append(all, code{uint32(word), uint8(len(s))})
	}
	return all
}

// The codes of ITU-T T.4, tables 2 and 3, in order: runs of 0 to 63 pixels,
// then runs of 64, 128, … 1728.
const (
	whiteRuns = `
		00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101
		101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000
		00000010 00000011 00011010 00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000
		00101001 00101010 00101011 00101100 00101101 00000100 00000101 00001010 00001011 01010010 01010011
		01010100 01010101 00100100 00100101 01011000 01011001 01011010 01011011 01001010 01001011 00110010
		00110011 00110100
		11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101
		011010010 011010011 011010100 011010101 011010110 011010111 011011000 011011001 011011010 011011011
		010011000 010011001 010011010 011000 010011011`
	blackRuns = `
		0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111
		000011000 0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000
		00000010111 00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 000001101001
		000001101010 000001101011 000011010010 000011010011 000011010100 000011010101 000011010110 000011010111
		000001101100 000001101101 000011011010 000011011011 000001010100 000001010101 000001010110 000001010111
		000001100100 000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111
		000000101000 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111
		0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100
		0000001101101 0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011
		0000001110100 0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 0000001010100
		0000001010101 0000001011010 0000001011011 0000001100100 0000001100101`
)

// encoder turns bitmaps into Group 4 fax data (ITU-T T.6).
type encoder struct {
	runs [2][]code // white, black
	out  []byte
	acc  uint64 // bits not yet in out, lowest last
	n    uint   // how many of them
}

func newEncoder() *encoder {
	return &encoder{runs: [2][]code{codes(whiteRuns), codes(blackRuns)}}
}

func (e *encoder) put(word uint32, n uint8) {
	e.acc, e.n = e.acc<<n|uint64(word), e.n+uint(n)
	if e.n >= 32 {
		e.n -= 32
		e.out = binary.BigEndian.AppendUint32(e.out, uint32(e.acc>>e.n))
	}
}

func (e *encoder) run(color, length int) {
	if length >= 64 {
		c := e.runs[color][63+length/64]
		e.put(c.word, c.n)
	}
	c := e.runs[color][length%64]
	e.put(c.word, c.n)
}

// encode returns the rows as one Group 4 image, most significant bit first,
// with the end-of-block mark. The result is the caller's.
func (e *encoder) encode(rows []row) []byte {
	e.out = make([]byte, 0, 16<<10)
	ref, cur := changes(nil, &row{}), []int(nil)
	above := row{}
	for i := range rows {
		if rows[i] == above {
			e.same(len(ref) - sentinels)
			continue
		}
		above = rows[i]
		cur = changes(cur[:0], &rows[i])
		e.line(ref, cur)
		ref, cur = cur, ref
	}
	e.put(0b000000000001, 12)
	e.put(0b000000000001, 12)
	for e.n > 0 {
		e.out = append(e.out, byte(e.acc<<8>>e.n))
		e.n -= min(8, e.n)
	}
	return e.out
}

// same encodes a row that is the one above, which has n changes: one bit says
// that a change is below another, and one that the row ends where it does.
func (e *encoder) same(n int) {
	for n++; n > 0; n -= 16 {
		k := min(n, 16)
		e.put(1<<k-1, uint8(k))
	}
}

// line encodes one row, both rows given as their changes. Even indices are
// changes to black. In the words of T.6: a0 is where we are, a1 and a2 the next
// changes here, b1 and b2 those of the row above that matter.
func (e *encoder) line(ref, cur []int) {
	a0, color := -1, 0
	for i, j := 0, 0; a0 < width; {
		for j > 0 && ref[j-1] > a0 {
			j--
		}
		for ref[j] <= a0 && ref[j] < width {
			j++
		}
		if j&1 != color {
			j++
		}
		a1, b1, b2 := cur[i], ref[j], ref[j+1]
		if b2 < a1 {
			e.put(0b0001, 4) // pass
			a0 = b2
			continue
		}
		switch a1 - b1 { // vertical
		case 0:
			e.put(0b1, 1)
		case 1:
			e.put(0b011, 3)
		case 2:
			e.put(0b000011, 6)
		case 3:
			e.put(0b0000011, 7)
		case -1:
			e.put(0b010, 3)
		case -2:
			e.put(0b000010, 6)
		case -3:
			e.put(0b0000010, 7)
		default: // horizontal
			a2 := cur[i+1]
			e.put(0b001, 3)
			e.run(color, a1-max(a0, 0))
			e.run(1-color, a2-a1)
			a0, i = a2, i+2
			continue
		}
		a0, i, color = a1, i+1, 1-color
	}
}

// sentinels is how often the width ends a list of changes, so that reading on
// past the last one is safe.
const sentinels = 4

// changes appends to list where the color of r changes, beginning with white,
// and the sentinels.
func changes(list []int, r *row) []int {
	carry := uint64(0)
	for i, w := range r {
		edges := w ^ (w>>1 | carry<<63)
		carry = w & 1
		for edges != 0 {
			x := bits.LeadingZeros64(edges)
			edges &^= 1 << (63 - x)
			list = append(list, i*64+x)
		}
	}
	return append(list, width, width, width, width)
}
