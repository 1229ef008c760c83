package term

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

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
	chosen, drawn := 0, false
	t.mu.Lock()
	defer t.mu.Unlock()
	defer func() {
		if drawn {
			t.print(p.up() + "\x1b[J\x1b[?25h")
		}
	}()
	err := t.keys(ctx, Size{len(rows) + belowRows, t.Err.Width}, func(size Size, k Press) (more bool, err error) {
		switch resized := p.fit(size); {
		case !drawn:
			p.match("")
			t.print(t.erase() + "\x1b[?25l" + p.draw())
			drawn = true
		case resized: // what a terminal makes of longer lines is its own affair: begin anew
			t.print("\x1b[H\x1b[2J" + p.draw())
		}
		switch {
		case k.Key == KeyNone:
			return true, nil
		case k.Key == KeyEnter && len(p.left) > 0:
			chosen = p.left[p.at]
			return false, nil
		case k.Key == KeyLeave:
			return false, ErrNotPicked
		}
		p.press(k)
		t.print(p.up() + p.draw())
		return true, nil
	})
	return chosen, err
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
func (p *picker) fit(s Size) bool {
	height := min(len(p.rows), max(s.Lines-belowRows, 1), 20)
	if height == p.height && s.Columns == p.width {
		return false
	}
	p.height, p.width = height, s.Columns
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

func (p *picker) press(k Press) {
	switch k.Key {
	case KeyText:
		p.match(p.filter + string(k.Text))
	case KeyBack:
		r := []rune(p.filter)
		p.match(string(r[:max(len(r)-1, 0)]))
	case KeyClear:
		p.match("")
	default:
		p.at += map[Key]int{KeyUp: -1, KeyDown: 1, KeyPageUp: -p.height, KeyPageDown: p.height, KeyHome: -len(p.rows), KeyEnd: len(p.rows)}[k.Key]
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
