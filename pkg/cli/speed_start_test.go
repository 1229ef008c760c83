package cli_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// BenchmarkSpeedStart runs commands that need next to nothing of what is in the
// binary. The other side is a Go program that does nothing, in turn with them; of each the
// quickest run counts, as other work on the machine only ever adds to it.
//
//	go test ./pkg/cli -run - -bench SpeedStart -benchtime 1x
func BenchmarkSpeedStart(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("what rusage counts memory in is another unit on each system")
	}
	shipped(b)
	dir := b.TempDir()
	for _, name := range []string{"empty", "starter"} {
		cmd := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", dir, "./testdata/"+name)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	const rounds = 40
	c := newCloud(b, sandbox.Options{}, sandbox.SeedOptions{Numbers: 20})
	for _, args := range []string{"version", "--help", "numbers list"} {
		b.Run(args, func(b *testing.B) {
			var empty, ours run
			for b.Loop() {
				line := []string{fmt.Sprint(rounds), filepath.Join(dir, "empty"), ",", "faxctl"}
				out := c.run(b, nil, filepath.Join(dir, "starter"), append(line, strings.Fields(args)...)...).out
				empty, ours = quickest(b, out, 0, rounds), quickest(b, out, 1, rounds)
			}
			b.ReportMetric(float64(ours.took.Microseconds())/1000, "ms")
			promise(b, ours.took.Seconds()/empty.took.Seconds(), "times-empty", 5)
			promise(b, megabytes(ours.memory), "MB", 18)
		})
	}
}

// run is what a run of a program came to.
type run struct {
	took   time.Duration
	memory int64 // bytes resident at most
}

// quickest is the least time, and the most memory, of the runs of a program that the
// starter tells of.
func quickest(b *testing.B, out []byte, program, rounds int) (best run) {
	b.Helper()
	n := 0
	for line := range bytes.Lines(out) {
		var which int
		var ns, kB int64
		if _, err := fmt.Sscan(string(line), &which, &ns, &kB); err != nil {
			b.Fatalf("%q: %v", line, err)
		}
		if which != program {
			continue
		}
		if n++; n == 1 || time.Duration(ns) < best.took {
			best.took = time.Duration(ns)
		}
		best.memory = max(best.memory, kB<<10)
	}
	if n != rounds {
		b.Fatalf("%d runs of program %d", n, program)
	}
	return best
}
