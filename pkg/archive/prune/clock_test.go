package prune

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

func TestCheckClock(t *testing.T) {
	theirs := testNow()
	for _, tc := range []struct {
		name  string
		apart time.Duration
		age   time.Duration
		ok    bool
	}{
		{"together", 0, 90 * day, true},
		{"months ahead", 90 * day, 90 * day, false},
		{"months behind", -90 * day, 90 * day, false},
		{"a tenth of the age", 9 * day, 90 * day, true},
		{"more than a tenth of the age", 9*day + time.Second, 90 * day, false},
		{"more than a tenth behind", -9*day - time.Second, 90 * day, false},
		{"five minutes, of a short age", 5 * time.Minute, 10 * time.Minute, true},
		{"more than five minutes, of a short age", 5*time.Minute + time.Second, 10 * time.Minute, false},
		{"a tenth of an hour is more than five minutes", 6 * time.Minute, time.Hour, true},
		{"centuries", 1<<63 - 1, 7 * 366 * day, false},
	} {
		ours := theirs.Add(tc.apart)
		err := CheckClock(ours, theirs, tc.age)
		switch {
		case tc.ok && err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case !tc.ok && (!errors.Is(err, problem.ErrConflict) || problem.AdviceOf(err).String() == ""):
			t.Errorf("%s: %v, want a conflict with a hint", tc.name, err)
		case !tc.ok:
			for _, clock := range []time.Time{ours, theirs} {
				if text := clock.UTC().Format(time.RFC3339); !strings.Contains(err.Error(), text) {
					t.Errorf("%s: %v does not name %s", tc.name, err, text)
				}
			}
		}
	}
	if err := CheckClock(theirs, time.Time{}, 90*day); !errors.Is(err, problem.ErrConflict) || !strings.Contains(problem.AdviceOf(err).String(), "--no-clock-check") {
		t.Errorf("without a date: %v", err)
	}
}
