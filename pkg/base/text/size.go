package text

import (
	"strconv"
	"strings"
)

// unit is one in which sizes are written.
type unit struct {
	name  string
	bytes int64
}

// units are those there are, the longest name first.
func units() []unit {
	return []unit{
		{"gib", 1 << 30}, {"mib", 1 << 20}, {"kib", 1 << 10},
		{"gb", 1e9}, {"mb", 1e6}, {"kb", 1e3}, {"b", 1}, {"", 1},
	}
}

// ReadSize is so many bytes as people write them, 64MiB, 20 MB or 500000, from 1 to most;
// 0: it is none of these.
func ReadSize(given string, most int64) int64 {
	lower := strings.ToLower(strings.TrimSpace(given))
	for _, u := range units() {
		number, ok := strings.CutSuffix(lower, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 1 || n > most/u.bytes {
			break
		}
		return n * u.bytes
	}
	return 0
}

// Size is so many bytes in the largest unit that divides them.
func Size(bytes int64) string {
	for _, u := range units()[:3] {
		if bytes > 0 && bytes%u.bytes == 0 {
			return strconv.FormatInt(bytes/u.bytes, 10) + strings.ToUpper(u.name[:1]) + "iB"
		}
	}
	return strconv.FormatInt(bytes, 10) + "B"
}
