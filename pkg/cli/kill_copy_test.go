package cli_test

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// TestKilledCopying kills archive copy in the middle of its work, again and again, as
// TestKilled does with others. Whatever the moment, what is in the bucket under its name is
// whole, and no sidecar is there without its document; the run after it goes on, and in the
// end all is there, with its holds.
func TestKilledCopying(t *testing.T) {
	const seed = 34007
	t.Logf("seed %d, %d kills", seed, *kills)
	c := newCloud(t, sandbox.Options{}, sandbox.SeedOptions{Numbers: 1})
	dice := rand.New(rand.NewPCG(seed, 0))
	v := newVictim(t, c, draw(t)[:10])
	c.run(t, nil, "faxctl", "faxes", "archive", "--to", v.dir)
	held := map[string]bool{}
	for id, hash := range v.hashes {
		if len(held) < 3 && hash != "" {
			held[id] = true
			c.run(t, nil, "faxctl", "archive", "hold", v.dir, id, "--reason", "case 1")
		}
	}
	for killed, life := 0, 0; killed < *kills; life++ {
		var requests atomic.Int64
		s := s3test.Fake(t)
		s.Bucket(t, scaleName, s3test.Plain)
		front := s.Proxy(t, func(*http.Request) s3test.Fault {
			requests.Add(1)
			return s3test.Slow
		})
		reach(t, front)
		to := "s3://" + scaleName + "/" + strings.TrimSuffix(scalePrefix, "/")
		v.args = []string{"archive", "copy", v.dir, to}
		for done := false; !done && killed < *kills; {
			until := requests.Load() + 1 + dice.Int64N(60)
			if done = v.killOnce(t, func() bool { return requests.Load() >= until }, 0); !done {
				killed++
			}
			v.checkCopied(t, s)
		}
		c.run(t, nil, "faxctl", v.args...)
		documents, sidecars := v.checkCopied(t, s)
		if len(sidecars) != len(v.hashes) || len(documents) != len(v.hashes)-1 {
			t.Errorf("in the end there are %d documents and %d sidecars of %d faxes", len(documents), len(sidecars), len(v.hashes))
		}
		got := map[string]bool{}
		for _, id := range strings.Fields(string(c.run(t, nil, "faxctl", "archive", "list", to, "--held", "-o", "id").out)) {
			got[id] = true
		}
		if !maps.Equal(got, held) {
			t.Errorf("held are %v, want %v", got, held)
		}
		c.run(t, nil, "faxctl", "archive", "verify", to)
		if t.Failed() {
			t.Fatalf("in life %d, after %d kills", life, killed)
		}
	}
}

// checkCopied looks at the bucket with eyes of its own.
func (v *victim) checkCopied(t *testing.T, s *s3test.Server) (documents map[string][]string, sidecars map[string]int) {
	t.Helper()
	documents, sidecars = readBucket(t, s)
	for id, sums := range documents {
		if len(sums) != 1 || sums[0] != v.hashes[id] {
			t.Errorf("fax %s: the documents are %v, want %s", id, sums, v.hashes[id])
		}
	}
	for id := range sidecars {
		if v.hashes[id] != "" && len(documents[id]) == 0 {
			t.Errorf("fax %s: a sidecar without its document", id)
		}
	}
	kept, err := filepath.Glob(filepath.Join(v.dir, "*", "*", "*", "*.json"))
	if err != nil || len(kept) != len(v.hashes) {
		t.Errorf("of the archive that is copied are left %d sidecars, %v", len(kept), err)
	}
	return documents, sidecars
}
