package term_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/faxctl/faxctl/pkg/screen/term"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// screen is a terminal that remembers what was written to it.
type screen struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	width int
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *screen) Size() (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.width, true
}

func (s *screen) resize(width int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.width = width
}

// take returns what was written since the last time.
func (s *screen) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.buf.Reset()
	return s.buf.String()
}

// keyboard is a terminal to read from.
type keyboard struct{ io.Reader }

func (keyboard) Size() (int, bool) { return 80, true }

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestColor(t *testing.T) {
	for _, c := range []struct {
		name     string
		wish     term.Color
		env      []string
		terminal bool
		want     bool
	}{
		{"a terminal", "", nil, true, true},
		{"a pipe", term.Auto, nil, false, false},
		{"always beats all", term.Always, []string{"NO_COLOR", "1", "TERM", "dumb"}, false, true},
		{"never beats all", term.Never, []string{"CLICOLOR_FORCE", "1"}, true, false},
		{"NO_COLOR", "", []string{"NO_COLOR", "0"}, true, false},
		{"NO_COLOR, empty", "", []string{"NO_COLOR", ""}, true, true},
		{"NO_COLOR before CLICOLOR_FORCE", "", []string{"NO_COLOR", "1", "CLICOLOR_FORCE", "1"}, true, false},
		{"CLICOLOR_FORCE in a pipe", "", []string{"CLICOLOR_FORCE", "1", "TERM", "dumb"}, false, true},
		{"CLICOLOR_FORCE=0", "", []string{"CLICOLOR_FORCE", "0"}, false, false},
		{"CLICOLOR=0", "", []string{"CLICOLOR", "0"}, true, false},
		{"CLICOLOR=1 in a pipe", "", []string{"CLICOLOR", "1"}, false, false},
		{"a dumb terminal", "", []string{"TERM", "dumb"}, true, false},
	} {
		var out io.Writer = new(bytes.Buffer)
		if c.terminal {
			out = &screen{}
		}
		got := term.New(term.Config{Out: out, Err: io.Discard, Getenv: env(c.env...), Color: c.wish})
		if got.Out.Color != c.want {
			t.Errorf("%s: color %v", c.name, got.Out.Color)
		}
	}
}

func TestWidth(t *testing.T) {
	for _, c := range []struct {
		name    string
		out     io.Writer
		columns string
		want    int
	}{
		{"as the terminal says", &screen{width: 132}, "", 132},
		{"as COLUMNS says", &screen{width: 132}, "100", 100},
		{"COLUMNS is no number", &screen{width: 132}, "wide", 132},
		{"nobody says", &screen{}, "-1", 80},
		{"a pipe has none", new(bytes.Buffer), "100", 0},
	} {
		got := term.New(term.Config{Out: c.out, Err: io.Discard, Getenv: env("COLUMNS", c.columns)}).Out
		if got.Width != c.want {
			t.Errorf("%s: %d", c.name, got.Width)
		}
	}
}

func TestTalk(t *testing.T) {
	for _, c := range []struct {
		name  string
		quiet bool
		color term.Color
		want  string
	}{
		{"plain", false, term.Never, "3 shown ^[[31m\nwarning: voice calls stop\nerror: no such number\nhint: see faxctl numbers list\n"},
		{"quiet", true, term.Never, "warning: voice calls stop\nerror: no such number\nhint: see faxctl numbers list\n"},
		{"color", true, term.Always, "\x1b[1;35mwarning:\x1b[0m voice calls stop\n\x1b[1;31merror:\x1b[0m no such number\n\x1b[1mhint:\x1b[0m see faxctl numbers list\n"},
	} {
		var errs bytes.Buffer
		tm := term.New(term.Config{Out: io.Discard, Err: &errs, Getenv: env(), Quiet: c.quiet, Color: c.color})
		tm.Note("%d shown %s", 3, "\x1b[31m")
		tm.Warn("voice calls stop\n")
		tm.Fail(errors.New("no such number"), "see faxctl numbers list")
		if got := errs.String(); got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// desk is a person typing the given keys.
func desk(keys io.Reader) (*term.Term, *screen) {
	s := &screen{width: 80}
	return term.New(term.Config{In: keyboard{keys}, Out: io.Discard, Err: s, Getenv: env()}), s
}

func TestConfirm(t *testing.T) {
	for keys, want := range map[string]bool{"y\n": true, "YES\r\n": true, "y": true, "\n": false, "n\n": false, "yy\n": false, "": false} {
		tm, s := desk(strings.NewReader(keys))
		got, err := tm.Confirm(t.Context(), "Buy \x1b[8m+14155550101?")
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", keys, got, err)
		}
		if shown := strings.TrimSuffix(s.take(), "\n"); shown != "Buy ^[[8m+14155550101? [y/N] " {
			t.Errorf("%q: asked %q", keys, shown)
		}
	}
}

func TestTypeToConfirm(t *testing.T) {
	for keys, want := range map[string]bool{"128\n": true, " 128 \n": true, "129\n": false, "y\n": false, "": false} {
		tm, s := desk(strings.NewReader(keys))
		got, err := tm.TypeToConfirm(t.Context(), "128 faxes will be deleted.", "128")
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", keys, got, err)
		}
		if shown := strings.TrimSuffix(s.take(), "\n"); shown != "128 faxes will be deleted. Type 128 to go on: " {
			t.Errorf("asked %q", shown)
		}
	}
}

