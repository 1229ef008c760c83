package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
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
	var items lines
	return printer[T]{
		whole: true,
		item:  func(v T) error { return items.add(encode(v)) },
		end: func() ([]string, error) {
			out := bufio.NewWriter(w)
			if err := items.indent(out, single); err != nil { // of the writer, Flush would tell it again
				return nil, err
			}
			return nil, out.Flush()
		},
	}
}

// lines are encoded values, each on a line of its own: compact JSON has no line breaks.
// They are kept in blocks of whole lines. A single one that grew would be copied time and
// again, and be there twice meanwhile: of 100,000 faxes that is 60 MB.
type lines [][]byte

func (l *lines) add(item []byte, err error) error {
	const block = 256 << 10
	if err != nil {
		return err
	}
	last := len(*l) - 1
	if last < 0 || cap((*l)[last])-len((*l)[last]) <= len(item) {
		*l, last = append(*l, make([]byte, 0, max(block, len(item)+1))), last+1
	}
	(*l)[last] = append(append((*l)[last], item...), '\n')
	return nil
}

// take yields the values one after another. A block is forgotten when it was read.
func (l *lines) take() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i, block := range *l {
			for line := range bytes.Lines(block) {
				if !yield(line[:len(line)-1]) {
					return
				}
			}
			(*l)[i] = nil
		}
	}
}

// indent writes the array, or the single value, for people to read.
func (l *lines) indent(w io.Writer, single bool) error {
	before, between, after, prefix := "[\n  ", ",\n  ", "\n]\n", "  "
	switch {
	case single:
		before, after, prefix = "", "\n", ""
	case len(*l) == 0:
		after = "[]\n"
	}
	var item bytes.Buffer
	for line := range l.take() {
		item.Reset()
		item.WriteString(before)
		if err := json.Indent(&item, line, prefix, "  "); err != nil {
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

// decode reads one JSON value back. Numbers stay as they are written.
func decode(b []byte) (any, error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(b))
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
