package resolve_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
)

func TestResolve(t *testing.T) {
	const sid, uuid = "PN00000000000000000000000000000001", "b1c6a5d0-5d9b-4c3e-9b4a-1f2e3d4c5b6a"
	numbers := []fax.Number{
		{ID: sid, Phone: "+14155550100", Name: "front desk", Mode: fax.ModeFax},
		{ID: uuid, Phone: "+14155550101", Name: "office", Mode: fax.ModeVoice},
		{ID: "three", Phone: "+14155550102", Name: "office", Mode: fax.ModeFax},
		{ID: "four", Phone: "+14155550103", Name: "+14155550199", Mode: fax.ModeFax},
		{ID: "five", Phone: "+14155550104", Name: "front desk 2", Mode: fax.ModeFax},
		{ID: "six", Phone: "+14155550105", Name: sid, Mode: fax.ModeFax},
	}
	for name, c := range map[string]struct {
		ref   string
		want  string // id
		kind  error
		calls []string
	}{
		"phone":                     {ref: "+14155550100", want: sid, calls: []string{"list +14155550100", "get " + sid}},
		"phone as people write it":  {ref: "+1 (415) 555-0101", want: uuid, calls: []string{"list +14155550101", "get " + uuid}},
		"phone of nobody":           {ref: "+14155550123", kind: problem.ErrNotFound, calls: []string{"list +14155550123"}},
		"phone is never a name":     {ref: "+14155550199", kind: problem.ErrNotFound, calls: []string{"list +14155550199"}},
		"long id":                   {ref: sid, want: sid, calls: []string{"get " + sid}},
		"uuid":                      {ref: uuid, want: uuid, calls: []string{"get " + uuid}},
		"short id":                  {ref: "three", want: "three", calls: []string{"list three", "get three"}},
		"name of two words":         {ref: "front desk", want: sid, calls: []string{"list front desk", "get " + sid}},
		"name is exact":             {ref: "front", kind: problem.ErrNotFound, calls: []string{"list front", "get front"}},
		"several of a name":         {ref: "office", kind: problem.ErrInvalid, calls: []string{"list office"}},
		"id the provider dislikes":  {ref: "no_such", kind: problem.ErrNotFound, calls: []string{"list no_such", "get no_such"}},
		"path is never an id":       {ref: "../Calls", kind: problem.ErrNotFound, calls: []string{"list ../Calls"}},
		"nothing":                   {ref: "  ", kind: problem.ErrInvalid},
		"phone without a plus sign": {ref: "14155550100", kind: problem.ErrNotFound, calls: []string{"list 14155550100", "get 14155550100", "list "}},
	} {
		t.Run(name, func(t *testing.T) {
			m := &owned{numbers: numbers}
			got, err := resolve.Number(t.Context(), m, c.ref)
			if !errors.Is(err, c.kind) || (err == nil) != (c.kind == nil) {
				t.Fatalf("error %v, want kind %v", err, c.kind)
			}
			if err != nil && problem.AdviceOf(err).String() == "" {
				t.Errorf("no hint with %v", err)
			}
			if got.ID != c.want {
				t.Errorf("resolved to %q, want %q", got.ID, c.want)
			}
			if err == nil && got.Mode == fax.ModeUnknown {
				t.Error("the mode is unknown: the number does not come from Get")
			}
			if d := cmp.Diff(c.calls, m.calls); d != "" {
				t.Errorf("calls (-want +got):\n%s", d)
			}
		})
	}
}

func TestResolveNamesTheCandidates(t *testing.T) {
	var numbers []fax.Number
	for i := range 7 {
		numbers = append(numbers, fax.Number{ID: string(rune('a' + i)), Phone: "+1415555010" + string(rune('0'+i)), Name: "office"})
	}
	_, err := resolve.Number(t.Context(), &owned{numbers: numbers}, "office")
	var ambiguous *resolve.AmbiguousError
	if !errors.As(err, &ambiguous) || len(ambiguous.Candidates) != 7 || ambiguous.Ref != "office" {
		t.Fatalf("error %v, want an AmbiguousError with 7 candidates", err)
	}
	for _, want := range []string{`"office" names 7 numbers`, "+14155550100 (a)", "+14155550104 (e)", "and 2 more"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if hint := problem.AdviceOf(err).String(); !strings.Contains(hint, "id") {
		t.Errorf("hint %q", hint)
	}
}

func TestResolveHintsAtThePlusSign(t *testing.T) {
	m := &owned{numbers: []fax.Number{{ID: "one", Phone: "+14155550100"}, {ID: "two", Phone: "+493012345678"}}}
	for ref, want := range map[string]string{
		"1 415 555 0100": "+14155550100 is yours",
		"4155550100":     "+14155550100 is yours",
		"3012345678":     "+493012345678 is yours",
		"4155567720":     "faxctl numbers list", // no number is made up
	} {
		_, err := resolve.Number(t.Context(), m, ref)
		if hint := problem.AdviceOf(err).String(); !strings.Contains(hint, "plus sign") || !strings.Contains(hint, want) || strings.Contains(hint, "+415") {
			t.Errorf("%s: hint %q does not say %q", ref, hint, want)
		}
	}
}

func TestMoney(t *testing.T) {
	for in, want := range map[string]fax.Money{
		"2":          {Amount: "2"},
		" 2.00 usd":  {Amount: "2.00", Currency: "USD"},
		"0.0085 USD": {Amount: "0.0085", Currency: "USD"},
	} {
		if got, err := fax.ParseMoney(in); err != nil || got != want {
			t.Errorf("ParseMoney(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "1/3", "1e9", "2,00", "$2", "2 dollars", "0x10", ".5", "5.", "1.2.3", "-", "NaN", "-1.15", "-0"} {
		if got, err := fax.ParseMoney(in); !errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).String() == "" {
			t.Errorf("ParseMoney(%q) = %v, %v, want problem.ErrInvalid with a hint", in, got, err)
		}
	}
	usd := func(amount string) fax.Money { return fax.Money{Amount: amount, Currency: "USD"} }
	for _, c := range []struct {
		a, b fax.Money
		want int
		kind error
	}{
		{usd("1.15"), usd("1.150"), 0, nil},
		{usd("1.15"), usd("2"), -1, nil},
		{usd("10"), usd("9.99"), 1, nil},
		{usd("0.1"), usd("0.10000000000000000001"), -1, nil},
		{usd("-0.0075"), usd("0"), -1, nil},
		{usd("1.15"), fax.Money{Amount: "1"}, 1, nil},
		{usd("1.15"), fax.Money{Amount: "1", Currency: "usd"}, 1, nil},
		{usd("1.15"), fax.Money{Amount: "1", Currency: "EUR"}, 0, problem.ErrInvalid},
		{usd("much"), usd("1"), 0, problem.ErrInvalid},
		{usd("1"), usd(""), 0, problem.ErrInvalid},
	} {
		if got, err := c.a.Cmp(c.b); got != c.want || !errors.Is(err, c.kind) {
			t.Errorf("%v.Cmp(%v) = %d, %v, want %d, %v", c.a, c.b, got, err, c.want, c.kind)
		}
	}
}
