package retention

import (
	"fmt"
	"math"
	"regexp"
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
	var total time.Duration
	for rest := s; ; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		word := rest[digits:]
		if i := strings.IndexAny(word, "0123456789"); i >= 0 {
			word = word[:i]
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		unit := unitOf(word)
		if err != nil || unit == 0 || n > int64((math.MaxInt64-total)/unit) {
			return 0, badTime("length of time", s, "90d, 24h, 2w, 6mo or 7y")
		}
		total += time.Duration(n) * unit
		if rest = rest[digits+len(word):]; rest == "" {
			return total, nil
		}
	}
}

// ParseDeletionAge is [ParseAge] for what deletes: it takes h, d, w, mo and y.
// Whoever writes 6m means months as often as minutes, and in a deletion the one
// for the other takes everything. fax.ErrInvalid: an m or an s.
func ParseDeletionAge(s string) (time.Duration, error) {
	age, err := ParseAge(s)
	if short := regexp.MustCompile(`[ms](\d|$)`); err == nil && short.MatchString(s) {
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

// ParseSince reads what follows --since: a length of time before now ("24h"), a
// day ("2026-01-01", its beginning in the time zone of now), a day and a time
// ("2026-01-01 15:04"), or RFC 3339. It is the value for Filter.After, so that
// a fax made at the very moment is selected. Errors are fax.ErrInvalid.
func ParseSince(s string, now time.Time) (time.Time, error) {
	t, _, err := parseWhen(s, now)
	if err != nil {
		return time.Time{}, err
	}
	return t.Add(-1), nil
}

// ParseUntil reads what follows --until, in the same words: the value for
// Filter.Until. A day is meant to its end.
func ParseUntil(s string, now time.Time) (time.Time, error) {
	t, isDay, err := parseWhen(s, now)
	if err == nil && isDay {
		t = t.AddDate(0, 0, 1).Add(-1)
	}
	return t, err
}

func parseWhen(s string, now time.Time) (t time.Time, isDay bool, err error) {
	if age, err := ParseAge(s); err == nil {
		return now.Add(-age), false, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", time.DateTime, time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, layout == time.DateOnly, nil
		}
	}
	return time.Time{}, false, badTime("time", s, "24h, 2026-01-01 or 2026-01-01T15:04:05Z")
}

func badTime(what, got, like string) error {
	return problem.Invalid(problem.Say("write it like "+like), "%s %q", what, got)
}

// Limit is the most a policy may select: a count, a share of the faxes its filter
// meets, or what comes in some average days. The zero value is no limit.
type Limit struct {
	set     bool
	count   int
	percent float64 // when above zero, or when the text ended in %
	isShare bool
	days    float64 // so many average days, when they have more than count; 0: count alone
}

// DailyLimit is for a policy that is carried out every day without a person: each
// day selects about a day's worth. It allows 200, or three times what an average
// day has where that is more.
func DailyLimit() Limit { return Limit{set: true, count: 200, days: 3} }

// ParseLimit reads "500" or "5%". Errors are fax.ErrInvalid.
func ParseLimit(s string) (Limit, error) {
	bad := problem.Invalid(problem.Say("write it like 500 or 5%"), "limit %q", s)
	if number, ok := strings.CutSuffix(s, "%"); ok {
		p, err := strconv.ParseFloat(number, 64)
		if err != nil || !(p >= 0 && p <= 100) {
			return Limit{}, bad
		}
		return Limit{set: true, percent: p, isShare: true}, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return Limit{}, bad
	}
	return Limit{set: true, count: n}, nil
}

// String is "500", "5%", "200, or 3 average days" or "no limit".
func (l Limit) String() string {
	switch {
	case !l.set:
		return "no limit"
	case l.isShare:
		return strconv.FormatFloat(l.percent, 'f', -1, 64) + "%"
	case l.days > 0:
		return fmt.Sprintf("%d, or %g average days", l.count, l.days)
	}
	return strconv.Itoa(l.count)
}

// needsAll reports whether the limit is known only when all faxes that the filter
// meets are seen, whatever their age.
func (l Limit) needsAll() bool { return l.set && (l.isShare || l.days > 0) }

// Check fails with fax.ErrConflict when selected of considered faxes, which came
// within so many days, are more than the limit allows.
func (l Limit) Check(selected, considered int, days float64) error {
	selection, most := strconv.Itoa(selected), float64(l.count)
	limit := l.String()
	switch {
	case l.isShare:
		selection += fmt.Sprintf(" of the %d that the filters meet", considered)
		most = l.percent * float64(considered) / 100
	case l.days > 0:
		most = max(most, l.days*float64(considered)/max(days, 1))
		limit = fmt.Sprintf("%.0f for a day", math.Floor(most))
	}
	if !l.set || float64(selected) <= most {
		return nil
	}
	return problem.With(fmt.Errorf("%w: the policy selects %s, more than the limit of %s; nothing was deleted", problem.ErrConflict, selection, limit),
		problem.Say("look at the selection with %s; raise %s if it is right", problem.Field("dry-run"), problem.Field("max-delete")))
}
