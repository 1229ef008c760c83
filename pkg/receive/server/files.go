package server

import (
	"cmp"
	"fmt"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

const (
	usualConns = 1024
	otherFiles = 256 // for the archive, the databases, programs and the provider
)

// OpenFiles is how many files a server of so many connections may have open; 0:
// as many as usual. Each connection may bring a document, which is a file too.
func OpenFiles(conns int) int {
	if conns == 0 {
		conns = usualConns
	}
	return 2*conns + otherFiles
}

// Connections is how many there may be at once: so many as are wanted, which the limit
// of open files has to allow, or as many as it allows of the usual number; 0: that.
func Connections(wanted int) (int, error) { return connections(wanted, openFiles()) }

func connections(wanted int, files uint64) (int, error) {
	need := OpenFiles(wanted)
	if files >= uint64(need) {
		return cmp.Or(wanted, usualConns), nil
	}
	if wanted == 0 && files >= uint64(OpenFiles(1)) {
		return int((files - otherFiles) / 2), nil
	}
	return 0, problem.With(fmt.Errorf("%w: %d connections need %d open files, and the system allows %d", problem.ErrInvalid, cmp.Or(wanted, usualConns), need, files),
		problem.Say(fmt.Sprintf("raise the limit, as with ulimit -n %d, or LimitNOFILE=%d in a systemd unit, or allow fewer connections", need, need)))
}
