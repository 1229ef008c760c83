package text

import (
	"strings"
	"unicode"
)

// Strip is what is kept of a text from outside: at most so many bytes of it, and no
// control characters, of which nothing is left.
func Strip(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
