package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/sandbox"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

var kills = flag.Int("kills", 8, "how often TestKilled, TestKilledServing, TestKilledBuying, TestKilledRemoving, TestKilledCopying and TestKilledHolding kill each command")

// TestKilled kills faxctl in the middle of its work, again and again, and looks
// at what is on the disk: with eyes of its own, not with those of package
// archive.
//
// Whatever the moment, each fax deleted at the provider is in the archive with
// the right document, no file under its final name is anything but whole, and
// a last run comes to a good end. For a thorough look at this, at a receiver and at
// purchases, some hours:
//
//	go test ./pkg/cli -run TestKilled -kills 1000 -timeout 0 -v
func TestKilled(t *testing.T) {
	t.Parallel()
	const seed = 34005
	t.Logf("seed %d, %d kills each", seed, *kills)
	for _, tt := range []struct {
		name string
		args func(dir string) []string
	}{
		{"archive", func(dir string) []string {
			return []string{"faxes", "archive", "--to", dir, "-j", "4"}
		}},
		{"prune", func(dir string) []string {
			return []string{"faxes", "prune", "--older-than", "1d", "--archive", dir, "-j", "4", "--yes"}
		}},
		{"download", func(dir string) []string {
			return []string{"faxes", "download", "--since", "30d", "-d", dir, "--name", "{id}", "-j", "4"}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, sandbox.Options{Latency: 2 * time.Millisecond}, sandbox.SeedOptions{Numbers: 2})
			dice := rand.New(rand.NewPCG(seed, 0))
			sheets := draw(t)
			for killed, life := 0, 0; killed < *kills; life++ {
				v := newVictim(t, c, sheets)
				if v.args = tt.args(v.dir); tt.name == "prune" {
					emptyArchive(t, v.dir)
				}
				for done := false; !done && killed < *kills; {
					if done = v.killAfter(t, dice.Int64N(60), time.Duration(dice.IntN(4000))*time.Microsecond); !done {
						killed++
					}
					v.check(t)
				}
				c.run(t, nil, "faxctl", v.args...)
				v.check(t)
				v.checkEnd(t, tt.name)
				if t.Failed() {
					t.Fatalf("in life %d, after %d kills", life, killed)
				}
			}
		})
	}
}

