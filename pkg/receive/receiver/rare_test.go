package receiver

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRiverIsQuiet: whatever River warns of again and again, of each of its parts, is one
// line a minute in our words, with the error and how many times it was. What has no error,
// what was ended and what it informs of is none.
func TestRiverIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(quiet{slog.NewTextHandler(&out, nil), new(rare)})
		away := errors.New("no connection")
		for range 75 {
			log.Info("all is well")
			log.Error("producer: Error fetching jobs", "err", away.Error(), "queue", "fetch")
			log.Error("leadership.Elector: Error attempting to elect", "client_id", "vm-X", "err", away)
			log.Warn("leadership.Elector: Current leader stepping down", "client_id", "vm-X")
			log.Error("maintenance.JobScheduler: Error scheduling jobs", "error", "begin: context canceled")
			time.Sleep(time.Second)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		const ours = `level=WARN msg="the database holds up the work on jobs" error="no connection" times=`
		if len(lines) != 2 || !strings.HasSuffix(lines[0], ours+"1") || !strings.HasSuffix(lines[1], ours+"120") {
			t.Errorf("%q", lines)
		}
	})
}

// Who debugs the program sees the words of River.
func TestRiverIsDebugged(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(quiet{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}), new(rare)})
	log.Warn("leadership.Elector: Current leader stepping down", "client_id", "vm-X")
	if !strings.HasSuffix(out.String(), "level=DEBUG msg=\"leadership.Elector: Current leader stepping down\" client_id=vm-X\n") {
		t.Error(out.String())
	}
}
