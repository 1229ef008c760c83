package flag

import (
	"strconv"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// mostBytes is the largest limit of a document: what is longer is taken to be endless.
const mostBytes = 1 << 30

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

// Size is a flag of so many bytes, as in 64MiB: from 1 to 1GiB. What to is, is its
// default.
func Size(to *int64) *Value[int64] {
	v := Of(to, readSize)
	v.kind, v.text = "size", sizeText(*to)
	return v
}

func readSize(given string) (int64, error) {
	lower := strings.ToLower(strings.TrimSpace(given))
	for _, u := range units() {
		number, ok := strings.CutSuffix(lower, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 1 || n > mostBytes/u.bytes {
			break
		}
		return n * u.bytes, nil
	}
	return 0, problem.Invalid(problem.Say("write it like 64MiB, 20MB or 500000 (bytes), up to 1GiB"), "size %q", given)
}

// sizeText is a size in the largest unit that divides it.
func sizeText(bytes int64) string {
	for _, u := range units()[:3] {
		if bytes > 0 && bytes%u.bytes == 0 {
			return strconv.FormatInt(bytes/u.bytes, 10) + strings.ToUpper(u.name[:1]) + "iB"
		}
	}
	return strconv.FormatInt(bytes, 10) + "B"
}
