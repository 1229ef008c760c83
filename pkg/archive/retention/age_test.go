package retention

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

func TestParseAge(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"90d": 90 * day, "24h": day, "2w": 14 * day, "6mo": 186 * day, "1y": 366 * day, "90m": 90 * time.Minute,
		"30s": 30 * time.Second, "1w3d": 10 * day, "0d": 0,
	} {
		if got, err := ParseAge(in); err != nil || got != want {
			t.Errorf("ParseAge(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "90", "d", "-90d", "90 d", "9e9d", "300y", "99999999999999999999d", "1.5h", "90days", "200y200y"} {
		if got, err := ParseAge(in); !errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).String() == "" {
			t.Errorf("ParseAge(%q) = %v, %v; want an invalid length of time with a hint", in, got, err)
		}
	}
}

// In a deletion six minutes are never taken for six months.
func TestParseDeletionAge(t *testing.T) {
	for in, want := range map[string]time.Duration{"1h": time.Hour, "90d": 90 * day, "2w": 14 * day, "6mo": 186 * day, "7y": 7 * 366 * day, "1mo12h": 31*day + 12*time.Hour} {
		if got, err := ParseDeletionAge(in); err != nil || got != want {
			t.Errorf("ParseDeletionAge(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"6m", "90m", "7776000s", "0s", "1mo6m", "6m1mo", "1d30s", "30s1d"} {
		if got, err := ParseDeletionAge(in); !errors.Is(err, problem.ErrInvalid) || !strings.Contains(problem.AdviceOf(err).String(), "6mo") {
			t.Errorf("ParseDeletionAge(%q) = %v, %v; want it refused, with 6mo in the hint", in, got, err)
		}
	}
	if _, err := ParseDeletionAge("soon"); !errors.Is(err, problem.ErrInvalid) {
		t.Errorf("soon: %v", err)
	}
}

func TestParseSinceAndUntil(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, berlin)
	date := func(d, h, m, s, ns int) time.Time { return time.Date(2026, 1, d, h, m, s, ns, berlin) }
	for _, tc := range []struct {
		in           string
		since, until time.Time
	}{
		{"24h", now.Add(-day - 1), now.Add(-day)},
		{"2026-01-02", date(1, 23, 59, 59, 999999999), date(2, 23, 59, 59, 999999999)},
		{"2026-01-02 15:04", date(2, 15, 3, 59, 999999999), date(2, 15, 4, 0, 0)},
		{"2026-01-02T15:04", date(2, 15, 3, 59, 999999999), date(2, 15, 4, 0, 0)},
		{"2026-01-02T14:04:05Z", date(2, 15, 4, 4, 999999999), date(2, 15, 4, 5, 0)},
	} {
		for name, got := range map[string]func(string, time.Time) (time.Time, error){"ParseSince": ParseSince, "ParseUntil": ParseUntil} {
			want := map[string]time.Time{"ParseSince": tc.since, "ParseUntil": tc.until}[name]
			if t1, err := got(tc.in, now); err != nil || !t1.Equal(want) {
				t.Errorf("%s(%q) = %v, %v; want %v", name, tc.in, t1, err, want)
			}
		}
	}
	for _, in := range []string{"", "tomorrow", "2026-13", "2026-13-01", "01/02/2026", "2026-01-02T"} {
		if _, err := ParseSince(in, now); !errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).String() == "" {
			t.Errorf("ParseSince(%q): %v; want an invalid time with a hint", in, err)
		}
	}
}

func FuzzParseSince(f *testing.F) {
	for _, s := range []string{"24h", "2026-01-01", "1w3d", "9999999999y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if at, err := ParseSince(s, testNow()); err != nil && !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("%q: %v, %v", s, at, err)
		}
		if age, err := ParseAge(s); err == nil && age < 0 {
			t.Errorf("%q is a length of %v", s, age)
		}
	})
}
