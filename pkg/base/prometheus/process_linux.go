package prometheus

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ticks is how many the kernel counts in a second, for programs, on all machines.
const ticks = 100

// process is what the kernel tells, by the name without process_. Source: proc(5).
func process() map[string]float64 {
	told := map[string]float64{}
	tellStat(told)
	for name, resource := range map[string]int{"max_fds": unix.RLIMIT_NOFILE, "virtual_memory_max_bytes": unix.RLIMIT_AS} {
		var limit unix.Rlimit
		if unix.Getrlimit(resource, &limit) == nil {
			told[name] = float64(limit.Cur)
		}
	}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		told["open_fds"] = float64(len(open) - 1) // without the one that looks
	}
	if data, err := os.ReadFile("/proc/self/net/netstat"); err == nil {
		traffic := ipTraffic(string(data))
		for name, field := range map[string]string{"network_receive_bytes_total": "InOctets", "network_transmit_bytes_total": "OutOctets"} {
			if n, is := traffic[field]; is {
				told[name] = n
			}
		}
	}
	return told
}

// tellStat reads the one line about the process. The name of the program, which stands in
// parentheses, may have any character.
func tellStat(told map[string]float64) {
	line, err := os.ReadFile("/proc/self/stat")
	_, after, found := bytes.Cut(line[max(bytes.LastIndexByte(line, ')'), 0):], []byte(" "))
	fields := strings.Fields(string(after)) // the first is the third of the line
	if err != nil || !found || len(fields) < 22 {
		return
	}
	field := func(number int) float64 {
		n, _ := strconv.ParseFloat(fields[number-3], 64)
		return n
	}
	told["cpu_seconds_total"] = (field(14) + field(15)) / ticks
	told["virtual_memory_bytes"] = field(23)
	told["resident_memory_bytes"] = field(24) * float64(os.Getpagesize())
	if boot, err := bootTime(); err == nil {
		told["start_time_seconds"] = boot + field(22)/ticks
	}
}

// bootTime is when the machine started, in seconds since 1970.
func bootTime() (float64, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if at, is := strings.CutPrefix(line, "btime "); is {
			return strconv.ParseFloat(strings.TrimSpace(at), 64)
		}
	}
	return 0, fmt.Errorf("/proc/stat has no btime")
}

// ipTraffic are the counters of IP: a line of names, and one of numbers.
func ipTraffic(netstat string) map[string]float64 {
	traffic := map[string]float64{}
	var names []string
	for line := range strings.Lines(netstat) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "IpExt:" {
			continue
		}
		if names == nil {
			names = words
			continue
		}
		for i, word := range words[1:min(len(words), len(names))] {
			if n, err := strconv.ParseFloat(word, 64); err == nil {
				traffic[names[i+1]] = n
			}
		}
	}
	return traffic
}
