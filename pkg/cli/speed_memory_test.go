package cli_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/sandbox"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// BenchmarkSpeedMemory looks at what archiving and pruning hold at most, of few faxes and
// of many: 40 MB, and 300 bytes for each, since a prune fixes first what it deletes.
//
//	go test ./pkg/cli -run - -bench SpeedMemory -benchtime 1x
func BenchmarkSpeedMemory(b *testing.B) {
	shipped(b)
	for _, faxes := range []int{5_000, 100_000} {
		b.Run(fmt.Sprint(faxes), func(b *testing.B) {
			var doc bytes.Buffer
			if err := paper.Write(&doc, paper.PDF, paper.Sheet{Pages: 1}); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				memory(b, faxes, doc.Bytes())
			}
		})
	}
}

func memory(b *testing.B, faxes int, doc []byte) {
	b.Helper()
	c := newCloud(b, sandbox.Options{}, sandbox.SeedOptions{Faxes: faxes, Numbers: 20, Document: doc, Pages: 1})
	kept := filepath.Join(b.TempDir(), "kept")
	holds := func(what string, args ...string) result {
		u := c.run(b, nil, "faxctl", append([]string{"faxes"}, args...)...)
		b.ReportMetric(u.time.Seconds(), "s-"+what)
		promise(b, megabytes(u.memory), "MB-"+what, 40+300*float64(faxes)/1e6)
		return u
	}
	if faxes > 10_000 { // most of which is waiting for the disk
		c.keep(b, kept, doc)
	} else {
		holds("new", "archive", "--to", kept)
	}
	holds("again", "archive", "--to", kept)
	prune := []string{"prune", "--older-than", "1d", "--archive", kept}
	would := holds("dry-run", append(prune, "--dry-run", "-o", "jsonl")...).lines()
	if would < faxes*9/10 {
		b.Fatalf("%d would go, of %d faxes", would, faxes)
	}
	if faxes > 10_000 { // all of which are held, and few go
		prune = append(prune, "--keep-last", "4900")
	}
	holds("prune", append(prune, "--yes")...)
	if left := c.run(b, nil, "faxctl", "faxes", "list", "--all", "-o", "id").lines(); left == faxes || faxes < 10_000 && left > faxes-would {
		b.Fatalf("%d faxes are left of %d", left, faxes)
	}
}
