package child_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/child"
)

func sh(ctx context.Context, t *testing.T, script string) *exec.Cmd {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh")
	}
	cmd := child.Command(ctx, "sh", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Stdout = new(strings.Builder) // which children inherit
	return cmd
}

// beating is a child, as a word of a script: it writes to a file again and again.
const beating = "(while :; do echo >> beat; sleep 0.05; done)"

// alive reports whether the child still writes, for which it has a while. Its process may
// be there for long: who takes it over need not look whether it has ended. One that was
// ended may finish the write that it was in.
func alive(t *testing.T, cmd *exec.Cmd, while time.Duration) bool {
	t.Helper()
	size := func() int64 {
		st, err := os.Stat(filepath.Join(cmd.Dir, "beat"))
		if errors.Is(err, fs.ErrNotExist) { // it has not begun
			return 0
		} else if err != nil {
			t.Fatal(err)
		}
		return st.Size()
	}
	before := size()
	for end := time.Now().Add(while); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if size() > before+1 {
			return true
		}
	}
	return false
}

// Nothing that a program started outlives its time, whether it heeds a SIGTERM or
// not.
func TestRunEndsAll(t *testing.T) {
	for name, script := range map[string]string{
		"a child":           beating + " & wait",
		"a stubborn child":  "(trap '' TERM; " + beating + ") & wait",
		"a stubborn parent": "trap '' TERM; " + beating + " & sleep 600; sleep 600",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cmd := sh(ctx, t, script)
			go func() {
				for {
					if _, err := os.Stat(filepath.Join(cmd.Dir, "beat")); err == nil || ctx.Err() != nil {
						cancel()
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
			}()
			begin := time.Now()
			if err := child.Run(ctx, cmd); err == nil {
				t.Error("it was cut off and is said to have ended well")
			}
			if took := time.Since(begin); took > child.Mercy+2*time.Minute {
				t.Errorf("it took %s", took)
			}
			if alive(t, cmd, 2*time.Second) {
				t.Error("a child is left")
			}
		})
	}
}

// A program that ends well may leave a child, whatever that holds open.
func TestRunLeavesWhatIsLeft(t *testing.T) {
	t.Parallel()
	cmd := sh(t.Context(), t, "(until [ -e end ]; do echo >> beat; sleep 0.05; done; mv end ended) &")
	if err := child.Run(t.Context(), cmd); err != nil {
		t.Error(err)
	}
	if !alive(t, cmd, time.Minute) {
		t.Fatal("its child was ended")
	}
	if err := os.WriteFile(filepath.Join(cmd.Dir, "end"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for { // it writes into a folder that is about to be removed
		if _, err := os.Stat(filepath.Join(cmd.Dir, "ended")); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// What a program failed with is not hidden by what it left.
func TestRunFails(t *testing.T) {
	t.Parallel()
	if err := child.Run(t.Context(), sh(t.Context(), t, "exit 3")); err == nil || err.Error() != "exit status 3" {
		t.Errorf("got %v", err)
	}
	if err := child.Run(t.Context(), child.Command(t.Context(), filepath.Join(t.TempDir(), "nothing"))); err == nil {
		t.Error("a program that is not there ended well")
	}
}
