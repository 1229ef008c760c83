package sandbox

import (
	"errors"
	"strings"
)

// pattern is what a search's Contains asks of a number: digits or letters of
// the keypad, * for one digit, % for any, + at the start and $ at the end to
// tie it to the beginning and the end of the number (with the country code).
type pattern struct {
	glyphs     string // digits, * and %
	start, end bool
}

// parsePattern reads 2 to 16 characters.
func parsePattern(text string) (pattern, error) {
	if len(text) < 2 || len(text) > 16 {
		return pattern{}, errors.New("want 2 to 16 characters")
	}
	var p pattern
	text, p.start = strings.CutPrefix(text, "+")
	text, p.end = strings.CutSuffix(text, "$")
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c >= '0' && c <= '9', c == '*', c == '%':
			b.WriteByte(c)
		case c >= 'a' && c <= 'z':
			b.WriteByte(key(c))
		case c >= 'A' && c <= 'Z':
			b.WriteByte(key(c - 'A' + 'a'))
		default:
			return pattern{}, errors.New("want digits, letters, * and %, + at the start, $ at the end")
		}
	}
	p.glyphs = b.String()
	return p, nil
}

// key is the digit a letter has on the keypad (ITU-T E.161).
func key(letter byte) byte { return "22233344455566677778889999"[letter-'a'] }

// match tries an E.164 number.
func (p pattern) match(phone string) bool {
	digits := strings.TrimPrefix(phone, "+")
	glyphs := p.glyphs
	if !p.start {
		glyphs = "%" + glyphs
	}
	if !p.end {
		glyphs += "%"
	}
	return wild(glyphs, digits)
}

// wild matches in one pass: it keeps the last % to fall back to.
func wild(glyphs, digits string) bool {
	g, star, mark := 0, -1, 0
	for d := 0; d < len(digits); {
		switch {
		case g < len(glyphs) && glyphs[g] == '%':
			star, mark = g, d
			g++
		case g < len(glyphs) && (glyphs[g] == '*' || glyphs[g] == digits[d]):
			g++
			d++
		case star >= 0:
			mark++
			g, d = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(glyphs[g:], "%") == ""
}
