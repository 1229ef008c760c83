package term

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
	xterm "golang.org/x/term"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// ErrNotPicked says that the person left the list without choosing.
var ErrNotPicked = errors.New("nothing was chosen")

// Pick shows a list below its head, and lets the person choose a row with the
// arrow keys (or j and k, page up and down, Home and End) and Enter. The list
// goes away after. It fails with ErrNotPicked on Escape and q, with
// context.Canceled on ^C, with ErrNoInput, or when ctx ends.
func (t *Term) Pick(ctx context.Context, head string, rows []string) (int, error) {
	if !t.CanPick() || len(rows) == 0 {
		return 0, fmt.Errorf("%w: %s", ErrNoInput, "a list to choose from")
	}
	height := len(rows)
	if file, is := t.in.stream.(interface{ Fd() uintptr }); is {
		fd := int(file.Fd())
		before, err := xterm.MakeRaw(fd)
		if err != nil {
			return 0, fmt.Errorf("read single keys: %w", err)
		}
		defer func() { _ = xterm.Restore(fd, before) }()
		if _, lines, err := xterm.GetSize(fd); err == nil {
			height = min(height, max(lines-4, 1))
		}
	}
	p := picker{head: head, rows: rows, height: min(height, 20), width: t.Err.Width, mark: t.Err.Color}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print(t.erase() + "\x1b[?25l" + p.draw())
	defer func() { t.print(p.up() + "\x1b[J\x1b[?25h") }()
	for {
		k, err := t.in.key(ctx)
		switch {
		case err != nil:
			return 0, err
		case k == keyEnter:
			return p.at, nil
		case k == keyLeave:
			return 0, ErrNotPicked
		case k == keyInterrupt:
			return 0, context.Canceled
		}
		p.move(k)
		t.print(p.up() + p.draw())
	}
}

// picker is what is on the screen.
type picker struct {
	head          string
	rows          []string
	at, first     int // the row chosen, and the first one shown
	height, width int
	mark          bool // the terminal can show reverse
}

func (p *picker) move(k key) {
	p.at += map[key]int{keyUp: -1, keyDown: 1, keyPageUp: -p.height, keyPageDown: p.height, keyHome: -len(p.rows), keyEnd: len(p.rows)}[k]
	p.at = min(max(p.at, 0), len(p.rows)-1)
	p.first = min(max(p.first, p.at-p.height+1), p.at)
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
		if i == p.at {
			line("> "+p.rows[i], true)
		} else {
			line("  "+p.rows[i], false)
		}
	}
	line(fmt.Sprintf("  %d of %d; arrow keys and Enter choose, Escape leaves", p.at+1, len(p.rows)), false)
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
)

// key waits for a key. A read that is given up takes the next key with it,
// which by then nobody waits for.
func (in *input) key(ctx context.Context) (key, error) {
	type pressed struct {
		key key
		err error
	}
	done := make(chan pressed, 1)
	go func() {
		k, err := readKey(in.reader)
		done <- pressed{k, err}
	}()
	select {
	case <-ctx.Done():
		return keyOther, ctx.Err()
	case p := <-done:
		return p.key, p.err
	}
}

// readKey reads one key. The bytes of an arrow key come together, so an escape
// with nothing behind it is the key of that name.
// Source: ECMA-48, 8.3.16 and 5.4; xterm's "PC-Style Function Keys".
func readKey(r *bufio.Reader) (key, error) {
	c, err := r.ReadByte()
	if err != nil {
		return keyOther, err
	}
	if c != 0x1b {
		return map[byte]key{'k': keyUp, 'j': keyDown, 'g': keyHome, 'G': keyEnd, '\r': keyEnter, '\n': keyEnter, 'q': keyLeave, 3: keyInterrupt, 4: keyLeave}[c], nil
	}
	if r.Buffered() == 0 {
		return keyLeave, nil
	}
	if c, err = r.ReadByte(); err != nil || c != '[' && c != 'O' {
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
