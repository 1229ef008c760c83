package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// encoder turns a value into compact JSON that is safe to show. The bytes are
// good until the next call.
type encoder[T any] func(T) ([]byte, error)

// encoder encodes the value itself, or what the provider sent: null where that
// was not kept.
func (t Type[T]) encoder(raw bool) encoder[T] {
	if t.JSON != nil && !raw {
		var enc jx.Encoder
		return func(v T) ([]byte, error) {
			enc.Reset()
			t.JSON(&enc, v)
			return escape(enc.Bytes()), nil
		}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // nobody reads this in a browser; & and < are common in URLs and names
	return func(v T) ([]byte, error) {
		buf.Reset()
		var what any = v
		if raw {
			what = json.RawMessage("null")
			if sent := t.Raw(v); len(sent) > 0 {
				what = sent
			}
		}
		if err := enc.Encode(what); err != nil {
			return nil, fmt.Errorf("encode as JSON: %w", err)
		}
		return escape(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), nil
	}
}

// escape writes as \u… what the encoders of JSON and YAML leave alone but a
// terminal would obey: DEL, the C1 controls and the bidirectional controls; and
// U+FFFE and U+FFFF, which a reader of YAML does not take, as it reads JSON as
// well. They occur inside quotes only; line breaks do not, and stay.
func escape(b []byte) []byte {
	unsafe := func(r rune) bool { return text.Unsafe(r) && r != '\n' || r == '\ufffe' || r == '\uffff' }
	if ascii(b) || !bytes.ContainsFunc(b, unsafe) {
		return b
	}
	out := make([]byte, 0, len(b)+16)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if unsafe(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return out
}

func jsonlPrinter[T any](w io.Writer, encode encoder[T]) printer[T] {
	return printer[T]{
		item: func(v T) error {
			b, err := encode(v)
			if err != nil {
				return err
			}
			_, err = w.Write(append(b, '\n'))
			return err
		},
		end: nothing,
	}
}

// jsonPrinter keeps the items in compact form until all are there.
func jsonPrinter[T any](w io.Writer, encode encoder[T], single bool) printer[T] {
	items := array{single: single}
	return printer[T]{
		whole: true,
		item:  func(v T) error { return items.add(encode(v)) },
		end: func() ([]string, error) {
			out := bufio.NewWriter(w)
			if err := items.indent(out); err != nil { // of the writer, Flush would tell it again
				return nil, err
			}
			return nil, out.Flush()
		},
	}
}

// array gathers encoded values for one JSON array, or the single one as it is.
// Each is on a line of its own: compact JSON has no line breaks.
type array struct {
	single bool
	buf    bytes.Buffer
}

func (a *array) add(item []byte, err error) error {
	if err != nil {
		return err
	}
	if a.buf.Len() > 0 {
		a.buf.WriteString(",\n")
	}
	a.buf.Write(item)
	return nil
}

// decode is the array as a value. Numbers stay as they are written.
func (a *array) decode() (any, error) {
	if a.single {
		return decode(&a.buf)
	}
	return decode(io.MultiReader(strings.NewReader("["), &a.buf, strings.NewReader("]")))
}

// indent writes the array for people to read, one item after another, so that
// it is in memory once.
func (a *array) indent(w io.Writer) error {
	before, between, after, prefix := "[\n  ", ",\n  ", "\n]\n", "  "
	switch {
	case a.single:
		before, after, prefix = "", "\n", ""
	case a.buf.Len() == 0:
		before, after = "", "[]\n"
	}
	var item bytes.Buffer
	for line := range bytes.Lines(a.buf.Bytes()) {
		item.Reset()
		item.WriteString(before)
		if err := json.Indent(&item, bytes.TrimSuffix(line, []byte(",\n")), prefix, "  "); err != nil {
			return fmt.Errorf("indent JSON: %w", err)
		}
		if _, err := w.Write(item.Bytes()); err != nil {
			return err
		}
		before = between
	}
	_, err := io.WriteString(w, after)
	return err
}

// decode reads one JSON value and keeps numbers as they are written.
func decode(r io.Reader) (any, error) {
	var v any
	dec := json.NewDecoder(r)
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("read JSON back: %w", err)
	}
	return v, nil
}

// ascii is the short cut for nearly every record: nothing in it but printable
// ASCII and line breaks.
func ascii(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c >= 0x7f) && c != '\n' {
			return false
		}
	}
	return true
}
