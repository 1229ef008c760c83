package text_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/faxctl/faxctl/pkg/base/text"
)

func TestLineAndText(t *testing.T) {
	for _, c := range []struct{ name, in, line, text string }{
		{"ascii", "Front desk", "Front desk", "Front desk"},
		{"every script", "Åse 日本 عربي 👨‍👩‍👧", "Åse 日本 عربي 👨‍👩‍👧", "Åse 日本 عربي 👨‍👩‍👧"},
		{"color", "\x1b[31mred", "^[[31mred", "^[[31mred"},
		{"window title", "\x1b]0;gone\a", "^[]0;gone^G", "^[]0;gone^G"},
		{"escape of eight bits", "\u009b31m", "\ufffd31m", "\ufffd31m"},
		{"delete", "a\x7fb", "a^?b", "a^?b"},
		{"right to left override", "fdp.\u202exe", "fdp.\ufffdxe", "fdp.\ufffdxe"},
		{"isolate and mark", "\u2066a\u200f", "\ufffda\ufffd", "\ufffda\ufffd"},
		{"invalid UTF-8", "a\xffb", "a\ufffdb", "a\ufffdb"},
		{"lines", "one\r\ntwo\nthree\tfour", "one two three four", "one\ntwo\nthree\tfour"},
		{"a line over itself", "good\rbad", "good bad", "good^Mbad"},
		{"separators", "a\u2028b\u2029c\ufeff", "a\ufffdb\ufffdc\ufffd", "a\ufffdb\ufffdc\ufffd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := text.Line(c.in); got != c.line {
				t.Errorf("Line(%q) = %q, want %q", c.in, got, c.line)
			}
			if got := text.Lines(c.in); got != c.text {
				t.Errorf("Text(%q) = %q, want %q", c.in, got, c.text)
			}
		})
	}
}

// FuzzClean: whatever comes in, nothing that acts on a terminal comes out, and
// cleaning what is clean changes nothing.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "Front desk", "\x1b[2J", "日本\u202e", "\xc2", "a\r\nb", "\u0085\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, clean := range []struct {
			name  string
			do    func(string) string
			keeps string
		}{{"Line", text.Line, ""}, {"Lines", text.Lines, "\n\t"}} {
			got := clean.do(s)
			if !utf8.ValidString(got) {
				t.Errorf("%s(%q) = %q is not UTF-8", clean.name, s, got)
			}
			for _, r := range got {
				if text.Unsafe(r) && !strings.ContainsRune(clean.keeps, r) {
					t.Errorf("%s(%q) = %q keeps %q", clean.name, s, got, r)
				}
			}
			if again := clean.do(got); again != got {
				t.Errorf("%s twice: %q, then %q", clean.name, got, again)
			}
		}
	})
}
