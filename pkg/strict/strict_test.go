package strict_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/strict"
)

// dish is what the tests read.
type dish struct {
	Name  string
	Phone string
	Hot   bool
	Price *string
	Sides []string
}

func read(text string) (dish, error) {
	var d dish
	doc, err := strict.Parse("menu.yaml", []byte(text))
	if err != nil {
		return d, err
	}
	doc.Fields(doc.Root(), "a dish", []strict.Field{
		{Key: "name", At: &d.Name}, {Key: "phone", At: &d.Phone}, {Key: "hot", At: &d.Hot}, {Key: "price", At: &d.Price},
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

// Everything wrong is told at once, in the order of the lines.
func TestProblems(t *testing.T) {
	_, err := read("nam: x\nhot: perhaps\nname: [a]\nname: b\nprice:\nsides: rice\nzzz: 1\n")
	want := []string{
		`menu.yaml:1: unknown key "nam"; did you mean name?`,
		`menu.yaml:2: hot: want true or false`,
		`menu.yaml:3: name: want text`,
		`menu.yaml:4: key "name" is there already, in line 3`,
		`menu.yaml:5: price has no value`,
		`menu.yaml:6: sides is not a list`,
		`menu.yaml:7: unknown key "zzz"`,
	}
	if err == nil {
		t.Fatal("nothing is wrong with it")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var e *strict.Error
	if !errors.As(err, &e) || e.Hint() != "the keys of a dish are name, phone, hot, price, sides" {
		t.Errorf("the hint is %q", e.Hint())
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"a: [":             "menu.yaml is not YAML: ",
		"a: 1\n---\nb: 2":  "menu.yaml holds more than one YAML document",
		"- a\n":            "menu.yaml:1: a dish is not a mapping of keys to values",
		"a: \x1b]0;hi\x07": "menu.yaml is not YAML: ",
	} {
		_, err := read(text)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if err != nil && strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("%q: a control character reached the message", text)
		}
	}
}

// What a person typed is shown short and harmless.
func TestQuote(t *testing.T) {
	if got := strict.Quote("\x1b[31m" + strings.Repeat("x", 100)); strings.ContainsRune(got, '\x1b') || len(got) > 80 {
		t.Errorf("quoted as %s", got)
	}
	if got := strict.Suggest(strings.Repeat("x", 1<<20), []string{"name"}); got != "" {
		t.Errorf("suggested %s for a megabyte", got)
	}
}
