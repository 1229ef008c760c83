package plan_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

const twoToBuy = `
defaults: {mode: fax, fax-url: https://fax.example.com/in}
numbers:
  - buy: {area-code: 415}
    name: front desk
  - buy: {area-code: 415}
    name: back office
`

func steps(t *testing.T, numbers fax.Numbers, text string) []plan.Step {
	t.Helper()
	f, err := plan.ReadFile("n.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	all, err := plan.Steps(t.Context(), numbers, f, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// actions is the steps in short: "buy front desk".
func actions(all []plan.Step) string {
	var out []string
	for _, s := range all {
		out = append(out, fmt.Sprint(s.Action, " ", s.Name))
	}
	return strings.Join(out, ", ")
}

// Whatever breaks on the way, running the file again until nothing is left
// ends with two numbers as wanted, each bought once.
func TestStepsContinue(t *testing.T) {
	for _, dialect := range sandbox.Dialects() {
		for _, fault := range []string{
			"",
			"POST /IncomingPhoneNumbers$=lost#1",     // bought, the answer is lost
			"POST /IncomingPhoneNumbers$=truncate#1", // bought, half the answer arrives
			"POST /IncomingPhoneNumbers$=503#1",      // not bought
			"POST /IncomingPhoneNumbers/*=503#1",     // bought, not configured
			"POST /IncomingPhoneNumbers/*=ignore#1",  // bought, the mode does not stick
		} {
			t.Run(string(dialect)+" "+fault, func(t *testing.T) {
				t.Parallel()
				var faults []string
				if fault != "" {
					faults = append(faults, fault)
				}
				numbers := atSandbox(t, dialect, faults...)
				for run := 1; ; run++ {
					left := 0
					for _, s := range steps(t, numbers, twoToBuy) {
						if !s.Pending() {
							continue
						}
						left++
						if _, err := s.Run(t.Context(), numbers, quick()); err != nil && fault == "" {
							t.Fatal(err)
						}
					}
					if left == 0 {
						break
					}
					if run > 3 {
						t.Fatal("it does not come to an end")
					}
				}
				if got := actions(steps(t, numbers, twoToBuy)); got != "none front desk, none back office" {
					t.Errorf("the end is %s", got)
				}
				if n := owns(t, numbers); n != 2 {
					t.Errorf("the account has %d numbers, want 2", n)
				}
			})
		}
	}
}

// A plan that is carried out twice buys once: the second looks for the name
// right before.
func TestStepsTwiceAtOnce(t *testing.T) {
	numbers := atSandbox(t, sandbox.Twilio)
	one, other := steps(t, numbers, twoToBuy)[0], steps(t, numbers, strings.ReplaceAll(twoToBuy, "415", "628"))[0]
	if _, err := one.Run(t.Context(), numbers, quick()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Run(t.Context(), numbers, quick()); !errors.Is(err, problem.ErrConflict) || problem.AdviceOf(err).String() == "" {
		t.Errorf("the second purchase of the same entry: %v", err)
	}
	if n := owns(t, numbers); n != 1 {
		t.Errorf("the account has %d numbers, want 1", n)
	}
}

func TestStepsLeaveOthersAlone(t *testing.T) {
	numbers := atSandbox(t, sandbox.Twilio)
	for _, s := range steps(t, numbers, twoToBuy) {
		if _, err := s.Run(t.Context(), numbers, quick()); err != nil {
			t.Fatal(err)
		}
	}
	front, err := resolve.Number(t.Context(), numbers, "front desk", resolve.Reading{})
	if err != nil {
		t.Fatal(err)
	}
	keep := "numbers: [{number: '" + front.Phone + "', name: lobby}]\n"
	if got := actions(steps(t, numbers, keep)); got != "change front desk, unmanaged back office" {
		t.Errorf("without prune: %s", got)
	}
	pruned := steps(t, numbers, keep+"prune: true\n")
	if got := actions(pruned); got != "change front desk, release back office" {
		t.Errorf("with prune: %s", got)
	}
	for range 2 { // the second time it is gone already
		if res, err := pruned[1].Run(t.Context(), numbers, quick()); err != nil || res.Number.Name != "back office" {
			t.Errorf("release: %+v, %v", res, err)
		}
	}
	if n := owns(t, numbers); n != 1 {
		t.Errorf("the account has %d numbers, want 1", n)
	}
	// A number that an entry names is not taken for the purchase of another,
	// whatever it is called now.
	both := keep + "  - {buy: {area-code: 415}, name: front desk}\n"
	both = strings.Replace(both, "[{", "\n  - {", 1)
	both = strings.Replace(both, "}]", "}", 1)
	if got := actions(steps(t, numbers, both)); got != "change front desk, buy front desk" {
		t.Errorf("a name that moves on: %s", got)
	}
}

// Entries that cannot be are reported together, with their lines.
func TestStepsProblems(t *testing.T) {
	numbers := atSandbox(t, sandbox.Twilio)
	for _, area := range []string{"415", "628"} {
		if _, err := numbers.Buy(t.Context(), fax.Order{AreaCode: area, Name: "twin"}); err != nil {
			t.Fatal(err)
		}
	}
	f, err := plan.ReadFile("n.yaml", []byte(`numbers:
  - number: +14155550123
    mode: fax
  - buy: {area-code: 415}
    name: twin
  - buy: {area-code: 415, max-price: 0.50}
    name: cheap
  - buy: {area-code: 415, max-price: 2 EUR}
    name: foreign
  - buy: {area-code: 415}
    name: fine
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = plan.Steps(t.Context(), numbers, f, plan.Options{})
	var e *yamlfile.Error
	if !errors.As(err, &e) || !errors.Is(err, problem.ErrNotFound) {
		t.Fatalf("the error is %v", err)
	}
	var lines []int
	for _, p := range e.Problems {
		lines = append(lines, p.Line)
	}
	if fmt.Sprint(lines) != "[2 4 6 8]" {
		t.Errorf("%v", err)
	}
	for _, want := range []string{"+14155550123: not found in this account", `2 numbers have the name "twin"`, "more than the limit of 0.50", "the currencies differ"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	// A provider that is not there is not a mistake in the file.
	numbers = atSandbox(t, sandbox.Twilio, "GET /AvailablePhoneNumbers=503")
	f.Entries = f.Entries[4:]
	if _, err := plan.Steps(t.Context(), numbers, f, plan.Options{}); !errors.Is(err, problem.ErrUnavailable) || errors.As(err, &e) {
		t.Errorf("a provider that is not there: %v", err)
	}
}

// searches counts the questions for numbers for sale.
type searches struct {
	fax.Numbers
	asked []fax.Query
}

func (s *searches) Search(ctx context.Context, q fax.Query) iter.Seq2[fax.Offer, error] {
	s.asked = append(s.asked, q)
	return s.Numbers.Search(ctx, q)
}

// Entries that look for the same share one search, however many they are, and
// each gets a number of its own.
func TestStepsShareASearch(t *testing.T) {
	for _, c := range []struct{ entries, searches int }{{1, 1}, {30, 1}, {45, 9}} {
		text := "numbers:\n"
		for i := range c.entries {
			text += fmt.Sprintf("  - {buy: {area-code: 415}, name: desk %d}\n", i)
		}
		numbers := &searches{Numbers: atSandbox(t, sandbox.Twilio)}
		phones := map[string]bool{}
		for _, s := range steps(t, numbers, text) {
			if s.Action != plan.ActionBuy || s.Offer.Price == nil || s.Offer.Price.Amount != "1.15" {
				t.Errorf("%d entries: %s %s at %v", c.entries, s.Action, s.Name, s.Offer.Price)
			}
			phones[s.Phone] = true
		}
		if len(phones) != c.entries {
			t.Errorf("%d numbers for %d entries", len(phones), c.entries)
		}
		if len(numbers.asked) > c.searches {
			t.Errorf("%d entries: %d questions were asked, want %d at most", c.entries, len(numbers.asked), c.searches)
		}
	}
	// Another question, and one that overlaps with it.
	numbers := &searches{Numbers: atSandbox(t, sandbox.SignalWire)}
	all := steps(t, numbers, `numbers:
  - {buy: {area-code: 415}, name: a}
  - {buy: {}, name: b}
  - {buy: {area-code: 415}, name: c}
  - {buy: {country: us, area-code: 415, type: local}, name: d, mode: fax}
`)
	if all[0].Phone == all[2].Phone || all[0].Phone == all[3].Phone || all[2].Phone == all[3].Phone || len(numbers.asked) != 3+1 { // the first learns that there is no price list
		t.Errorf("%d questions for %v", len(numbers.asked), numbers.asked)
	}
}

// An entry to buy is not given the name of a number that another entry manages:
// it would never be bought. A name that the other entry takes off is free.
func TestStepsNameOfAnother(t *testing.T) {
	numbers := atSandbox(t, sandbox.Twilio)
	res, err := plan.Buy(t.Context(), numbers, plan.Purchase{Order: fax.Order{AreaCode: "415", Name: "front desk"}}, quick())
	if err != nil {
		t.Fatal(err)
	}
	managed := "numbers:\n  - {number: '" + res.Number.Phone + "', mode: voice}\n"
	f, err := plan.ReadFile("n.yaml", []byte(managed+"  - {buy: {area-code: 415}, name: front desk}\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = plan.Steps(t.Context(), numbers, f, plan.Options{})
	if !errors.Is(err, problem.ErrConflict) || !strings.HasPrefix(err.Error(), `n.yaml:3: conflict: the name "front desk" is that of `+res.Number.Phone+", the number of the entry in line 2") {
		t.Errorf("the error is %v", err)
	}
	managed = strings.Replace(managed, "mode: voice", "name: lobby", 1)
	if got := actions(steps(t, numbers, managed+"  - {buy: {area-code: 415}, name: front desk}\n")); got != "change front desk, buy front desk" {
		t.Errorf("a name that is taken off: %s", got)
	}
}

// Two numbers of the name by the time of the purchase: both are named, and
// nothing is bought.
func TestStepsNameTwice(t *testing.T) {
	numbers := atSandbox(t, sandbox.Twilio)
	step := steps(t, numbers, twoToBuy)[0]
	var phones []string
	for range 2 {
		n, err := numbers.Buy(t.Context(), fax.Order{AreaCode: "628", Name: "front desk"})
		if err != nil {
			t.Fatal(err)
		}
		phones = append(phones, n.Phone)
	}
	_, err := step.Run(t.Context(), numbers, quick())
	if !errors.Is(err, problem.ErrConflict) || !strings.Contains(err.Error(), phones[0]) || !strings.Contains(err.Error(), phones[1]) || owns(t, numbers) != 2 {
		t.Errorf("%v; the account has %d numbers", err, owns(t, numbers))
	}
}
