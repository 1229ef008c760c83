package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// cloud is a Twilio sandbox over HTTP, in this process; its clients are
// processes of their own.
type cloud struct {
	*sandbox.Sandbox
	url      string
	home     string
	requests atomic.Int64
}

func newCloud(tb testing.TB, o sandbox.Options, seed sandbox.SeedOptions) *cloud {
	tb.Helper()
	c := &cloud{home: tb.TempDir()}
	o.Path = filepath.Join(c.home, "faxctl", "sandbox.db") // that of the built-in profiles
	var err error
	if c.Sandbox, err = sandbox.Open(tb.Context(), o); err != nil {
		tb.Fatal(err)
	}
	if _, err := c.Seed(tb.Context(), seed); err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.requests.Add(1)
		c.Handler().ServeHTTP(w, r)
	}))
	c.url = server.URL
	tb.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// command is a client of the cloud: faxctl, or another program of [TestMain].
func (c *cloud) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "GORACE="+goRace,
		"HOME="+c.home, "XDG_CONFIG_HOME="+c.home, "XDG_STATE_HOME="+c.home, "XDG_CACHE_HOME="+c.home, "TZ=UTC",
		"FAXCTL_PROFILE=", "FAXCTL_API_URL="+c.url,
		"TWILIO_ACCOUNT_SID="+c.Account().Account, "TWILIO_AUTH_TOKEN="+c.Account().Token)
	return cmd
}

// result is what a process came to.
type result struct {
	out    []byte
	time   time.Duration // from its start to its end
	cpu    time.Duration // that it computed, itself and for it the system
	memory int64         // most bytes resident at any time; 0: not known on this system
}

func (r result) lines() int { return bytes.Count(r.out, []byte("\n")) }

// add takes in another run of the same.
func (r *result) add(another result) {
	r.out = another.out
	r.time, r.cpu, r.memory = r.time+another.time, r.cpu+another.cpu, max(r.memory, another.memory)
}

// run runs a client to its good end, with its output in a file.
func (c *cloud) run(tb testing.TB, in io.Reader, name string, args ...string) result {
	tb.Helper()
	out, err := os.Create(filepath.Join(c.home, "out"))
	if err != nil {
		tb.Fatal(err)
	}
	defer out.Close()
	var errs strings.Builder
	cmd := c.command(tb.Context(), name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &errs
	start := time.Now()
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	ended, memory := make(chan struct{}), make(chan int64)
	go func() { memory <- mostMemory(cmd.Process.Pid, ended) }()
	err = cmd.Wait()
	r := result{time: time.Since(start)}
	close(ended)
	r.memory = <-memory
	r.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	if r.out, err = os.ReadFile(out.Name()); err != nil {
		tb.Fatal(err)
	}
	return r
}

// pages are all pages of the list of faxes, as the provider writes them.
func (c *cloud) pages(tb testing.TB) (pages [][]byte) {
	tb.Helper()
	err := barePages(c.url+"/v1/Faxes?PageSize=1000", c.Account().Account, c.Account().Token, func(page []byte) {
		pages = append(pages, page)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return pages
}

// mostMemory is the most bytes that a process had resident until it ended; 0:
// not known on this system. It is asked again and again, as the system forgets
// it with the process: what a parent learns at the end (getrusage) counts the
// parent's own memory as well, which the child had for a moment.
func mostMemory(pid int, ended <-chan struct{}) (most int64) {
	for tick := time.Tick(5 * time.Millisecond); ; {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range strings.Lines(string(status)) {
			var kB int64
			if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kB); n == 1 {
				most = kB << 10 // it only grows
			}
		}
		select {
		case <-tick:
		case <-ended:
			return most
		}
	}
}
