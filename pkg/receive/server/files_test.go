package server

import (
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// TestConnectionsAllowed: what the system allows is known before the first request.
func TestConnectionsAllowed(t *testing.T) {
	for _, tt := range []struct {
		wanted     int
		files      uint64
		want, hint any
	}{
		{0, 1 << 20, 1024, ""},
		{0, 1024, 384, ""},
		{0, 200, 0, "raise the limit, as with ulimit -n 2304, or LimitNOFILE=2304 in a systemd unit, or allow fewer connections"},
		{512, 1280, 512, ""},
		{512, 1279, 0, "raise the limit, as with ulimit -n 1280, or LimitNOFILE=1280 in a systemd unit, or allow fewer connections"},
		{5000, 1 << 20, 5000, ""},
	} {
		if got, err := connections(tt.wanted, tt.files); got != tt.want || problem.AdviceOf(err).String() != tt.hint || (err != nil) != (got == 0) {
			t.Errorf("%d of %d files: %d, %v, %s", tt.wanted, tt.files, got, err, problem.AdviceOf(err).String())
		}
	}
}
