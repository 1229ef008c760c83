package receiver_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain makes the test binary play the programs that a receiver starts, or
// that are the receiver.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == programWord {
		os.Exit(program(os.Args[2:]))
	}
	if len(os.Args) > 2 && os.Args[1] == victimWord {
		os.Exit(victim(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}
