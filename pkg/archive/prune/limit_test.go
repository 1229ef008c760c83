package prune

import (
	"errors"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

func TestParseLimit(t *testing.T) {
	for in, want := range map[string]string{"500": "500", "0": "0", "5%": "5%", "0.5%": "0.5%", "100%": "100%"} {
		if l, err := ParseLimit(in); err != nil || l.String() != want {
			t.Errorf("ParseLimit(%q) = %v, %v", in, l, err)
		}
	}
	for _, in := range []string{"", "%", "-1", "101%", "NaN%", "many", "5 %"} {
		if _, err := ParseLimit(in); !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("ParseLimit(%q): %v", in, err)
		}
	}
	if got := (Limit{}).String(); got != "no limit" {
		t.Errorf("the zero limit is %q", got)
	}
}

func TestDailyLimit(t *testing.T) {
	for _, tc := range []struct {
		selected, considered int
		days                 float64
		ok                   bool
	}{
		{200, 200, 91, true},
		{201, 201, 91, false},
		{300, 9100, 91, true}, // an average day has 100
		{301, 9100, 91, false},
		{201, 66, 0.5, false}, // less than a day is a day
		{201, 66, 0, false},
		{5000, 5000, 1, true}, // a day's worth is all there is
	} {
		err := DailyLimit().Check(tc.selected, tc.considered, tc.days)
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, problem.ErrConflict) {
			t.Errorf("%+v: %v", tc, err)
		}
	}
	if got := DailyLimit().String(); got != "200, or 3 average days" {
		t.Errorf("it is %q", got)
	}
}
