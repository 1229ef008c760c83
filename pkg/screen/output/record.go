package output

import (
	"bytes"
	"io"
	"strings"
)

// recordPrinter shows a single value as a list of fields, each on a line: names
// on the left, nothing cut, since there is room below. An empty field is a
// dash.
func recordPrinter[T any](w io.Writer, cols []Column[T], opt Options) printer[T] {
	paint := Painter(opt.Screen.Color)
	return printer[T]{
		item: func(v T) error {
			room := 0
			for _, c := range cols {
				room = max(room, width(c.title()))
			}
			var buf bytes.Buffer
			for _, c := range cols {
				value := c.cell(v, Human{Now: opt.Screen.Now, Exact: true})
				if value.text == "" {
					value = cell{text: "-", style: Dim}
				}
				if !opt.NoHeader {
					buf.WriteString(paint(Head, c.title()))
					buf.WriteString(strings.Repeat(" ", room-width(c.title())+gap))
				}
				buf.WriteString(paint(value.style, value.text))
				buf.WriteByte('\n')
			}
			_, err := w.Write(buf.Bytes())
			return err
		},
		end: nothing,
	}
}
