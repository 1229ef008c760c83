package term_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/screen/term"
)

// pickKeys is a terminal on which these keys are pressed, each arriving alone.
type pickKeys struct{ keys []string }

func (*pickKeys) Size() (int, bool) { return 40, true }

func (k *pickKeys) Read(p []byte) (int, error) {
	if len(k.keys) == 0 {
		return 0, io.EOF
	}
	n := copy(p, k.keys[0])
	k.keys = k.keys[1:]
	return n, nil
}

type pickScreen struct{ strings.Builder }

func (*pickScreen) Size() (int, bool) { return 40, true }

func pick(keys ...string) (int, string, error) {
	var s pickScreen
	t := term.New(term.Config{In: &pickKeys{keys}, Out: io.Discard, Err: &s, Getenv: func(string) string { return "" }})
	at, err := t.Pick(context.Background(), "HEAD", []string{"zero", "one", "two", "three " + strings.Repeat("long ", 20) + "\x1b]0;evil\a"})
	return at, s.String(), err
}

func TestPick(t *testing.T) {
	for _, s := range []struct {
		keys []string
		want int
		err  error
	}{
		{[]string{"\r"}, 0, nil},
		{[]string{"\x1b[B", "\x1b[B", "\x1b[A", "\r"}, 1, nil},
		{[]string{"\x1bOB", "\x1b[B", "\x1b[B", "\x1b[B", "\x1b[B", "\x1b[A", "\n"}, 2, nil},
		{[]string{"\x1b[F", "\r"}, 3, nil},
		{[]string{"\x1b[6~", "\x1b[5~", "\r"}, 0, nil},
		{[]string{"\x01", "\x1b[1;5C", "\r"}, 0, nil}, // keys that mean nothing
		{[]string{"t", "W", "\r"}, 2, nil},
		{[]string{"e", " ", "n", "\x1b[B", "\r"}, 3, nil},
		{[]string{"t", "w", "x", "\r", "\x7f", "\r"}, 2, nil}, // nothing has it: Enter chooses nothing
		{[]string{"é", "\x7f", "o", "n", "\x15", "\r"}, 0, nil},
		{[]string{"\x1b"}, 0, term.ErrNotPicked},
		{[]string{"t", "\x04"}, 0, term.ErrNotPicked},
		{[]string{"\x03"}, 0, context.Canceled},
		{nil, 0, io.EOF},
	} {
		at, shown, err := pick(s.keys...)
		if at != s.want || !errors.Is(err, s.err) {
			t.Errorf("%q chose %d, %v; want %d, %v", s.keys, at, err, s.want, s.err)
		}
		if !strings.HasSuffix(shown, "\x1b[J\x1b[?25h") {
			t.Errorf("%q left the list on the screen, or the cursor hidden", s.keys)
		}
		if strings.Contains(shown, "]0;evil\a") && strings.Contains(shown, "\x1b]0;") {
			t.Errorf("%q: a control sequence from a row reached the terminal", s.keys)
		}
	}
}

// Rows end before the right edge, so that a line stays a line.
func TestPickFits(t *testing.T) {
	_, shown, _ := pick("\x1b[F", "\r")
	for line := range strings.SplitSeq(shown, "\r\n") {
		if i := strings.LastIndex(line, "\x1b[K"); i >= 0 {
			if text := strings.NewReplacer("\x1b[7m", "", "\x1b[0m", "").Replace(line[i+3:]); len([]rune(text)) >= 40 {
				t.Errorf("%d columns: %q", len([]rune(text)), text)
			}
		}
	}
}

func TestPickNobodyThere(t *testing.T) {
	for name, c := range map[string]term.Config{
		"a pipe":   {In: strings.NewReader("\r"), Err: &pickScreen{}},
		"no input": {In: &pickKeys{[]string{"\r"}}, Err: &pickScreen{}, NoInput: true},
	} {
		c.Out, c.Getenv = io.Discard, func(string) string { return "" }
		if _, err := term.New(c).Pick(t.Context(), "HEAD", []string{"a"}); !errors.Is(err, term.ErrNoInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
