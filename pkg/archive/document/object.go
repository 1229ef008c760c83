package document

import (
	"bytes"
	"errors"
	"math"
	"strconv"
)

// PDF objects as far as the page tree needs them (ISO 32000-1, 7.3): a
// dictionary, an array, a name, a reference, a number (int64 or float64) and true and
// false are themselves; everything else is nil.
type (
	dict  map[string]any
	array []any
	name  string
	ref   struct{ num, gen int64 }
)

var (
	errShort = errors.New("the object goes on")         // beyond the bytes at hand
	errOdd   = errors.New("not written the common way") // for another reader
)

// lexer reads objects from the front of b.
type lexer struct {
	b     []byte
	depth int
}

// isDelimiter and isSpace are of ISO 32000-1, tables 1 and 2.
func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func isSpace(c byte) bool {
	switch c {
	case 0, '\t', '\n', '\f', '\r', ' ':
		return true
	}
	return false
}

// skip drops white space and comments.
func (l *lexer) skip() {
	for len(l.b) > 0 {
		switch c := l.b[0]; {
		case isSpace(c):
			l.b = l.b[1:]
		case c == '%':
			end := bytes.IndexAny(l.b, "\r\n")
			if end < 0 {
				end = len(l.b)
			}
			l.b = l.b[end:]
		default:
			return
		}
	}
}

// word takes a run of regular characters.
func (l *lexer) word() (string, error) {
	l.skip()
	for i, c := range l.b {
		if isSpace(c) || isDelimiter(c) {
			w := string(l.b[:i])
			l.b = l.b[i:]
			return w, nil
		}
	}
	return "", errShort
}

// integer takes a whole number, or nothing.
func (l *lexer) integer() (int64, error) {
	before := l.b
	w, err := l.word()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(w, 10, 64)
	if err != nil {
		l.b = before
		return 0, errOdd
	}
	return n, nil
}

// keyword takes the word w and nothing else.
func (l *lexer) keyword(w string) error {
	switch got, err := l.word(); {
	case err != nil:
		return err
	case got != w:
		return errOdd
	}
	return nil
}

// object takes any object.
func (l *lexer) object() (any, error) {
	if l.depth++; l.depth > 64 {
		return nil, errOdd
	}
	defer func() { l.depth-- }()
	l.skip()
	if len(l.b) < 2 {
		return nil, errShort
	}
	switch c := l.b[0]; {
	case c == '<' && l.b[1] == '<':
		l.b = l.b[2:]
		return l.dict()
	case c == '<':
		end := bytes.IndexByte(l.b, '>')
		if end < 0 {
			return nil, errShort
		}
		l.b = l.b[end+1:]
		return nil, nil
	case c == '(':
		return nil, l.literal()
	case c == '[':
		l.b = l.b[1:]
		return l.array()
	case c == '/':
		l.b = l.b[1:]
		w, err := l.word()
		return name(w), err
	case isDelimiter(c):
		return nil, errOdd
	}
	return l.number()
}

// number takes a number or a reference, true or false; any other word is nil.
func (l *lexer) number() (any, error) {
	n, err := l.integer()
	switch {
	case errors.Is(err, errOdd):
		w, err := l.word()
		return other(w), err
	case err != nil:
		return nil, err
	}
	after := *l
	gen, err := l.integer()
	if err == nil {
		var w string
		if w, err = l.word(); err == nil && w == "R" {
			return ref{n, gen}, nil
		}
	}
	if errors.Is(err, errShort) {
		return nil, err
	}
	*l = after
	return n, nil
}

// other is the value of a word that is no whole number.
func other(w string) any {
	if w == "true" || w == "false" {
		return w == "true"
	}
	if f, err := strconv.ParseFloat(w, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
		return f
	}
	return nil
}

func (l *lexer) array() (any, error) {
	all := array{}
	for {
		l.skip()
		if len(l.b) > 0 && l.b[0] == ']' {
			l.b = l.b[1:]
			return all, nil
		}
		v, err := l.object()
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
}

func (l *lexer) dict() (any, error) {
	all := dict{}
	for {
		l.skip()
		if bytes.HasPrefix(l.b, []byte(">>")) {
			l.b = l.b[2:]
			return all, nil
		}
		key, err := l.object()
		if err != nil {
			return nil, err
		}
		k, ok := key.(name)
		if !ok {
			return nil, errOdd
		}
		if all[string(k)], err = l.object(); err != nil {
			return nil, err
		}
	}
}

// literal skips a string in parentheses.
func (l *lexer) literal() error {
	open := 0
	for i := 0; i < len(l.b); i++ {
		switch l.b[i] {
		case '\\':
			i++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				l.b = l.b[i+1:]
				return nil
			}
		}
	}
	return errShort
}
