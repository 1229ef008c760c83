package output_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/screen/output"
)

// line is what the tests print: a number with everything that makes printing
// hard.
type line struct {
	ID      string    `json:"id"`
	Phone   string    `json:"phone"`
	Name    string    `json:"name"`
	Mode    string    `json:"mode"`
	Pages   int       `json:"pages"`
	Fax     *bool     `json:"fax"`
	URL     string    `json:"url,omitempty"`
	Created time.Time `json:"created"`
	raw     string
}

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func lines() []line {
	yes := true
	return []line{
		{ID: "PN1", Phone: "+14155550101", Name: "Front desk", Mode: "fax", Pages: 12, Fax: &yes, URL: "https://example.com/fax?a=1&b=<2>", Created: noon().Add(-3 * time.Hour), raw: `{"sid": "PN1", "big": 12345678901234567890}`},
		{ID: "PN2", Phone: "+81355550102", Name: "東京支店, 二階", Mode: "voice", Pages: 3, Created: noon().AddDate(0, 0, -9)},
		{ID: "PN3", Phone: "+14155550103", Name: "\x1b]0;gone\a=1\t2\n\u202e\u009b", Mode: "unknown", Created: noon().AddDate(-2, 0, 0), raw: `{"sid":"PN3"}`},
	}
}

func lineType() output.Type[line] {
	return output.Type[line]{
		ID:  func(l line) string { return l.ID },
		Raw: func(l line) json.RawMessage { return json.RawMessage(l.raw) },
		Columns: []output.Column[line]{
			{Name: "phone", Whole: true, Value: func(l line) string { return l.Phone }},
			{Name: "name", Value: func(l line) string { return l.Name }},
			{Name: "mode", Value: func(l line) string { return l.Mode }, Style: modeStyle},
			{Name: "pages", Right: true, Value: func(l line) string { return strconv.Itoa(l.Pages) }},
			{
				Name: "created", Value: func(l line) string { return output.Time(l.Created) },
				Show:  func(l line, h output.Human) string { return h.Ago(l.Created) },
				Style: func(line) output.Style { return output.Dim },
			},
			{Name: "fax_url", Wide: true, Value: func(l line) string { return l.URL }},
			{Name: "id", Title: "ID", Wide: true, Whole: true, Value: func(l line) string { return l.ID }},
		},
	}
}

func modeStyle(l line) output.Style {
	switch l.Mode {
	case "fax":
		return output.Good
	case "voice":
		return output.Warn
	}
	return output.None
}

// sequence yields items and then err, unless that is nil.
func sequence[T any](items []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range items {
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			var zero T
			yield(zero, err)
		}
	}
}

// printed prints a sequence in one go.
func printed[T any](ctx context.Context, w io.Writer, seq iter.Seq2[T, error], t output.Type[T], opt output.Options) (output.Shown, error) {
	p, err := output.New(t, opt)
	if err != nil {
		return output.Shown{}, err
	}
	return p.Print(ctx, w, seq)
}

