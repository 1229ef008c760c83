package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// BenchmarkBurst lets 2,000 faxes arrive as fast as they can, and measures how
// long the receiver takes until all are archived. The provider takes 40 ms for an
// answer; it, the receiver and the callers share the machine.
//
//	go test ./pkg/cli -run - -bench Burst -benchtime 1x
func BenchmarkBurst(b *testing.B) {
	const faxes, phone = 2000, "+14155567720"
	for b.Loop() {
		c := newCloud(b, sandbox.Options{Latency: 40 * time.Millisecond}, sandbox.SeedOptions{})
		r := serve(b, c, freeAddress(b), filepath.Join(b.TempDir(), "kept"))
		c.run(b, nil, "faxctl", "numbers", "buy", phone, "--fax-url", r.url+"/fax", "--allow-http", "--yes")
		begin := time.Now()
		summary := c.run(b, nil, "faxctl", "--profile", "sandbox", "sandbox", "call", "--to", phone, "--count", fmt.Sprint(faxes), "-o", "json")
		called := time.Now()
		if n := gjson.GetBytes(summary.out, "statuses.received").Int(); n != faxes {
			b.Fatalf("%d faxes were received: %s", n, summary.out)
		}
		for r.kept(b) < faxes {
			if time.Since(called) > 5*time.Minute {
				b.Fatalf("%d of %d faxes are archived after %s", r.kept(b), faxes, time.Since(begin))
			}
			time.Sleep(20 * time.Millisecond)
		}
		b.ReportMetric(faxes/called.Sub(begin).Seconds(), "calls/s")
		b.ReportMetric(gjson.GetBytes(summary.out, "action_p99_ms").Float(), "p99-ms")
		b.ReportMetric(time.Since(called).Seconds(), "s-to-drain")
		b.ReportMetric(faxes/time.Since(begin).Seconds(), "archived/s")
		r.stop()
	}
}

// served is a receiver in a process of its own.
type served struct {
	url, archive string
	kill         func()
	stop         func()
}

// serve starts a receiver at an address, with more arguments, and waits until it
// can be reached.
func serve(tb testing.TB, c *cloud, address, archive string, args ...string) served {
	tb.Helper()
	r := served{url: "http://" + address, archive: archive}
	cmd := c.command(tb.Context(), "faxctl", append([]string{"serve", "--public-url", r.url, "--listen", address, "--archive", r.archive}, args...)...)
	said, err := cmd.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	lines, log := bufio.NewReader(said), ""
	for line := ""; !strings.HasPrefix(line, "Receiving on"); log += line {
		if line, err = lines.ReadString('\n'); err != nil {
			tb.Fatalf("the receiver did not start: %v\n%s", err, log+line)
		}
	}
	drained := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		close(drained)
	}()
	r.stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-drained
		if err := cmd.Wait(); err != nil {
			tb.Error(err)
		}
	}
	r.kill = func() {
		_ = cmd.Process.Kill()
		<-drained
		_ = cmd.Wait()
	}
	return r
}

// kept counts the documents in the archive.
func (r served) kept(b *testing.B) int {
	b.Helper()
	found, err := filepath.Glob(filepath.Join(r.archive, "*", "*", "*", "*.pdf"))
	if err != nil {
		b.Fatal(err)
	}
	return len(found)
}
