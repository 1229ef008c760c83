package retention

import (
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// ParseSince reads what follows --since: a length of time before now ("24h"), a day
// ("2026-01-31", "today", "yesterday"), a month ("2026-01"), which begin as they do in
// the time zone of now, a day and a time there ("2026-01-31T15:04", with seconds or
// without, or with a blank for the T), or RFC 3339. It is the value for Filter.After, so
// that a fax made at the very moment is selected. Of a time that there is twice, when
// clocks go back, it is the first; one that clocks skip is the moment at which they do.
// Errors are fax.ErrInvalid.
func ParseSince(s string, now time.Time) (time.Time, error) {
	t, _, err := parseWhen(s, now)
	if err != nil {
		return time.Time{}, err
	}
	return t.Add(-1), nil
}

// ParseUntil reads what follows --until, in the same words: the value for
// Filter.Until. A day and a month are meant to their end.
func ParseUntil(s string, now time.Time) (time.Time, error) {
	_, end, err := parseWhen(s, now)
	return end, err
}

// FollowsNow reports whether a time, as [ParseSince] reads it, is counted from now: who
// has the wrong time has another one.
func FollowsNow(s string) bool {
	_, err := ParseAge(s)
	return err == nil || s == "today" || s == "yesterday"
}

// parseWhen is the span of time that a word means; a moment begins and ends at once.
func parseWhen(s string, now time.Time) (begin, end time.Time, err error) {
	if age, err := ParseAge(s); err == nil {
		return now.Add(-age), now.Add(-age), nil
	}
	days := map[string]int{"today": 0, "yesterday": -1}
	if back, known := days[s]; known {
		begin, end = span(now.AddDate(0, 0, back), 0, 1, now.Location())
		return begin, end, nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", time.DateTime, "2006-01-02T15:04:05"} {
		if wall, err := time.Parse(layout, s); err == nil {
			t := local(wall, now.Location())
			return t, t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, t, nil
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		begin, end = span(day, 0, 1, now.Location())
		return begin, end, nil
	}
	if month, err := time.Parse("2006-01", s); err == nil {
		begin, end = span(month, 1, 0, now.Location())
		return begin, end, nil
	}
	day, _, _ := strings.Cut(strings.Replace(s, "T", " ", 1), " ")
	if _, err := time.Parse(time.DateOnly, day); err != nil && strings.HasSuffix(err.Error(), "day out of range") {
		return time.Time{}, time.Time{}, problem.Invalid(problem.Say("its month is shorter"), "time %q: there is no such day", s)
	}
	return time.Time{}, time.Time{}, badTime("time", s, "24h, 7d, 2w, 6mo or 1y for so long ago, today, yesterday, 2026-11, 2026-11-01, 2026-11-01T15:04 or 2026-11-01T15:04:05Z")
}

// span are the first and the last moment of so many months and days in a zone, from the
// day of first on.
func span(first time.Time, months, days int, in *time.Location) (begin, end time.Time) {
	wall := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, time.UTC)
	return local(wall, in), local(wall.AddDate(0, months, days), in).Add(-1)
}

// local is the moment at which the clocks of a zone show what wall does in UTC: the first
// of two, and the moment at which they skip it where they do.
func local(wall time.Time, in *time.Location) time.Time {
	near := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), in)
	_, before := near.Add(-36 * time.Hour).Zone()
	_, after := near.Add(36 * time.Hour).Zone()
	var found time.Time
	for _, offset := range []int{before, after} {
		t := wall.Add(-time.Duration(offset) * time.Second).In(in)
		if shows(t).Equal(wall) && (found.IsZero() || t.Before(found)) {
			found = t
		}
	}
	if !found.IsZero() {
		return found
	}
	begin, end := near.ZoneBounds()
	if shows(near).Before(wall) {
		return end
	}
	return begin
}

// shows is what the clocks of its zone show at t, as if it were UTC.
func shows(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}