func format(t testing.TB, spec string) output.Format {
	t.Helper()
	f, err := output.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func screen(width int) output.Screen {
	return output.Screen{Terminal: true, Width: width, Now: noon()}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		opt        output.Options
		want       string
	}{
		{"table in a pipe", "table", output.Options{}, `
phone	name	mode	pages	created
+14155550101	Front desk	fax	12	2026-11-23T09:00:00Z
+81355550102	東京支店, 二階	voice	3	2026-11-14T12:00:00Z
+14155550103	^[]0;gone^G=1\t2\n��	unknown	0	2024-11-23T12:00:00Z
`},
		{"wide in a pipe, chosen and changed columns", "wide", output.Options{Columns: "-name,-mode,-created,+mode"}, `
phone	pages	fax_url	id	mode
+14155550101	12	https://example.com/fax?a=1&b=<2>	PN1	fax
+81355550102	3		PN2	voice
+14155550103	0		PN3	unknown
`},
		{"tsv without header", "tsv=id,pages", output.Options{NoHeader: true}, `
PN1	12
PN2	3
PN3	0
`},
		{"csv", "csv=phone,name,pages", output.Options{}, `
phone,name,pages
+14155550101,Front desk,12
+81355550102,"東京支店, 二階",3
+14155550103,"^[]0;gone^G=1	2
��",0
`},
		{"id", "id", output.Options{}, "\nPN1\nPN2\nPN3\n"},
		{"jsonl", "jsonl", output.Options{}, `
{"id":"PN1","phone":"+14155550101","name":"Front desk","mode":"fax","pages":12,"fax":true,"url":"https://example.com/fax?a=1&b=<2>","created":"2026-11-23T09:00:00Z"}
{"id":"PN2","phone":"+81355550102","name":"東京支店, 二階","mode":"voice","pages":3,"fax":null,"created":"2026-11-14T12:00:00Z"}
{"id":"PN3","phone":"+14155550103","name":"\u001b]0;gone\u0007=1\t2\n\u202e\u009b","mode":"unknown","pages":0,"fax":null,"created":"2024-11-23T12:00:00Z"}
`},
		{"raw jsonl", "jsonl", output.Options{Raw: true}, `
{"sid":"PN1","big":12345678901234567890}
null
{"sid":"PN3"}
`},
		{"raw json", "json", output.Options{Raw: true}, `
[
  {
    "sid": "PN1",
    "big": 12345678901234567890
  },
  null,
  {
    "sid": "PN3"
  }
]
`},
		{"yaml", "yaml", output.Options{}, `
- id: PN1
  phone: "+14155550101"
  name: Front desk
  mode: fax
  pages: 12
  fax: true
  url: "https://example.com/fax?a=1&b=<2>"
  created: "2026-11-23T09:00:00Z"
- id: PN2
  phone: "+81355550102"
  name: "東京支店, 二階"
  mode: voice
  pages: 3
  fax: null
  created: "2026-11-14T12:00:00Z"
- id: PN3
  phone: "+14155550103"
  name: "\e]0;gone\a=1\t2\n\u202e\x9B"
  mode: unknown
  pages: 0
  fax: null
  created: "2024-11-23T12:00:00Z"
`},
		{"jq sees the array", "jq=length, (.[] | select(.fax) | .phone, {pages})", output.Options{}, `
3
+14155550101
{"pages":12}
`},
		{"jq keeps big numbers", "jq=.[0].big", output.Options{Raw: true}, "\n12345678901234567890\n"},
		{"template", "template={{.phone}} {{.pages}} [{{.url}}]{{if .fax}} fax{{end}}", output.Options{}, `
+14155550101 12 [https://example.com/fax?a=1&b=<2>] fax
+81355550102 3 []
+14155550103 0 []
`},
		{"drawn", "table", output.Options{Screen: screen(80)}, `
PHONE         NAME                MODE     PAGES  CREATED
+14155550101  Front desk          fax         12  3 h ago
+81355550102  東京支店, 二階      voice        3  9 d ago
+14155550103  ^[]0;gone^G=1 2 ��  unknown      0  2024-11-23
`},
		{"drawn without header", "table", output.Options{NoHeader: true, Columns: "phone,pages", Screen: screen(80)}, `
+14155550101  12
+81355550102   3
+14155550103   0
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.opt.Format = format(t, c.spec)
			var got strings.Builder
			shown, err := printed(t.Context(), &got, sequence(lines(), nil), lineType(), c.opt)
			if err != nil || shown.Items != 3 || shown.Dropped != nil {
				t.Errorf("shown %+v, %v", shown, err)
			}
			if diff := cmp.Diff(c.want, "\n"+got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNothingToShow(t *testing.T) {
	for spec, want := range map[string]string{
		"json": "[]\n", "yaml": "[]\n", "jsonl": "", "id": "", "template={{.id}}": "",
		"jq=length": "0\n", "csv=id": "id\n", "tsv=id,phone": "id\tphone\n", "table=id": "id\n",
	} {
		var got strings.Builder
		if _, err := printed(t.Context(), &got, sequence[line](nil, nil), lineType(), output.Options{Format: format(t, spec)}); err != nil || got.String() != want {
			t.Errorf("%s: %q, %v; want %q", spec, got.String(), err, want)
		}
	}
	var got strings.Builder
	if _, err := printed(t.Context(), &got, sequence[line](nil, nil), lineType(), output.Options{Screen: screen(80)}); err != nil || got.String() != "" {
		t.Errorf("on a terminal: %q, %v", got.String(), err)
	}
}

// A list that ends in an error: what streams stays, what is whole or nothing
// is nothing, and a list that fails at once prints not even a header.
func TestFailureHalfWay(t *testing.T) {
	gone := errors.New("gone")
	for spec, want := range map[string]string{
		"json": "", "jq=length": "", "id": "PN1\nPN2\n", "tsv=id": "id\nPN1\nPN2\n",
		"yaml": "- id: PN1\n", "table=id": "id\nPN1\nPN2\n",
	} {
		opt := output.Options{Format: format(t, spec)}
		var got strings.Builder
		shown, err := printed(t.Context(), &got, sequence(lines()[:2], gone), lineType(), opt)
		if !errors.Is(err, gone) || shown.Items != 2 || !strings.HasPrefix(got.String(), want) || want == "" && got.Len() > 0 {
			t.Errorf("%s: %q, %v, %v; want %q", spec, got.String(), shown, err, want)
		}
		got.Reset()
		if _, err := printed(t.Context(), &got, sequence[line](nil, gone), lineType(), opt); !errors.Is(err, gone) || got.String() != "" {
			t.Errorf("%s failing at once: %q, %v", spec, got.String(), err)
		}
	}
	var got strings.Builder
	_, err := printed(t.Context(), &got, sequence(lines()[:2], gone), lineType(), output.Options{Screen: screen(80)})
	if !errors.Is(err, gone) || strings.Count(got.String(), "\n") != 3 {
		t.Errorf("drawn: %q, %v", got.String(), err)
	}
}

func TestStreamsEachItemAsItComes(t *testing.T) {
	for _, spec := range []string{"jsonl", "yaml", "csv", "tsv", "id", "template={{.id}}", "table"} {
		synctest.Test(t, func(t *testing.T) {
			var got strings.Builder
			seen := 0
			seq := func(yield func(line, error) bool) {
				for _, l := range lines() { // two at a moment, then none for a while
					before := got.Len()
					for range 2 {
						if !yield(l, nil) {
							return
						}
					}
					time.Sleep(5 * time.Millisecond)
					synctest.Wait()
					if fresh := got.String()[before:]; strings.Count(fresh, l.ID) == 2 || strings.Count(fresh, l.Phone) == 2 {
						seen++
					}
				}
			}
			if _, err := printed(t.Context(), &got, seq, lineType(), output.Options{Format: format(t, spec)}); err != nil || seen != 3 {
				t.Errorf("%s: %d of 3 pairs were printed before the next came; %v", spec, seen, err)
			}
		})
	}
}

// What comes in a rush goes out in few writes.
func TestGathersARush(t *testing.T) {
	const items = 100_000
	rush := func(yield func(line, error) bool) {
		for range items {
			if !yield(lines()[0], nil) {
				return
			}
		}
	}
	synctest.Test(t, func(t *testing.T) { // where a rush takes no time
		w := &broken{writes: items / 100, err: errors.New("too many writes")}
		shown, err := printed(t.Context(), w, rush, lineType(), output.Options{Format: format(t, "id")})
		if err != nil || shown.Items != items {
			t.Errorf("%d items in %d writes: %v", shown.Items, items/100-w.writes, err)
		}
	})
}

func TestOne(t *testing.T) {
	for _, c := range []struct {
		spec string
		opt  output.Options
		want string
	}{
		{"json", output.Options{Raw: true}, "{\n  \"sid\": \"PN3\"\n}\n"},
		{"jsonl", output.Options{Raw: true}, "{\"sid\":\"PN3\"}\n"},
		{"jq=.mode", output.Options{}, "unknown\n"},
		{"yaml", output.Options{Raw: true}, "sid: PN3\n"},
		{"id", output.Options{}, "PN3\n"},
		{"table", output.Options{Columns: "-name"}, "phone\tmode\tpages\tcreated\tfax_url\tid\n+14155550103\tunknown\t0\t2024-11-23T12:00:00Z\t\tPN3\n"},
		{"table", output.Options{Screen: screen(20)}, `PHONE    +14155550103
NAME     ^[]0;gone^G=1 2 ��
MODE     unknown
PAGES    0
CREATED  2024-11-23 12:00:00 UTC (730 d ago)
FAX URL  -
ID       PN3
`},
	} {
		c.opt.Format = format(t, c.spec)
		var got strings.Builder
		p, err := output.New(lineType(), c.opt)
		if err == nil {
			err = p.One(t.Context(), &got, lines()[2])
		}
		if err != nil {
			t.Errorf("%s: %v", c.spec, err)
		}
		if diff := cmp.Diff(c.want, got.String()); diff != "" {
			t.Errorf("%s: %s", c.spec, diff)
		}
	}
}

func TestEndlessQueryEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := printed(ctx, io.Discard, sequence(lines(), nil), lineType(), output.Options{Format: format(t, "jq=def f: f; f")})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func ExamplePrinter_Print() {
	type number struct {
		Phone string `json:"phone"`
		Mode  string `json:"mode"`
	}
	numbers := output.Type[number]{Columns: []output.Column[number]{
		{Name: "phone", Value: func(n number) string { return n.Phone }},
		{Name: "mode", Value: func(n number) string { return n.Mode }},
	}}
	owned := sequence([]number{{"+14155550101", "fax"}, {"+14155550102", "voice"}}, nil)
	f, _ := output.Parse("csv")
	p, err := output.New(numbers, output.Options{Format: f})
	if err != nil {
		fmt.Println(err)
		return
	}
	shown, err := p.Print(context.Background(), os.Stdout, owned)
	fmt.Println(shown.Items, err)
	// Output:
	// phone,mode
	// +14155550101,fax
	// +14155550102,voice
	// 2 <nil>
}
