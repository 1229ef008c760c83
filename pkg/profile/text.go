package profile

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/faxctl/faxctl/pkg/plain"
	"github.com/faxctl/faxctl/pkg/spell"
)

// quote writes what a person typed so that it can be shown on any terminal,
// and not much of it.
func quote(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}

// clean is the text of another program on one line, fit to be shown, and not
// much of it; its colors are dropped.
func clean(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(plain.Line(ansi.Strip(s))), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

// suggest is "; did you mean x?" for the nearest of the known words, or "" when
// none is near.
func suggest(word string, known []string) string {
	if near := spell.Nearest(word, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}
