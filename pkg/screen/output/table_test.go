package output_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"

	"github.com/faxctl/faxctl/pkg/screen/output"
)

func desks() []line {
	all := lines()
	all[0].URL = "https://example.com/fax/incoming?line=front-desk"
	all[1].Name = "東京支店のファックス番号、二階の奥"
	all[2].Name = "\x1b[31mred\x1b[0m 👨‍👩‍👧 ☎️"
	return all
}

// A column that is worth nothing when cut too short keeps its least, and the
// columns after it go.
func TestTableKeepsTheLeast(t *testing.T) {
	typ := output.Type[string]{
		ID: func(string) string { return "" },
		Columns: []output.Column[string]{
			{Name: "phone", Value: func(string) string { return "+14155550101" }, Whole: true},
			{Name: "message", Value: func(s string) string { return s }, Least: 20},
			{Name: "hint", Value: func(s string) string { return s }},
		},
	}
	const long = "the certificate of its fax URL has expired"
	var got strings.Builder
	shown, err := printed(t.Context(), &got, sequence([]string{long}, nil), typ, output.Options{Format: format(t, "table"), Screen: screen(40)})
	if err != nil {
		t.Fatal(err)
	}
	want := "PHONE         MESSAGE\n+14155550101  the certificate of its fa…\n"
	if d := cmp.Diff(want, got.String()); d != "" || !cmp.Equal(shown.Dropped, []string{"hint"}) {
		t.Errorf("dropped %v, table (-want +got):\n%s", shown.Dropped, d)
	}
}

