package picture_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/screen/picture"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// keyboard is where a person presses these keys, each when what is to be seen before is.
type keyboard struct {
	*screen
	keys []string // key, what is seen then
}

func (k *keyboard) Read(p []byte) (int, error) {
	if len(k.keys) == 0 {
		<-k.over
		return 0, io.EOF
	}
	for !strings.Contains(k.shown(), k.keys[1]) {
		select {
		case <-k.over:
			return 0, fmt.Errorf("%q was not seen, but %q", k.keys[1], k.shown())
		case <-time.After(time.Millisecond):
		}
	}
	n := copy(p, k.keys[0])
	k.keys = k.keys[2:]
	return n, nil
}

// screen is what a terminal of 24 lines by 80 was sent; only the last picture counts.
type screen struct {
	lock chan struct{}
	sent []string
	over chan struct{}
}

func (*screen) Size() (int, bool) { return 80, true }

func (s *screen) Write(p []byte) (int, error) {
	s.lock <- struct{}{}
	s.sent = append(s.sent, string(p))
	<-s.lock
	return len(p), nil
}

func (s *screen) shown() string {
	s.lock <- struct{}{}
	defer func() { <-s.lock }()
	if len(s.sent) == 0 {
		return ""
	}
	return s.sent[len(s.sent)-1]
}

// leaf leafs through three pages, of which the last cannot be drawn.
func leaf(ctx context.Context, t *testing.T, keys ...string) ([]string, error) {
	t.Helper()
	return leafFrom(ctx, t, inked(700, 900), keys...) // the last hundredth is black
}

// inked is a page of which 100 by 100 pixels are black.
func inked(x, y int) image.Image {
	img := image.NewGray(image.Rect(0, 0, 800, 1000))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	for i := range 100 * 100 {
		img.SetGray(x+i%100, y+i/100, color.Gray{})
	}
	return img
}

// leafFrom is leaf, from another page on.
func leafFrom(ctx context.Context, t *testing.T, begin image.Image, keys ...string) ([]string, error) {
	t.Helper()
	s := &screen{lock: make(chan struct{}, 1), over: make(chan struct{})}
	timeout := time.AfterFunc(time.Minute, func() { close(s.over) })
	defer timeout.Stop()
	on := term.New(term.Config{In: &keyboard{s, keys}, Out: s, Err: s, Color: term.Never, Getenv: func(string) string { return "" }})
	err := picture.Leaf(ctx, on, picture.Pages{Len: 3, Draw: func(_ context.Context, n int) (image.Image, error) {
		switch n {
		case 2:
			return nil, errors.New("it is \x1b[31mburnt")
		case 1:
			return image.NewGray(image.Rect(0, 0, 160, 100)), errors.New("half of it is missing")
		}
		return begin, nil
	}}, 0, picture.NoShades)
	return s.sent, err
}

// TestLeaf turns pages, moves and comes nearer.
func TestLeaf(t *testing.T) {
	sent, err := leaf(t.Context(), t,
		"n", "page 1 of 3, 10%",
		"n", "page 2 of 3: half of it is missing, 50%",
		"n", "burnt  ? keys", // there is no page 4
		"p", "page 3 of 3",
		"\x1b[5~", "page 2 of 3",
		"0", "page 1 of 3, 10%",
		"+", "page 1 of 3, 5%",
		"+", "page 1 of 3, 7%",
		"-", "page 1 of 3, 10%",
		"-", "page 1 of 3, 7%",
		"w", "page 1 of 3, 5%",
		"j", "page 1 of 3, 10%",
		"q", "page 1 of 3, 10%")
	if err != nil {
		t.Error(err)
	}
	if sent[0] != "\x1b[?1049h\x1b[?25l\x1b[2J" || sent[len(sent)-1] != "\x1b[0m\x1b[?25h\x1b[?1049l" {
		t.Errorf("%q ... %q", sent[0], sent[len(sent)-1])
	}
	if all := strings.Join(sent, ""); strings.Contains(all, "\x1b[31m") {
		t.Error("what a page is like reached the terminal as it is")
	}
	if first := sent[1]; strings.Count(first, "\x1b[K") != 24 || strings.Contains(first, "█") {
		t.Errorf("%q", first)
	}
}

