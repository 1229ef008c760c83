package fax

import (
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// ParsePhone reads a phone number as people write it, "+1 (415) 555-0123",
// and returns it in E.164, "+14155550123": a plus sign, a country code that
// does not begin with 0, seven to fifteen digits in all (ITU-T E.164); of the
// North American plan, +1, eleven. The "(0)" that some write after a country
// code is dialed at home and not from abroad: with it a number is refused.
func ParsePhone(s string) (string, error) {
	clean := WithoutMarks(s)
	dialed, home := fromAbroad(s)
	switch {
	case home:
		way := problem.Say("leave the (0) out: it is not part of the number")
		if abroad, err := ParsePhone(dialed); err == nil && !strings.HasPrefix(abroad, "+39") { // Italy dials it from abroad as well
			way = problem.Say("it is not dialed from abroad: write " + abroad)
		}
		return "", problem.Invalid(way, "phone number %q: it has the (0) of calls within the country", s)
	case !isE164(clean):
		return "", problem.Invalid(problem.Say("write it in E.164: a plus sign, the country code and the number, as in +14155550123"), "phone number %q", s)
	case strings.HasPrefix(clean, "+1") && len(clean) != len("+14155550123"):
		return "", problem.Invalid(problem.Say("with +1 it has eleven digits, as in +14155550123"), "phone number %q: it has %d digits", s, len(clean)-1)
	}
	return clean, nil
}

// isE164 reports whether s is a plus sign and seven to fifteen digits, of which the
// first is not 0.
func isE164(s string) bool {
	digits, plus := strings.CutPrefix(s, "+")
	return plus && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && text.MadeOf(digits, text.Digits)
}

// fromAbroad is s without the "(0)" after its country code, and whether it has one.
func fromAbroad(s string) (dialed string, home bool) {
	before, after, has := strings.Cut(s, "(0)")
	const blanks = " \t\n\f\r"
	code, plus := strings.CutPrefix(strings.TrimLeft(before, blanks), "+")
	return before + after, has && plus && text.MadeOf(code, text.Digits+blanks+".-\u00a0")
}

// WithoutMarks takes out what people put between digits.
func WithoutMarks(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '.', '(', ')', '/', '\u00a0', '\u2011':
			return -1
		}
		return r
	}, strings.TrimSpace(s))
}

// MaskPhone hides who is at an end of the line for logs, so that those who know it
// recognize it: "+1415•••0123". A shorter one shows its end alone, or nothing. Letters
// stay whole: what a caller claims may be in any script. Nobody at all, and what callers
// who hide are given for a number, is no secret.
func MaskPhone(s string) string {
	const hidden = "•••"
	if s == "" || strings.EqualFold(s, "anonymous") {
		return s
	}
	letters := text.Letters(s)
	end := func(n int) string { return strings.Join(letters[len(letters)-n:], "") }
	switch n := len(letters); {
	case n >= 12:
		return strings.Join(letters[:5], "") + hidden + end(4)
	case n >= 8:
		return hidden + end(4)
	}
	return hidden
}
