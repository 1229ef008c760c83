package sandbox

import (
	"regexp"
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, phone string
		want           bool
	}{
		{"415", "+14155550123", true},
		{"0123", "+14155550123", true},
		{"0123$", "+14155550123", true},
		{"5501$", "+14155550123", false},
		{"+1415", "+14155550123", true},
		{"+415", "+14155550123", false},
		{"415***0123", "+14155550123", true},
		{"415**0123", "+14155550123", false},
		{"415%0123", "+14155550123", true},
		{"+1%23$", "+14155550123", true},
		{"+1%24$", "+14155550123", false},
		{"555JACK", "+14155555225", true},
		{"555jack", "+14155555225", true},
		{"STRIPES", "+14157874737", true},
		{"**", "+14155550123", true},
		{"************", "+14155550123", false},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := p.match(c.phone); got != c.want {
			t.Errorf("%s on %s: %v", c.pattern, c.phone, got)
		}
	}
}

func TestPatternRefused(t *testing.T) {
	for _, text := range []string{"", "1", "12345678901234567", "41-5", "4+15", "4$15", "é23", "[1]"} {
		if p, err := parsePattern(text); err == nil {
			t.Errorf("%q is taken as %+v", text, p)
		}
	}
}

// FuzzPattern holds the matcher to a regular expression that says the same.
func FuzzPattern(f *testing.F) {
	for _, text := range []string{"415", "+1%23$", "5*5%ab", "%%%%", "*%*%*", "+$", "zz$"} {
		f.Add(text, "+14155550123")
	}
	f.Fuzz(func(t *testing.T, text, phone string) {
		p, err := parsePattern(text)
		if err != nil || !isE164(phone) {
			return
		}
		expr := strings.NewReplacer("*", `\d`, "%", `\d*`).Replace(p.glyphs)
		if p.start {
			expr = "^" + expr
		}
		if p.end {
			expr += "$"
		}
		want := regexp.MustCompile(expr).MatchString(strings.TrimPrefix(phone, "+"))
		if got := p.match(phone); got != want {
			t.Errorf("%q on %s: %v, want %v", text, phone, got, want)
		}
	})
}
