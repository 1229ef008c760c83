package output_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func TestParseExplainsMistakes(t *testing.T) {
	for _, c := range []struct{ spec, text, hint string }{
		{"xml", `unknown output format "xml"`, "one of table, wide, json, jsonl, yaml, csv, tsv, id, jq, template"},
		{"", `unknown output format ""`, "one of table"},
		{"jsn", `unknown output format "jsn"`, "did you mean json?"},
		{"CSV", `unknown output format "CSV"`, "did you mean csv?"},
		{"csv=", "-o csv= names no column", "-o csv=NAME,NAME"},
		{"json=phone", "-o json takes no columns", "-o csv=phone"},
		{"jq", "-o jq= has no expression", "jq=.[].NAME"},
		{"jq=.[].é", `jq expression, character 5: unexpected token "é"`, "-o json"},
		{"jq=.[", "jq expression, character 3: unexpected EOF", "-o json"},
		{"jq=nope(1)", "jq expression: function not defined: nope/1", ""},
		{"jq=input", "jq expression: input(s)/0 is not allowed", ""},
		{"template=", "-o template= has no text", "{{.NAME}}"},
		{"template={{.phone", "template: template:1: unclosed action", "{{.NAME}}"},
	} {
		_, err := output.Parse(c.spec)
		var spec *problem.Error
		switch {
		case !errors.As(err, &spec):
			t.Errorf("%s: %v", c.spec, err)
		case spec.Text != c.text || !strings.Contains(spec.Advice.String(), c.hint):
			t.Errorf("%s: %q, hint %q", c.spec, spec.Text, spec.Advice)
		}
	}
}

// What cannot be printed is refused before there is anything to print.
func TestNewRefuses(t *testing.T) {
	noID := lineType()
	noID.ID, noID.Raw = nil, nil
	for _, c := range []struct {
		spec string
		opt  output.Options
		ty   output.Type[line]
		text string
	}{
		{"table", output.Options{Columns: "phnoe"}, lineType(), `unknown column "phnoe"`},
		{"csv=phone,what", output.Options{}, lineType(), `unknown column "what"`},
		{"table", output.Options{Columns: "-phone,-name,-mode,-pages,-created"}, lineType(), "no column is left to show"},
		{"json", output.Options{Columns: "phone"}, lineType(), "--columns means nothing to -o json"},
		{"csv", output.Options{Raw: true}, lineType(), "--raw needs a JSON format, not csv"},
		{"csv", output.Options{Raw: true}, noID, "--raw: this does not come from a provider"}, // first, or adding -o json would be in vain
		{"json", output.Options{Raw: true}, noID, "--raw: this does not come from a provider"},
		{"id", output.Options{}, noID, "-o id: these have no id"},
		{"csv", output.Options{}, output.Type[line]{Form: "json"}, "-o csv: this has no columns"},
		{"template={{.id}} {{.phnoe}}", output.Options{}, lineType(), `unknown field "phnoe"`},
		{"template={{if .id}}{{with .name}}{{$.phnoe}}{{end}}{{end}}", output.Options{}, lineType(), `unknown field "phnoe"`},
		{"template={{printf \"%s\" (len .phnoe)}}", output.Options{}, lineType(), `unknown field "phnoe"`},
		{"template={{.phone.areacode}}", output.Options{}, lineType(), `there is no field "areacode" below what has none`},
	} {
		c.opt.Format = format(t, c.spec)
		_, err := output.New(c.ty, c.opt)
		var spec *problem.Error
		if !errors.As(err, &spec) || spec.Text != c.text || spec.Advice.Empty() {
			t.Errorf("%s: %v", c.spec, err)
		}
	}
}

