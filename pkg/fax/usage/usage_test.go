package usage_test

import (
	"errors"
	"iter"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/usage"
)

func TestSummarize(t *testing.T) {
	n := func(i int) *int { return &i }
	usd := func(s string) *fax.Money { return &fax.Money{Amount: s, Currency: "USD"} }
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	faxes := []fax.Fax{
		{ID: "a", From: "+1", To: "+9", Direction: fax.Inbound, Status: fax.Received, Pages: n(2), Duration: n(61), Price: usd("0.02"), Created: at("2026-01-01T03:00:00Z")},
		{ID: "b", From: "+1", To: "+9", Direction: fax.Inbound, Status: fax.Failed, Created: at("2026-01-02T12:00:00Z")},
		{ID: "c", From: "+8", To: "+1", Direction: fax.Outbound, Status: fax.Delivered, Pages: n(1), Duration: n(30), Price: &fax.Money{Amount: "0.105", Currency: "EUR"}, Created: at("2026-01-03T12:00:00Z")},
		{ID: "d", From: "+2", To: "+9", Direction: fax.Inbound, Status: fax.Received, Pages: n(1), Duration: n(9), Price: usd("0.1")},
	}
	total := usage.Usage{
		Faxes: 4, Inbound: 3, Outbound: 1, Unsuccessful: 1, Pages: 4, UnknownPages: 1, Seconds: 100, UnknownSeconds: 1,
		Cost: []fax.Money{{Amount: "0.105", Currency: "EUR"}, {Amount: "0.12", Currency: "USD"}}, UnknownCost: 1,
	}
	for by, want := range map[usage.Grouping][]string{
		usage.ByNumber: {"+9", "+8"},
		usage.BySender: {"+1", "+2", "+8"},
		usage.ByDay:    {"", "2025-12-31", "2026-01-02", "2026-01-03"}, // eight hours behind
		usage.ByMonth:  {"", "2025-12", "2026-01"},
		usage.ByStatus: {"received", "delivered", "failed"},
	} {
		groups, got, err := usage.Summarize(values(faxes, nil), by, time.FixedZone("west", -8*3600))
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, g := range groups {
			keys = append(keys, g.Key)
		}
		if diff := gocmp.Diff(want, keys); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", by, diff)
		}
		if diff := gocmp.Diff(total, got, cmpopts.IgnoreUnexported()); diff != "" {
			t.Errorf("total by %s (-want +got):\n%s", by, diff)
		}
	}
	groups, _, err := usage.Summarize(values(faxes[1:2], nil), usage.ByNumber, time.UTC)
	if err != nil || len(groups[0].Cost) != 0 || groups[0].UnknownCost != 1 {
		t.Errorf("a fax without a price costs %v, %v", groups, err)
	}
	if _, _, err := usage.Summarize(values(faxes, problem.ErrUnavailable), usage.ByDay, time.UTC); !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("a list that broke off: %v", err)
	}
}

func values(faxes []fax.Fax, last error) iter.Seq2[fax.Fax, error] {
	return func(yield func(fax.Fax, error) bool) {
		for _, f := range faxes {
			if !yield(f, nil) {
				return
			}
		}
		if last != nil {
			yield(fax.Fax{}, last)
		}
	}
}
