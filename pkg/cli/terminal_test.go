package cli_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// terminal runs a command on a terminal of its own, 24 lines by 80, with a
// person at it who does what the lines of a file say:
//
//	see REGEXP      wait until this appears, after what was seen before
//	press KEY...    Up, Down, Enter, Escape, ^C, ^D or a letter
//	resize ROWS COLUMNS
//	type TEXT       and Enter
//	signal NAME     TERM or HUP, to the command
//
// What the screen was sent is left in the file screen.
func terminal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: terminal STATUS PERSON COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Check(ts.Exec("env", "-0"))
	cmd := exec.Command(args[2], args[3:]...)
	cmd.Env = append(strings.Split(strings.TrimSuffix(ts.ReadFile("stdout"), "\x00"), "\x00"), "TERM=xterm-256color")
	cmd.Dir = ts.MkAbs(".")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	ts.Check(err)
	defer tty.Close()
	var s screen
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		_, _ = io.Copy(&s, tty) // ends when nobody has the terminal open any more
	}()
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	trouble := s.do(strings.Split(strings.TrimSpace(ts.ReadFile(args[1])), "\n"), tty, cmd.Process, shown)
	if trouble != "" {
		_ = cmd.Process.Kill()
	}
	err = cmd.Wait()
	<-shown
	ts.Check(os.WriteFile(ts.MkAbs("screen"), s.text, 0o600))
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if got := cmd.ProcessState.ExitCode(); trouble != "" || got != want {
		ts.Fatalf("%s\nexit status %d, want %d; the screen was sent:\n%q", trouble, got, want, s.text)
	}
}

// screen is what a terminal was sent.
type screen struct {
	mu   sync.Mutex
	text []byte
	seen int // how much of it the person has seen
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, p...)
	return len(p), nil
}

// do is the person; it returns what did not go as expected.
func (s *screen) do(lines []string, keyboard *os.File, command *os.Process, over <-chan struct{}) string {
	for _, line := range lines {
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "see":
			if !s.see(regexp.MustCompile(rest), over) {
				return "never seen: " + rest
			}
		case "press":
			for key := range strings.FieldsSeq(rest) {
				known := map[string]string{"Up": "\x1b[A", "Down": "\x1b[B", "Enter": "\r", "Escape": "\x1b", "^C": "\x03", "^D": "\x04"}[key]
				if known == "" {
					known = key
				}
				_, _ = io.WriteString(keyboard, known) // what it does is seen, or not
			}
		case "resize":
			var size pty.Winsize
			if _, err := fmt.Sscan(rest, &size.Rows, &size.Cols); err != nil {
				return line + ": " + err.Error()
			}
			if err := pty.Setsize(keyboard, &size); err != nil {
				return line + ": " + err.Error()
			}
		case "signal":
			if err := command.Signal(map[string]os.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}[rest]); err != nil {
				return line + ": " + err.Error()
			}
		case "type":
			_, _ = io.WriteString(keyboard, rest+"\r")
		default:
			return "unknown: " + line
		}
	}
	return ""
}

// see waits for something on the screen, until the command has ended.
func (s *screen) see(what *regexp.Regexp, over <-chan struct{}) bool {
	for ended := false; ; {
		s.mu.Lock()
		at := what.FindIndex(s.text[s.seen:])
		if at != nil {
			s.seen += at[1]
		}
		s.mu.Unlock()
		if at != nil || ended {
			return at != nil
		}
		select {
		case <-over:
			ended = true
		case <-time.After(2 * time.Millisecond):
		}
	}
}
