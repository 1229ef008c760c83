package term_test

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/screen/term"
)

func TestProgressOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{width: 80}
		tm := term.New(term.Config{Out: s, Err: s, Getenv: env()})
		p := tm.Progress("downloading", 5000)
		p.Add(100, 6_000_000)
		step := func(want string) {
			t.Helper()
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			if got := s.take(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		time.Sleep(time.Millisecond)
		step("downloading 100/5000 · 1000/s · 6.0 MB · 60 MB/s · 5s left")
		p.Add(20, 0)
		step("\r\x1b[Kdownloading 120/5000 · 600/s · 6.0 MB · 30 MB/s · 8s left")

		tm.Note("FX1 has no document")
		if got := s.take(); got != "\r\x1b[KFX1 has no document\ndownloading 120/5000 · 600/s · 6.0 MB · 30 MB/s · 8s left" {
			t.Errorf("note: %q", got)
		}
		_, _ = io.WriteString(tm.Out, "row\n")
		if got := s.take(); got != "\r\x1b[Krow\n" {
			t.Errorf("data: %q", got)
		}
		s.resize(24)
		p.Add(4880, 0)
		step("downloading 5000/5000 …")

		p.Stop()
		p.Stop()
		if got := s.take(); got != "\r\x1b[K" {
			t.Errorf("stopped: %q", got)
		}
		step("")
	})
}

func TestProgressElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		err io.ReadWriter
		env []string
	}{
		"in a pipe":          {new(bytes.Buffer), nil},
		"on a dumb terminal": {&dumb{}, []string{"TERM", "dumb"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			tm := term.New(term.Config{Out: io.Discard, Err: c.err, Getenv: env(c.env...)})
			p := tm.Progress("deleting", 0)
			defer p.Stop()
			p.Add(5, 0)
			time.Sleep(25 * time.Second)
			p.Stop()
			got, _ := io.ReadAll(c.err)
			if string(got) != "deleting 5 · 0.5/s\ndeleting 5 · 0.2/s\n" {
				t.Errorf("%s: %q", name, got)
			}
		})
	}
}

// dumb is a terminal that can only add.
type dumb struct{ bytes.Buffer }

func (*dumb) Size() (int, bool) { return 80, true }

func TestQuietProgressSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{width: 80}
		p := term.New(term.Config{Out: s, Err: s, Getenv: env(), Quiet: true}).Progress("deleting", 9)
		p.Add(1, 1)
		time.Sleep(time.Minute)
		p.Stop()
		var none term.Progress
		none.Add(1, 1)
		none.Stop()
		if got := s.take(); got != "" {
			t.Errorf("%q", got)
		}
	})
}

// Workers report, notes come in between, and a question stays on the screen:
// every note is a whole line.
func TestProgressBesideEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &screen{width: 80}
		keys, typed := io.Pipe()
		tm := term.New(term.Config{In: keyboard{keys}, Out: s, Err: s, Getenv: env()})
		p := tm.Progress("deleting", 100)
		var workers sync.WaitGroup
		for range 10 {
			workers.Go(func() {
				for range 10 {
					time.Sleep(70 * time.Millisecond)
					p.Add(1, 10)
					tm.Note("gone")
				}
			})
		}
		workers.Wait()
		p.Stop()
		rows := strings.Split(s.take(), "\n")
		for _, row := range rows[:100] {
			parts := strings.Split(row, "\r\x1b[K") // what stays on the screen is the last
			if parts[len(parts)-1] != "gone" {
				t.Errorf("%q", row)
			}
		}
		if last := rows[len(rows)-1]; len(rows) != 101 || !strings.HasSuffix(last, "\r\x1b[K") {
			t.Errorf("%d rows, then %q", len(rows)-1, last)
		}

		p = tm.Progress("deleting", 100)
		defer p.Stop()
		go func() {
			time.Sleep(time.Second)
			tm.Note("still here")
			_, _ = io.WriteString(typed, "y\n")
		}()
		if ok, err := tm.Confirm(t.Context(), "Go on?"); !ok || err != nil {
			t.Error(ok, err)
		}
		if got := s.take(); got != "Go on? [y/N] \r\x1b[Kstill here\nGo on? [y/N] " {
			t.Errorf("question: %q", got)
		}
	})
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 9949: "9.9 kB", 9950: "10 kB", 999_499: "999 kB", 999_500: "1.0 MB", 7_200_000: "7.2 MB", 5_000_000_000_000_000_000: "5.0 EB"} {
		if got := term.Bytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
