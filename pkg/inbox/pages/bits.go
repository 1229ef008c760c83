package pages

import "encoding/binary"

// bitReader reads bits, the highest of a byte first. Beyond the end they are zero.
type bitReader struct {
	b   []byte
	at  int    // of the next byte of b to take in
	acc uint64 // bits taken in, highest first
	n   int    // how many of them
}

// peek is the next n bits, 32 at most.
func (r *bitReader) peek(n int) int {
	if r.n < n {
		r.fill()
	}
	return int(r.acc >> (64 - n))
}

// fill takes in what fits.
func (r *bitReader) fill() {
	if r.at+8 <= len(r.b) {
		r.acc |= binary.BigEndian.Uint64(r.b[r.at:]) >> r.n
		r.at += (63 - r.n) >> 3
		r.n |= 56
		return
	}
	for ; r.n <= 56 && r.at < len(r.b); r.at++ {
		r.acc |= uint64(r.b[r.at]) << (56 - r.n)
		r.n += 8
	}
}

// drop passes over n bits that were looked at, and reports whether they are there.
func (r *bitReader) drop(n int) bool {
	if n > r.n {
		r.acc, r.n = 0, 0
		return false
	}
	r.acc <<= n
	r.n -= n
	return true
}

// ended reports whether no bits are left.
func (r *bitReader) ended() bool { return r.n == 0 && r.at >= len(r.b) }

// align goes on to a multiple of n bits, which is a power of two of 8 or more.
func (r *bitReader) align(n int) {
	taken := 8*r.at - r.n
	for over := -taken & (n - 1); over > 0; over -= 8 {
		r.peek(8)
		r.drop(min(over, 8))
	}
}
