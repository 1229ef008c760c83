package paper

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// Where things are, in pixels at 204 by 196 to the inch.
const (
	margin  = 156
	inside  = width - 2*margin
	pitch   = 42 // from one typed line to the next
	header  = 64 // lines the fax machine prints over
	columns = inside / 21
)

// The hands that write on a page.
func typed() style   { return style{wide: 3, high: 3, round: true} }
func bold() style    { return style{wide: 3, high: 3, round: true, bold: true} }
func small() style   { return style{wide: 2, high: 2, round: true} }
func large() style   { return style{wide: 5, high: 5, round: true, bold: true} }
func machine() style { return style{wide: 3, high: 2} }

// desk is where the pages of one document are drawn.
type desk struct {
	Sheet
	face    typeface
	encoder *encoder
	trade   trade
	lines   int // on a page at fine resolution
	name    string
	subject string
	to      string
	budget  int // bytes a page; 0: none
}

func newDesk(s Sheet) (*desk, error) {
	d := &desk{Sheet: s, face: typeface{}, encoder: newEncoder()}
	if d.Pages == 0 {
		d.Pages = 1
	}
	if d.Pages < 1 || d.Pages > MaxPages {
		return nil, fmt.Errorf("a fax document has 1 to %d pages, not %d", MaxPages, d.Pages)
	}
	switch s.Size {
	case Letter, "":
		d.lines = 11 * 196
	case Legal:
		d.lines = 14 * 196
	case A4:
		d.lines = 2292 // 297 mm
	default:
		return nil, fmt.Errorf("no paper of size %q", s.Size)
	}
	switch s.Quality {
	case Standard, Fine, Superfine, "":
	default:
		return nil, fmt.Errorf("no fax quality %q", s.Quality)
	}
	if s.Time.IsZero() {
		d.Time = time.Date(2026, 1, 2, 9, 41, 0, 0, time.UTC)
	}
	if y := d.Time.UTC().Year(); y < 1 || y > 9998 {
		return nil, fmt.Errorf("a fax cannot be dated to the year %d", y)
	}
	r := d.random(-1)
	all := trades()
	d.trade = all[r.IntN(len(all))]
	d.name, d.subject, d.to = write(r, d.trade.name), write(r, d.trade.subject), write(r, d.trade.to)
	d.trade.street = write(r, d.trade.street)
	d.trade.role = write(r, d.trade.role)
	if s.Station != "" {
		d.name = s.Station
	}
	if s.Bytes > 0 {
		d.budget = s.Bytes/d.Pages - 300 // the rest is the file around the page
	}
	return d, nil
}

// random is the chance of one page; of the document for -1.
func (d *desk) random(page int) *rand.Rand {
	return rand.New(rand.NewPCG(d.Seed, uint64(page+1)))
}

// dotsPerInch is the resolution down the page.
func (d *desk) dotsPerInch() int {
	switch d.Quality {
	case Fine:
		return 196
	case Superfine:
		return 392
	}
	return 98
}

// page draws and encodes page i, counted from 0.
func (d *desk) page(i int) page {
	r := d.random(i)
	b := make(bitmap, d.lines)
	if i == 0 && d.Pages > 1 {
		d.cover(b, r)
	} else {
		d.letter(b, r, i)
	}
	b = skew(b, r.IntN(13)-6)
	b.dust(r, 12+r.IntN(30))
	d.headline(b, i)
	p := d.scan(b)
	if short := d.budget - len(p.data); short > 0 {
		const most = 9000 // beyond, nobody could read it
		b.dust(r, min(most, int(float64(short)/d.speck())))
		p = d.scan(b)
	}
	return p
}

// speck is how many bytes a speck costs, measured.
func (d *desk) speck() float64 {
	switch d.dotsPerInch() {
	case 98:
		return 2.5
	case 196:
		return 2.9
	}
	return 3.4
}

// scan brings the drawing to the sheet's resolution and encodes it.
func (d *desk) scan(b bitmap) page {
	switch d.dotsPerInch() {
	case 98:
		half := make(bitmap, len(b)/2)
		for y := range half {
			half[y] = b[2*y]
		}
		b = half
	case 392:
		double := make(bitmap, 0, 2*len(b))
		for y := range b {
			double = append(double, b[y], b[y])
		}
		b = double
	}
	return page{len(b), d.encoder.encode(b)}
}

// headline is what the sending machine prints at the top of every page.
func (d *desk) headline(b bitmap, i int) {
	left := fmt.Sprintf("%s  %-20.20s %s", d.Time.Format("2006-01-02 15:04"), strings.ToUpper(d.name), d.From)
	if d.To != "" {
		left += " > " + d.To
	}
	right := fmt.Sprintf("P.%02d/%02d", i+1, d.Pages)
	st := machine()
	most := inside/st.advance() + 8 - len(right)
	d.face.text(b, st, 72, 24, fmt.Sprintf("%.*s", most, left))
	d.face.text(b, st, width-72-len(right)*st.advance(), 24, right)
}

// letterhead returns where the writing may begin.
func (d *desk) letterhead(b bitmap, y int) int {
	st := large()
	if len(d.name)*st.advance() > inside {
		st = bold()
	}
	d.face.text(b, st, margin, y, d.name)
	y += st.high*13 + 8
	d.face.text(b, small(), margin, y, d.trade.street+"   Fax "+d.From)
	y += 40
	b.box(margin, y, inside, 4)
	return y + 40
}