// What can be said in short is, where the rest would find no room; the wide table
// says everything in full.
func TestTableSaysItInShort(t *testing.T) {
	typ := output.Type[string]{
		ID: func(string) string { return "" },
		Columns: []output.Column[string]{
			{
				Name: "created", Value: func(s string) string { return s }, Whole: true,
				Show:  func(string, output.Human) string { return "3 h ago" },
				Short: func(string, output.Human) string { return "3h" }, ShortTitle: "AGE",
			},
			{Name: "to", Value: func(string) string { return "+14155550101" }, Whole: true},
		},
	}
	for name, c := range map[string]struct {
		format string
		width  int
		want   string
	}{
		"room":    {"table", 40, "CREATED  TO\n3 h ago  +14155550101\n"},
		"no room": {"table", 18, "AGE  TO\n3h   +14155550101\n"},
		"wide":    {"wide", 10, "CREATED  TO\n3 h ago  +14155550101\n"},
	} {
		var got strings.Builder
		shown, err := printed(t.Context(), &got, sequence([]string{"x"}, nil), typ, output.Options{Format: format(t, c.format), Screen: screen(c.width)})
		if err != nil || len(shown.Dropped) > 0 {
			t.Errorf("%s: %v, dropped %v", name, err, shown.Dropped)
		}
		if d := cmp.Diff(c.want, got.String()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Text that has to be read goes on below, at a word where there is one.
func TestTableWraps(t *testing.T) {
	typ := output.Type[string]{
		ID: func(string) string { return "" },
		Columns: []output.Column[string]{
			{Name: "phone", Value: func(string) string { return "+14155550101" }, Whole: true},
			{Name: "message", Value: func(s string) string { return s }, Wrap: true, Least: 14},
			{Name: "code", Value: func(string) string { return "tls" }},
		},
	}
	messages := []string{"the certificate of https://fax.example.com/in has expired", "fine"}
	var got strings.Builder
	if _, err := printed(t.Context(), &got, sequence(messages, nil), typ, output.Options{Format: format(t, "table"), Screen: screen(36)}); err != nil {
		t.Fatal(err)
	}
	const want = `
PHONE         MESSAGE           CODE
+14155550101  the certificate   tls
              of
              https://fax.exam
              ple.com/in has
              expired
+14155550101  fine              tls
`
	if d := cmp.Diff(want, "\n"+got.String()); d != "" {
		t.Error(d)
	}
}

// A column with nothing in it is not shown, except when it was asked for; a
// pipe sees it always.
func TestTableLeavesOutWhatIsEmpty(t *testing.T) {
	rows := lines()
	for i := range rows {
		rows[i].Name = ""
	}
	show := func(opt output.Options) string {
		var got strings.Builder
		if _, err := printed(t.Context(), &got, sequence(rows[:1], nil), lineType(), opt); err != nil {
			t.Fatal(err)
		}
		return got.String()
	}
	for _, c := range []struct {
		opt  output.Options
		want string
	}{
		{output.Options{Screen: screen(80)}, "PHONE         MODE  PAGES  CREATED\n+14155550101  fax      12  3 h ago\n"},
		{output.Options{Screen: screen(80), Columns: "phone,name"}, "PHONE         NAME\n+14155550101\n"},
		{output.Options{Columns: "phone,name"}, "phone\tname\n+14155550101\t\n"},
	} {
		if d := cmp.Diff(c.want, show(c.opt)); d != "" {
			t.Error(d)
		}
	}
}

// The same rows on a narrow, an ordinary and a wide terminal: first names and
// addresses are cut, then the last columns go, and they are named.
func TestTableFitsTheTerminal(t *testing.T) {
	for _, c := range []struct {
		width   int
		spec    string
		dropped []string
		want    string
	}{
		{40, "table", []string{"created"}, `
PHONE         NAME        MODE     PAGES
+14155550101  Front desk  fax         12
+81355550102  東京支店…   voice        3
+14155550103  ^[[31mred…  unknown      0
`},
		{80, "table=phone,name,mode,pages,created,fax_url,id", nil, `
PHONE         NAME              MODE     PAGES  CREATED     FAX URL          ID
+14155550101  Front desk        fax         12  3 h ago     https://exampl…  PN1
+81355550102  東京支店のファ…   voice        3  9 d ago                      PN2
+14155550103  ^[[31mred^[[0m…   unknown      0  2024-11-23                   PN3
`},
		{40, "table=phone,name,created,id", nil, `
PHONE         NAME        CREATED    ID
+14155550101  Front desk  3 h ago    PN1
+81355550102  東京支店…   9 d ago    PN2
+14155550103  ^[[31mred…  2024-11-…  PN3
`},
		{30, "table=phone,name,created,id", nil, `
PHONE         NAME      CREATED   ID
+14155550101  Front d…  3 h ago   PN1
+81355550102  東京支…   9 d ago   PN2
+14155550103  ^[[31mr…  2024-11…  PN3
`},
		{200, "wide", nil, `
PHONE         NAME                                MODE     PAGES  CREATED     FAX URL                                           ID
+14155550101  Front desk                          fax         12  3 h ago     https://example.com/fax/incoming?line=front-desk  PN1
+81355550102  東京支店のファックス番号、二階の奥  voice        3  9 d ago                                                       PN2
+14155550103  ^[[31mred^[[0m 👨‍👩‍👧 ☎             unknown      0  2024-11-23                                                    PN3
`},
		{10, "table", []string{"name", "mode", "pages", "created"}, `
PHONE
+14155550…
+81355550…
+14155550…
`},
	} {
		t.Run(fmt.Sprint(c.width), func(t *testing.T) {
			var got strings.Builder
			shown, err := printed(t.Context(), &got, sequence(desks(), nil), lineType(), output.Options{Format: format(t, c.spec), Screen: screen(c.width)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.dropped, shown.Dropped); diff != "" {
				t.Errorf("dropped: %s", diff)
			}
			if diff := cmp.Diff(c.want, "\n"+got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A column that somebody asked for stays; of the others the last ones go.
func TestColumnsThatWereAskedFor(t *testing.T) {
	for width := 1; width <= 220; width++ {
		var got strings.Builder
		shown, err := printed(t.Context(), &got, sequence(desks(), nil), lineType(), output.Options{Columns: "+fax_url,+id", Screen: screen(width)})
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(got.String(), "\n")
		if !strings.HasPrefix(head, "PHONE") || !strings.HasSuffix(strings.Join(strings.Fields(head), " "), "FAX URL ID") {
			t.Errorf("%d columns: %s", width, head)
		}
		if left := 4 - len(shown.Dropped); len(strings.Fields(head)) != left+4 {
			t.Errorf("%d columns: %s, and %v are said to be left out", width, head, shown.Dropped)
		}
	}
}

// At no width does a row take more than its line, as an independent measure
// has it, nor end in spaces that would wrap later.
func TestNoRowBreaks(t *testing.T) {
	for width := 1; width <= 220; width++ {
		var got strings.Builder
		if _, err := printed(t.Context(), &got, sequence(desks(), nil), lineType(), output.Options{Format: format(t, "table"), Screen: screen(width)}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(got.String(), "\n"); n != 4 {
			t.Errorf("%d columns: %d lines", width, n)
		}
		for row := range strings.Lines(got.String()) {
			row = strings.TrimSuffix(row, "\n")
			if w := runewidth.StringWidth(row); w > width || strings.HasSuffix(row, " ") {
				t.Errorf("%d columns: %d in %q", width, w, row)
			}
		}
	}
}

func TestColor(t *testing.T) {
	opt := output.Options{Format: format(t, "table=phone,mode,created"), Screen: screen(80)}
	opt.Screen.Color = true
	var got strings.Builder
	if _, err := printed(t.Context(), &got, sequence(lines(), nil), lineType(), opt); err != nil {
		t.Fatal(err)
	}
	const want = "" +
		"\x1b[1mPHONE\x1b[0m         \x1b[1mMODE\x1b[0m     \x1b[1mCREATED\x1b[0m\n" +
		"+14155550101  \x1b[32mfax\x1b[0m      \x1b[2m3 h ago\x1b[0m\n" +
		"+81355550102  \x1b[35mvoice\x1b[0m    \x1b[2m9 d ago\x1b[0m\n" +
		"+14155550103  unknown  \x1b[2m2024-11-23\x1b[0m\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

// A long table goes on in the widths of its beginning, with one header.
func TestLongTable(t *testing.T) {
	const rows = 4500
	var got strings.Builder
	started := 0 // items asked for before anything was on the screen
	watched := func(yield func(line, error) bool) {
		for l, err := range many(rows) {
			if got.Len() == 0 {
				started++
			}
			if !yield(l, err) {
				return
			}
		}
	}
	shown, err := printed(t.Context(), &got, watched, lineType(), output.Options{Screen: screen(60)})
	if err != nil || shown.Items != rows {
		t.Fatal(shown, err)
	}
	printed := strings.Split(strings.TrimSuffix(got.String(), "\n"), "\n")
	if started != 2000 {
		t.Errorf("%d rows were kept", started)
	}
	if len(printed) != rows+1 || strings.Count(got.String(), "PHONE") != 1 {
		t.Fatalf("%d lines, %d headers", len(printed), strings.Count(got.String(), "PHONE"))
	}
	if first, last := printed[1], printed[rows]; first != "+14155550000  Front desk  fax       0  3 h ago" || last != "+14155554499  Front desk  fax     499  3 h ago" {
		t.Errorf("from\n%s\nto\n%s", first, last)
	}
}

// many yields n owned numbers.
func many(n int) func(func(line, error) bool) {
	l := lines()[0]
	return func(yield func(line, error) bool) {
		for i := range n {
			l.ID, l.Phone, l.Pages = fmt.Sprintf("PN%032x", i), fmt.Sprintf("+1415555%04d", i%10000), i%1000
			if !yield(l, nil) {
				return
			}
		}
	}
}

// The promise is at most 60 ms.
func BenchmarkTable1000(b *testing.B) {
	opt := output.Options{Screen: screen(120)}
	opt.Screen.Color = true
	for b.Loop() {
		if _, err := printed(b.Context(), io.Discard, many(1000), lineType(), opt); err != nil {
			b.Fatal(err)
		}
	}
}

// The promise is at most one second.
func BenchmarkTSV100k(b *testing.B) {
	for b.Loop() {
		if _, err := printed(b.Context(), io.Discard, many(100_000), lineType(), output.Options{Format: format(b, "tsv")}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSONL100k(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := printed(b.Context(), io.Discard, many(100_000), lineType(), output.Options{Format: format(b, "jsonl")}); err != nil {
			b.Fatal(err)
		}
	}
}

// On a terminal a list has the columns that are made to be looked at, and where there
// is no room, what can be spared goes first, wherever it stands. A title stays whole.
// Everybody else gets the columns that scripts know.
func TestTableIsDrawnForPeople(t *testing.T) {
	column := func(name, value string) output.Column[string] {
		return output.Column[string]{Name: name, Value: func(string) string { return value }}
	}
	when, spare, last := column("when", "3 h ago"), column("unsuccessful", "2"), column("id", "FX01")
	spare.Spare = 1
	typ := output.Type[string]{
		ID:      func(string) string { return "" },
		Columns: []output.Column[string]{column("id", "FX01"), column("when", "T15:04")},
		Drawn:   []output.Column[string]{when, spare, last},
	}
	for _, c := range []struct {
		opt     output.Options
		want    string
		dropped []string
	}{
		{output.Options{Screen: screen(27)}, "WHEN     UNSUCCESSFUL  ID\n3 h ago  2             FX01\n", nil},
		{output.Options{Screen: screen(26)}, "WHEN     ID\n3 h ago  FX01\n", []string{"unsuccessful"}},
		{output.Options{Screen: screen(26), Columns: "-id"}, "WHEN     UNSUCCESSFUL\n3 h ago  2\n", nil},
		{output.Options{Screen: screen(26), Columns: "id,unsuccessful"}, "ID    UNSUCCESSFUL\nFX01  2\n", nil},
		{output.Options{}, "id\twhen\nFX01\tT15:04\n", nil},
		{output.Options{Columns: "+unsuccessful"}, "id\twhen\tunsuccessful\nFX01\tT15:04\t2\n", nil},
		{output.Options{Screen: screen(80), Format: format(t, "wide")}, "ID    WHEN\nFX01  T15:04\n", nil},
		{output.Options{Screen: screen(80), Format: format(t, "csv")}, "id,when\nFX01,T15:04\n", nil},
	} {
		var got strings.Builder
		shown, err := printed(t.Context(), &got, sequence([]string{"x"}, nil), typ, c.opt)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got.String()); d != "" || !cmp.Equal(c.dropped, shown.Dropped) {
			t.Errorf("dropped %v (-want +got):\n%s", shown.Dropped, d)
		}
	}
}
