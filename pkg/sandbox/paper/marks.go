package paper

import "math/rand/v2"

// frame draws the outline of a rectangle.
func (b bitmap) frame(x, y, w, h int) {
	b.box(x, y, w, 3)
	b.box(x, y+h-3, w, 3)
	b.box(x, y, 3, h)
	b.box(x+w-3, y, 3, h)
}

// line draws with a square pen.
func (b bitmap) line(x0, y0, x1, y1, pen int) {
	steps := max(abs(x1-x0), abs(y1-y0), 1)
	for i := range steps + 1 {
		b.box(x0+(x1-x0)*i/steps, y0+(y1-y0)*i/steps, pen, pen)
	}
}

// skew returns the page as it is scanned when it was fed a little askew: by
// pixels lower at the right edge than at the left, in steps.
func skew(b bitmap, by int) bitmap {
	out := make(bitmap, len(b))
	for y := range out {
		for i := range out[y] {
			if from := y - by*64*i/width; from >= 0 && from < len(b) {
				out[y][i] = b[from][i]
			}
		}
	}
	return out
}

// dust puts n specks anywhere on the page, high enough for every resolution.
func (b bitmap) dust(r *rand.Rand, n int) {
	for range n {
		b.box(r.IntN(width), r.IntN(len(b)), 1+r.IntN(2), 2)
	}
}