// TestPan goes to the corner of the page, and no further.
func TestPan(t *testing.T) {
	keys := []string{"+", "page 1 of 3, 10%", "+", "15%", "+", "page 1 of 3, 2"}
	for range 30 {
		keys = append(keys, "\x1b[B", "34%", "\x1b[C", "34%")
	}
	sent, err := leaf(t.Context(), t, append(keys, "\x1b", "34%")...)
	if err != nil {
		t.Fatal(err)
	}
	// 33 of 270 half blocks in a line are black, at the lower right of what is seen.
	last := sent[len(sent)-2]
	if got := strings.Count(last, strings.Repeat("█", 33)); got < 15 || strings.Contains(last, strings.Repeat("█", 35)) || !strings.Contains(last, "\x1b[22;1H\x1b[K"+strings.Repeat(" ", 46)) {
		t.Errorf("%d lines: %q", got, last)
	}
}

// TestNearer comes nearer to the top left of the whole page, and then to the middle of
// what is seen. What the keys are for is told instead of the page, until the next key.
func TestNearer(t *testing.T) {
	sent, err := leafFrom(t.Context(), t, inked(0, 0),
		"0", "page 1 of 3, 10%",
		"+", "page 1 of 3, 5%",
		"?", "page 1 of 3, 7%",
		"?", "the next page",
		"+", "page 1 of 3, 7%",
		"q", "page 1 of 3, 10%")
	if err != nil {
		t.Fatal(err)
	}
	for i, inked := range []bool{true, true, true, false, true, false} { // fitted, whole, 7%, keys, 7%, 10%
		if seen := sent[1+i]; strings.Contains(seen, "█") != inked {
			t.Errorf("ink is seen in picture %d: %t: %q", i, !inked, seen)
		}
	}
}

// TestNarrow: however narrow the screen, and whatever is said of the page, one reads how
// to quit.
func TestNarrow(t *testing.T) {
	sent, err := leaf(t.Context(), t, "n", "q quit  page 1 of 3", "n", "q quit  page 2 of 3: half", "q", "q quit  page 3 of 3: it is")
	if err != nil {
		t.Errorf("%v: %q", err, sent)
	}
}

// TestLeft: however it ends, the screen is as it was.
func TestLeft(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		key  string
		want error
	}{
		"^C":      {t.Context(), "\x03", nil},
		"^D":      {t.Context(), "\x04", nil},
		"Escape":  {t.Context(), "\x1b", nil},
		"SIGTERM": {ended, "x", context.Canceled},
	} {
		sent, err := leaf(c.ctx, t, c.key, "page 1")
		if !errors.Is(err, c.want) || sent[len(sent)-1] != "\x1b[0m\x1b[?25h\x1b[?1049l" {
			t.Errorf("%s: %v, %q", name, err, sent)
		}
	}
	var s strings.Builder
	pipe := term.New(term.Config{In: strings.NewReader("q"), Out: &s, Err: &s, Getenv: func(string) string { return "" }})
	if err := picture.Leaf(t.Context(), pipe, picture.Pages{Len: 1, Draw: func(context.Context, int) (image.Image, error) { return nil, io.EOF }}, 0, picture.NoShades); !errors.Is(err, term.ErrNoInput) || s.Len() > 0 {
		t.Errorf("%v, %q", err, s.String())
	}
}

// TestPanic: the screen comes back before the program falls over.
func TestPanic(t *testing.T) {
	s := &screen{lock: make(chan struct{}, 1), over: make(chan struct{})}
	on := term.New(term.Config{In: &keyboard{s, nil}, Out: s, Err: s, Getenv: func(string) string { return "" }})
	defer func() {
		if recover() == nil || s.shown() != "\x1b[0m\x1b[?25h\x1b[?1049l" {
			t.Errorf("%q", s.sent)
		}
		close(s.over)
	}()
	_ = on.Screen(t.Context(), func(term.Size, term.Press) (string, bool) { panic("at the disco") })
}
