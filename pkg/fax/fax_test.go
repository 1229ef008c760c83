package fax_test

import (
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

func TestTerminal(t *testing.T) {
	moving := map[fax.Status]bool{fax.Queued: true, fax.Processing: true, fax.Sending: true, fax.Receiving: true}
	for _, s := range fax.Statuses() {
		if s.Terminal() == moving[s] {
			t.Errorf("%s: Terminal() = %v", s, s.Terminal())
		}
		if s.Unsuccessful() && !s.Terminal() {
			t.Errorf("%s is unsuccessful before its end", s)
		}
	}
	if fax.Status("teleporting").Terminal() {
		t.Error("an unknown status must not count as final")
	}
}

func TestFilterMatch(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	three := 3
	f := fax.Fax{
		From: "+14155550100", To: "+14155550199", Direction: fax.Inbound,
		Status: fax.Received, Pages: &three, Created: noon,
	}
	for _, tt := range []struct {
		name string
		q    fax.Filter
		want bool
	}{
		{"no filter", fax.Filter{}, true},
		{"from", fax.Filter{From: "+14155550100"}, true},
		{"other from", fax.Filter{From: "+14155550101"}, false},
		{"to", fax.Filter{To: "+14155550199"}, true},
		{"other to", fax.Filter{To: "+14155550198"}, false},
		{"number at either end", fax.Filter{Number: "+14155550199"}, true},
		{"number at no end", fax.Filter{Number: "+14155550198"}, false},
		{"after is exclusive", fax.Filter{After: noon}, false},
		{"after", fax.Filter{After: noon.Add(-time.Second)}, true},
		{"until is inclusive", fax.Filter{Until: noon}, true},
		{"until", fax.Filter{Until: noon.Add(-time.Second)}, false},
		{"direction", fax.Filter{Direction: fax.Outbound}, false},
		{"one of the statuses", fax.Filter{Statuses: []fax.Status{fax.Failed, fax.Received}}, true},
		{"none of the statuses", fax.Filter{Statuses: []fax.Status{fax.Failed}}, false},
		{"as many pages", fax.Filter{MinPages: 3}, true},
		{"too few pages", fax.Filter{MinPages: 4}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.q.Match(f); got != tt.want {
				t.Errorf("Match = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestFilterMatchWithoutFacts(t *testing.T) {
	for name, q := range map[string]fax.Filter{
		"after":     {After: time.Unix(0, 0)},
		"until":     {Until: time.Now()},
		"min pages": {MinPages: 1},
	} {
		if q.Match(fax.Fax{}) {
			t.Errorf("%s: a fax without date and pages was selected", name)
		}
	}
}