func TestQuestionsFollowEachOther(t *testing.T) {
	tm, _ := desk(strings.NewReader("AC1\nhunter2\nmain"))
	var got []string
	for _, ask := range []func(context.Context, string) (string, error){tm.Ask, tm.Secret, tm.Ask, tm.Ask} {
		answer, err := ask(t.Context(), "?")
		if err != nil {
			answer = err.Error()
		}
		got = append(got, answer)
	}
	if want := "AC1 hunter2 main EOF"; strings.Join(got, " ") != want {
		t.Errorf("%q", got)
	}
}

func TestNobodyToAsk(t *testing.T) {
	typing := keyboard{strings.NewReader("y\n")}
	for name, c := range map[string]term.Config{
		"stdin is no terminal":  {In: strings.NewReader("y\n"), Err: &screen{}, Getenv: env()},
		"stderr is no terminal": {In: typing, Err: io.Discard, Getenv: env()},
		"--no-input":            {In: typing, Err: &screen{}, Getenv: env(), NoInput: true},
		"CI":                    {In: typing, Err: &screen{}, Getenv: env("CI", "true")},
	} {
		c.Out = io.Discard
		tm := term.New(c)
		ok, err := tm.Confirm(t.Context(), "Release it?")
		if ok || !errors.Is(err, term.ErrNoInput) || tm.CanAsk() {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
		if _, err := tm.Secret(t.Context(), "Token:"); !errors.Is(err, term.ErrNoInput) {
			t.Errorf("%s: %v", name, err)
		}
		if s, is := c.Err.(*screen); is && s.take() != "" {
			t.Errorf("%s: something was asked", name)
		}
	}
}

// An interrupt ends a question that waits; what is typed later answers the
// next one.
func TestInterruptedQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, typed := io.Pipe()
		tm, s := desk(keys)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		if _, err := tm.Confirm(ctx, "Buy?"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if got := s.take(); got != "Buy? [y/N] \n" {
			t.Errorf("left on the screen: %q", got)
		}
		if _, err := tm.Ask(ctx, "Name:"); !errors.Is(err, context.Canceled) {
			t.Errorf("asked after the end: %v", err)
		}
		go func() { _, _ = io.WriteString(typed, "late\n") }()
		if got, err := tm.Ask(t.Context(), "Name:"); got != "late" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// Each line of an error is a mistake of its own, and says so.
func TestFailLabelsEachMistake(t *testing.T) {
	var pipe bytes.Buffer
	tm := term.New(term.Config{In: strings.NewReader(""), Out: io.Discard, Err: &pipe, Getenv: env()})
	tm.Fail(errors.New("numbers.yaml:2: unknown key\nnumbers.yaml:7: %d is no URL"), "see the schema")
	if got, want := pipe.String(), "error: numbers.yaml:2: unknown key\nerror: numbers.yaml:7: %d is no URL\nhint: see the schema\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestLongLinesWrap: on a terminal what is longer than a line goes on between
// words; in a pipe every line is as it was said.
func TestLongLinesWrap(t *testing.T) {
	failure, hint := errors.New("the certificate of https://fax.example.com/incoming/front-desk has expired"), "two ways:\n  renew it today\n  or leave it be and wait"
	say := func(errs io.Writer) {
		tm := term.New(term.Config{In: strings.NewReader(""), Out: io.Discard, Err: errs, Getenv: env("NO_COLOR", "1")})
		tm.Fail(failure, hint)
		tm.Note("  left alone, held: 3 of them all")
	}
	terminal, pipe := &screen{width: 24}, &bytes.Buffer{}
	say(terminal)
	say(pipe)
	want := `error: the certificate
       of
       https://fax.example.com/incoming/front-desk
       has expired
hint: two ways:
        renew it today
        or leave it be
        and wait
  left alone, held: 3 of
  them all
`
	if got := terminal.take(); got != want {
		t.Errorf("a terminal got\n%s\nwant\n%s", got, want)
	}
	want = "error: " + failure.Error() + "\nhint: " + hint + "\n  left alone, held: 3 of them all\n"
	if got := pipe.String(); got != want {
		t.Errorf("a pipe got\n%s\nwant\n%s", got, want)
	}
}
