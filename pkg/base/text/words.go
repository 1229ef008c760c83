package text

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/clipperhouse/displaywidth"
)

// Characters of ASCII, for [MadeOf].
const (
	Digits = "0123456789"
	Lower  = "abcdefghijklmnopqrstuvwxyz"
	Upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// MadeOf reports whether s has none but these characters; the empty text has none.
func MadeOf(s, characters string) bool { return strings.Trim(s, characters) == "" }

// Letters are what a reader takes for one letter each, however many code points it is
// made of. Source: Unicode standard annex 29, grapheme clusters.
func Letters(s string) []string {
	var all []string
	for clusters := displaywidth.StringGraphemes(s); clusters.Next(); {
		all = append(all, clusters.Value())
	}
	return all
}

// Quote writes what a person typed so that it can be shown on any terminal, and not
// much of it.
func Quote(s string) string {
	const most = 60
	if letters := Letters(s); len(letters) > most {
		s = strings.Join(letters[:most], "") + "…"
	}
	return strconv.Quote(s)
}

// ShellWord returns s as one word of a command line that is shown to be copied: in
// quotes when a shell would read it otherwise.
func ShellWord(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+,:@%=…", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// List joins words as people do, with "or" or "and" before the last: "local,
// toll-free or mobile".
func List[T ~string](words []T, last string) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			b.WriteString(" " + last + " ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}

// Meant is "did you mean x?" for the [Nearest] of the known words; "": none is near.
func Meant[T ~string](given string, known []T) string {
	if near := Nearest(given, known); near != "" {
		return "did you mean " + string(near) + "?"
	}
	return ""
}
