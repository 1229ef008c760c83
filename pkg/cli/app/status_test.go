package app

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func TestStatusOf(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"done", nil, 0},
		{"anything else", errors.New("disk full"), 1},
		{"bad value", Misuse("unknown type %q", "x"), 2},
		{"provider cannot", fmt.Errorf("search: %w", problem.ErrUnsupported), 2},
		{"some failed", fmt.Errorf("%w: 2 of 10", batch.ErrPartial), 3},
		{"credentials", &fax.APIError{Kind: problem.ErrAuth, Status: 401}, 4},
		{"no such number", problem.With(problem.ErrNotFound, problem.Say("look again")), 5},
		{"unconfirmed", &fax.APIError{Kind: problem.ErrConflict}, 6},
		{"busy", &fax.APIError{Kind: problem.ErrUnavailable, Status: 503}, 7},
		{"too slow", context.DeadlineExceeded, 7},
		{"another server", &problem.Error{Kind: problem.ErrUnavailable, Text: "database", Cause: problem.ErrUntrusted}, 2},
		{"findings", ErrFindings, 8},
		{"interrupted", fmt.Errorf("list: %w", context.Canceled), 130},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := statusOf(tt.err); got != tt.want {
				t.Errorf("statusOf(%v) = %d, want %d", tt.err, got, tt.want)
			}
		})
	}
}
