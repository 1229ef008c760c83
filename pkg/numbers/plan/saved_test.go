package plan_test

import (
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

// A plan does not take itself for older than it is: what was bought a moment before, and
// given up, would be taken for bought by it.
func TestSavedIsNoOlder(t *testing.T) {
	before := time.Now().Truncate(time.Millisecond)
	if made := plan.Save("twilio", "AC1", plan.File{}, nil, nil).Made; made.Before(before) {
		t.Errorf("made at %s, which is before %s", made, before)
	}
}
