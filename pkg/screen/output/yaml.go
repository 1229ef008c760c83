package output

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-faster/jx"
	"go.yaml.in/yaml/v3"
)

// yamlPrinter writes each item as a list of one: one below the other they are
// one list.
func yamlPrinter[T any](w io.Writer, encode encoder[T], single bool) printer[T] {
	empty := !single
	var text yamlText
	return printer[T]{
		item: func(v T) error {
			empty = false
			b, err := encode(v)
			if err != nil {
				return err
			}
			if !utf8.Valid(b) { // a provider's own words: each such byte is U+FFFD
				b = []byte(string([]rune(string(b))))
			}
			text = text[:0]
			depth := 0
			if !single {
				text = append(text, "- "...)
				depth = 1
			}
			if err := text.add(jx.DecodeBytes(b), depth, false); err != nil {
				return fmt.Errorf("write JSON as YAML: %w", err)
			}
			text = append(text, '\n')
			_, err = w.Write(text)
			return err
		},
		end: func() ([]string, error) {
			if !empty {
				return nil, nil
			}
			_, err := io.WriteString(w, "[]\n")
			return nil, err
		},
	}
}

// yamlText is YAML in blocks, made of JSON token by token, with the fields in the
// same order. Nodes and an emitter of a library come to the same in ten times the time.
type yamlText []byte

// add writes the next value of d. The lines of a block are indented by depth. The first of
// them goes on where the text ends, or stands below the name that the value has.
func (y *yamlText) add(d *jx.Decoder, depth int, named bool) error {
	lines := 0
	line := func() {
		if lines++; named || lines > 1 {
			y.line(depth)
		}
	}
	inline := func(s string) {
		if named {
			*y = append(*y, ' ')
		}
		*y = append(*y, s...)
	}
	switch d.Next() {
	case jx.Object:
		err := d.ObjBytes(func(d *jx.Decoder, name []byte) error {
			line()
			return y.field(d, string(name), depth)
		})
		if lines == 0 {
			inline("{}")
		}
		return err
	case jx.Array:
		err := d.Arr(func(d *jx.Decoder) error {
			line()
			*y = append(*y, "- "...)
			return y.add(d, depth+1, false)
		})
		if lines == 0 {
			inline("[]")
		}
		return err
	case jx.String:
		s, err := d.Str()
		if err == nil {
			s, err = yamlString(s)
		}
		inline(s)
		return err
	}
	word, err := d.Raw() // a number as it is written, true, false or null
	inline(string(word))
	return err
}

// field writes a name and its value. A name that readers need not take in one line is
// one after a question mark.
func (y *yamlText) field(d *jx.Decoder, name string, depth int) error {
	const most = 128 // bytes; YAML 1.2, 7.4.2: 1024 characters, with what is escaped
	text, err := yamlString(name)
	if err != nil {
		return err
	}
	if len(name) <= most && !strings.ContainsAny(name, "\r\n\u0085\u2028\u2029") {
		*y = append(append(*y, text...), ':')
		return y.add(d, depth+1, true)
	}
	*y = append(append(*y, "? "...), text...)
	y.line(depth)
	*y = append(*y, ": "...)
	return y.add(d, depth+1, false)
}

func (y *yamlText) line(depth int) {
	*y = append(*y, '\n')
	for range depth {
		*y = append(*y, "  "...)
	}
}

// yamlString is a string that every reader takes for one: what could be a
// number, a date, or a truth to YAML 1.1 or 1.2 is quoted, +14155550123 and
// "no" among them, and so is everything that is not ASCII.
func yamlString(s string) (string, error) {
	escaped := func(r rune) bool { return r == '"' || r == '\\' || r > '\uffff' || !unicode.IsPrint(r) }
	switch {
	case isWord(s):
		return s, nil
	case !strings.ContainsFunc(s, escaped):
		return `"` + s + `"`, nil
	}
	b, err := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Style: yaml.DoubleQuotedStyle})
	return string(escape(bytes.TrimSuffix(b, []byte("\n")))), err
}

// isWord: begins with a letter, goes on with letters, digits, inner spaces and
// the signs of a path, and is no word of YAML's own.
func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		inner := '0' <= c && c <= '9' || strings.IndexByte("_-./ ", c) >= 0
		if !letter && (i == 0 || !inner) {
			return false
		}
	}
	switch strings.ToLower(s) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return s[len(s)-1] != ' '
}
