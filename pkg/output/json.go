package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/faxctl/faxctl/pkg/plain"
)

// encoder turns a value into compact JSON that is safe to show. The bytes are
// good until the next call.
type encoder[T any] func(T) ([]byte, error)

// encoder encodes the value itself, or what the provider sent: null where that
// was not kept.
func (t Type[T]) encoder(raw bool) encoder[T] {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // nobody reads this in a browser; & and < are common in URLs and names
	return func(v T) ([]byte, error) {
		buf.Reset()
		var err error
		if raw {
			err = enc.Encode(t.Raw(v))
		} else {
			err = enc.Encode(v)
		}
		if err != nil {
			return nil, fmt.Errorf("encode as JSON: %w", err)
		}
		return escape(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), nil
	}
}

// escape writes as \u… what encoding/json leaves alone but a terminal would
// obey: DEL, the C1 controls and the bidirectional controls. They occur inside
// strings only.
func escape(b []byte) []byte {
	if !bytes.ContainsFunc(b, plain.Unsafe) {
		return b
	}
	out := make([]byte, 0, len(b)+16)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if plain.Unsafe(r) {
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
			var indented bytes.Buffer
			if err := json.Indent(&indented, items.bytes(), "", "  "); err != nil {
				return nil, fmt.Errorf("indent JSON: %w", err)
			}
			indented.WriteByte('\n')
			_, err := w.Write(indented.Bytes())
			return nil, err
		},
	}
}

// array gathers encoded values in one JSON array, or the single one as it is.
type array struct {
	single bool
	buf    bytes.Buffer
}

func (a *array) add(item []byte, err error) error {
	if err != nil {
		return err
	}
	if a.buf.Len() > 0 {
		a.buf.WriteByte(',')
	}
	a.buf.Write(item)
	return nil
}

func (a *array) bytes() []byte {
	if a.single {
		return a.buf.Bytes()
	}
	return bytes.Join([][]byte{[]byte("["), a.buf.Bytes(), []byte("]")}, nil)
}
