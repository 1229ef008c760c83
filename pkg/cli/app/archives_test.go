package app

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// What somebody says of how long to go on is true of a bucket too, also when it is what
// the provider has without a word.
func TestPatienceOfArchives(t *testing.T) {
	for said, want := range map[string]time.Duration{"": 0, "--retry-for=2m": 2 * time.Minute, "--retry-for=10m": 10 * time.Minute, "--retry-for=0": time.Millisecond} {
		a := New(strings.NewReader(""), io.Discard, io.Discard, func(string) string { return "" })
		var got time.Duration
		root := &cobra.Command{Use: "faxctl"}
		a.Globals(root)
		root.AddCommand(&cobra.Command{Use: "list", Run: func(*cobra.Command, []string) { got = a.Archives().Patience }})
		root.SetArgs(append([]string{"list"}, strings.Fields(said)...))
		if err := root.Execute(); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q: a bucket is tried for %s, want %s", said, got, want)
		}
	}
}
