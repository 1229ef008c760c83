package output

import (
	"io"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// linePrinter writes a header and then a line for each item, each line in one
// write as soon as its item is there. The header waits for the first item, so
// that a list that fails at once prints nothing; an empty list has its header,
// unless it is quiet.
func linePrinter[T any](w io.Writer, cols []Column[T], noHeader, quiet bool, appendCell func([]byte, string, bool) []byte) printer[T] {
	var line []byte
	write := func(cell func(Column[T]) string) error {
		line = line[:0]
		for i, c := range cols {
			line = appendCell(line, cell(c), i == 0)
		}
		line = append(line, '\n')
		_, err := w.Write(line)
		return err
	}
	header := func() error {
		if noHeader {
			return nil
		}
		noHeader = true
		return write(func(c Column[T]) string { return c.Name })
	}
	return printer[T]{
		item: func(v T) error {
			if err := header(); err != nil {
				return err
			}
			return write(func(c Column[T]) string { return c.Value(v) })
		},
		end: func() ([]string, error) {
			if quiet {
				return nil, nil
			}
			return nil, header()
		},
	}
}

// appendTSV writes the cell as jq's @tsv does: a tab, a line break and a
// backslash become \t, \n, \r and \\, so that a line is always a record and
// the cells can be told apart.
func appendTSV(line []byte, cell string, first bool) []byte {
	if !first {
		line = append(line, '\t')
	}
	if strings.ContainsAny(cell, "\t\n\r\\") {
		cell = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(cell)
	}
	return append(line, text.Line(cell)...)
}

// appendCSV writes the cell as RFC 4180 says, except that lines end with a
// line feed alone, as Unix tools expect.
func appendCSV(line []byte, cell string, first bool) []byte {
	if !first {
		line = append(line, ',')
	}
	cell = text.Lines(disarm(cell))
	if first && cell == "" { // else a lone empty cell would be an empty line
		return append(line, `""`...)
	}
	if !strings.ContainsAny(cell, "\",;\t\n") && strings.TrimSpace(cell) == cell {
		return append(line, cell...)
	}
	line = append(line, '"')
	line = append(line, strings.ReplaceAll(cell, `"`, `""`)...)
	return append(line, '"')
}

// disarm puts an apostrophe before a cell that a spreadsheet would run as a
// formula. Phone numbers and plain numbers are not formulas and stay.
// Source: OWASP, CSV Injection.
func disarm(cell string) string {
	trimmed := strings.TrimLeft(cell, " ")
	if trimmed == "" || !strings.ContainsAny(trimmed[:1], "=+-@\t\r\n") && !hasWideSign(trimmed) || isNumber(cell) {
		return cell
	}
	return "'" + cell
}

// hasWideSign: spreadsheets in East Asia take the full-width signs as well.
func hasWideSign(s string) bool {
	for _, sign := range []string{"＝", "＋", "－", "＠"} {
		if strings.HasPrefix(s, sign) {
			return true
		}
	}
	return false
}

// isNumber: a sign or none, digits, and at most one point among them.
func isNumber(s string) bool {
	if s[0] == '+' || s[0] == '-' {
		s = s[1:]
	}
	whole, part, pointed := strings.Cut(s, ".")
	return allDigits(whole) && (!pointed || allDigits(part))
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func idPrinter[T any](w io.Writer, id func(T) string) printer[T] {
	return printer[T]{
		item: func(v T) error {
			_, err := io.WriteString(w, text.Line(id(v))+"\n")
			return err
		},
		end: nothing,
	}
}