// Fields are known as far as JSON shows them, below others and in lists too; what
// cannot be known is left to the values.
func TestTemplateFieldsThatAreThere(t *testing.T) {
	type media struct {
		Link string `json:"link"`
	}
	type record struct {
		line
		Media  []media         `json:"media"`
		First  *media          `json:"first,omitempty"`
		Tags   map[string]any  `json:"tags"`
		Sent   json.RawMessage `json:"sent"`
		Plain  string
		hidden string
	}
	_ = record{}.hidden
	for text, fits := range map[string]bool{
		"{{.phone}} {{.Plain}} {{.first.link}}":                true,
		"{{range .media}}{{.link}}{{else}}{{.id}}{{end}}":      true,
		"{{with .first}}{{.link}} {{$.id}}{{end}}":             true,
		"{{.tags.any}} {{.sent.any}} {{.created}}":             true,
		"{{range slice .media 0}}{{.what}}{{end}}":             true,
		"{{$x := .first}}{{$x.what}}":                          true,
		"{{define \"x\"}}{{.what}}{{end}}":                     true,
		"{{define \"x\"}}{{.}}{{end}}{{template \"x\" .id}}":   true,
		"{{.first.what}}":                                      false,
		"{{range .media}}{{.id}}{{end}}":                       false,
		"{{with .first}}{{.id}}{{end}}":                        false,
		"{{.hidden}}":                                          false,
		"{{define \"x\"}}{{.}}{{end}}{{template \"x\" .what}}": false,
	} {
		_, err := output.New(output.Type[record]{}, output.Options{Format: format(t, "template="+text)})
		var mistake *problem.Error
		if fits && err != nil || !fits && !errors.As(err, &mistake) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMistakesInExpressionsShowWithTheData(t *testing.T) {
	for spec, text := range map[string]string{
		"jq=.phone":                           "jq expression: expected an object but got: array",
		"template={{index .phone 99}}":        "index out of range",
		"template={{range $l := .id}}{{end}}": "can't iterate over",
	} {
		var got strings.Builder
		_, err := printed(t.Context(), &got, sequence(lines(), nil), lineType(), output.Options{Format: format(t, spec)})
		var mistake *problem.Error
		if !errors.As(err, &mistake) || !strings.Contains(mistake.Text, text) || got.Len() > 0 {
			t.Errorf("%s: %q, %v", spec, got.String(), err)
		}
	}
}

// The environment holds credentials; an expression sees none of it.
func TestExpressionsSeeNoEnvironment(t *testing.T) {
	t.Setenv("TWILIO_AUTH_TOKEN", "secret")
	var got strings.Builder
	if _, err := printed(t.Context(), &got, sequence(lines(), nil), lineType(), output.Options{Format: format(t, "jq=env, $ENV")}); err != nil || got.String() != "{}\n{}\n" {
		t.Errorf("%q, %v", got.String(), err)
	}
}

// On a terminal the expression's own lines and tabs stay, the provider's
// control characters do not.
func TestExpressionsAreCleanedForATerminal(t *testing.T) {
	for _, spec := range []string{"jq=.[2].name", "template={{.name}}"} {
		var got strings.Builder
		if _, err := printed(t.Context(), &got, sequence(lines(), nil), lineType(), output.Options{Format: format(t, spec), Screen: screen(80)}); err != nil {
			t.Fatal(err)
		}
		if want := "^[]0;gone^G=1\t2\n\ufffd\ufffd\n"; !strings.HasSuffix(got.String(), want) {
			t.Errorf("%s: %q", spec, got.String())
		}
	}
}

// What an expression makes is JSON on any terminal: nothing in it turns the line
// around, or begins a command.
func TestResultsAreEscaped(t *testing.T) {
	var got strings.Builder
	odd := []line{{Name: "a\u202eb\u009bc\u001bd"}}
	if _, err := printed(t.Context(), &got, sequence(odd, nil), lineType(), output.Options{Format: format(t, "jq=[.[].name]")}); err != nil {
		t.Fatal(err)
	}
	if want := `["a\u202eb\u009bc\u001bd"]` + "\n"; got.String() != want {
		t.Errorf("%q, want %q", got.String(), want)
	}
}

func TestSelect(t *testing.T) {
	for _, c := range []struct {
		wide  bool
		specs []string
		want  string
	}{
		{false, nil, "phone name mode pages created"},
		{true, nil, "phone name mode pages created fax_url id"},
		{false, []string{"id,phone"}, "id phone"},
		{false, []string{"+id"}, "phone name mode pages created id"},
		{false, []string{"+id,-name , -mode"}, "phone pages created id"},
		{false, []string{"phone,id", "+name,-id"}, "phone name"},
		{false, []string{"phone,id", "name"}, "name"},
		{false, []string{"name,name,phone,"}, "name phone"},
		{false, []string{"+phone"}, "name mode pages created phone"},
	} {
		all := lineType().Columns
		usual := slices.DeleteFunc(slices.Clone(all), func(col output.Column[line]) bool { return col.Wide && !c.wide })
		cols, err := output.Select(all, usual, c.specs...)
		if err != nil {
			t.Errorf("%q: %v", c.specs, err)
		}
		var names []string
		for _, col := range cols {
			names = append(names, col.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%q: %s, want %s", c.specs, got, c.want)
		}
	}
}

func TestFormatsAreKnown(t *testing.T) {
	for _, f := range output.Formats() {
		if _, err := output.Parse(f.Name + map[bool]string{true: "1"}[strings.HasSuffix(f.Name, "=")]); err != nil {
			t.Errorf("%s is listed and unknown: %v", f.Name, err)
		}
	}
}

func TestAge(t *testing.T) {
	h := output.Human{Now: noon()}
	for _, c := range []struct {
		before time.Duration
		want   string
	}{
		{10 * time.Second, "now"},
		{59 * time.Minute, "59m"},
		{47 * time.Hour, "47h"},
		{-48 * time.Hour, "2d"},
		{999 * 24 * time.Hour, "999d"},
		{1100 * 24 * time.Hour, "3y"},
	} {
		if got := h.Age(noon().Add(-c.before)); got != c.want {
			t.Errorf("%v before: %s, want %s", c.before, got, c.want)
		}
	}
	if got := h.Age(time.Time{}); got != "" {
		t.Errorf("no time: %q", got)
	}
}

func TestAgo(t *testing.T) {
	h := output.Human{Now: noon()}
	for _, c := range []struct {
		before time.Duration
		want   string
	}{
		{10 * time.Second, "just now"},
		{-10 * time.Second, "just now"},
		{50 * time.Second, "1 min ago"},
		{59 * time.Minute, "59 min ago"},
		{-90 * time.Minute, "in 1 h"},
		{47 * time.Hour, "47 h ago"},
		{48 * time.Hour, "2 d ago"},
		{-14 * 24 * time.Hour, "in 14 d"},
		{59 * 24 * time.Hour, "59 d ago"},
		{60 * 24 * time.Hour, "2026-09-24"},
		{-60 * 24 * time.Hour, "2027-01-22"},
	} {
		if got := h.Ago(noon().Add(-c.before)); got != c.want {
			t.Errorf("%v before: %s, want %s", c.before, got, c.want)
		}
	}
	h.Exact = true
	if got, want := h.Ago(noon().Add(-90*24*time.Hour)), "2026-08-25 12:00:00 UTC (90 d ago)"; got != want {
		t.Errorf("exactly: %s, want %s", got, want)
	}
	if got := h.Ago(time.Time{}) + output.Time(time.Time{}); got != "" {
		t.Errorf("no time: %q", got)
	}
	if got := output.Time(noon().In(time.FixedZone("", 3600))); got != "2026-11-23T12:00:00Z" {
		t.Error(got)
	}
}
