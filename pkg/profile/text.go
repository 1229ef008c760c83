package profile

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// clean is the text of another program on one line, fit to be shown, and not
// much of it; its colors are dropped.
func clean(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(text.Line(ansi.Strip(s))), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}
