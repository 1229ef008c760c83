package batch_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// heard is what a trouble told.
type heard struct{ skipped, failed []string }

func (h *heard) trouble() *batch.Trouble {
	return batch.NewTrouble(
		func(why error) { h.skipped = append(h.skipped, why.Error()) },
		func(err error) { h.failed = append(h.failed, err.Error()) })
}

func full(path string) error {
	return batch.Local(&fs.PathError{Op: "write", Path: path, Err: syscall.ENOSPC})
}

func TestTroubleTellsOnceOfWhatEndsABatch(t *testing.T) {
	refused := batch.Lasting(fmt.Errorf("fax 3: %w", problem.ErrAuth))
	for _, tt := range []struct {
		name    string
		results []error
		want    heard
	}{
		{"done", []error{nil, nil}, heard{}},
		{"each failure", []error{errors.New("a"), nil, errors.New("a")}, heard{failed: []string{"a", "a"}}},
		{"why something was skipped", []error{batch.Skip(errors.New("in progress"))}, heard{skipped: []string{"in progress"}}},
		{"nothing of what was passed over", []error{batch.Pass(), fmt.Errorf("fax 1: %w", batch.Pass())}, heard{}},
		{"a full disk, whatever was written", []error{full("a"), full("b")}, heard{failed: []string{full("a").Error()}}},
		{"two causes", []error{full("a"), refused}, heard{failed: []string{full("a").Error(), refused.Error()}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got heard
			all := got.trouble()
			for _, err := range tt.results {
				if end := all.Add(err); end != nil {
					t.Errorf("%v ends the batch: %v", err, end)
				}
			}
			if !slices.Equal(got.skipped, tt.want.skipped) || !slices.Equal(got.failed, tt.want.failed) {
				t.Errorf("told %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestTroubleGivesUp(t *testing.T) {
	var got heard
	all := got.trouble()
	away := fmt.Errorf("fax: %w", problem.ErrUnavailable)
	for i := range 60 {
		result := away
		if i == 19 { // one that succeeds begins the count again
			result = nil
		}
		err := all.Add(result)
		if err != nil && i != 39 {
			t.Fatalf("given up after result %d: %v", i, err)
		} else if err != nil {
			if !errors.Is(err, problem.ErrUnavailable) || err.Error() != "20 failures in a row, the rest was left: "+away.Error() {
				t.Errorf("error %v", err)
			}
			if len(got.failed) != 39 {
				t.Errorf("told of %d failures", len(got.failed))
			}
			return
		}
	}
	t.Fatal("never given up")
}

func TestTroubleComesTo(t *testing.T) {
	missing := fmt.Errorf("fax 1: %w", problem.ErrNotFound)
	for _, tt := range []struct {
		name    string
		results []error
		told    bool
		kind    error
	}{
		{"all failed: as the first", []error{missing, errors.New("other")}, true, problem.ErrNotFound},
		{"some failed", []error{missing, nil}, false, batch.ErrPartial},
		{"failed and passed over", []error{missing, batch.Pass()}, false, batch.ErrPartial},
		{"skipped", []error{batch.Skip(errors.New("in progress"))}, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := new(heard).trouble()
			for _, err := range tt.results {
				_ = all.Add(err)
			}
			err := all.Err()
			if errors.Is(err, problem.ErrTold) != tt.told || !errors.Is(err, tt.kind) {
				t.Errorf("error %v", err)
			}
			if errors.Is(tt.kind, batch.ErrPartial) && err.Error() != "some failed: 1 of 2" {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestSift(t *testing.T) {
	disk := full("a")
	broken := errors.New("the list broke off")
	for _, tt := range []struct {
		name string
		end  error
		told bool
	}{
		{"to its end", nil, false},
		{"an item ended it", errors.Unwrap(disk), true},
		{"the list ended it", broken, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got heard
			all := got.trouble()
			var values []int
			var end error
			for v, err := range batch.Sift(all, func(yield func(batch.Result[int, int], error) bool) {
				_ = yield(batch.Result[int, int]{Value: 1}, nil) &&
					yield(batch.Result[int, int]{Err: disk}, nil) &&
					yield(batch.Result[int, int]{Value: 3}, nil) &&
					(tt.end == nil || yield(batch.Result[int, int]{}, tt.end))
			}) {
				if end = err; err == nil {
					values = append(values, v)
				}
			}
			if !slices.Equal(values, []int{1, 3}) || len(got.failed) != 1 {
				t.Errorf("values %v, told %v", values, got.failed)
			}
			if !errors.Is(end, tt.end) || errors.Is(end, problem.ErrTold) != tt.told {
				t.Errorf("ends with %v", end)
			}
			if tally := all.Tally; tally != (batch.Tally{Done: 2, Failed: 1}) || tally.Left(5) != 2 {
				t.Errorf("tally %+v", tally)
			}
		})
	}
}
