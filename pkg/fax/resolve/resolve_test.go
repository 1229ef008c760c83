package resolve_test

import (
	"errors"
	"slices"
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
		"name is exact":             {ref: "front", kind: problem.ErrNotFound, calls: []string{"list front", "get front", "list "}},
		"several of a name":         {ref: "office", kind: problem.ErrInvalid, calls: []string{"list office"}},
		"id the provider dislikes":  {ref: "no_such", kind: problem.ErrNotFound, calls: []string{"list no_such", "get no_such", "list "}},
		"path is never an id":       {ref: "../Calls", kind: problem.ErrNotFound, calls: []string{"list ../Calls", "list "}},
		"nothing":                   {ref: "  ", kind: problem.ErrInvalid},
		"phone without a plus sign": {ref: "14155550100", kind: problem.ErrNotFound, calls: []string{"list 14155550100", "get 14155550100", "list "}},
	} {
		t.Run(name, func(t *testing.T) {
			m := &owned{numbers: numbers}
			got, err := resolve.Number(t.Context(), m, c.ref, resolve.Reading{})
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
	_, err := resolve.Number(t.Context(), &owned{numbers: numbers}, "office", resolve.Reading{})
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

// What is not named exactly is offered, and found by what only reads.
func TestReading(t *testing.T) {
	numbers := []fax.Number{
		{ID: "PNabc10000000000000000000000000001", Phone: "+14155550100", Name: "Front Desk", Mode: fax.ModeFax},
		{ID: "PNabc20000000000000000000000000002", Phone: "+493012345678", Name: "office", Mode: fax.ModeFax},
		{ID: "b1c6a5d0-5d9b-4c3e-9b4a-1f2e3d4c5b6a", Phone: "+14155550102", Name: "Office", Mode: fax.ModeFax},
		{ID: "b1c6a5d0-6d9b-4c3e-9b4a-1f2e3d4c5b6a", Phone: "+14155550103", Name: "PNABC2", Mode: fax.ModeFax},
	}
	for _, c := range []struct{ ref, country, want, hint string }{
		{"(415) 555-0100", "", "+14155550100", "did you mean +14155550100?"},
		{"1 415 555 0100", "US", "+14155550100", "did you mean +14155550100?"},
		{"0014155550100", "DE", "+14155550100", "did you mean +14155550100?"},
		{"030 12345678", "DE", "+493012345678", "did you mean +493012345678?"},
		{"030 12345678", "US", "", "plus sign"},
		{"3012345678", "US", "", "+493012345678 is yours"},
		{"(415) 556-7720", "", "", "it reads as +14155567720, which is no number of this account"},
		{"4155567720", "", "", "faxctl numbers list"}, // no number is made up
		{"front DESK", "", "+14155550100", "did you mean +14155550100?"},
		{"pnABC10000000000000000000000000001", "", "+14155550100", "did you mean +14155550100?"},
		{"PNabc1", "", "+14155550100", "did you mean +14155550100?"},
		{"pnabc1000", "", "+14155550100", "did you mean +14155550100?"},
		{"PNabc", "", "", "of an id its first 6 characters at least"},
		{"b1c6", "", "", "of an id its first 6 characters at least"},
		{"B1C6A5D0-6", "", "+14155550103", "did you mean +14155550103?"},
		{"b1c6a5d0", "", "several", "did you mean +14155550102 or +14155550103?"},
		{"OFFICE", "", "several", "did you mean +493012345678 or +14155550102?"},
		{"pnabc2", "", "several", "did you mean +493012345678 or +14155550103?"}, // one by its id, one by its name
		{"office", "", "+493012345678", ""},                                      // exactly one's name
		{"+1415555010", "", "", "eleven digits"},
	} {
		m := &owned{numbers: numbers}
		exactly, err := resolve.Number(t.Context(), m, c.ref, resolve.Reading{Country: c.country})
		if c.hint != "" && (!errors.Is(err, problem.ErrNotFound) || !strings.Contains(problem.AdviceOf(err).String(), c.hint)) {
			t.Errorf("%s, exactly: %q, %v (hint %q), want the hint %q", c.ref, exactly.Phone, err, problem.AdviceOf(err), c.hint)
		}
		many := append(slices.Repeat([]string{"+14155550100"}, 20), c.ref) // more than are looked up one by one
		for _, refs := range [][]string{{c.ref}, many} {
			var last resolve.Resolved
			for r := range resolve.Numbers(t.Context(), m, refs, resolve.Reading{Freely: true, Country: c.country}) {
				last = r
			}
			var ambiguous *resolve.AmbiguousError
			switch n, err := last.Number, last.Err; {
			case c.want == "several" && (!errors.As(err, &ambiguous) || len(ambiguous.Candidates) != 2):
				t.Errorf("%s of %d, freely: %q, %v, want two candidates", c.ref, len(refs), n.Phone, err)
			case c.want == "" && !errors.Is(err, problem.ErrNotFound):
				t.Errorf("%s of %d, freely: %q, %v, want nothing", c.ref, len(refs), n.Phone, err)
			case c.want != "" && c.want != "several" && (err != nil || n.Phone != c.want || n.Mode != fax.ModeFax):
				t.Errorf("%s of %d, freely: %q (%s), %v, want %s", c.ref, len(refs), n.Phone, n.Mode, err, c.want)
			}
		}
	}
}

// However many are not found, the account is listed once.
func TestReadingListsOnce(t *testing.T) {
	m := &owned{numbers: []fax.Number{{ID: "one", Phone: "+14155550100", Name: "Front Desk"}}}
	for r := range resolve.Numbers(t.Context(), m, []string{"front desk", "no desk", "FRONT desk", "1 (415) 555-0100"}, resolve.Reading{Freely: true}) {
		if (r.Err == nil) != (r.Ref != "no desk") {
			t.Errorf("%s: %v", r.Ref, r.Err)
		}
	}
	lists := 0
	for _, c := range m.calls {
		if c == "list " {
			lists++
		}
	}
	if lists != 1 {
		t.Errorf("listed %d times: %q", lists, m.calls)
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
