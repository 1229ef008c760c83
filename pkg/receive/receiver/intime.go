package receiver

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// A provider waits 15 s for an answer, and asks nobody else when none comes. What a callback
// brings is not waited for as long.
const (
	answerIn = 10 * time.Second // counted from when its body began to be read
	leastFor = 3 * time.Second  // however long that took
)

// inTime is what came of keeping what a callback brought, or a refusal before its provider
// gives up. It goes on all the same: what is kept then may not come again.
func (r *Receiver) inTime(begun time.Time, keep func() (delivery.Event, string, error)) (delivery.Event, string, error) {
	type end struct {
		event   delivery.Event
		outcome string
		err     error
	}
	done := make(chan end, 1)
	go func() {
		var got end
		defer func() {
			if p := recover(); p != nil { // as in a handler, whose it was until now
				r.log.Error("a callback panicked", "panic", p, "trace", string(debug.Stack()))
				got.err = fmt.Errorf("it panicked: %v", p)
			}
			done <- got
		}()
		got.event, got.outcome, got.err = keep()
	}()
	late := time.NewTimer(max(time.Until(begun.Add(answerIn)), leastFor))
	defer late.Stop()
	select {
	case got := <-done:
		return got.event, got.outcome, got.err
	case <-late.C:
	}
	go func() {
		if got := <-done; got.err != nil {
			r.log.Error("what a callback brought was not kept, and its provider was told so", "fax", got.event.FaxID, "error", got.err)
		} else {
			r.log.Warn("what a callback brought is kept, after its provider was told that it was not", "fax", got.event.FaxID, "after", time.Since(begun))
		}
	}()
	return delivery.Event{}, "", refused(http.StatusServiceUnavailable, "late", "what it brought is not kept after %s", time.Since(begun).Round(time.Second))
}
