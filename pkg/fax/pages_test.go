package fax_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
)

// threePages serves 0–5 two at a time and counts the requests.
func threePages(requests *int) func(context.Context, string) (fax.Page[int], error) {
	return func(_ context.Context, cursor string) (fax.Page[int], error) {
		*requests++
		switch cursor {
		case "":
			return fax.Page[int]{Items: []int{0, 1}, Next: "b"}, nil
		case "b":
			return fax.Page[int]{Items: []int{2, 3}, Next: "c"}, nil
		case "c":
			return fax.Page[int]{Items: []int{4, 5}}, nil
		}
		return fax.Page[int]{}, fmt.Errorf("no page %q", cursor)
	}
}

func TestPages(t *testing.T) {
	var requests int
	seq := fax.Pages(t.Context(), strconv.Itoa, threePages(&requests))
	for range 2 { // ranging again starts over
		got, err := fax.Collect(seq)
		if err != nil || !slices.Equal(got, []int{0, 1, 2, 3, 4, 5}) {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	if requests != 6 {
		t.Errorf("%d requests for two readings of three pages", requests)
	}
}

func TestPagesFetchesOnlyWhatIsRead(t *testing.T) {
	var requests int
	for v := range fax.Pages(t.Context(), strconv.Itoa, threePages(&requests)) {
		if v == 1 {
			break
		}
	}
	if requests != 1 {
		t.Errorf("%d requests for the items of one page", requests)
	}
}

func TestPagesEndsWithItsError(t *testing.T) {
	broken := errors.New("broken")
	seq := fax.Pages(t.Context(), strconv.Itoa, func(_ context.Context, cursor string) (fax.Page[int], error) {
		if cursor != "" {
			return fax.Page[int]{}, broken
		}
		return fax.Page[int]{Items: []int{7}, Next: "x"}, nil
	})
	got, err := fax.Collect(seq)
	if !errors.Is(err, broken) || !slices.Equal(got, []int{7}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestPagesRefusesToGoInCircles(t *testing.T) {
	seq := fax.Pages(t.Context(), strconv.Itoa, func(context.Context, string) (fax.Page[int], error) {
		return fax.Page[int]{Items: []int{1}, Next: "same"}, nil
	})
	if _, err := fax.Collect(seq); !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// A provider whose pages go on for ever with the same faxes, or with none, is
// unavailable, whichever way it is listed; what is late is waited for.
func TestPagesWithoutEnd(t *testing.T) {
	for name, each := range map[string]int{"the same faxes": 3, "empty pages": 0} {
		t.Run(name, func(t *testing.T) {
			faxes := endless{each: each}
			if _, err := fax.Collect(listing.List(t.Context(), &faxes, fax.Filter{}, listing.Options{Jobs: 1})); !errors.Is(err, problem.ErrUnavailable) {
				t.Errorf("all: %v after %d pages", err, faxes.pages)
			}
			faxes.pages = 0
			if _, _, err := listing.First(t.Context(), &faxes, fax.Filter{}, 1e9); !errors.Is(err, problem.ErrUnavailable) || faxes.pages > 1001 {
				t.Errorf("the first: %v after %d pages", err, faxes.pages)
			}
		})
	}
	n := 0
	got, err := fax.Collect(fax.Pages(t.Context(), strconv.Itoa, func(context.Context, string) (fax.Page[int], error) {
		if n++; n == 1500 {
			return fax.Page[int]{Items: []int{2}}, nil
		}
		return fax.Page[int]{Items: []int{n / 999}, Next: strconv.Itoa(n)}, nil
	}))
	if err != nil || len(got) != 1500 {
		t.Errorf("%d, %v", len(got), err)
	}
}

// endless has pages that never end, of the same few faxes.
type endless struct {
	fax.Faxes
	each, pages int
}

func (e *endless) Page(context.Context, fax.Filter, int, string) (page fax.Page[fax.Fax], err error) {
	e.pages++
	for i := range e.each {
		page.Items = append(page.Items, fax.Fax{ID: "FX" + strconv.Itoa(i)})
	}
	page.Next = strconv.Itoa(e.pages)
	return page, nil
}

func TestPagesHeedsTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var requests int
	if _, err := fax.Collect(fax.Pages(ctx, strconv.Itoa, threePages(&requests))); !errors.Is(err, context.Canceled) || requests != 0 {
		t.Errorf("got %v after %d requests", err, requests)
	}
}

func TestAPIErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  fax.APIError
		want string
	}{
		{fax.APIError{Kind: problem.ErrUnavailable}, "unavailable"},
		{fax.APIError{Kind: problem.ErrNotFound, Status: 404, Code: "20404", Message: "no such fax", RequestID: "RQ1"},
			"no such fax (code 20404, HTTP 404, request RQ1)"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestHint(t *testing.T) {
	base := &fax.APIError{Kind: problem.ErrConflict, Advice: problem.Say("inner")}
	if got := problem.AdviceOf(fmt.Errorf("buy: %w", base)).String(); got != "inner" {
		t.Errorf("got %q", got)
	}
	outer := problem.With(fmt.Errorf("buy: %w", base), problem.Say("outer"))
	if got := problem.AdviceOf(outer).String(); got != "outer" || !errors.Is(outer, problem.ErrConflict) {
		t.Errorf("got %q, %v", got, outer)
	}
	if problem.With(nil, problem.Say("x")) != nil || problem.AdviceOf(errors.New("plain")).String() != "" {
		t.Error("a hint out of nothing")
	}
}
