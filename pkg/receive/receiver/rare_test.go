package receiver

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRiverIsQuiet: what River warns of again and again is a line a minute, with how many
// times it was; what it informs of is none.
func TestRiverIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(quiet{slog.NewTextHandler(&out, nil), new(rare)}).With("of", "river")
		for range 150 {
			log.Info("all is well")
			log.Error("no connection")
			time.Sleep(time.Second)
		}
		log.Warn("something else")
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 4 || !strings.HasSuffix(lines[1], "times=60") || !strings.Contains(lines[3], "something else") {
			t.Errorf("%q", lines)
		}
	})
}
