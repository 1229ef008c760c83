package receiver_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// Receivers that share a database have one archive: another one is refused until it is
// taken over, and then those that run with the one before end at their next fax.
func TestOneArchive(t *testing.T) { t.Run(inDatabase, testOneArchive) }

func testOneArchive(t *testing.T) {
	first := newStation(t, func(c *receiver.Config) { c.ArchiveName = "s3://one/kept" })
	with := func(archive string, takeOver bool) (*receiver.Receiver, error) {
		c := first.config
		c.StateDir, c.ArchiveName, c.TakeOver = t.TempDir(), archive, takeOver
		r, err := receiver.Open(t.Context(), c)
		if err == nil {
			t.Cleanup(func() { _ = r.Close() })
		}
		return r, err
	}
	refused := func(what, has string, err error) {
		t.Helper()
		if !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), "receive into "+has) || !strings.Contains(problem.AdviceOf(err).String(), "start it with that one") {
			t.Errorf("%s: %v (%v)", what, err, problem.AdviceOf(err))
		}
	}
	late, err := with("s3://two/kept", false) // nobody runs yet
	if err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop() // they end at once, if they begin
	ended := make(chan error, 1)
	go func() { ended <- first.Run(t.Context()) }()
	first.until("it works", func() bool { return strings.HasPrefix(first.ready(), "OK") })
	refused("one that was opened at the same time", "s3://one/kept", late.Run(stopped))
	_, err = with("s3://two/kept", false)
	refused("one that comes later", "s3://one/kept", err)
	if _, err := with("s3://one/kept", false); err != nil {
		t.Error(err)
	}

	// The name that was noted may be written in another way, as earlier versions did.
	first.config.SameArchive = strings.EqualFold
	if _, err := with("S3://One/kept", false); err != nil {
		t.Error(err)
	}
	first.config.SameArchive = nil

	over, err := with("s3://two/kept", true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := with("s3://one/kept", false); err != nil {
		t.Errorf("before the one that takes over runs: %v", err)
	}
	if err := over.Run(stopped); err != nil {
		t.Fatal(err)
	}
	_, err = with("s3://one/kept", false)
	refused("one with the archive before", "s3://two/kept", err)
	id := faxID(1)
	first.cloud.add(id)
	if w := first.do(post("/fax/done", callbackForm(id))); w.Code != 204 {
		t.Fatalf("answered %d", w.Code)
	}
	select {
	case err := <-ended:
		refused("the one that runs", "s3://two/kept", err)
	case <-time.After(time.Minute):
		t.Error("it goes on")
	}
	if first.archive.saved(id) != 0 {
		t.Error("it is kept where nobody looks")
	}
}
