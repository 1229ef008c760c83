//go:build unix && !linux

package prometheus

import "golang.org/x/sys/unix"

// process is what the system tells without a program of its own, by the name without
// process_.
func process() map[string]float64 {
	told := map[string]float64{}
	var use unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &use) == nil {
		told["cpu_seconds_total"] = float64(use.Utime.Nano()+use.Stime.Nano()) / 1e9
	}
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) == nil {
		told["max_fds"] = float64(files.Cur)
	}
	return told
}
