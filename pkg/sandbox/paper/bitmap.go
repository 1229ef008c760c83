package paper

import (
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// width is that of every fax line: 1728 pixels, 204 to the inch
// (ITU-T T.4, clause 2).
const width = 1728

// row is one line of pixels, 1 for black, first pixel in the highest bit.
type row [width / 64]uint64

// bitmap is a page, as drawn: 204 by 196 dots to the inch.
type bitmap []row

// or blackens up to 64 pixels from x on; what is outside the page is lost.
func (b bitmap) or(x, y int, pixels uint64) {
	if y < 0 || y >= len(b) || x < 0 || x >= width {
		return
	}
	r, i, s := &b[y], x/64, uint(x%64)
	r[i] |= pixels >> s
	if i+1 < len(r) {
		r[i+1] |= pixels << (64 - s)
	}
}

// box blackens a rectangle.
func (b bitmap) box(x, y, w, h int) {
	for ; h > 0; y, h = y+1, h-1 {
		for dx := 0; dx < w; dx += 64 {
			b.or(x+dx, y, ^uint64(0)<<(64-min(64, w-dx)))
		}
	}
}

// style is how a character is drawn.
type style struct {
	wide, high int  // pixels of paper for one of the font's 7 by 13
	round      bool // with smoothed corners, as typed; else in blocks, as a fax machine prints
	bold       bool
}

// advance is the width of one character.
func (s style) advance() int { return 7 * s.wide }

// glyph is a drawn character, one word a row, left in the word.
type glyph []uint64

// typeface draws characters, each of them once.
type typeface map[style]*[128]glyph

// text draws s from x, y (its upper left corner) and returns where it ends.
// What is not ASCII is drawn as a question mark.
func (f typeface) text(b bitmap, st style, x, y int, s string) int {
	set := f[st]
	if set == nil {
		set = new([128]glyph)
		f[st] = set
	}
	for _, c := range s {
		if c < ' ' || c > '~' {
			c = '?'
		}
		if set[c] == nil {
			set[c] = st.draw(c)
		}
		for dy, pixels := range set[c] {
			b.or(x, y+dy, pixels)
		}
		x += st.advance()
	}
	return x
}

// dots is a character of the 7x13 font with a white edge around it: one bit a
// pixel, the first in the highest but one.
type dots [15]uint16

func (s *dots) black(x, y int) bool { return s[y+1]<<(x+1)&0x8000 != 0 }

// pick reads one character of the font.
func pick(c rune) *dots {
	face := basicfont.Face7x13
	at, mask, from, _, _ := face.Glyph(fixed.P(0, face.Ascent), c)
	var s dots
	for y := range at.Dy() {
		for x := range at.Dx() {
			if _, _, _, ink := mask.At(from.X+x, from.Y+y).RGBA(); ink != 0 {
				s[at.Min.Y+y+1] |= 0x8000 >> (at.Min.X + x + 1)
			}
		}
	}
	return &s
}

// draw enlarges one character.
func (s style) draw(c rune) glyph {
	from := pick(c)
	g := make(glyph, 13*s.high)
	for y := range g {
		for x := range s.advance() {
			fx, fy := x/s.wide, y/s.high
			on := from.black(fx, fy)
			if s.round {
				on = from.rounded(fx, fy, x%s.wide*2-s.wide+1, y%s.high*2-s.high+1, s.wide)
			}
			if on {
				g[y] |= 1 << (63 - x)
			}
		}
		if s.bold {
			g[y] |= g[y]>>1 | g[y]>>2
		}
	}
	return g
}

// rounded tells the color of one dot of the enlarged pixel x, y; dx and dy
// are the dot's place from the pixel's middle, from -scale to scale. A dot in
// a corner takes the color of the two neighbors there when they agree and
// the ones across do not: the rule of Scale2x, with the corner a triangle.
func (s *dots) rounded(x, y, dx, dy, scale int) bool {
	on := s.black(x, y)
	if abs(dx)+abs(dy) < scale {
		return on
	}
	sx, sy := sign(dx), sign(dy)
	side, level := s.black(x+sx, y), s.black(x, y+sy)
	if side == level && side != s.black(x-sx, y) && level != s.black(x, y-sy) {
		return side
	}
	return on
}

func abs(n int) int { return max(n, -n) }

func sign(n int) int {
	if n < 0 {
		return -1
	}
	if n > 0 {
		return 1
	}
	return 0
}
