package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
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
func planned(tb testing.TB, entries, tries int) (read, compared time.Duration) {
	tb.Helper()
	text, numbers := office(entries)
	read, compared = time.Hour, time.Hour
	for range tries {
		start := time.Now()
		f, err := plan.ReadFile("n.yaml", text)
		if err != nil {
			tb.Fatal(err)
		}
		read, start = min(read, time.Since(start)), time.Now()
		steps, err := plan.Steps(tb.Context(), numbers, f, plan.Options{})
		compared = min(compared, time.Since(start))
		if err != nil || len(steps) != entries {
			tb.Fatalf("%d steps, %v", len(steps), err)
		}
		for _, s := range steps {
			if s.Action != plan.ActionNone {
				tb.Fatalf("%s: %s", s.Phone, s.Action)
			}
		}
	}
	return read, compared
}

// A long file is compared in less time than it takes to read, as long as no entry
// goes through all numbers, and reading it takes as long for an entry as reading a
// short one. A busy machine only adds to what each takes: the shortest of a few counts.
func TestStepsAreLinear(t *testing.T) {
	few, _ := planned(t, 300, 5)
	read, compared := time.Hour, time.Hour
	for range 20 {
		r, c := planned(t, 10_000, 1)
		read, compared = min(read, r), min(compared, c)
		t.Logf("%s to read, %s to compare; 300 take %s to read", read, compared, few)
		if compared <= read && read <= 150*few {
			return
		}
	}
	t.Errorf("10,000 entries take %s to read and %s to compare; 300 take %s to read", read, compared, few)
}

// BenchmarkPlan is a file of 10,000 entries against one of 1,000.
//
//	go test ./pkg/numbers/plan -run - -bench Plan -benchtime 1x
func BenchmarkPlan(b *testing.B) {
	var ratio float64
	for b.Loop() {
		read, compared := planned(b, 10_000, 3)
		tenthRead, tenthCompared := planned(b, 1000, 5)
		ratio = (read + compared).Seconds() / (tenthRead + tenthCompared).Seconds()
	}
	b.ReportMetric(ratio, "times-a-tenth")
	b.ReportMetric(12, "times-a-tenth-allowed")
	if ratio > 12 {
		b.Logf("NOT AS PROMISED: 10,000 entries take %.1f times as long as 1,000", ratio)
	}
}
