package picture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// Pages are pictures that belong together.
type Pages struct {
	Len int

	// Draw draws the one at n, of which the first is 0. There may be a picture with an
	// error: what could be drawn. It is called for one picture at a time, and must not talk
	// on the terminal.
	Draw func(ctx context.Context, n int) (image.Image, error)
}

// Leaf shows pages on the whole screen from the one at first on, until the person leaves:
// with q, Escape, ^D or ^C. It fails with term.ErrNoInput where nobody can be asked, or
// when ctx ends.
func Leaf(ctx context.Context, t *term.Term, pages Pages, first int, shades Shades) error {
	drawing, cancel := context.WithCancel(ctx)
	defer cancel()
	v := &viewer{pages: pages, shades: shades, mark: t.Err.Color, at: first}
	v.turn(drawing, first)
	err := t.Screen(ctx, func(size term.Size, k term.Press) (string, bool) {
		if k.Key == term.KeyLeave || k.Key == term.KeyText && k.Text == 'q' {
			return "", false
		}
		if v.coming != nil && v.arrived() || size != v.size || k.Key != term.KeyNone {
			v.size = size
			if v.press(drawing, k); v.coming != nil {
				v.arrived()
			}
			v.seen = v.draw()
		}
		return v.seen, true
	})
	if errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return nil // by ^C
	}
	return err
}

// drawn is a page, and what is wrong with it.
type drawn struct {
	source
	err error
}

// viewer is what is on the screen.
type viewer struct {
	pages  Pages
	shades Shades
	mark   bool // the terminal can show reverse

	at     int // the page
	page   drawn
	coming chan drawn // the page, while it is being drawn
	last   chan drawn // closed when nothing is being drawn any more
	stop   func()     // ends the drawing

	size   term.Size
	scale  float64    // half blocks to a pixel of the page; 0: what fits the width
	whole  bool       // or, of a scale of 0, the whole page
	middle [2]float64 // of what is seen: 0 to 1, of the page
	keys   bool       // what they are for is seen instead
	seen   string
}

// turn goes to another page, and begins to draw it when the one before has ended.
func (v *viewer) turn(ctx context.Context, to int) {
	to = min(max(to, 0), v.pages.Len-1)
	if to == v.at && v.last != nil {
		return
	}
	before := v.last
	if before != nil {
		v.stop()
	}
	ctx, v.stop = context.WithCancel(ctx)
	coming := make(chan drawn, 1)
	v.at, v.coming, v.last, v.page, v.middle = to, coming, coming, drawn{}, [2]float64{0.5, 0}
	go func() {
		defer close(coming)
		if before != nil {
			for range before {
			}
		}
		img, err := v.pages.Draw(ctx, to)
		d := drawn{err: err}
		if img != nil {
			d.source = sourceOf(img)
		}
		coming <- d
	}()
}

// arrived reports whether the page that is being drawn is there now. It waits a little,
// as most are at once.
func (v *viewer) arrived() bool {
	select {
	case v.page = <-v.coming:
		v.coming = nil
		return true
	case <-time.After(50 * time.Millisecond):
		return false
	}
}

// press does what a key is for.
func (v *viewer) press(ctx context.Context, k term.Press) {
	if k.Key != term.KeyNone {
		v.keys = k.Text == '?' && !v.keys
	}
	switch key := k.Key; {
	case key == term.KeyPageDown, k.Text == 'n', k.Text == ' ':
		v.turn(ctx, v.at+1)
	case key == term.KeyPageUp, k.Text == 'p', key == term.KeyBack:
		v.turn(ctx, v.at-1)
	case key == term.KeyHome:
		v.turn(ctx, 0)
	case key == term.KeyEnd:
		v.turn(ctx, v.pages.Len-1)
	case v.page.pix == nil: // what follows is about what is seen
	case key == term.KeyUp, k.Text == 'k':
		v.pan(0, -1)
	case key == term.KeyDown, k.Text == 'j':
		v.pan(0, 1)
	case key == term.KeyLeft, k.Text == 'h':
		v.pan(-1, 0)
	case key == term.KeyRight, k.Text == 'l':
		v.pan(1, 0)
	case k.Text == '+', k.Text == '=':
		v.nearer()
	case k.Text == '-':
		if v.scale = v.zoom() / zoomStep; v.scale < v.fit(true) {
			v.scale, v.whole = 0, true
		}
	case k.Text == '0':
		v.scale, v.whole = 0, true
	case k.Text == 'w':
		v.scale, v.whole = 0, false
	}
}

