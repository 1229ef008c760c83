package term

import (
	"bufio"
	"context"
	"fmt"
	"time"
	"unicode"

	xterm "golang.org/x/term"
)

// Size is how much a screen shows.
type Size struct{ Lines, Columns int }

// keys hands over the keys that are pressed until do says that it is enough, fails, or
// ctx ends; ^C fails with context.Canceled. do is called with no key at first, and a few
// times a second: the size may be another. A terminal that does not tell has the usual one.
func (t *Term) keys(ctx context.Context, usual Size, do func(Size, Press) (more bool, err error)) error {
	size := func() Size { return usual }
	if file, is := t.in.stream.(interface{ Fd() uintptr }); is {
		fd := int(file.Fd())
		before, err := xterm.MakeRaw(fd)
		if err != nil {
			return fmt.Errorf("read single keys: %w", err)
		}
		defer func() { _ = xterm.Restore(fd, before) }()
		size = func() Size {
			if columns, lines, err := xterm.GetSize(fd); err == nil && lines > 0 && columns > 0 {
				return Size{lines, columns}
			}
			return usual
		}
	}
	if more, err := do(size(), Press{}); !more || err != nil {
		return err
	}
	passed := time.NewTicker(200 * time.Millisecond)
	defer passed.Stop()
	for pressed := t.in.press(); ; {
		var k Press
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-passed.C:
		case k = <-pressed:
		}
		switch {
		case k.err != nil:
			return k.err
		case k.Key == KeyInterrupt:
			return context.Canceled
		}
		if more, err := do(size(), k); !more || err != nil {
			return err
		}
		if k.Key != KeyNone {
			pressed = t.in.press()
		}
	}
}

// Key is what was pressed, as far as anybody cares.
type Key int

// The keys.
const (
	KeyNone Key = iota // none was: time has passed
	KeyOther
	KeyUp
	KeyDown
	KeyLeft
	KeyRight
	KeyPageUp
	KeyPageDown
	KeyHome
	KeyEnd
	KeyEnter
	KeyLeave // Escape, ^D
	KeyInterrupt
	KeyText
	KeyBack
	KeyClear
)

// Press is a key that was pressed.
type Press struct {
	Key  Key
	Text rune // of KeyText
	err  error
}

// press waits for a key beside the caller. A read that is given up takes the next key
// with it, which by then nobody waits for.
func (in *input) press() <-chan Press {
	done := make(chan Press, 1)
	go func() {
		k, text, err := readKey(in.reader)
		done <- Press{k, text, err}
	}()
	return done
}

// readKey reads one key. The bytes of an arrow key come together, so an escape
// with nothing behind it is the key of that name.
// Source: ECMA-48, 8.3.16 and 5.4; xterm's "PC-Style Function Keys".
func readKey(r *bufio.Reader) (Key, rune, error) {
	c, _, err := r.ReadRune()
	if err != nil {
		return KeyOther, 0, err
	}
	if c == 0x1b {
		k, err := readSequence(r)
		return k, 0, err
	}
	if unicode.IsPrint(c) {
		return KeyText, c, nil
	}
	return known(map[rune]Key{'\r': KeyEnter, '\n': KeyEnter, 3: KeyInterrupt, 4: KeyLeave, 8: KeyBack, 0x7f: KeyBack, 0x15: KeyClear}, c), 0, nil
}

// readSequence reads what follows an escape.
func readSequence(r *bufio.Reader) (Key, error) {
	if r.Buffered() == 0 {
		return KeyLeave, nil
	}
	c, err := r.ReadByte()
	if err != nil || c != '[' && c != 'O' {
		return KeyOther, err
	}
	var sequence []byte
	for r.Buffered() > 0 && len(sequence) < 8 {
		if c, err = r.ReadByte(); err != nil {
			return KeyOther, err
		}
		sequence = append(sequence, c)
		if c >= '@' && c <= '~' {
			break
		}
	}
	return known(map[string]Key{
		"A": KeyUp, "B": KeyDown, "C": KeyRight, "D": KeyLeft, "H": KeyHome, "F": KeyEnd, "1~": KeyHome, "4~": KeyEnd, "5~": KeyPageUp, "6~": KeyPageDown,
	}, string(sequence)), nil
}

// known is what something stands for among the keys.
func known[T comparable](keys map[T]Key, of T) Key {
	if k, is := keys[of]; is {
		return k
	}
	return KeyOther
}