// emptyArchive makes an archive without faxes.
func emptyArchive(t testing.TB, dir string) {
	t.Helper()
	kept, err := archive.Open(t.Context(), dir)
	if err == nil {
		err = kept.Close(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// draw makes documents that differ, most of them small, two of them large
// enough to be continued when a download was cut off.
func draw(t *testing.T) (sheets [][]byte) {
	t.Helper()
	for i := range 24 {
		s := paper.Sheet{Pages: 1, Seed: uint64(i)}
		if i < 2 {
			s.Bytes = 400_000
		}
		var b bytes.Buffer
		if err := paper.Write(&b, paper.PDF, s); err != nil {
			t.Fatal(err)
		}
		sheets = append(sheets, b.Bytes())
	}
	return sheets
}

// victim is an account with faxes, and the folder where they are to be kept.
type victim struct {
	*cloud
	dir    string
	args   []string
	may    []int             // exit statuses it may end with besides 0
	status int               // that it ended with, when nobody killed it
	hashes map[string]string // of each fax's document; empty: it has none
	lasts  map[string]bool   // faxes in progress, which stay
}

func newVictim(t *testing.T, c *cloud, sheets [][]byte) *victim {
	t.Helper()
	v := &victim{cloud: c, dir: filepath.Join(t.TempDir(), "kept"), hashes: map[string]string{}, lasts: map[string]bool{}}
	if err := c.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	add := func(i int, f sandbox.Fax) string {
		f.From, f.To = "+14155550199", "+14155550100"
		f.Created = time.Now().Add(-48*time.Hour - time.Duration(i)*time.Hour)
		f, err := c.AddFax(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		return f.ID
	}
	for i, sheet := range sheets {
		sum := sha256.Sum256(sheet)
		v.hashes[add(i, sandbox.Fax{Pages: 1, Document: sheet})] = hex.EncodeToString(sum[:])
	}
	v.hashes[add(3, sandbox.Fax{Status: "failed", NoMedia: true})] = ""
	v.lasts[add(5, sandbox.Fax{Status: "receiving", NoMedia: true})] = true
	return v
}

// killAfter runs the command and kills it once it has made so many requests
// and some more time has passed. It reports whether the command was faster.
func (v *victim) killAfter(t *testing.T, requests int64, more time.Duration) (done bool) {
	t.Helper()
	until := v.requests.Load() + requests
	return v.killOnce(t, func() bool { return v.requests.Load() >= until }, more)
}

// killOnce runs the command and kills it once something is so and some more time has
// passed. It reports whether the command was faster.
func (v *victim) killOnce(t *testing.T, reached func() bool, more time.Duration) (done bool) {
	t.Helper()
	cmd := v.command(t.Context(), "faxctl", v.args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !reached() {
		select {
		case err := <-ended:
			return v.ended(t, err, errs.String())
		case <-tick.C:
		}
	}
	select {
	case err := <-ended:
		return v.ended(t, err, errs.String())
	case <-time.After(more):
	}
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	err := <-ended
	if err != nil && cmd.ProcessState.ExitCode() == -1 {
		return false
	}
	return v.ended(t, err, errs.String())
}

// ended is how a command ends that nobody killed.
func (v *victim) ended(t *testing.T, err error, errs string) bool {
	t.Helper()
	v.status = 0
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		v.status = exit.ExitCode()
	}
	if err != nil && !slices.Contains(v.may, v.status) {
		t.Fatalf("%v\n%s", err, errs)
	}
	return true
}

// check holds what is on the disk against what is left at the provider.
func (v *victim) check(t *testing.T) {
	t.Helper()
	left := v.left(t) // before the disk: what goes later was kept earlier
	documents, sidecars := v.kept(t)
	for id, hash := range v.hashes {
		if left[id] {
			continue
		}
		if got, found := sidecars[id]; !found || got != hash || documents[id] != hash {
			t.Errorf("fax %s is deleted; its sidecar (there: %t) says %q, its document is %q, want %q", id, found, got, documents[id], hash)
		}
	}
	for id := range v.lasts {
		if !left[id] {
			t.Errorf("fax %s is in progress and was deleted", id)
		}
	}
}

// checkEnd looks whether everything was done.
func (v *victim) checkEnd(t *testing.T, command string) {
	t.Helper()
	left := v.left(t)
	documents, sidecars := v.kept(t)
	for id, hash := range v.hashes {
		sidecar, found := sidecars[id]
		switch {
		case documents[id] != hash, command != "download" && (!found || sidecar != hash):
			t.Errorf("fax %s was not kept: sidecar %q, document %q, want %q", id, sidecar, documents[id], hash)
		case left[id] == (command == "prune"):
			t.Errorf("fax %s is at the provider: %t", id, left[id])
		}
	}
	if command != "download" {
		v.run(t, nil, "faxctl", "archive", "verify", v.dir)
	}
}

// left is what the provider has.
func (v *victim) left(t *testing.T) map[string]bool {
	t.Helper()
	left := map[string]bool{}
	for _, page := range v.pages(t) {
		for _, id := range gjson.GetBytes(page, "faxes.#.sid").Array() {
			left[id.Str] = true
		}
	}
	return left
}

// kept reads the folder: the hash of each document, and that which its sidecar
// tells. Every file that is not hidden must be whole, and one that is known.
func (v *victim) kept(t *testing.T) (documents, sidecars map[string]string) {
	t.Helper()
	documents, sidecars = map[string]string{}, map[string]string{}
	err := filepath.WalkDir(v.dir, func(name string, e fs.DirEntry, err error) error {
		base := filepath.Base(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == v.dir:
			return nil // killed before it began
		case err != nil || e.IsDir() || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "index.db"):
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		id, ext, _ := strings.Cut(base, ".")
		switch {
		case base == "faxctl-archive.json":
			if !json.Valid(data) {
				t.Errorf("%s is not whole", name)
			}
		case ext == "pdf":
			sum := sha256.Sum256(data)
			if documents[id] = hex.EncodeToString(sum[:]); documents[id] != v.hashes[id] {
				t.Errorf("%s is not the whole document", name)
			}
		case ext == "json":
			var s struct {
				Fax      struct{ ID string }
				Document *struct{ File, SHA256 string }
			}
			if err := json.Unmarshal(data, &s); err != nil || s.Fax.ID != id {
				t.Errorf("%s is not whole: %v", name, err)
			}
			sidecars[id] = ""
			if s.Document == nil {
				break
			}
			sidecars[id] = s.Document.SHA256
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), s.Document.File)); err != nil {
				return fmt.Errorf("a sidecar tells of a document: %w", err)
			}
		default:
			t.Errorf("nobody knows the file %s", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return documents, sidecars
}
