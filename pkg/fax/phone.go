package fax

import (
	"regexp"
	"strings"
)

// ParsePhone reads a phone number as people write it, "+1 (415) 555-0123",
// and returns it in E.164, "+14155550123": a plus sign, a country code that
// does not begin with 0, seven to fifteen digits in all (ITU-T E.164).
func ParsePhone(s string) (string, error) {
	clean := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '.', '(', ')', '/', '\u00a0', '\u2011':
			return -1
		}
		return r
	}, strings.TrimSpace(s))
	if !regexp.MustCompile(`^\+[1-9]\d{6,14}$`).MatchString(clean) {
		return "", Invalid("write it in E.164: a plus sign, the country code and the number, as in +14155550123", "phone number %q", s)
	}
	return clean, nil
}

// MaskPhone hides a number for logs so that those who know it recognize it:
// "+1415•••0123". A shorter one shows its end alone, or nothing.
func MaskPhone(s string) string {
	const hidden = "•••"
	switch {
	case len(s) >= 12:
		return s[:5] + hidden + s[len(s)-4:]
	case len(s) >= 8:
		return hidden + s[len(s)-4:]
	}
	return hidden
}
