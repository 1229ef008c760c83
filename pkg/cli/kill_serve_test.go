package cli_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"path/filepath"
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
			l.call(t, r.kill, time.Duration(dice.IntN(400))*time.Millisecond)
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
		address: freePort(t), sheets: sheets, told: map[string]bool{},
	}
	c.run(t, nil, "faxctl", "numbers", "buy", linePhone, "--fax-url", "http://"+l.address+"/fax", "--allow-http", "--yes")
	return l
}

func (l *line) serve(t *testing.T, store bool) served {
	t.Helper()
	args := []string{"--state", filepath.Join(filepath.Dir(l.dir), "state"), "--attempts", "1000"}
	if !store {
		args = append(args, "--store-media=false")
	}
	return serve(t, l.cloud, l.address, l.dir, args...)
}

// call lets faxes come, four at a time, until kill has been called after a while.
func (l *line) call(t *testing.T, kill func(), after time.Duration) {
	t.Helper()
	calling, hangUp := context.WithCancel(t.Context())
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
			}
		})
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
		t.Errorf("fax %s was acknowledged and is not kept", missing)
	}
	l.run(t, nil, "faxctl", "archive", "verify", l.dir)
}
