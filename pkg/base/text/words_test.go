package text_test

import (
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/text"
)

func TestWords(t *testing.T) {
	for _, c := range []struct{ what, got, want string }{
		{"quoted", text.Quote("a\x1b\"b"), `"a\x1b\"b"`},
		{"quoted, long", text.Quote(strings.Repeat("ä", 61)), `"` + strings.Repeat("ä", 60) + `…"`},
		{"for a shell, plain", text.ShellWord("/srv/faxes-2"), "/srv/faxes-2"},
		{"for a shell, with a blank and a quote", text.ShellWord("Ann's faxes"), `'Ann'\''s faxes'`},
		{"for a shell, empty", text.ShellWord(""), "''"},
		{"for a shell, a variable", text.ShellWord("$HOME"), "'$HOME'"},
		{"no list", text.List([]string{}, "or"), ""},
		{"one", text.List([]string{"a"}, "or"), "a"},
		{"two", text.List([]string{"a", "b"}, "and"), "a and b"},
		{"three", text.List([]string{"a", "b", "c"}, "or"), "a, b or c"},
		{"meant", text.Meant("locl", []string{"local", "mobile"}), "did you mean local?"},
		{"meant by nobody", text.Meant("satellite", []string{"local", "mobile"}), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.what, c.got, c.want)
		}
	}
}
