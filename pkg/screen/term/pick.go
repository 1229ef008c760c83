package term

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	xterm "golang.org/x/term"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// ErrNotPicked says that the person left the list without choosing.
var ErrNotPicked = errors.New("nothing was chosen")

// Pick shows a list below its head, and lets the person choose a row with the
// arrow keys (or page up and down, Home and End) and Enter; what is typed leaves the
// rows that have all its words. The list follows the size of the terminal, and goes
// away after. It fails with ErrNotPicked on Escape and ^D, with context.Canceled on
// ^C, with ErrNoInput, or when ctx ends.
func (t *Term) Pick(ctx context.Context, head string, rows []string) (int, error) {
	if !t.CanPick() || len(rows) == 0 {
		return 0, fmt.Errorf("%w: %s", ErrNoInput, "a list to choose from")
	}
	p := picker{head: head, rows: rows, mark: t.Err.Color}
	size := func() (lines, columns int) { return len(rows) + belowRows, t.Err.Width }
	if file, is := t.in.stream.(interface{ Fd() uintptr }); is {
		fd := int(file.Fd())
		before, err := xterm.MakeRaw(fd)
		if err != nil {
			return 0, fmt.Errorf("read single keys: %w", err)
		}
		defer func() { _ = xterm.Restore(fd, before) }()
		usual := size
		size = func() (lines, columns int) {
			if columns, lines, err := xterm.GetSize(fd); err == nil && lines > 0 && columns > 0 {
				return lines, columns
			}
			return usual()
		}
	}
	p.fit(size())
	p.match("")
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print(t.erase() + "\x1b[?25l" + p.draw())
	defer func() { t.print(p.up() + "\x1b[J\x1b[?25h") }()
	resized := time.NewTicker(200 * time.Millisecond)
	defer resized.Stop()
	for pressed := t.in.press(); ; {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-resized.C:
			if p.fit(size()) { // what a terminal makes of longer lines is its own affair: begin anew
				t.print("\x1b[H\x1b[2J" + p.draw())
			}
			continue
		case k := <-pressed:
			switch {
			case k.err != nil:
				return 0, k.err
			case k.key == keyEnter && len(p.left) > 0:
				return p.left[p.at], nil
			case k.key == keyLeave:
				return 0, ErrNotPicked
			case k.key == keyInterrupt:
				return 0, context.Canceled
			}
			p.press(k)
			t.print(p.up() + p.draw())
		}
		pressed = t.in.press()
	}
}

// belowRows is how many lines there are beside the rows: the head, the line below, and
// what the terminal needs.
const belowRows = 4

// picker is what is on the screen.
type picker struct {
	head          string
	rows          []string
	filter        string
	left          []int // the rows that have the words of filter
	at, first     int   // the one of left chosen, and the first one shown
	height, width int
	mark          bool // the terminal can show reverse
}

// fit makes the list as large as the terminal allows, and reports whether that is
// another size than before.
func (p *picker) fit(lines, columns int) bool {
	height := min(len(p.rows), max(lines-belowRows, 1), 20)
	if height == p.height && columns == p.width {
		return false
	}
	p.height, p.width = height, columns
	p.first = min(max(p.first, p.at-height+1), p.at)
	return true
}

// match leaves the rows that have all words, in any case.
func (p *picker) match(filter string) {
	p.filter, p.left, p.at, p.first = filter, nil, 0, 0
	words := strings.Fields(strings.ToLower(filter))
	for i, row := range p.rows {
		row = strings.ToLower(row)
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(row, w) }) {
			p.left = append(p.left, i)
		}
	}
}

func (p *picker) press(k press) {
	switch k.key {
	case keyText:
		p.match(p.filter + string(k.text))
	case keyBack:
		r := []rune(p.filter)
		p.match(string(r[:max(len(r)-1, 0)]))
	case keyClear:
		p.match("")
	default:
		p.at += map[key]int{keyUp: -1, keyDown: 1, keyPageUp: -p.height, keyPageDown: p.height, keyHome: -len(p.rows), keyEnd: len(p.rows)}[k.key]
		p.at = max(min(p.at, len(p.left)-1), 0)
		p.first = min(max(p.first, p.at-p.height+1), p.at)
	}
}

// draw is the list; the terminal is raw, so lines end with both signs.
func (p *picker) draw() string {
	var b strings.Builder
	line := func(s string, chosen bool) {
		s = ansi.Truncate(text.Line(s), max(p.width-1, 10), "…")
		if chosen && p.mark {
			s = "\x1b[7m" + s + "\x1b[0m"
		}
		b.WriteString("\r\x1b[K" + s + "\r\n")
	}
	line("  "+p.head, false)
	for i := p.first; i < p.first+p.height; i++ {
		switch {
		case i >= len(p.left):
			line("", false)
		case i == p.at:
			line("> "+p.rows[p.left[i]], true)
		default:
			line("  "+p.rows[p.left[i]], false)
		}
	}
	with := ""
	if p.filter != "" {
		with = " with " + text.Quote(p.filter)
	}
	line(fmt.Sprintf("  %d of %d%s; arrow keys and Enter choose, typing filters, Escape leaves", min(p.at+1, len(p.left)), len(p.left), with), false)
	return b.String()
}

// up goes back to where draw began.
func (p *picker) up() string { return fmt.Sprintf("\r\x1b[%dA", p.height+2) }

// key is what was pressed, as far as a list cares.
type key int

const (
	keyOther key = iota
	keyUp
	keyDown
	keyPageUp
	keyPageDown
	keyHome
	keyEnd
	keyEnter
	keyLeave
	keyInterrupt
	keyText
	keyBack
	keyClear
)

// press is a key that was pressed, or why none can be.
type press struct {
	key  key
	text rune // of keyText
	err  error
}

// press waits for a key beside the caller. A read that is given up takes the next key
// with it, which by then nobody waits for.
func (in *input) press() <-chan press {
	done := make(chan press, 1)
	go func() {
		k, text, err := readKey(in.reader)
		done <- press{k, text, err}
	}()
	return done
}

// readKey reads one key. The bytes of an arrow key come together, so an escape
// with nothing behind it is the key of that name.
// Source: ECMA-48, 8.3.16 and 5.4; xterm's "PC-Style Function Keys".
func readKey(r *bufio.Reader) (key, rune, error) {
	c, _, err := r.ReadRune()
	if err != nil {
		return keyOther, 0, err
	}
	if c == 0x1b {
		k, err := readSequence(r)
		return k, 0, err
	}
	if unicode.IsPrint(c) {
		return keyText, c, nil
	}
	return map[rune]key{'\r': keyEnter, '\n': keyEnter, 3: keyInterrupt, 4: keyLeave, 8: keyBack, 0x7f: keyBack, 0x15: keyClear}[c], 0, nil
}

// readSequence reads what follows an escape.
func readSequence(r *bufio.Reader) (key, error) {
	if r.Buffered() == 0 {
		return keyLeave, nil
	}
	c, err := r.ReadByte()
	if err != nil || c != '[' && c != 'O' {
		return keyOther, err
	}
	var sequence []byte
	for r.Buffered() > 0 && len(sequence) < 8 {
		if c, err = r.ReadByte(); err != nil {
			return keyOther, err
		}
		sequence = append(sequence, c)
		if c >= '@' && c <= '~' {
			break
		}
	}
	return map[string]key{
		"A": keyUp, "B": keyDown, "H": keyHome, "F": keyEnd, "1~": keyHome, "4~": keyEnd, "5~": keyPageUp, "6~": keyPageDown,
	}[string(sequence)], nil
}
