package pages

import (
	"context"
	"errors"
)

// coding is how the lines of a fax are coded.
type coding struct {
	// group4: ITU-T T.6, every line by the one above. Otherwise T.4, whose lines are
	// coded each by itself, or also by the one above when they are twoWay.
	group4, twoWay bool

	// onto is of how many bits the beginning of each line is a multiple; 0: of none.
	onto int
}

// errLine is of bits that are no line.
var errLine = errors.New("a line is damaged")

// lines reads the coded lines of one strip, or tile.
type lines struct {
	coding
	*codes
	bitReader
	wide       int
	above, cur []int32 // where the color of a line changes, at first to black
	marked     bool    // lines begin with a mark (EOL)
	damaged    bool
}

// faxLines decodes a strip of lines of so many pixels into out: one bit a pixel, the
// highest first, a black one set; each line begins with a byte. The lines that are
// missing, and what is left of a damaged one, are not touched. It fails with
// [ErrDamaged] when there are such, and when ctx is done.
func faxLines(ctx context.Context, table *codes, how coding, packed []byte, wide int, out []byte) error {
	d := &lines{coding: how, codes: table, bitReader: bitReader{b: packed}, wide: wide, above: []int32{}}
	stride := (wide + 7) / 8
	for y := 0; (y+1)*stride <= len(out); y++ {
		if y%64 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !d.next() {
			return ErrDamaged
		}
		paint(out[y*stride:(y+1)*stride], d.cur, wide)
		d.above, d.cur = d.cur, d.above
	}
	if d.damaged {
		return ErrDamaged
	}
	return nil
}

// next reads a line into cur. There is none when the data ends.
func (d *lines) next() bool {
	d.cur = d.cur[:0]
	if d.onto > 0 {
		d.align(d.onto)
	}
	if !d.group4 && !d.begin() || d.ended() {
		return false
	}
	var err error
	switch {
	case d.group4:
		err = d.byAbove()
	case d.twoWay && d.peek(1) == 0:
		d.drop(1)
		err = d.byAbove()
	case d.twoWay:
		d.drop(1)
		err = d.byItself()
	default:
		err = d.byItself()
	}
	if err == nil {
		return true
	}
	d.damaged = true
	d.cur = d.cur[:len(d.cur)&^1] // a black run that does not end is not drawn
	return d.marked               // then the next line can be found
}

// eol is the end-of-line mark of T.4, of which lines begin with one: eleven zeros at
// least, and a one.
const eol = 12

// begin goes to the beginning of a line of T.4, after its mark. Six marks, or the end of the data,
// end a page; two are enough to know, as no line is empty.
func (d *lines) begin() bool {
	marks := 0
	for {
		switch {
		case d.peek(eol-1) == 0 && !d.zeros():
			return false
		case d.peek(eol) == 1:
			d.drop(eol)
			d.marked = true
			if marks++; marks == 2 {
				return false
			}
			if d.twoWay && d.peek(1+eol) == 1<<eol|1 {
				d.drop(1)
			}
		case marks == 1 || !d.marked:
			return true
		default: // bits that belong to no line
			d.damaged = true
			if !d.drop(1) {
				return false
			}
		}
	}
}

// zeros passes over fill until the next twelve bits are a mark. There is none when the
// data ends.
func (d *lines) zeros() bool {
	for d.peek(eol) == 0 {
		n := 1
		if d.peek(32) == 0 {
			n = 32 - eol
		}
		if !d.drop(n) {
			return false
		}
	}
	return true
}

// byItself reads a line that is coded by itself: white and black runs in turn.
func (d *lines) byItself() error {
	for at, color := 0, 0; at < d.wide; color ^= 1 {
		n, err := d.run(color)
		if err != nil {
			return err
		}
		if at += n; at > d.wide {
			return errLine
		}
		d.change(at)
	}
	return nil
}

// run reads the length of a run: codes of multiples of 64, and one of fewer.
func (d *lines) run(color int) (int, error) {
	table := &d.runs[color]
	for total := 0; ; {
		c := table[d.peek(runBits)]
		if c.bits == 0 || !d.drop(int(c.bits)) {
			return 0, errLine
		}
		total += int(c.value)
		switch {
		case total > d.wide:
			return 0, errLine
		case c.value < 64:
			return total, nil
		}
	}
}

// change notes that the color changes at a pixel. A run of no pixels is none.
func (d *lines) change(at int) {
	if n := len(d.cur); n > 0 && int(d.cur[n-1]) == at {
		d.cur = d.cur[:n-1]
		return
	}
	d.cur = append(d.cur, int32(at))
}

// byAbove reads a line that is coded by the one above. In the words of T.4: a0 is where
// we are, b1 the first change above that is to the right of a0 and to the other color, b2
// the next; at the beginning, a0 is to the left of the first pixel.
func (d *lines) byAbove() error {
	a0, color, i := -1, 0, 0
	for a0 < d.wide {
		for i > 0 && d.at(i-1) > a0 {
			i--
		}
		for d.at(i) <= a0 {
			i++
		}
		if i&1 != color {
			i++
		}
		c := d.modes[d.peek(modeBits)]
		if c.bits == 0 || !d.drop(int(c.bits)) {
			return errLine
		}
		switch c.value {
		case pass:
			a0 = d.at(i + 1)
		case horizontal:
			one, err := d.run(color)
			if err != nil {
				return err
			}
			two, err := d.run(1 - color)
			a1 := max(a0, 0) + one
			if a0 = a1 + two; err != nil || a0 > d.wide {
				return errLine
			}
			d.change(a1)
			d.change(a0)
		default:
			a1 := d.at(i) + int(c.value) - vertical
			if a1 < max(a0, 0) || a1 > d.wide {
				return errLine
			}
			d.change(a1)
			a0, color = a1, 1-color
		}
	}
	return nil
}

// at is where the line above has its change i; the width, after the last.
func (d *lines) at(i int) int {
	if i < len(d.above) {
		return int(d.above[i])
	}
	return d.wide
}

// paint sets the black bits of a line by its changes, the rest to white.
func paint(row []byte, changes []int32, wide int) {
	clear(row)
	for i := 0; i < len(changes); i += 2 {
		from, to := int(changes[i]), wide
		if i+1 < len(changes) {
			to = int(changes[i+1])
		}
		if from >= to {
			continue
		}
		first, last := from/8, (to-1)/8
		head, tail := byte(0xff)>>(from%8), byte(0xff)<<(7-(to-1)%8)
		if first == last {
			row[first] |= head & tail
			continue
		}
		row[first] |= head
		for j := first + 1; j < last; j++ {
			row[j] = 0xff
		}
		row[last] |= tail
	}
}
