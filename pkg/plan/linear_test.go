package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/plan"
)

// office is a file of so many entries, and an account that is as it says: half
// of the numbers are known by their phone number, half by the name they were
// bought under.
func office(entries int) (text []byte, numbers *account) {
	var b strings.Builder
	b.WriteString("numbers:\n")
	numbers = &account{}
	for i := range entries {
		n := fax.Number{
			ID: fmt.Sprintf("PN%d", i), Phone: fmt.Sprintf("+1415%07d", i), Name: fmt.Sprintf("desk %d", i),
			Capabilities: fax.Capabilities{Fax: fax.Yes}, Mode: fax.ModeFax, FaxURL: in,
		}
		numbers.owned = append(numbers.owned, n)
		if i%2 == 0 {
			fmt.Fprintf(&b, "  - number: %q\n", n.Phone)
		} else {
			fmt.Fprintf(&b, "  - buy: {area-code: 415}\n    name: %q\n", n.Name)
		}
		fmt.Fprintf(&b, "    fax-url: %s\n", in)
	}
	return []byte(b.String()), numbers
}

// planned is how long it takes to read the file and to compare it, at best.
func planned(tb testing.TB, entries, tries int) time.Duration {
	tb.Helper()
	text, numbers := office(entries)
	best := time.Hour
	for range tries {
		start := time.Now()
		f, err := plan.ReadFile("n.yaml", text)
		if err != nil {
			tb.Fatal(err)
		}
		steps, err := plan.Steps(tb.Context(), numbers, f, nil)
		best = min(best, time.Since(start))
		if err != nil || len(steps) != entries {
			tb.Fatalf("%d steps, %v", len(steps), err)
		}
		for _, s := range steps {
			if s.Action != plan.ActionNone {
				tb.Fatalf("%s: %s", s.Phone, s.Action)
			}
		}
	}
	return best
}

// Ten times the entries take about ten times as long; a hundred times, when each
// of them goes through all numbers.
func TestStepsAreLinear(t *testing.T) {
	if few, many := planned(t, 300, 3), planned(t, 3000, 2); many > 30*few {
		t.Errorf("300 entries take %s, 3,000 take %s", few, many)
	}
}

// BenchmarkPlan is a file of 10,000 entries against one of 1,000.
//
//	go test ./pkg/plan -run - -bench Plan -benchtime 1x
func BenchmarkPlan(b *testing.B) {
	var ratio float64
	for b.Loop() {
		ratio = planned(b, 10_000, 3).Seconds() / planned(b, 1000, 5).Seconds()
	}
	b.ReportMetric(ratio, "times-a-tenth")
	b.ReportMetric(12, "times-a-tenth-allowed")
	if ratio > 12 {
		b.Logf("NOT AS PROMISED: 10,000 entries take %.1f times as long as 1,000", ratio)
	}
}
