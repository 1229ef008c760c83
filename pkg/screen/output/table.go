package output

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// atOnce is how many rows a table measures before it is drawn. Longer ones go
// on in the same widths, so that memory stays bounded.
const atOnce = 2000

// cell is a value ready to be drawn.
type cell struct {
	text  string // of one line, harmless
	short string // the same in fewer cells, when the column has a way to say it
	style Style
}

// tablePrinter draws for a terminal. Nothing is printed for no rows. Columns
// with nothing in them leave their room to the others, unless somebody asked
// for them by name; a wide table has every column, whatever the room.
func tablePrinter[T any](w io.Writer, cols []Column[T], opt Options) printer[T] {
	d := drawing{w: w, paint: Painter(opt.Screen.Color), header: !opt.NoHeader}
	human := Human{Now: opt.Screen.Now}
	wide := opt.Format.name == "wide"
	room := opt.Screen.Width
	if wide {
		room = 0
	}
	var rows [][]cell
	draw := func() error {
		if len(rows) == 0 {
			return nil
		}
		if d.widths == nil {
			if len(rows) < atOnce && !wide { // these are all there are
				cols = withoutEmpty(cols, rows)
			}
			d.lay(headsOf(cols), rows, room)
		}
		err := d.draw(rows)
		rows = rows[:0]
		return err
	}
	return printer[T]{
		item: func(v T) error {
			row := make([]cell, len(cols))
			for i, c := range cols {
				row[i] = c.cell(v, human)
			}
			if rows = append(rows, row); len(rows) < atOnce {
				return nil
			}
			return draw()
		},
		end: func() ([]string, error) {
			if err := draw(); err != nil || d.widths == nil {
				return nil, err
			}
			var dropped []string
			for i, c := range cols {
				if !slices.Contains(d.at, i) {
					dropped = append(dropped, c.Name)
				}
			}
			return dropped, nil
		},
	}
}

// withoutEmpty takes the columns away in which no row has anything, and for which
// nobody asked.
func withoutEmpty[T any](cols []Column[T], rows [][]cell) []Column[T] {
	var left []Column[T]
	for i, c := range cols {
		if c.asked || slices.ContainsFunc(rows, func(row []cell) bool { return row[i].text != "" }) {
			for _, row := range rows {
				row[len(left)] = row[i]
			}
			left = append(left, c)
		}
	}
	return left
}

// cell is what a person sees of v in this column.
func (c Column[T]) cell(v T, h Human) cell {
	var out cell
	if c.Show != nil {
		out.text = c.Show(v, h)
	} else {
		out.text = c.Value(v)
	}
	out.text = harmless(out.text)
	if c.Short != nil {
		out.short = harmless(c.Short(v, h))
	}
	if c.Style != nil {
		out.style = c.Style(v)
	}
	return out
}

// harmless is text of one line whose width is known.
func harmless(s string) string {
	// A variation selector changes the width of the character before it on
	// some terminals and not on others.
	return strings.ReplaceAll(text.Line(s), "\ufe0f", "")
}

// head is what a drawing knows of a column.
type head struct {
	title string
	short string // the title of what is said in short; empty: it is not
	right bool
	whole bool
	wrap  bool
	least int
	spare int
	asked bool
}

func headsOf[T any](cols []Column[T]) []head {
	heads := make([]head, len(cols))
	for i, c := range cols {
		heads[i] = head{c.title(), c.ShortTitle, c.Right, c.Whole, c.Wrap, c.Least, c.Spare, c.asked}
	}
	return heads
}

// drawing is a table on a terminal.
type drawing struct {
	w      io.Writer
	paint  func(Style, string) string
	header bool
	heads  []head
	at     []int // the columns that found room, of all
	widths []int // theirs
	short  bool  // what can be said in short is
}

// lay decides the widths from the first rows.
func (d *drawing) lay(heads []head, rows [][]cell, total int) {
	var all bool
	if d.at, d.widths, all = d.measure(heads, rows, total); !all {
		d.short = true
		for i, h := range heads {
			heads[i].title = cmp.Or(h.short, h.title)
		}
		d.at, d.widths, _ = d.measure(heads, rows, total)
	}
	for _, i := range d.at {
		d.heads = append(d.heads, heads[i])
	}
}

// said is what is drawn of a cell.
func (d *drawing) said(c cell) string {
	if d.short {
		return cmp.Or(c.short, c.text)
	}
	return c.text
}

// measure chooses the columns that find room, and their widths.
func (d *drawing) measure(heads []head, rows [][]cell, total int) (at, widths []int, all bool) {
	fields := make([]field, len(heads))
	for i, h := range heads {
		fields[i] = field{least: h.least, asked: h.asked, spare: h.spare}
		if d.header { // half a title names nothing
			fields[i].width = width(h.title)
			fields[i].least = max(h.least, fields[i].width)
		}
		for _, row := range rows {
			fields[i].width = max(fields[i].width, width(d.said(row[i])))
		}
		if h.whole {
			fields[i].least = fields[i].width
		}
	}
	return fit(fields, total)
}

// draw prints rows, after the header if that is still to come.
func (d *drawing) draw(rows [][]cell) error {
	var out []byte
	if d.header {
		out = d.line(out, func(i int) (string, Style) { return d.heads[i].title, Head })
		d.header = false
	}
	for _, row := range rows {
		for rest := true; rest; {
			rest = false
			out = d.line(out, func(i int) (string, Style) {
				cell := &row[d.at[i]]
				text := d.said(*cell)
				cell.text, cell.short = "", ""
				if d.heads[i].wrap {
					text, cell.text = split(text, d.widths[i])
					rest = rest || cell.text != ""
				}
				return text, cell.style
			})
		}
	}
	_, err := d.w.Write(out)
	return err
}

// line appends the cells of a line, each cut to its column or filled up with spaces. None
// stay at the end: they would wrap when the window gets narrower.
func (d *drawing) line(out []byte, cell func(i int) (string, Style)) []byte {
	for i, room := range d.widths {
		text, style := cell(i)
		text = cut(text, room)
		fill := strings.Repeat(" ", max(0, room-width(text)))
		if i > 0 {
			out = append(out, strings.Repeat(" ", gap)...)
		}
		if d.heads[i].right {
			out, fill = append(out, fill...), ""
		}
		out = append(append(out, d.paint(style, text)...), fill...)
	}
	return append(bytes.TrimRight(out, " "), '\n')
}
