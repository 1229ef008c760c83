package cli_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

var outage = flag.Int("outage", 240, "how many faxes TestOutage prunes; a kill for every 60")

// TestOutage prunes through a gateway that comes and goes, and says "not found" in
// its own words whenever what is behind it is away, while the prune is killed and
// started again. In the end all is pruned, and each document is kept. For a thorough
// look:
//
//	go test ./pkg/cli -run TestOutage -outage 3000 -v
func TestOutage(t *testing.T) {
	t.Parallel()
	gateway, err := sandbox.ParseFault("/Faxes/*=404:html~300ms/1s")
	if err != nil {
		t.Fatal(err)
	}
	cdn, err := sandbox.ParseFault("/media-cdn=404:empty~200ms/900ms")
	if err != nil {
		t.Fatal(err)
	}
	c := newCloud(t, sandbox.Options{Latency: 2 * time.Millisecond, Faults: []sandbox.Fault{gateway, cdn}}, sandbox.SeedOptions{Numbers: 2})
	v := &victim{cloud: c, dir: filepath.Join(t.TempDir(), "kept"), hashes: map[string]string{}}
	sheets := draw(t)
	for i := range *outage {
		sheet := sheets[2+i%(len(sheets)-2)] // the small ones
		f, err := c.AddFax(t.Context(), sandbox.Fax{
			From: "+14155550199", To: "+14155550100", Pages: 1, Document: sheet, Created: time.Now().Add(-48*time.Hour - time.Duration(i)*time.Minute),
		})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(sheet)
		v.hashes[f.ID] = hex.EncodeToString(sum[:])
	}
	emptyArchive(t, v.dir)
	v.args = []string{"faxes", "prune", "--older-than", "1d", "--archive", v.dir, "--receipts", filepath.Join(c.home, "receipts"), "--yes"}
	dice := rand.New(rand.NewPCG(34005, 0))
	for range *outage / 60 {
		v.killSoon(t, time.Duration(100+dice.IntN(900))*time.Millisecond)
		v.check(t)
	}
	for end := time.Now().Add(5 * time.Minute); len(v.left(t)) > 0; {
		if time.Now().After(end) {
			t.Fatalf("%d faxes are left", len(v.left(t)))
		}
		v.killSoon(t, 5*time.Minute)
		v.check(t)
	}
	v.checkEnd(t, "prune")
	v.checkReceipts(t)
}

// killSoon runs the command and kills it after a while. That some faxes failed, or
// that the provider is away, is how it may end.
func (v *victim) killSoon(t *testing.T, after time.Duration) {
	t.Helper()
	cmd := v.command(t.Context(), "faxctl", v.args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	select {
	case err = <-ended:
	case <-time.After(after):
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		err = <-ended
	}
	var exit *exec.ExitError
	if err == nil || errors.As(err, &exit) && (exit.ExitCode() == -1 || exit.ExitCode() == 3 || exit.ExitCode() == 7) {
		return
	}
	t.Fatalf("%v\n%s", err, errs.String())
}

// checkReceipts: nothing is called deleted or gone that has no "deleting" before it,
// but what another life deleted.
func (v *victim) checkReceipts(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(v.home, "receipts"))
	if err != nil {
		t.Fatal(err)
	}
	begun := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		for id := range v.hashes {
			if strings.Contains(line, id) {
				begun[id] = begun[id] || strings.Contains(line, `"result":"deleting"`)
				if strings.Contains(line, `"result":"deleted"`) && !begun[id] {
					t.Errorf("deleted without a word before: %s", line)
				}
			}
		}
	}
	for id := range v.hashes {
		if !begun[id] {
			t.Errorf("fax %s has no receipt", id)
		}
	}
}
