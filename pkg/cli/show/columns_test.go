package show

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/go-faster/jx"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/fax"
)

// TestFaxesAreEncodedAsTheirTagsSay: what -o json prints of a fax is what
// encoding/json makes of it, whichever of its fields are there.
func TestFaxesAreEncodedAsTheirTagsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f fax.Fax
		for name, field := range reflect.ValueOf(&f).Elem().Fields() {
			if rapid.IntRange(0, 3).Draw(t, "empty") == 0 {
				continue
			}
			switch what := field.Addr().Interface().(type) {
			case **int:
				n := rapid.Int().Draw(t, name.Name)
				*what = &n
			case **fax.Money:
				*what = &fax.Money{Amount: rapid.String().Draw(t, "amount"), Currency: rapid.String().Draw(t, "currency")}
			case *time.Time:
				zone := time.FixedZone("", 60*rapid.IntRange(-720, 720).Draw(t, "zone"))
				*what = time.Unix(rapid.Int64Range(-1e10, 1e11).Draw(t, name.Name), rapid.Int64Range(0, 999_999_999).Draw(t, "fraction")).In(zone)
			case *json.RawMessage: // -o json --raw is another matter
			default:
				field.SetString(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"received", "<a&b>", "\x80\xff", "\u2028"})).Draw(t, name.Name))
			}
		}
		var e jx.Encoder
		encodeFax(&e, f)
		want, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decoded(t, want), decoded(t, e.Bytes())); diff != "" {
			t.Error(diff)
		}
	})
}

// TestKeptCopiesAreEncodedAsTheirTagsSay is the same of kept copies.
func TestKeptCopiesAreEncodedAsTheirTagsSay(t *testing.T) {
	instants := rapid.SampledFrom([]time.Time{{}, time.Unix(1_800_000_000, 123_456_789), time.Unix(-1, 0).UTC()})
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "received", "<a&b>", "\x80\xff", "\u2028"}))
	entries := rapid.MakeCustom[archive.Entry](rapid.MakeConfig{
		Types: map[reflect.Type]*rapid.Generator[any]{
			reflect.TypeFor[time.Time]():       instants.AsAny(),
			reflect.TypeFor[json.RawMessage](): rapid.SampledFrom([]json.RawMessage{nil, []byte(`{"a": "<"}`)}).AsAny(),
			reflect.TypeFor[string]():          texts.AsAny(),
		},
	})
	rapid.Check(t, func(t *rapid.T) {
		kept := entries.Draw(t, "kept")
		var e jx.Encoder
		encodeEntry(&e, kept)
		want, err := json.Marshal(kept)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decoded(t, want), decoded(t, e.Bytes())); diff != "" {
			t.Error(diff)
		}
	})
}

func decoded(t *rapid.T, b []byte) (v any) {
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return v
}
