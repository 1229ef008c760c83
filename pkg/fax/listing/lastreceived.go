package listing

import (
	"context"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// LastReceived finds out when each of the account's numbers, in E.164, last
// received a fax, in about as few requests as that takes: from one listing of
// all faxes, newest first, or from one request for each number. It returns what
// tells it of a number, asking where the listing did not: the zero time means
// that no fax is there. Errors are those of Faxes.Page; that of the listing
// comes with every number that it should have told of.
//
// The listing is read while it may be the shorter way: as many pages as there
// are numbers at most, none for a single one, and no further than the first page
// when the faxes go back for more pages than numbers are left, as far as the
// dates on that page tell.
func LastReceived(ctx context.Context, faxes fax.Faxes, phones []string) func(ctx context.Context, phone string) (time.Time, error) {
	h := history{faxes: faxes, left: map[string]bool{}, last: map[string]time.Time{}, newestFirst: true}
	for _, p := range phones {
		h.left[p] = true
	}
	var err error
	if len(h.left) > 1 {
		err = h.read(ctx)
	}
	return func(ctx context.Context, phone string) (time.Time, error) {
		if at, known := h.last[phone]; known {
			return at, nil
		} else if err != nil {
			return time.Time{}, err
		}
		return lastOf(ctx, faxes, phone)
	}
}

// lastOf asks for the newest faxes of one number.
func lastOf(ctx context.Context, faxes fax.Faxes, phone string) (last time.Time, err error) {
	page, err := faxes.Page(ctx, fax.Filter{To: phone, Direction: fax.Inbound, WithoutLinks: true}, 50, "")
	for _, f := range page.Items {
		if f.Created.After(last) {
			last = f.Created
		}
	}
	return last, err
}

// history is what a listing of all faxes has told so far.
type history struct {
	faxes fax.Faxes
	left  map[string]bool      // numbers without a fax so far
	last  map[string]time.Time // when the others received theirs

	newest, oldest time.Time
	newestFirst    bool
}

// read reads the listing while that may be the shorter way.
func (h *history) read(ctx context.Context) error {
	walk, cursor := fax.NewWalk(), ""
	for range len(h.left) {
		page, err := h.faxes.Page(ctx, fax.Filter{WithoutLinks: true}, 0, cursor)
		if err != nil {
			return err
		}
		h.add(page.Items)
		if page.Next == "" {
			for phone := range h.left {
				h.last[phone] = time.Time{}
			}
			return nil
		}
		if !h.newestFirst { // what was seen need not be the last
			clear(h.last)
			return nil
		}
		const few = 2 // are asked for as soon as it is known whether to read on
		if len(h.left) <= few {
			return nil
		}
		if cursor == "" {
			if long, err := h.goesOn(ctx); long || err != nil {
				return err
			}
		}
		if err := walk.On(page.Next, true); err != nil { // there are no more pages than numbers
			return err
		}
		cursor = page.Next
	}
	return nil
}

// add takes in a page.
func (h *history) add(page []fax.Fax) {
	for _, f := range slices.DeleteFunc(page, func(f fax.Fax) bool { return f.Created.IsZero() }) {
		if h.newest.IsZero() {
			h.newest, h.oldest = f.Created, f.Created
		}
		if f.Created.After(h.oldest) {
			h.newestFirst = false
		} else {
			h.oldest = f.Created
		}
		if at, known := h.last[f.To]; f.Direction == fax.Inbound && (h.left[f.To] || known && f.Created.After(at)) {
			h.last[f.To] = f.Created
			delete(h.left, f.To)
		}
	}
}

// goesOn asks, after the first page, whether there are faxes so old that there
// must be more pages than numbers are left.
func (h *history) goesOn(ctx context.Context) (bool, error) {
	page := h.newest.Unix() - h.oldest.Unix()
	until := h.oldest.Unix() - page*int64(len(h.left))
	if until <= 0 {
		return false, nil
	}
	old, err := h.faxes.Page(ctx, fax.Filter{Until: time.Unix(until, 0).UTC(), WithoutLinks: true}, 1, "")
	return len(old.Items) > 0 || old.Next != "", err
}
