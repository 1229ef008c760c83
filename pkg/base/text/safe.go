// Package text makes text from outside safe to show to a person, and finds the
// word that a person meant.
//
// Use [Line] and [Lines] for every string that a provider, a caller or a file chose and that
// ends on a screen or in a spreadsheet: names, numbers of senders, messages of
// errors. A name such as "\x1b]0;hello\a" would otherwise retitle the window,
// and a right-to-left override would show a file name backwards.
//
// What is replaced stays visible: a control character below U+0020 and DEL in
// caret form ("^[" for escape), anything else as U+FFFD. Letters of every
// script, wide characters and emoji pass untouched.
//
// Use [Meant] wherever a word is not among the known ones: a flag, a format, a
// column, a key of a file; [Quote] to repeat what a person typed, and [ShellWord]
// where it is to be copied into a shell.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s fit for one line or one cell: like [Lines], with line breaks
// and tabs as a space each.
func Line(s string) string {
	return clean(s, func(r rune) bool { return r == '\n' || r == '\t' || r == '\r' }, " ")
}

// Lines returns s fit for a screen, keeping its lines and tabs. A carriage
// return is replaced too, unless it belongs to a line break: alone it would
// let the rest of the line write over its beginning.
func Lines(s string) string {
	return clean(s, func(r rune) bool { return r == '\n' || r == '\t' }, "")
}

// Unsafe reports whether r may act on a terminal or on the order of the text
// around it instead of being seen: the control characters (Unicode category
// Cc), the bidirectional controls (Unicode standard annex 9), the line and
// paragraph separators and the byte order mark.
func Unsafe(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	if r < 0xa0 {
		return true
	}
	return r == '\u2028' || r == '\u2029' || r == '\ufeff' || unicode.Is(unicode.Bidi_Control, r)
}

// clean replaces what is unsafe in s. Characters that except selects become
// instead, or stay when instead is empty.
func clean(s string, except func(rune) bool, instead string) string {
	if harmless(s) {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var b strings.Builder
	b.Grow(len(s) + 8)
	for _, r := range s { // an invalid byte arrives as U+FFFD
		switch {
		case !Unsafe(r):
			b.WriteRune(r)
		case except(r) && instead == "":
			b.WriteRune(r)
		case except(r):
			b.WriteString(instead)
		case r < ' ':
			b.WriteByte('^')
			b.WriteByte(byte(r) + '@')
		case r == 0x7f:
			b.WriteString("^?")
		default:
			b.WriteRune(utf8.RuneError)
		}
	}
	return b.String()
}

// harmless is the short cut for nearly every string: printable ASCII.
func harmless(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
