package retention

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zones are those whose clocks do what is hard: an hour that is skipped or there twice by
// day and at midnight, half an hour of it, and a day that never was.
func zones(t testing.TB) []*time.Location {
	t.Helper()
	var all []*time.Location
	for _, name := range []string{"America/New_York", "Europe/Berlin", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "UTC"} {
		in, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, in)
	}
	return all
}

func TestWhen(t *testing.T) {
	in := zones(t)
	york, cairo, havana := in[0], in[2], in[3]
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, york)
	utc := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct {
		text       string
		now        time.Time
		begin, end string // end is the moment after
	}{
		{"2026-11-01T01:30:00", now, "2026-11-01T05:30:00Z", ""},                       // there twice: the first
		{"2026-11-01T01:30", now, "2026-11-01T05:30:00Z", ""},                          //
		{"2026-11-01 01:30:00", now, "2026-11-01T05:30:00Z", ""},                       //
		{"2026-11-01T01:30:00-05:00", now, "2026-11-01T06:30:00Z", ""},                 // the second, by its name
		{"2026-03-08T02:30:00", now, "2026-03-08T07:00:00Z", ""},                       // skipped
		{"today", now, "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},                 // 25 hours
		{"yesterday", now, "2026-10-31T04:00:00Z", "2026-11-01T04:00:00Z"},             //
		{"2026-11", now, "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z"},               //
		{"2026-11-01", now, "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},            //
		{"2024-02", now, "2024-02-01T05:00:00Z", "2024-03-01T05:00:00Z"},               //
		{"2026-12", now, "2026-12-01T05:00:00Z", "2027-01-01T05:00:00Z"},               //
		{"2024-04-26", now.In(cairo), "2024-04-25T22:00:00Z", "2024-04-26T21:00:00Z"},  // has no midnight
		{"2024-11-03", now.In(havana), "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"}, // has two
	} {
		begin, end, err := parseWhen(c.text, c.now)
		if err != nil || !begin.Equal(utc(c.begin)) {
			t.Errorf("%s begins at %s, %v; want %s", c.text, begin.UTC(), err, c.begin)
		}
		if c.end != "" && !end.Equal(utc(c.end).Add(-1)) {
			t.Errorf("%s ends at %s, want before %s", c.text, end.UTC(), c.end)
		}
		if c.end == "" && !end.Equal(begin) {
			t.Errorf("%s is a moment, and ends at %s", c.text, end.UTC())
		}
	}
}

// A time is the first moment at which the clocks show it or something later: what
// somebody finds who waits for it from the day before on.
func TestLocalIsTheFirstMoment(t *testing.T) {
	all := zones(t)
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SampledFrom(all).Draw(t, "zone")
		// near where clocks change, as often as not
		from := time.Date(rapid.IntRange(2009, 2030).Draw(t, "year"), 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 365).Draw(t, "day")).In(in)
		if _, change := from.ZoneBounds(); !change.IsZero() && rapid.Bool().Draw(t, "at a change") {
			from = change
		}
		wall := shows(from).Truncate(time.Minute).Add(time.Duration(rapid.IntRange(-150, 150).Draw(t, "minutes")) * time.Minute)
		want := wall.Add(-40 * time.Hour).In(in) // in UTC no zone is further away
		for shows(want).Before(wall) {
			want = want.Add(time.Minute)
		}
		if got := local(wall, in); !got.Equal(want) {
			t.Fatalf("%s in %s is %s, want %s", wall, in, got.UTC(), want.UTC())
		}
	})
}

// Months follow each other without a gap and without a moment that is in two, and so do
// days; a month is from the beginning of its first day to the end of its last.
func TestMonthsFollowEachOther(t *testing.T) {
	all := zones(t)
	rapid.Check(t, func(t *rapid.T) {
		now := time.Now().In(rapid.SampledFrom(all).Draw(t, "zone"))
		month := time.Date(rapid.IntRange(1990, 2060).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 1, 0, 0, 0, 0, time.UTC)
		next := month.AddDate(0, 1, 0)
		since := func(text string) time.Time { return mustTime(t, ParseSince, text, now) }
		until := func(text string) time.Time { return mustTime(t, ParseUntil, text, now) }
		if a, b := until(month.Format("2006-01")), since(next.Format("2006-01")); !a.Equal(b) {
			t.Fatalf("%s ends at %s, and the next month begins after %s", month.Format("2006-01"), a, b)
		}
		if a, b := since(month.Format("2006-01")), since(month.Format(time.DateOnly)); !a.Equal(b) {
			t.Fatalf("the month begins after %s, its first day after %s", a, b)
		}
		if a, b := until(month.Format("2006-01")), until(next.AddDate(0, 0, -1).Format(time.DateOnly)); !a.Equal(b) {
			t.Fatalf("the month ends at %s, its last day at %s", a, b)
		}
	})
}

// What is six months old is so by every calendar: an age in months or years is at least
// as long as that many of them before any day.
func TestAgesInMonthsAreLong(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 100).Draw(t, "n")
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(-5000, 5000).Draw(t, "day"))
		for unit, months := range map[string]int{"mo": n, "y": 12 * n} {
			age, err := ParseDeletionAge(strconv.Itoa(n) + unit)
			if err != nil {
				t.Fatal(err)
			}
			before := at.AddDate(0, -months, 0)
			if before.Day() != at.Day() { // there is no such day: the last of its month
				before = before.AddDate(0, 0, -before.Day())
			}
			if at.Add(-age).After(before) {
				t.Fatalf("%d%s before %s is %s, and by the calendar %s", n, unit, at, at.Add(-age), before)
			}
		}
	})
}

func mustTime(t *rapid.T, parse func(string, time.Time) (time.Time, error), text string, now time.Time) time.Time {
	at, err := parse(text, now)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return at
}

func TestMaybeMonths(t *testing.T) {
	for text, want := range map[string]bool{"6m": true, "1m": true, "24m": true, "25m": false, "90m": false, "6mo": false, "0m": false, "m": false, "1h6m": false, "6d": false} {
		if MaybeMonths(text) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
	for text, want := range map[string]bool{"today": true, "yesterday": true, "6d": true, "2026-11": false, "2026-11-01": false} {
		if FollowsNow(text) != want {
			t.Errorf("%s follows now: %v", text, !want)
		}
	}
}

// A day that its month does not have is told as one.
func TestNoSuchDay(t *testing.T) {
	for _, s := range []string{"2026-02-30", "2026-02-30T10:00", "2026-04-31 10:00", "2026-02-29T10:00:00Z"} {
		if _, _, err := parseWhen(s, time.Now()); err == nil || !strings.HasSuffix(err.Error(), "there is no such day") {
			t.Errorf("%s: %v", s, err)
		}
	}
	if _, _, err := parseWhen("2026-13-01", time.Now()); err == nil || strings.Contains(err.Error(), "day") {
		t.Errorf("a month that there is not: %v", err)
	}
}
