// Package term is the person at the terminal, or the lack of one: what the
// three standard streams are, and how to talk on them.
//
// Use it wherever a command says something that is not data. [New] looks at
// the streams once and decides who is there and whether to use color. Data
// goes to Out; everything else ([Term.Note], [Term.Warn], questions,
// [Progress]) goes to standard error, cleaned of control characters, and never
// into the middle of another line.
//
// Questions need somebody to answer: without a terminal, in CI and with
// --no-input they fail with [ErrNoInput] and ask nothing.
package term

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/clipperhouse/displaywidth"
	xterm "golang.org/x/term"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// Color is the person's wish: auto, always or never.
type Color string

// The wishes. The zero value is Auto.
const (
	Auto   Color = "auto"
	Always Color = "always"
	Never  Color = "never"
)

// defaultWidth is that of a terminal that does not tell.
const defaultWidth = 80

// Config is what a Term is made of: the streams, the environment and the
// global flags.
type Config struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string

	Color   Color
	NoInput bool // ask nothing
	Quiet   bool // no notes and no progress; warnings stay
}

// Sizer is a stream that knows by itself whether it is a terminal, and how
// many columns it has (0: unknown). Files are asked through the system; other
// streams without this method are no terminals.
type Sizer interface {
	Size() (columns int, terminal bool)
}

// Stream is a way out, and what is known of it.
type Stream struct {
	io.Writer
	Terminal bool
	Width    int  // columns; 0 when it is no terminal
	Color    bool // colors and bold type may be used
}

// Term is the terminal of one run of the program. Its methods may be used side
// by side, except that one question is asked at a time.
type Term struct {
	// Out is for data. Writing to it takes a progress line off the screen
	// first.
	Out Stream
	// Err is for talk; write to it through the methods of Term.
	Err Stream

	quiet  bool
	asking bool // somebody can answer
	dumb   bool // the terminal cannot rewrite a line
	in     input
	out    io.Writer          // below Out
	size   func() (int, bool) // of Err, now

	mu    sync.Mutex // of the screen
	line  string     // what its last, unfinished line says: progress or a question
	asked bool       // it is a question, which progress may not take away
}

// New looks at the streams. Color is decided for each by, in this order: the
// wish, NO_COLOR (see no-color.org), CLICOLOR_FORCE and CLICOLOR (see
// bixense.com/clicolors), TERM=dumb, and whether it is a terminal.
func New(c Config) *Term {
	t := &Term{quiet: c.Quiet, dumb: c.Getenv("TERM") == "dumb", out: c.Out, size: sizer(c.Err)}
	t.Out = c.stream(c.Out)
	t.Err = c.stream(c.Err)
	if t.Out.Terminal && t.Err.Terminal {
		t.Out.Writer = besideProgress{t, c.Out}
	}
	_, typed := sizer(c.In)()
	t.asking = typed && t.Err.Terminal && !c.NoInput && !set(c.Getenv("CI"))
	t.in = input{reader: bufio.NewReader(c.In), stream: c.In}
	return t
}

func (c Config) stream(w io.Writer) Stream {
	columns, terminal := sizer(w)()
	s := Stream{Writer: w, Terminal: terminal, Color: c.color(terminal)}
	if terminal {
		s.Width = columns
		if n, err := strconv.Atoi(c.Getenv("COLUMNS")); err == nil && n > 0 {
			s.Width = n
		}
		if s.Width <= 0 {
			s.Width = defaultWidth
		}
	}
	return s
}

func (c Config) color(terminal bool) bool {
	switch {
	case c.Color == Always:
		return true
	case c.Color == Never, c.Getenv("NO_COLOR") != "":
		return false
	case set(c.Getenv("CLICOLOR_FORCE")):
		return true
	case c.Getenv("CLICOLOR") == "0", c.Getenv("TERM") == "dumb":
		return false
	}
	return terminal
}

// set reports whether a variable of yes or no says yes.
func set(v string) bool { return v != "" && v != "0" && v != "false" }

// sizer returns the question whether stream is a terminal, and how wide.
func sizer(stream any) func() (int, bool) {
	switch s := stream.(type) {
	case Sizer:
		return s.Size
	case interface{ Fd() uintptr }:
		return func() (int, bool) {
			fd := int(s.Fd())
			if !xterm.IsTerminal(fd) {
				return 0, false
			}
			columns, _, err := xterm.GetSize(fd)
			if err != nil {
				columns = 0
			}
			return columns, true
		}
	}
	return func() (int, bool) { return 0, false }
}

