package resolve_test

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
)

func TestFaxes(t *testing.T) {
	const (
		one   = "FXabc10000000000000000000000000001"
		two   = "FXabc20000000000000000000000000002"
		three = "b1c6a5d0-5d9b-4c3e-9b4a-1f2e3d4c5b6a"
		four  = "b1c6a5d0-6d9b-4c3e-9b4a-1f2e3d4c5b6a"
		gone  = "FX00000000000000000000000000000000"
	)
	list := func(reads *int) func(yield func(string, error) bool) {
		return func(yield func(string, error) bool) {
			*reads++
			for _, id := range []string{one, two, two, three, four, "odd-id"} { // a list that grows has one twice
				if !yield(id, nil) {
					return
				}
			}
		}
	}
	for _, c := range []struct {
		ref, want string // "": as it is
		exactly   error  // what it is to whoever deletes
		hint      string
		reads     int
	}{
		{ref: one},
		{ref: gone}, // whole, and whoever is asked for it knows whether it is there
		{ref: "odd-id", reads: 1},
		{ref: strings.ToUpper(one), want: one, exactly: problem.ErrNotFound, hint: "did you mean " + one},
		{ref: strings.ToUpper(three), want: three, exactly: problem.ErrNotFound, hint: "did you mean " + three},
		{ref: "fxABC1", want: one, exactly: problem.ErrNotFound, hint: "did you mean " + one, reads: 1},
		{ref: "FXabc20", want: two, exactly: problem.ErrNotFound, hint: "did you mean " + two, reads: 1},
		{ref: "b1c6a5d0-6", want: four, exactly: problem.ErrNotFound, hint: "did you mean " + four, reads: 1},
		{ref: "b1c6a5d0", want: "several", exactly: problem.ErrNotFound, hint: three + " or " + four, reads: 1},
		{ref: "FXabc", exactly: problem.ErrNotFound, hint: "-o id"}, // too short to be looked up
		{ref: "FX1230", exactly: problem.ErrNotFound, hint: "-o id", reads: 1},
		{ref: one + "0", exactly: problem.ErrNotFound, hint: "-o id", reads: 1},
		{ref: "../Faxes", exactly: problem.ErrInvalid, hint: "-o id"},
	} {
		reads := 0
		got, err := resolve.Faxes([]string{two, c.ref}, resolve.Reading{Freely: true}, list(&reads), problem.Command("faxes", "list"))
		if c.want == "several" {
			if !errors.Is(err, problem.ErrInvalid) || !strings.Contains(err.Error(), three+" or "+four) {
				t.Errorf("%s, freely: %q, %v, want candidates", c.ref, got, err)
			}
		} else if want := []string{two, cmp.Or(c.want, c.ref)}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%s, freely: %q, %v, want %q", c.ref, got, err, want)
		}
		if reads != c.reads {
			t.Errorf("%s: the list was read %d times, want %d", c.ref, reads, c.reads)
		}
		got, err = resolve.Faxes([]string{two, c.ref}, resolve.Reading{}, list(&reads), problem.Command("faxes", "list"))
		if !errors.Is(err, c.exactly) || (err == nil) != (c.exactly == nil) || !strings.Contains(problem.AdviceOf(err).String(), c.hint) {
			t.Errorf("%s, exactly: %q, %v (hint %q), want %v, hint %q", c.ref, got, err, problem.AdviceOf(err), c.exactly, c.hint)
		}
		if c.exactly == nil && !slices.Equal(got, []string{two, c.ref}) {
			t.Errorf("%s, exactly: %q", c.ref, got)
		}
	}
	unavailable := func(yield func(string, error) bool) { yield("", problem.ErrUnavailable) }
	if got, err := resolve.Faxes([]string{"FXabc1"}, resolve.Reading{Freely: true}, unavailable, problem.Command("faxes", "list")); !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("a list that fails: %q, %v", got, err)
	}
}