// cover draws a cover sheet.
func (d *desk) cover(b bitmap, r *rand.Rand) {
	y := d.letterhead(b, header+70)
	d.label(b[y+10:y+140], "FAX")
	y += 200
	for _, field := range [][2]string{
		{"TO", d.to}, {"FAX", d.To}, {"FROM", d.name}, {"FAX", d.From},
		{"DATE", d.Time.Format("January 2, 2006")}, {"PAGES", fmt.Sprintf("%d including this cover", d.Pages)}, {"RE", d.subject},
	} {
		d.face.text(b, bold(), margin, y, field[0]+":")
		d.face.text(b, typed(), margin+180, y, fmt.Sprintf("%.*s", columns-9, field[1]))
		b.box(margin+180, y+44, inside-180, 2)
		y += 66
	}
	y += 20
	x := margin
	ticked := r.IntN(4)
	for i, box := range []string{"Urgent", "For review", "Please reply", "Confidential"} {
		b.frame(x, y, 32, 32)
		if i == ticked {
			b.line(x+2, y+2, x+30, y+30, 4)
			b.line(x+30, y+2, x+2, y+30, 4)
		}
		x = d.face.text(b, typed(), x+48, y-3, box) + 42
	}
	y = d.paragraph(b, y+90, d.trade.sentences(r)[:2])
	d.signature(b, r, y+30)
	notice := "CONFIDENTIALITY NOTICE: The pages of this transmission are meant for the addressee alone and may contain information that is protected by law. If you received them in error, please notify the sender by telephone and destroy every copy."
	y = len(b) - 240
	b.box(margin, y-24, inside, 2)
	for _, line := range wrap(notice, inside/14) {
		d.face.text(b, small(), margin, y, line)
		y += 32
	}
}

// letter draws a page of a letter; all but the first of them go on where the
// one before ended, with a table on every other.
func (d *desk) letter(b bitmap, r *rand.Rand, i int) {
	y, first, last := header+70, i <= 1, i == d.Pages-1
	if first {
		y = d.letterhead(b, y)
		d.face.text(b, typed(), margin, y, d.Time.Format("January 2, 2006"))
		y += 2 * pitch
		d.face.text(b, typed(), margin, y, d.to)
		d.face.text(b, typed(), margin, y+pitch, "Via facsimile "+d.To)
		y += 3 * pitch
		d.face.text(b, bold(), margin, y, "RE: "+d.subject)
		y += 2 * pitch
		d.face.text(b, typed(), margin, y, d.trade.greeting)
		y += 2 * pitch
	} else {
		d.face.text(b, small(), margin, y, fmt.Sprintf("%s   continued, page %d", d.subject, i+1))
		b.box(margin, y+36, inside, 2)
		y += 80
	}
	bottom := len(b) - 150
	if last {
		bottom -= 7 * pitch
	}
	if i%2 == 0 {
		y = d.table(b, r, y)
	}
	for say := d.trade.sentences(r); len(say) > 0 && y < bottom-9*pitch; {
		n := min(2+r.IntN(3), len(say))
		y, say = d.paragraph(b, y, say[:n]), say[n:]
	}
	if last {
		d.signature(b, r, y)
	}
}

func (d *desk) paragraph(b bitmap, y int, sentences []string) int {
	for _, line := range wrap(strings.Join(sentences, " "), columns) {
		d.face.text(b, typed(), margin, y, line)
		y += pitch
	}
	return y + pitch
}

func (d *desk) table(b bitmap, r *rand.Rand, y int) int {
	d.face.text(b, bold(), margin+16, y, d.trade.heads)
	b.box(margin, y+44, inside, 3)
	top := y - 10
	y += 56
	for _, n := range r.Perm(len(d.trade.entries)) {
		d.face.text(b, typed(), margin+16, y, write(r, d.trade.entries[n]))
		b.box(margin, y+44, inside, 1)
		y += 50
	}
	b.frame(margin, top, inside, y-top)
	return y + pitch
}

// signature closes a letter: the closing, a flourish, who signs.
func (d *desk) signature(b bitmap, r *rand.Rand, y int) {
	d.face.text(b, typed(), margin, y, d.trade.closing)
	y += pitch
	x, base := margin+10, y+70
	fast, slow, high := 0.16+r.Float64()*0.1, 0.02+r.Float64()*0.02, 18+r.Float64()*16
	for t := 0; t < 300; t++ {
		at := func(t int) (int, int) {
			f := float64(t)
			fade := 1 - f/420
			return x + int(f*1.1+14*math.Sin(f*fast*0.9)), base + int(high*fade*math.Sin(f*fast)+high*0.7*math.Sin(f*slow))
		}
		x0, y0 := at(t)
		x1, y1 := at(t + 1)
		b.line(x0, y0, x1, y1, 4)
	}
	y += 4 * pitch
	b.box(margin, y-12, 460, 2)
	d.face.text(b, typed(), margin, y, d.trade.role)
}

// label writes in white on a black box as high as the strip of paper it is
// given.
func (d *desk) label(strip bitmap, s string) {
	st := style{wide: 8, high: 8, round: true, bold: true}
	letters := make(bitmap, len(strip))
	end := d.face.text(letters, st, margin+36, 14, s)
	strip.box(margin, 0, end+28-margin, len(strip))
	for y := range strip {
		for i := range strip[y] {
			strip[y][i] &^= letters[y][i]
		}
	}
}
