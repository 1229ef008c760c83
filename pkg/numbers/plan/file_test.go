package plan_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

const asInTheDocs = `
numbers:
  - number: +14155550123
    name: front desk
    fax-url: https://fax.example.com/in
    fallback-url: https://backup.example.com/in
  - buy: {country: US, area-code: 415, type: local, max-price: 2.00}
    name: back office
    fax-url: https://fax.example.com/in
    fax-method: get
  - number: "+1 (415) 555-0124"
    mode: voice
defaults: {mode: fax, fax-method: POST, fallback-method: GET, status-callback: https://fax.example.com/status}
`

func TestReadFile(t *testing.T) {
	f, err := plan.ReadFile("numbers.yaml", []byte(asInTheDocs))
	if err != nil {
		t.Fatal(err)
	}
	fallback, status := "https://backup.example.com/in", "https://fax.example.com/status"
	want := plan.File{Path: "numbers.yaml", Text: asInTheDocs, Entries: []plan.Entry{
		{Line: 3, Phone: "+14155550123", Want: plan.Want{
			Name: new("front desk"), Mode: new(fax.ModeFax), FaxURL: new(in), Method: new("POST"),
			FallbackURL: &fallback, FallbackMethod: new("GET"), StatusCallback: &status,
		}},
		{
			Line: 7,
			Buy: &plan.Shopping{
				Search:   market.Search{Query: fax.Query{Country: "US", Fax: true}, Types: []fax.NumberType{fax.Local}, AreaCodes: []string{"415"}},
				MaxPrice: &fax.Money{Amount: "2.00"},
			},
			// The default method of a fallback URL that is not there means nothing.
			Want: plan.Want{Name: new("back office"), Mode: new(fax.ModeFax), FaxURL: new(in), Method: new("GET"), StatusCallback: &status},
		},
		{Line: 11, Phone: "+14155550124", Want: plan.Want{Mode: new(fax.ModeVoice)}},
	}}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Everything wrong is told at once, with its line.
func TestReadFileProblems(t *testing.T) {
	text := `numbers:
  - number: 14155550123
    nam: x
    fax-url: http://fax.example.com/
    mode: faks
  - buy: {country: USA, area-cod: 415}
  - name: [a]
    number: +1415
  - number: +14155550123
    name:
    fax-url: ftp://x
  - {}
  - number: "+14155550123"
  - buy: {}
  - buy: {max-price: cheap}
    name: twin
  - number: +14155550125
    name: twin
  - number: +14155550126
    fax-url: http://fax.example.com/
  - number: +14155550127
    mode: voice
    fax-url: https://fax.example.com/
  - number: +14155550128
    fax-url: http://localhost/
    allow-http: true
prun: yes
defaults: [a]
`
	_, err := plan.ReadFile("n.yaml", []byte(text))
	var e *yamlfile.Error
	if !errors.Is(err, problem.ErrInvalid) || !errors.As(err, &e) {
		t.Fatalf("the error is %v", err)
	}
	want := []string{
		`n.yaml:2: invalid phone number "14155550123"; write it in E.164: a plus sign, the country code and the number, as in +14155550123`,
		`n.yaml:3: unknown key "nam"; did you mean name?`,
		`n.yaml:5: invalid receive mode "faks"; fax or voice`,
		`n.yaml:6: unknown key "area-cod"; did you mean area-code?`,
		`n.yaml:6: invalid country "USA"; write US: countries have two letters (ISO 3166-1), as in country: US`,
		`n.yaml:7: name: want text`,
		`n.yaml:8: invalid phone number "+1415"; write it in E.164: a plus sign, the country code and the number, as in +14155550123`,
		`n.yaml:10: name has no value; write "" to clear it, or leave name out`,
		`n.yaml:11: fax URL: invalid URL "ftp://x"; an absolute URL, as in https://fax.example.com/in`,
		`n.yaml:12: an entry has either a number, or buy; as in number: "+14155550123", or buy: {country: US, area-code: 415}`,
		`n.yaml:13: +14155550123 is there already, in line 9; keep one of them`,
		`n.yaml:14: an entry with buy has no name; add name: it is how a number that was bought is known again, so that it is never bought twice`,
		`n.yaml:15: invalid amount of money "cheap"; write an amount of 0 or more and, if you like, a currency, as in 2.00 or '2.00 USD'`,
		`n.yaml:17: the name "twin" is there already, in line 15; a number that was bought is known again by its name: give each its own`,
		`n.yaml:19: +14155550126: fax URL: invalid URL "http://fax.example.com/": it is not https; use https; allow-http: true permits it, for tests`,
		`n.yaml:21: +14155550127: invalid combination: a fax URL or method, and mode voice; choose mode: voice, or a fax URL, which makes it a fax number`,
		`n.yaml:27: unknown key "prun"; did you mean prune?`,
		`n.yaml:28: defaults is not a mapping of keys to values`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, p := range e.Problems {
		if strings.Contains(p.Advice.String(), "--allow-http") || strings.Contains(p.Advice.String(), "--force") {
			t.Errorf("line %d: the hint speaks of flags, not of keys: %s", p.Line, p.Advice.String())
		}
	}
}

// Each wrong key of a number to buy is told at its own line, with what would be
// right: nothing of it is a wish for any number at any price.
func TestReadFileBuyProblems(t *testing.T) {
	_, err := plan.ReadFile("n.yaml", []byte(`numbers:
  - name: " front"
    buy:
      country:
      max-price: ""
      area-code:
  - name: a
    buy:
      country: U
      type: tol-free
      area-code: 41
      contains: "#"
      region: CA
      max-price: 2,00
      citi: x
      locality: true
  - name: b
    buy:
      country: DE
      area-code: 415
      region: BY
  - name: c
    buy:
  - number: ""
    mode: fx
    fax-method: PSOT
prune: yes
`))
	want := []string{
		`n.yaml:2: invalid name " front": it has blanks around it; write it without: a number is known again by its name, letter for letter`,
		`n.yaml:4: country has no value; say which, or leave country out`,
		`n.yaml:5: max-price has no value; say which, or leave max-price out`,
		`n.yaml:6: area-code has no value; say which, or leave area-code out`,
		`n.yaml:9: invalid country "U"; give two letters (ISO 3166-1), as in country: US`,
		`n.yaml:10: invalid number type "tol-free"; did you mean toll-free?`,
		`n.yaml:11: invalid area code "41"; three digits, the first one 2 to 9, as in 415`,
		`n.yaml:12: invalid pattern "#"; 2 to 16 of digits and letters; * is one digit, % any; + at the start and $ at the end hold the pattern there`,
		`n.yaml:14: invalid amount of money "2,00"; write an amount of 0 or more and, if you like, a currency, as in 2.00 or '2.00 USD'`,
		`n.yaml:15: unknown key "citi"; the keys of buy are country, type, area-code, contains, region, locality, no-address-required, beta, max-price, address-sid, bundle-sid, allow-unsure-fax`,
		`n.yaml:16: locality: want text, not true; write it in quotes if that is the text`,
		`n.yaml:20: invalid area code 415: only the US and Canada have them, not DE; leave area-code out, or search country: US or CA; elsewhere use contains with the leading digits`,
		`n.yaml:21: invalid region: providers look at it in the US and Canada only, not in DE; leave it out, or search country: US or CA`,
		`n.yaml:23: buy has no value; say what, as in buy: {country: US, area-code: 415}`,
		`n.yaml:24: number has no value; say which, or leave number out`,
		`n.yaml:25: invalid receive mode "fx"; did you mean fax?`,
		`n.yaml:26: invalid fax method "PSOT"; did you mean POST?`,
		`n.yaml:27: prune: want true or false; did you mean true?`,
	}
	if err == nil {
		t.Fatal("nothing is wrong with it")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = plan.ReadFile("n.yaml", []byte("numbers:\n  - {buy: {}, name: ' front'}\n  - {number: +14155550123, name: ' back'}\n  - buy: {}\n    name: \"a\\u00a0\"\n"))
	if err == nil || !strings.Contains(err.Error(), `n.yaml:2: invalid name " front": it has blanks around it`) || !strings.Contains(err.Error(), `n.yaml:5: invalid name "a\u00a0": it has blanks around it`) || !strings.Contains(err.Error(), `n.yaml:3: invalid name " back"`) {
		t.Errorf("blanks around names: %v", err)
	}
}

// Hints that name commands stay true in a file.
func TestHintsOfFiles(t *testing.T) {
	numbers := atSandbox(t, sandbox.Twilio)
	for text, want := range map[string]string{
		"numbers: [{buy: {area-code: 415, max-price: 0.50}, name: a}]\n": "find another: faxctl numbers search --price; or raise max-price",
		"numbers: [{number: +14155550123}]\n":                            "buy it: faxctl numbers buy +14155550123; or take the entry out",
	} {
		f, err := plan.ReadFile("n.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = plan.Steps(t.Context(), numbers, f, plan.Options{}); problem.AdviceOf(err).String() != want {
			t.Errorf("%v: hint %q, want %q", err, problem.AdviceOf(err).String(), want)
		}
	}
}

func TestPruneOfEverything(t *testing.T) {
	for _, text := range []string{"prune: true\n", "numbers: []\nprune: true\n"} {
		if _, err := plan.ReadFile("n.yaml", []byte(text)); !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The schema that ships with the docs has the keys that are read, and what is
// exported has no others.
func TestSchema(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "numbers.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Items      json.RawMessage            `json:"items"`
	}
	parse := func(raw json.RawMessage) (o object) {
		if err := json.Unmarshal(raw, &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	file := parse(text)
	entry := parse(parse(file.Properties["numbers"]).Items)
	for _, at := range []struct {
		what   string // as an unknown key is told
		yaml   string
		schema object
	}{
		{"the file", "zzz: 1\n", file},
		{"defaults", "defaults: {zzz: 1}\n", parse(file.Properties["defaults"])},
		{"an entry of numbers", "numbers: [{zzz: 1}]\n", entry},
		{"buy", "numbers: [{buy: {zzz: 1}}]\n", parse(entry.Properties["buy"])},
	} {
		_, err := plan.ReadFile("n.yaml", []byte(at.yaml))
		var e *yamlfile.Error
		if !errors.As(err, &e) {
			t.Fatalf("%s: %v", at.what, err)
		}
		known := strings.Split(strings.TrimPrefix(e.Problems[0].Advice.String(), "the keys of "+at.what+" are "), ", ")
		slices.Sort(known)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(at.schema.Properties)), known); diff != "" {
			t.Errorf("%s (-schema +read):\n%s", at.what, diff)
		}
	}
	for i := range reflect.TypeFor[plan.ExportedNumber]().NumField() {
		key, _, _ := strings.Cut(reflect.TypeFor[plan.ExportedNumber]().Field(i).Tag.Get("json"), ",")
		if entry.Properties[key] == nil {
			t.Errorf("exported key %q is not in the schema", key)
		}
	}
}

// An exported file, read again, changes nothing.
func TestExport(t *testing.T) {
	cans := fax.Capabilities{Fax: fax.Yes}
	numbers := []fax.Number{
		{Phone: "+14155550129", ID: "PN9", Mode: fax.ModeFax, FaxURL: in, Method: "GET", FallbackURL: in + "/2", FallbackMethod: "GET", Capabilities: cans},
		{Phone: "+14155550121", ID: "PN1", Name: "no", Mode: fax.ModeVoice, VoiceURL: "https://voice.example.com", Method: "GET"},
		{Phone: "+14155550122", ID: "PN2", Name: "front desk", Mode: fax.ModeFax, FaxURL: in, Method: "POST", TrunkID: "TK1", Capabilities: cans},
		{Phone: "+14155550123", ID: "PN3", Name: "(415) 555-0123", Mode: fax.ModeFax, FaxURL: "http://localhost:8080/in", Capabilities: fax.Capabilities{Fax: fax.No}},
		{Phone: "+14155550124", ID: "PN4", Mode: fax.ModeUnknown, VoiceURL: in},
		{Phone: "+14155550125", ID: "PN5", Mode: fax.ModeFax, FaxURL: "https://joe:pass" + "word@fax.example.com/", StatusCallback: in, Capabilities: cans},
		{Phone: "+14155550126", ID: "PN6", Mode: fax.ModeFax, FaxURL: in, Method: "HEAD", FallbackURL: "sip:fax@example.com", FallbackMethod: "PUT", StatusCallback: "fax.example.com", Capabilities: cans},
		{Phone: "+14155550127", ID: "PN7", Mode: fax.ModeVoice, Name: strings.Repeat("x", 65)},
		{Phone: "+14155550127", ID: "PN8", Mode: fax.ModeVoice},
		{Phone: "81234", ID: "PN10", Mode: fax.ModeVoice},
		{Phone: "+1415555012", ID: "PN11", Mode: fax.ModeFax, FaxURL: in},
		{Phone: "", ID: "PN12"},
	}
	const left = 3 + 1 // numbers that no file can name, and one that is named already
	x, warnings := plan.Export(numbers)
	for _, what := range []string{
		"+14155550125: fax-url is", "+14155550126: fax-method is", "+14155550126: fallback-url is", "+14155550126: fallback-method is",
		"+14155550126: status-callback is", "+14155550127: name is", "+14155550127: a second number PN8 is",
		"81234: the number is", "+1415555012: the number is", ": the number is",
	} {
		if n := len(slices.DeleteFunc(slices.Clone(warnings), func(w string) bool { return !strings.HasPrefix(w, what) })); n != 1 {
			t.Errorf("%d warnings of %s in %q", n, what, warnings)
		}
	}
	if len(warnings) != 10 || strings.Contains(strings.Join(warnings, ""), "joe") {
		t.Errorf("warnings: %q", warnings)
	}
	text, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "joe") {
		t.Error("a password reached the file")
	}
	f, err := plan.ReadFile("n.json", text)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Entries) != len(numbers)-left || f.Entries[0].Phone != "+14155550121" {
		t.Errorf("the entries are %+v", f.Entries)
	}
	for _, e := range f.Entries {
		n := numbers[slices.IndexFunc(numbers, func(n fax.Number) bool { return n.Phone == e.Phone })]
		d, err := plan.Diff(n, e.Want)
		if err != nil || !d.Change.Empty() {
			t.Errorf("%s: still to do %+v, %v", e, d.Fields, err)
		}
	}
}

// Whatever is in the file, reading it ends, and problems have a line.
func FuzzReadFile(f *testing.F) {
	f.Add(asInTheDocs)
	f.Add("numbers: &a [*a]\n")
	f.Add("numbers: [{buy: &b {contains: [x], area-code: 1e3}, name: *b}]\nprune: maybe\n")
	f.Add("numbers:\n  - {number: +14155550123, <<: {mode: fax}}\n")
	f.Add("defaults: {mode: voice, fax-method: put}\nnumbers: [{number: '+1 415 555 0123', fax-url: \"https://a:b@c\"}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := plan.ReadFile("n.yaml", []byte(text))
		if err != nil {
			if !errors.Is(err, problem.ErrInvalid) || err.Error() == "" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for _, e := range file.Entries {
			if err := e.Want.Check(); err != nil {
				t.Errorf("%q: an entry was taken that cannot be: %v", text, err)
			}
			if e.Buy != nil && e.Name() == "" || (e.Buy == nil) == (e.Phone == "") {
				t.Errorf("%q: %+v is neither a number nor to buy", text, e)
			}
		}
	})
}
