package term

import (
	"context"
	"fmt"
)

// Screen gives the whole screen away: show says what is sent to it at a size and after a
// key, until it is enough. It is asked a few times a second even without a key; what it said
// before is not sent again. However it ends, what was on the screen comes back, and the
// cursor. It fails as [Term.Pick] does; the meaning of Escape and ^D is up to show, which
// must not talk on the terminal.
func (t *Term) Screen(ctx context.Context, show func(Size, Press) (sent string, more bool)) error {
	if !t.CanPick() {
		return fmt.Errorf("%w: %s", ErrNoInput, "a screen to look at")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print(t.erase() + "\x1b[?1049h\x1b[?25l\x1b[2J")
	defer t.print("\x1b[0m\x1b[?25h\x1b[?1049l")
	last := ""
	return t.keys(ctx, Size{24, t.Err.Width}, func(size Size, k Press) (bool, error) {
		sent, more := show(size, k)
		if more && sent != last {
			t.print(sent)
			last = sent
		}
		return more, nil
	})
}
