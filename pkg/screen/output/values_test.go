package output

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What was read back is what each record alone would be, however much of it is shared.
func TestValuesAreThoseOfEachRecord(t *testing.T) {
	words := rapid.SampledFrom([]string{`"received"`, `""`, `"\ud800"`, "\"\x80\"", `"é\u0000"`, "null", "true", "1.0", "1e400", "-0", "[]", "{}", `[{"a":1},2]`, `{"amount":"1","currency":"USD"}`, `{"a":{"a":{"a":{"a":{"b":1}}}}}`})
	names := rapid.SampledFrom([]string{`"a"`, `"b"`, `"c"`, `"\u0061"`, `"é"`, "\"\x80\""})
	record := rapid.Custom(func(t *rapid.T) string {
		text := "{"
		for i := range rapid.IntRange(0, 4).Draw(t, "members") {
			if i > 0 {
				text += ","
			}
			text += names.Draw(t, "name") + ":" + words.Draw(t, "value")
		}
		return text + "}"
	})
	rapid.Check(t, func(t *rapid.T) {
		var all values
		want := []any{}
		for _, text := range rapid.SliceOfN(rapid.OneOf(record, words), 0, 20).Draw(t, "records") {
			if err := all.add([]byte(text), nil); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			one, err := decode([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, one)
		}
		if diff := cmp.Diff(want, all.all(false)); diff != "" {
			t.Error(diff)
		}
		if len(want) > 0 && !cmp.Equal(want[0], all.all(true)) {
			t.Errorf("the single one is %v", all.all(true))
		}
	})
}

func TestValuesThatAreNoJSON(t *testing.T) {
	for _, text := range []string{"", "{", `{"a":1`, `{"a":tru}`, `{"a" 1}`, `{a:1}`} {
		var all values
		if err := all.add([]byte(text), nil); err == nil {
			t.Errorf("%q: %v", text, all.items)
		}
	}
}

// An expression that changes what it was given changes nothing that others share.
func TestWhatIsSharedIsNotChanged(t *testing.T) {
	for query, want := range map[string]string{
		`.[0].price.amount = "9" | [.[].price.amount]`:                                      `["9","1","1"]`,
		`reduce range(2) as $i (.; .[$i].price.amount = "\($i)") | [.[].price.amount]`:      `["0","1","1"]`,
		`[.[0] | .price |= (.amount = "7" | .new = 1)] + . | [.[].price | [.amount, .new]]`: `[["7",1],["1",null],["1",null],["1",null]]`,
		`del(.[1].price.currency) | [.[].price.currency]`:                                   `["USD",null,"USD"]`,
		`[.[0].price * {"amount":"5"}, .[1].price] | [.[].amount]`:                          `["5","1"]`,
		`[.[].pages |= . + 1 | .[].pages]`:                                                  `[2,2,2]`,
	} {
		f, err := Parse("jq=" + query)
		if err != nil {
			t.Fatal(err)
		}
		var all values
		for range 3 {
			if err := all.add([]byte(`{"pages":1,"price":{"amount":"1","currency":"USD"}}`), nil); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // the second time what is given is still as it was
			got, _ := f.query.RunWithContext(t.Context(), all.all(false)).Next()
			if text, err := json.Marshal(got); err != nil || string(text) != want {
				t.Errorf("%s: %s, %v; want %s", query, text, err, want)
			}
		}
	}
}
