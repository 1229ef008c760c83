package yamlfile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
)

// dish is what the tests read.
type dish struct {
	Name  string
	Phone string
	Hot   bool
	Price *string
	Sides []string
	Size  string
}

func read(text string) (dish, error) {
	var d dish
	doc, err := yamlfile.Parse("menu.yaml", []byte(text))
	if err != nil {
		return d, err
	}
	doc.Fields(doc.Root(), "a dish", []yamlfile.Field{
		{Key: "name", At: &d.Name}, {Key: "phone", At: &d.Phone}, {Key: "hot", At: &d.Hot}, {Key: "price", At: &d.Price}, {Key: "size", At: &d.Size, Filled: true},
		{Key: "sides", At: func(n *yaml.Node) {
			doc.List(n, "sides", func(v *yaml.Node) { d.Sides = append(d.Sides, v.Value) })
		}},
	})
	return d, doc.Err()
}

func TestFields(t *testing.T) {
	two := "2.00"
	for text, want := range map[string]dish{
		"":                               {},
		"# soon\n":                       {},
		"name: soup\nhot: true\n":        {Name: "soup", Hot: true},
		"phone: +14155550123\n":          {Phone: "+14155550123"}, // an integer to YAML
		"price: 2.00\n":                  {Price: &two},           // as written, not 2
		"name:\n":                        {},                      // not given, and it makes no difference
		"sides: [rice, beans]\n":         {Sides: []string{"rice", "beans"}},
		"name: &n soup\nphone: *n\n":     {Name: "soup", Phone: "soup"},
		`{"name": "soup", "hot": false}`: {Name: "soup"},
	} {
		got, err := read(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
}

// Everything wrong is told at once, in the order of the lines, each with its
// hint.
func TestProblems(t *testing.T) {
	_, err := read("nam: x\nhot: perhaps\nname: [a]\nname: b\nprice:\nsides: rice\nzzz: 1\nsize: ''\nphone: true\n")
	want := []string{
		`menu.yaml:1: unknown key "nam"; did you mean name?`,
		`menu.yaml:2: hot: want true or false`,
		`menu.yaml:3: name: want text`,
		`menu.yaml:4: key "name" is there already, in line 3`,
		`menu.yaml:5: price has no value; write "" to clear it, or leave price out`,
		`menu.yaml:6: sides is not a list; as in: sides: [...], or a line with a dash for each`,
		`menu.yaml:7: unknown key "zzz"; the keys of a dish are name, phone, hot, price, size, sides`,
		`menu.yaml:8: size has no value; say which, or leave size out`,
		`menu.yaml:9: phone: want text, not true; write it in quotes if that is the text`,
	}
	if err == nil {
		t.Fatal("nothing is wrong with it")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var e *yamlfile.Error
	if !errors.As(err, &e) || !e.NextStep().Empty() {
		t.Errorf("the hint of several is %q", e.NextStep())
	}
	if _, err := read("zzz: 1\n"); !errors.As(err, &e) || e.NextStep().String() != "the keys of a dish are name, phone, hot, price, size, sides" || strings.Contains(err.Error(), "keys") {
		t.Errorf("one problem: %v, hint %q", err, e.NextStep())
	}
}

// A bool is true or false, and nothing that looks like it.
func TestBool(t *testing.T) {
	for text, want := range map[string]string{
		"true": "", "false": "", "True": "",
		"yes":       "menu.yaml:1: hot: want true or false; did you mean true?",
		"on":        "menu.yaml:1: hot: want true or false; did you mean true?",
		"No":        "menu.yaml:1: hot: want true or false; did you mean false?",
		`"true"`:    "menu.yaml:1: hot: want true or false; did you mean true, without quotes?",
		"'no'":      "menu.yaml:1: hot: want true or false; did you mean false, without quotes?",
		"1":         "menu.yaml:1: hot: want true or false; did you mean true?",
		"sometimes": "menu.yaml:1: hot: want true or false",
		"[true]":    "menu.yaml:1: hot: want true or false",
		"!!bool on": "menu.yaml:1: hot: want true or false",
		"":          "menu.yaml:1: hot has no value",
		"~":         "menu.yaml:1: hot has no value",
	} {
		if _, err := read("hot: " + text + "\n"); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// What is no YAML is told with its line, in one.
func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"a: [":                 "menu.yaml:1: not YAML: did not find expected node content",
		"a: @b":                "menu.yaml:1: not YAML: found character that cannot start any token",
		"a: 1\nb: c: d\n":      "menu.yaml:2: not YAML: mapping values are not allowed in this context",
		"a: 1\n\tb: 2\n":       "menu.yaml:2: not YAML: found a tab character that violates indentation",
		"a: 1\n\nb: *c\n":      "menu.yaml:3: not YAML: unknown anchor 'c' referenced",
		"a: 1\nb: \xff\n":      "menu.yaml:2: not YAML: invalid leading UTF-8 octet",
		"a: 1\n---\nb: 2":      "menu.yaml:2: more than one YAML document: here begins the second",
		"a: 1\n---\nb: [":      "menu.yaml:3: not YAML: did not find expected node content",
		"- a\n":                "menu.yaml:1: a dish is not a mapping of keys to values",
		"a:\n\x1b]0;hi\x07":    "menu.yaml:2: not YAML: control characters are not allowed",
		"\"a\\nb\": 1\n":       `menu.yaml:1: unknown key "a\nb"`,
		"name: soup\nsi\x00ze": "menu.yaml:2: not YAML: control characters are not allowed",
	} {
		_, err := read(text)
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// What a person typed is shown short and harmless.
func TestQuote(t *testing.T) {
	if got := text.Quote("\x1b[31m" + strings.Repeat("x", 100)); strings.ContainsRune(got, '\x1b') || len(got) > 80 {
		t.Errorf("quoted as %s", got)
	}
	if got := yamlfile.Suggest(strings.Repeat("x", 1<<20), []string{"name"}); got != "" {
		t.Errorf("suggested %s for a megabyte", got)
	}
}
