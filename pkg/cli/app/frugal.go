package app

import (
	"os"
	"runtime/debug"
)

// Frugal keeps the memory of a long run close to what it holds: garbage makes half as much
// again, not as much again. Collecting it twice as often is little beside the disk and the
// provider, for which such runs wait. A GOGC in the environment counts before it.
func Frugal() {
	const percent = 50
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
