package receiver_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// TestMain makes the test binary play the programs that a receiver starts, or
// that are the receiver.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == programWord {
		os.Exit(program(os.Args[2:]))
	}
	if len(os.Args) > 2 && os.Args[1] == victimWord {
		os.Exit(victim(os.Args[2], func(*receiver.Config) error { return nil }))
	}
	if len(os.Args) == 6 && os.Args[1] == replicaWord {
		os.Exit(replica(os.Args[2], os.Args[3], os.Args[4], os.Args[5]))
	}
	os.Setenv("TWILIO_AUTH_TOKEN", "secret") // which no program of an operator sees
	_ = flag.Set("test.parallel", "6")       // unless told: most of them wait more than they work
	goleak.VerifyTestMain(m)
}