// Pixels is how many there are in a line of the screen that Out goes to; 0: that is not
// told.
func (t *Term) Pixels() int {
	if out, is := t.out.(interface{ Fd() uintptr }); is && t.Out.Terminal {
		return pixels(int(out.Fd()))
	}
	return 0
}

// CanAsk reports whether somebody is there to answer a question.
func (t *Term) CanAsk() bool { return t.asking }

// CanPick reports whether somebody is there to choose from a list, and the
// terminal can show one.
func (t *Term) CanPick() bool { return t.asking && !t.dumb }

// Note says something worth knowing, unless quiet.
func (t *Term) Note(format string, args ...any) {
	if !t.quiet {
		t.say("", format, args)
	}
}

// Warn says something that may be a mistake, quiet or not.
func (t *Term) Warn(format string, args ...any) { t.say("warning:", format, args) }

// Fail says why the command failed, each line of it a mistake of its own, and what to
// do next unless hint is empty.
func (t *Term) Fail(err error, hint string) {
	for line := range strings.Lines(err.Error()) {
		t.say("error:", "%s", []any{line})
	}
	if hint != "" {
		t.say("hint:", "%s", []any{hint})
	}
}

// bold marks a word of ours, in one of the terminal's own sixteen colors or in
// none: red and magenta can be read on black and on white, yellow and cyan
// cannot.
func (t *Term) bold(word string) string {
	color := map[string]string{"error:": ";31", "warning:": ";35"}[word]
	if !t.Err.Color {
		return word
	}
	return "\x1b[1" + color + "m" + word + "\x1b[0m"
}

// indent is how far the lines after a label stand to the right.
func indent(label string) int {
	if label == "" {
		return 0
	}
	return len(label) + 1
}

// wrapped breaks the lines of text between words so that they fit width columns,
// the first one after a label of indent columns and the others below its text. A
// word that is wider than the screen, a URL for one, stays whole.
func wrapped(text string, width, indent int) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		words := strings.TrimLeft(line, " ")
		left := strings.Repeat(" ", indent+len(line)-len(words))
		row := left
		for word := range strings.SplitSeq(words, " ") {
			switch {
			case row == left:
				row += word
			case displaywidth.String(row)+1+displaywidth.String(word) <= width:
				row += " " + word
			default:
				out = append(out, row)
				row = left + word
			}
		}
		out = append(out, row)
	}
	return strings.Join(out, "\n")[indent:]
}

// say writes whole lines above the unfinished one, in one write.
func (t *Term) say(label, format string, args []any) {
	text := strings.TrimRight(text.Lines(fmt.Sprintf(format, args...)), "\n")
	if t.Err.Terminal {
		text = wrapped(text, t.Err.Width, indent(label))
	}
	text += "\n"
	if label != "" {
		text = t.bold(label) + " " + text
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print(t.erase() + text + t.line)
}

// print writes to standard error. Nothing can be done, and nothing told, when
// that fails.
func (t *Term) print(s string) { _, _ = io.WriteString(t.Err, s) }

// erase takes the unfinished line off the screen.
func (t *Term) erase() string {
	switch {
	case t.line == "":
		return ""
	case t.dumb:
		return "\n"
	}
	return "\r\x1b[K"
}

// show puts line in the place of the progress line; "" takes it away. A
// question stays.
func (t *Term) show(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asked || t.line == line {
		return
	}
	t.print(t.erase() + line)
	t.line = line
}

// hold puts a question on the unfinished line, and returns what ends it.
func (t *Term) hold(question string) (release func(entered bool)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print(t.erase() + question)
	t.line, t.asked = question, true
	return func(entered bool) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.line, t.asked = "", false
		if !entered {
			t.print("\n")
		}
	}
}

// besideProgress is standard output on the screen that shows the progress.
type besideProgress struct {
	t *Term
	w io.Writer
}

func (b besideProgress) Write(p []byte) (int, error) {
	b.t.mu.Lock()
	defer b.t.mu.Unlock()
	if b.t.line != "" && !b.t.asked {
		b.t.print(b.t.erase())
		b.t.line = "" // drawn again at its next change
	}
	return b.w.Write(p)
}
