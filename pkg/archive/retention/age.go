package retention

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

const day = 24 * time.Hour

// ParseAge reads a length of time: "90d", "24h", "2w", "6mo", "7y", "90m", or
// several together, "1w3d". A month counts 31 days and a year 366, so that
// nothing is older than asked a day too early. Errors are fax.ErrInvalid.
func ParseAge(s string) (time.Duration, error) {
	age, _, err := parseAge(s)
	return age, err
}

// parseAge is [ParseAge] that tells the shortest unit as well.
func parseAge(s string) (total, shortest time.Duration, err error) {
	shortest = math.MaxInt64
	for rest := s; ; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		word := rest[digits:]
		if i := strings.IndexAny(word, "0123456789"); i >= 0 {
			word = word[:i]
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		unit := unitOf(word)
		if err != nil || unit == 0 || n > int64((math.MaxInt64-total)/unit) {
			return 0, 0, badTime("length of time", s, "90d, 24h, 2w, 6mo or 7y")
		}
		total, shortest = total+time.Duration(n)*unit, min(shortest, unit)
		if rest = rest[digits+len(word):]; rest == "" {
			return total, shortest, nil
		}
	}
}

// ParseDeletionAge is [ParseAge] for what deletes: it takes h, d, w, mo and y.
// Whoever writes 6m means months as often as minutes, and in a deletion the one
// for the other takes everything. fax.ErrInvalid: an m or an s.
func ParseDeletionAge(s string) (time.Duration, error) {
	age, shortest, err := parseAge(s)
	if err == nil && shortest < time.Hour {
		err = problem.Invalid(problem.Say("write 6mo for six months; where faxes are deleted an age takes h, d, w, mo and y"), "length of time %q: minutes and seconds are too short to delete by", s)
	}
	return age, err
}

// unitOf is the length of a unit, 0 when there is none of that name.
func unitOf(word string) time.Duration {
	switch word {
	case "s":
		return time.Second
	case "m":
		return time.Minute
	case "h":
		return time.Hour
	case "d":
		return day
	case "w":
		return 7 * day
	case "mo":
		return 31 * day
	case "y":
		return 366 * day
	}
	return 0
}

// MaybeMonths reports whether a length of time is in minutes, and in as few as somebody
// has in mind who means months: 6m.
func MaybeMonths(s string) bool {
	const most = 24 // months that people count
	number, ok := strings.CutSuffix(s, "m")
	n, err := strconv.Atoi(number)
	return ok && err == nil && n > 0 && n <= most
}

func badTime(what, got, like string) error {
	return problem.Invalid(problem.Say("write it like "+like), "%s %q", what, got)
}
