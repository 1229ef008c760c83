package cli_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// TestKilledRemoving kills archive remove in the middle of its work, again and again, as
// TestKilled does with others. Whatever the moment, all of a fax is there, or its sidecar
// says that it is being removed, or nothing of it is; what was begun has a receipt; and
// what is held is whole. A last run removes the rest.
func TestKilledRemoving(t *testing.T) {
	const seed = 34006
	t.Logf("seed %d, %d kills", seed, *kills)
	c := newCloud(t, sandbox.Options{}, sandbox.SeedOptions{Numbers: 1})
	dice := rand.New(rand.NewPCG(seed, 0))
	sheets := draw(t)[2:] // small ones
	for killed, life := 0, 0; killed < *kills && !t.Failed(); life++ {
		v := newVictim(t, c, sheets)
		c.run(t, nil, "faxctl", "faxes", "archive", "--to", v.dir)
		_, sidecars := v.kept(t)
		var held string
		for id := range sidecars {
			held = id
		}
		c.run(t, nil, "faxctl", "archive", "hold", v.dir, held, "--reason", "case 1")
		receipts := filepath.Join(filepath.Dir(v.dir), "receipts")
		v.args = []string{"archive", "remove", v.dir, "--older-than", "1d", "-j", "2", "--receipts", receipts, "--yes"}
		for done := false; !done && killed < *kills; {
			// From when it says what it begins with: how long that takes is the machine's.
			if done = v.killRemoving(t, receipts, time.Duration(dice.IntN(30_000))*time.Microsecond); !done {
				killed++
			}
			v.checkRemoving(t, held, receipts)
		}
		c.run(t, nil, "faxctl", v.args...)
		v.checkRemoving(t, held, receipts)
		documents, sidecars := v.kept(t)
		if len(sidecars) != 1 || documents[held] != v.hashes[held] {
			t.Errorf("in the end there are %v and %v", documents, sidecars)
		}
		c.run(t, nil, "faxctl", "archive", "verify", v.dir)
		if t.Failed() {
			t.Fatalf("in life %d, after %d kills", life, killed)
		}
	}
}

// killRemoving runs the command and kills it a while after a new line of its receipts. It
// reports whether the command was faster.
func (v *victim) killRemoving(t *testing.T, receipts string, more time.Duration) (done bool) {
	t.Helper()
	size := func() int64 {
		if st, err := os.Stat(receipts); err == nil {
			return st.Size()
		}
		return 0
	}
	before := size()
	return v.killOnce(t, func() bool { return size() != before }, more)
}

// checkRemoving looks at what is on the disk, with eyes of its own.
func (v *victim) checkRemoving(t *testing.T, held, receipts string) {
	t.Helper()
	lines, err := os.ReadFile(receipts)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for id, hash := range v.hashes {
		var sidecar struct {
			Removing string
			Hold     *struct{ Reason string }
		}
		names, err := filepath.Glob(filepath.Join(v.dir, "*", "*", "*", id+".*"))
		if err != nil {
			t.Fatal(err)
		}
		document, described := false, false
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			switch filepath.Ext(name) {
			case ".pdf":
				document = true
			case ".json":
				described = true
				if err := json.Unmarshal(data, &sidecar); err != nil {
					t.Errorf("%s is not whole: %v", name, err)
				}
			}
		}
		begun := bytes.Contains(lines, []byte(`{"id":"`+id+`"`))
		whole := described && sidecar.Removing == "" && document == (hash != "")
		switch {
		case id == held && (!whole || sidecar.Hold == nil):
			t.Errorf("fax %s is held, and what is there is %v", id, names)
		case document && !described:
			t.Errorf("fax %s: its document is left alone", id)
		case !whole && described && sidecar.Removing == "":
			t.Errorf("fax %s: its document is gone, and nothing says why", id)
		case !whole && !begun:
			t.Errorf("fax %s is not there, and has no receipt", id)
		}
	}
}
