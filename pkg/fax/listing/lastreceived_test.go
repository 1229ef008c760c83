package listing_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
)

// When numbers received their last fax takes a listing or a request for each,
// whichever is fewer, and is right however the provider pages.
func TestLastReceived(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		numbers, busy int // how many there are, and how many of these receive
		faxes, days   int
		most          int64 // requests
		order         string
	}{
		"one number":              {numbers: 1, busy: 1, faxes: 5000, days: 90, most: 1},
		"two numbers":             {numbers: 2, busy: 1, faxes: 5000, days: 90, most: 2},
		"all on one page":         {numbers: 200, busy: 3, faxes: 80, days: 90, most: 1},
		"a few pages":             {numbers: 100, busy: 2, faxes: 500, days: 90, most: 5 + 1},
		"busy numbers":            {numbers: 100, busy: 100, faxes: 20_000, days: 90, most: 100 + 2},
		"many faxes, few numbers": {numbers: 5, busy: 1, faxes: 20_000, days: 90, most: 5 + 2},
		"oldest first":            {numbers: 10, busy: 10, faxes: 5000, days: 90, most: 10 + 1, order: "oldest first"},
		"in no order, one page":   {numbers: 10, busy: 10, faxes: 90, days: 90, most: 1, order: "any"},
		"in no order":             {numbers: 10, busy: 10, faxes: 5000, days: 90, most: 10 + 1, order: "any"},
	} {
		t.Run(name, func(t *testing.T) {
			var phones []string
			for i := range c.numbers {
				phones = append(phones, fmt.Sprintf("+1415555%04d", i))
			}
			d := &drawer{faxes: business(c.faxes, c.days), most: 100}
			want := map[string]time.Time{}
			for i := range d.faxes {
				f := &d.faxes[i]
				f.To, f.Direction = phones[i%c.busy], fax.Inbound
				if i%5 == 0 { // what it sent is not what it received
					f.From, f.To, f.Direction, f.Created = f.To, f.From, fax.Outbound, f.Created.Add(day)
				}
				if f.Direction == fax.Inbound && f.Created.After(want[f.To]) {
					want[f.To] = f.Created
				}
			}
			order := c.order
			if order == "" {
				order = "newest first"
			}
			orders()[order](d.faxes)
			last := listing.LastReceived(t.Context(), d, phones)
			for _, p := range phones {
				at, err := last(t.Context(), p)
				// A provider in no order tells of a number what is on its first page.
				if err != nil || order == "newest first" && !at.Equal(want[p]) || c.most == 1 && !at.Equal(want[p]) {
					t.Fatalf("%s: %s, %v; want %s", p, at, err, want[p])
				}
			}
			if n := d.pages.Load(); n > c.most {
				t.Errorf("%d requests for %d numbers and %d faxes, want at most %d", n, c.numbers, c.faxes, c.most)
			}
		})
	}
}

// A service that has ended is asked once, not for every number.
func TestLastReceivedNowhere(t *testing.T) {
	d := &drawer{onPage: func(int64) error { return problem.ErrUnsupported }}
	last := listing.LastReceived(t.Context(), d, []string{"+14155550100", "+14155550101"})
	for range 2 {
		if _, err := last(t.Context(), "+14155550101"); !errors.Is(err, problem.ErrUnsupported) {
			t.Errorf("it says %v", err)
		}
	}
	if n := d.pages.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
}