// zoomStep is how much larger a page is drawn when one comes nearer.
const zoomStep = 1.5

// nearer comes nearer. What was at the top left of a page that was fitted stays there, as
// reading begins there; later it is the middle that stays.
func (v *viewer) nearer() {
	fitted, before := v.scale == 0, v.corner()
	v.scale = min(v.zoom()*zoomStep, 1)
	if !fitted {
		return
	}
	for axis, now := range v.corner() {
		v.middle[axis] += before[axis] - now
	}
}

// corner is the top left of what is seen: 0 to 1, of the page.
func (v *viewer) corner() [2]float64 {
	wide, high, seenWide, seenHigh := v.extent()
	return [2]float64{v.middle[0] - float64(seenWide)/2/float64(wide), v.middle[1] - float64(seenHigh)/2/float64(high)}
}

// pan goes on by a quarter of what is seen.
func (v *viewer) pan(x, y int) {
	wide, high, seenWide, seenHigh := v.extent()
	v.middle[0] += float64(x*seenWide) / 4 / float64(wide)
	v.middle[1] += float64(y*seenHigh) / 4 / float64(high)
}

// zoom is the scale in force, and fit the one at which the width or the whole page fits.
func (v *viewer) zoom() float64 {
	if v.scale != 0 {
		return v.scale
	}
	return v.fit(v.whole)
}

func (v *viewer) fit(whole bool) float64 {
	scale := min(float64(v.size.Columns)/float64(v.page.wide), 1)
	if whole {
		scale = min(scale, float64(v.rows())*2/float64(v.page.high))
	}
	return scale
}

// rows are the lines of the screen that the page may have: the last is for what is said.
func (v *viewer) rows() int { return max(v.size.Lines-1, 1) }

// extent is how large the page is, and the part of it that is seen, in half blocks.
func (v *viewer) extent() (wide, high, seenWide, seenHigh int) {
	scale := v.zoom()
	wide, high = max(int(float64(v.page.wide)*scale), 1), max(int(float64(v.page.high)*scale), 1)
	return wide, high, min(wide, v.size.Columns), min(high, 2*v.rows())
}

// draw is all that is on the screen.
func (v *viewer) draw() string {
	var lines []string
	left := ""
	switch {
	case v.keys:
		lines = v.help()
	case v.page.pix != nil:
		wide, high, seenWide, seenHigh := v.extent()
		from := func(axis, of, seen int) int {
			first := min(max(int(math.Round(v.middle[axis]*float64(of)-float64(seen)/2)), 0), of-seen)
			v.middle[axis] = (float64(first) + float64(seen)/2) / float64(of)
			return first
		}
		part := v.page.part(v.zoom(), from(0, wide, seenWide), from(1, high, seenHigh), seenWide, seenHigh)
		lines, left = blocks(inked(part), v.shades), strings.Repeat(" ", (v.size.Columns-seenWide)/2)
	}
	var b strings.Builder
	for i := range v.rows() {
		fmt.Fprintf(&b, "\x1b[%d;1H\x1b[K", i+1)
		if i < len(lines) {
			b.WriteString(left + lines[i])
		}
	}
	said := ansi.Truncate(v.status(), max(v.size.Columns-1, 1), "…")
	if v.mark {
		said = "\x1b[7m" + said + "\x1b[0m"
	}
	fmt.Fprintf(&b, "\x1b[%d;1H\x1b[K%s", v.rows()+1, said)
	return b.String()
}

// help is what the keys are for, in lines that fit the screen.
func (v *viewer) help() []string {
	lines := []string{
		"q, Escape, ^C      quit",
		"n, Page Down       the next page",
		"p, Page Up         the page before",
		"Home, End          the first page, the last one",
		"arrows, h j k l    move",
		"+ -                zoom",
		"w, 0               fit the width, the whole page",
	}
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, max(v.size.Columns-1, 1), "…")
	}
	return lines
}

// status is the last line. It begins with the way out, since it ends where there is no
// more room.
func (v *viewer) status() string {
	s := fmt.Sprintf("q quit  page %d of %d", v.at+1, v.pages.Len)
	switch {
	case v.coming != nil:
		s += ", being drawn"
	case v.page.err != nil:
		s += ": " + text.Line(v.page.err.Error())
	}
	if v.page.pix != nil {
		s += fmt.Sprintf(", %.0f%%", 100*v.zoom())
	}
	return s + "  ? keys  n p page  + - zoom  w width  0 whole"
}
