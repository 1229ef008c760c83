package archive

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/go-faster/jx"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/faxctl/faxctl/pkg/fax"
)

// entries are those of any content.
func entries() *rapid.Generator[Entry] {
	instants := rapid.Custom(func(t *rapid.T) any {
		zone := time.FixedZone("", 60*rapid.IntRange(-720, 720).Draw(t, "zone"))
		return rapid.SampledFrom([]time.Time{{}, time.Unix(1_800_000_000, 123_456_789).UTC(), time.Unix(-1, 0).In(zone)}).Draw(t, "time")
	})
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "received", "<a&b>", "\x80\xff", "\u2028\x00"}))
	return rapid.MakeCustom[Entry](rapid.MakeConfig{
		Types: map[reflect.Type]*rapid.Generator[any]{
			reflect.TypeFor[time.Time]():       instants,
			reflect.TypeFor[json.RawMessage](): rapid.Just[any](json.RawMessage("{}")),
			reflect.TypeFor[string]():          texts.AsAny(),
		},
	})
}

// What the index keeps is read as encoding/json reads it, whichever of its members are there,
// and none of them is left to that.
func TestRowsAreReadAsTheirTagsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row, err := rowOf(entries().Draw(t, "entry"), "key", "stamp")
		if err != nil {
			t.Fatal(err)
		}
		var want, got Entry
		if err := json.Unmarshal(row.Entry, &want); err != nil {
			t.Fatal(err)
		}
		if err := readEntry(jx.DecodeBytes(row.Entry), &got); err != nil {
			t.Fatalf("%v: %s", err, row.Entry)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Entry{})); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOddRowsAreReadAllTheSame(t *testing.T) {
	for row, want := range map[string]string{
		`{"fax":{"id":"FX1","pages":null},"later":{"a":1}}`: "FX1",
		`{"Fax":{"ID":"FX2"}}`:                              "FX2",
		`{"fax":null}`:                                      "",
		`{"document":{"later":1},"fax":{"id":"FX3"}}`:       "FX3",
	} {
		if e, err := entryOf([]byte(row)); err != nil || e.Fax.ID != want {
			t.Errorf("%s: %+v, %v", row, e, err)
		}
	}
	for _, row := range []string{"", "{", `{"fax":1}`, `[]`, `{"fax":{"id":"FX1"}}}`, `{"fax":{"id":"FX1"}`} {
		if e, err := entryOf([]byte(row)); err == nil {
			t.Errorf("%s: %+v", row, e)
		}
	}
}

// Two records are the same when all of them is that is printed.
func TestSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, other := entries().Draw(t, "a").Fax, entries().Draw(t, "other").Fax
		for i, field := range reflect.VisibleFields(reflect.TypeFor[fax.Fax]()) {
			b := a
			reflect.ValueOf(&b).Elem().Field(i).Set(reflect.ValueOf(other).Field(i))
			x, y := reflect.ValueOf(a).Field(i).Interface(), reflect.ValueOf(b).Field(i).Interface()
			if want := field.Tag.Get("json") == "-" || cmp.Equal(x, y); same(a, b) != want {
				t.Errorf("%s: %v and %v", field.Name, x, y)
			}
		}
	})
}
