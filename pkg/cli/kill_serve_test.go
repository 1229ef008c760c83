package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// TestKilledServing kills a receiver while faxes come, again and again, and starts
// it anew. Each of which the provider was told that it has come is in the archive in
// the end, with the right document; every other time the provider keeps none, and
// the document that came with the callback is the only one there is. No file under
// its final name is ever anything but whole. See [TestKilled].
func TestKilledServing(t *testing.T) {
	const seed, each = 34007, 20 // kills in a life
	dice := rand.New(rand.NewPCG(seed, 0))
	c := newCloud(t, sandbox.Options{Latency: 2 * time.Millisecond}, sandbox.SeedOptions{})
	sheets := draw(t)
	told := 0
	for killed := 0; killed < *kills; {
		l := newLine(t, c, sheets)
		for life := 0; life < each && killed < *kills; life++ {
			r := l.serve(t, killed%2 == 0)
			l.call(t, r.kill, dice.IntN(3), time.Duration(dice.IntN(400))*time.Millisecond)
			killed++
			l.kept(t)
		}
		l.checkEnd(t)
		told += len(l.told)
		if t.Failed() {
			t.Fatalf("after %d kills", killed)
		}
	}
	t.Logf("seed %d, %d kills, %d faxes told of", seed, *kills, told)
	if told == 0 {
		t.Error("no fax came") // and nothing was looked at
	}
}

// line is a number whose faxes a receiver takes.
type line struct {
	*victim
	address string
	sheets  [][]byte
	told    map[string]bool // ids of faxes that the receiver acknowledged
}

const linePhone = "+14155567720"

func newLine(t *testing.T, c *cloud, sheets [][]byte) *line {
	t.Helper()
	if err := c.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := &line{
		victim:  &victim{cloud: c, dir: filepath.Join(t.TempDir(), "kept"), hashes: map[string]string{}},
		address: freeAddress(t), sheets: sheets, told: map[string]bool{},
	}
	c.run(t, nil, "faxctl", "numbers", "buy", linePhone, "--fax-url", "http://"+l.address+"/fax", "--allow-http", "--yes")
	return l
}

func (l *line) serve(t *testing.T, store bool) served {
	t.Helper()
	args := []string{"--state", l.state(), "--attempts", "1000"}
	if !store {
		args = append(args, "--store-media=false")
	}
	return serve(t, l.cloud, l.address, l.dir, args...)
}

// call lets faxes come, four at a time, until kill has been called: a while after so
// many have come, however slow the machine is.
func (l *line) call(t *testing.T, kill func(), come int, after time.Duration) {
	t.Helper()
	calling, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	arrived := make(chan struct{}, 4096)
	var mu sync.Mutex
	var callers sync.WaitGroup
	for i := range 4 {
		callers.Go(func() {
			caller := l.NewCaller(l.url)
			defer caller.Close()
			for n := i; calling.Err() == nil; n += 4 {
				sheet := l.sheets[n%len(l.sheets)]
				call, err := caller.Call(t.Context(), sandbox.Incoming{From: "+14155550199", To: linePhone, Document: sheet, ContentType: "application/pdf"})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				sum := sha256.Sum256(sheet)
				l.hashes[call.FaxID] = hex.EncodeToString(sum[:])
				l.told[call.FaxID] = call.Told && call.Status == "received"
				mu.Unlock()
				arrived <- struct{}{}
			}
		})
	}
	for patience := time.After(time.Minute); come > 0; come-- {
		select {
		case <-arrived:
		case <-patience:
			t.Error("no fax comes")
			come = 0
		}
	}
	time.Sleep(after)
	kill()
	hangUp()
	callers.Wait()
	for id, told := range l.told {
		if !told {
			delete(l.told, id)
		}
	}
}

// checkEnd lets a last receiver do what is left, and looks whether all is kept of
// which the provider was told.
func (l *line) checkEnd(t *testing.T) {
	t.Helper()
	r := l.serve(t, true)
	var missing string
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		documents, sidecars := l.kept(t)
		missing = ""
		for id := range l.told {
			if documents[id] != l.hashes[id] || sidecars[id] != l.hashes[id] {
				missing = id
			}
		}
		if missing == "" || t.Failed() || time.Now().After(end) {
			break
		}
	}
	r.stop()
	if missing != "" {
		t.Errorf("fax %s was acknowledged and is not kept; the jobs:\n%s", missing, l.jobs(t))
	}
	l.run(t, nil, "faxctl", "archive", "verify", l.dir)
}

// jobs are those that the receiver has not done, a JSON object each.
func (l *line) jobs(t *testing.T) []byte {
	t.Helper()
	return l.run(t, nil, "faxctl", "serve", "jobs", "list", "--state", l.state(), "-o", "jsonl").out
}

func (l *line) state() string { return filepath.Join(filepath.Dir(l.dir), "state") }

// TestFatalFax lets one fax of eight kill the receiver whenever the operator's program
// is run for it, and starts the receiver anew each time. Its job is parked in the end;
// those that ran at the same moments have done nothing, and are done.
func TestFatalFax(t *testing.T) {
	const fatal, faxes = "+14155550113", 8
	c := newCloud(t, sandbox.Options{}, sandbox.SeedOptions{})
	l := newLine(t, c, draw(t))
	told := filepath.Join(t.TempDir(), "told")
	program := filepath.Join(t.TempDir(), "program")
	script := `#!/bin/sh
if [ "$FAX_FROM" = ` + fatal + ` ]; then sleep 0.2; kill -9 $PPID; exit 1; fi
sleep 0.4
echo "$FAX_ID" >>` + told + "\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	start := func() served { return serve(t, c, l.address, l.dir, "--state", l.state(), "--exec", program) }
	r := start()
	caller := c.NewCaller(r.url)
	defer caller.Close()
	for i := range faxes {
		from := "+14155550199"
		if i == faxes/2 {
			from = fatal
		}
		if _, err := caller.Call(t.Context(), sandbox.Incoming{From: from, To: linePhone, Document: l.sheets[0], ContentType: "application/pdf"}); err != nil {
			t.Fatal(err)
		}
	}
	starts := 1
	for end := time.Now().Add(2 * time.Minute); bytes.Count(l.jobs(t), []byte("\n")) > 1 || !bytes.Contains(l.jobs(t), []byte("parked")); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %d starts there are still\n%s", starts, l.jobs(t))
		}
		if conn, err := net.Dial("tcp", l.address); err == nil {
			conn.Close()
			continue
		}
		r.kill()
		r = start()
		starts++
	}
	r.stop()
	if starts != 8 {
		t.Errorf("it was started %d times", starts)
	}
	heard, err := os.ReadFile(told)
	if err != nil {
		t.Fatal(err)
	}
	ids := strings.Fields(string(heard))
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != faxes-1 {
		t.Errorf("the program was run for %d faxes to its end", n)
	}
}
