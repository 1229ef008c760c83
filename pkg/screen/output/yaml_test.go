package output_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/faxctl/faxctl/pkg/screen/output"
)

// rawType prints JSON as it is.
func rawType() output.Type[string] {
	return output.Type[string]{Raw: func(s string) json.RawMessage { return json.RawMessage(s) }}
}

func asYAML(t interface{ Fatal(...any) }, single bool, items ...string) string {
	f, err := output.Parse("yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := output.New(rawType(), output.Options{Format: f, Raw: true})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if single {
		err = p.One(context.Background(), &got, items[0])
	} else {
		_, err = p.Print(context.Background(), &got, sequence(items, nil))
	}
	if err != nil {
		t.Fatal(err)
	}
	return got.String()
}

func TestShapesOfYAML(t *testing.T) {
	long := strings.Repeat("k", 129)
	for _, c := range []struct {
		single bool
		item   string
		want   string
	}{
		{true, `{"a":{"b":{"c":1}},"d":[{"e":2,"f":[]},{}],"g":[[3,[4]],[]],"h":{}}`, `
a:
  b:
    c: 1
d:
  - e: 2
    f: []
  - {}
g:
  - - 3
    - - 4
  - []
h: {}
`},
		{false, `{"a":{"b":[1,{"c":2,"d":3}]},"e":4}`, `
- a:
    b:
      - 1
      - c: 2
        d: 3
  e: 4
`},
		{false, `[1,[2,"no"],{}]`, `
- - 1
  - - 2
    - "no"
  - {}
`},
		{false, `{"` + long + `":{"a":1,"b":2},"` + long[1:] + `":3,"a\nb":[4,5],"no":6,"é":7,"":8}`, `
- ? ` + long + `
  : a: 1
    b: 2
  ` + long[1:] + `: 3
  ? "a\nb"
  : - 4
    - 5
  "no": 6
  "é": 7
  "": 8
`},
		{true, `null`, "\nnull\n"},
		{true, `[]`, "\n[]\n"},
		{false, `-1.50e+3`, "\n- -1.50e+3\n"},
		{false, "\"\xff\xfea\"", "\n- \"\ufffd\ufffda\"\n"},
		{false, `"\ud800\u202e"`, "\n- \"\ufffd\\u202e\"\n"},
		{false, `"\ud83d\ude00"`, "\n- \"\\U0001F600\"\n"},
	} {
		if diff := cmp.Diff(c.want, "\n"+asYAML(t, c.single, c.item)); diff != "" {
			t.Errorf("%s: %s", c.item, diff)
		}
	}
}

// Whatever JSON is printed as YAML, a reader of YAML finds the same in it: the same
// names in the same order, strings that are strings and nothing else that is one.
func TestYAMLIsTheSameAsItsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return someJSON(t, 0) }), 1, 3).Draw(t, "items")
		printed := asYAML(t, false, items...)
		var back yaml.Node
		if err := yaml.Unmarshal([]byte(printed), &back); err != nil {
			t.Fatalf("%v: %s", err, printed)
		}
		if diff := cmp.Diff("["+strings.Join(items, ",")+"]", jsonOf(t, back.Content[0])); diff != "" {
			t.Fatalf("%s\n%s", diff, printed)
		}
	})
}

// someJSON is compact JSON of any shape.
func someJSON(t *rapid.T, depth int) string {
	words := rapid.OneOf(rapid.String(), rapid.StringN(125, 140, -1), rapid.StringMatching(`[A-Za-z0-9 ./_:#-]{0,8}`), rapid.SampledFrom([]string{
		"yes", "N", "null", "~", "<<", "=", "a: b", "- a", "+14155550101", "1e3", "0x1F", "12:30:45", "2026-11-23", ".inf", "NaN", "東京", "a\nb", "\r", `"`, `\`,
		"\U0001f600", "\u0085", "\u00a0", "\u2028", "\u202e", "\ufeff", "\ufffe", "\x7f", "\x1b",
	}))
	text := func(name string) string { return marshaled(t, words.Draw(t, name)) }
	inner := func() (all []string) {
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			all = append(all, someJSON(t, depth+1))
		}
		return all
	}
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	switch {
	case kind == 0:
		return rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "word")
	case kind == 1:
		return marshaled(t, rapid.Float64Range(-1e300, 1e300).Draw(t, "float"))
	case kind == 2:
		return marshaled(t, rapid.Int().Draw(t, "int"))
	case kind == 3 || depth > 4:
		return text("string")
	case kind == 4:
		return "[" + strings.Join(inner(), ",") + "]"
	}
	fields, seen := []string{}, map[string]bool{}
	for _, value := range inner() {
		if name := text("name"); !seen[name] { // readers refuse the same twice
			fields, seen[name] = append(fields, name+":"+value), true
		}
	}
	return "{" + strings.Join(fields, ",") + "}"
}

// jsonOf is what was read from YAML as the JSON that it was.
func jsonOf(t *rapid.T, n *yaml.Node) string {
	parts := []string{}
	for _, child := range n.Content {
		parts = append(parts, jsonOf(t, child))
	}
	switch n.Kind {
	case yaml.SequenceNode:
		return "[" + strings.Join(parts, ",") + "]"
	case yaml.MappingNode:
		fields := []string{}
		for i := 0; i < len(parts); i += 2 {
			fields = append(fields, parts[i]+":"+parts[i+1])
		}
		return "{" + strings.Join(fields, ",") + "}"
	}
	if n.ShortTag() == "!!str" {
		return marshaled(t, n.Value)
	}
	return n.Value
}

func marshaled(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
