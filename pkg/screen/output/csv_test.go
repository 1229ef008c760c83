package output_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func cells() output.Type[string] {
	return output.Type[string]{ID: func(s string) string { return s }, Columns: []output.Column[string]{
		{Name: "cell", Value: func(s string) string { return s }},
		{Name: "after", Value: func(string) string { return "x" }},
	}}
}

func TestFormulasAreDisarmed(t *testing.T) {
	for in, want := range map[string]string{
		"+14155550101":      "+14155550101",
		"-1.5":              "-1.5",
		"+1":                "+1",
		"12":                "12",
		"=1+1":              "'=1+1",
		"+1+cmd|' /C calc'": "'+1+cmd|' /C calc'",
		"-1.5.2":            "'-1.5.2",
		"--1":               "'--1",
		"-":                 "'-",
		"@SUM(A1)":          "'@SUM(A1)",
		" =1":               "' =1",
		"\t=1":              "'\t=1",
		"\r=1":              "'^M=1",
		"＝1":                "'＝1",
		"a=b":               "a=b",
	} {
		if got := firstCell(t, in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// firstCell prints in as csv and reads the cell back, as a spreadsheet would.
func firstCell(t *testing.T, in string) string {
	t.Helper()
	var got strings.Builder
	if _, err := printed(t.Context(), &got, sequence([]string{in}, nil), cells(), output.Options{Format: format(t, "csv"), NoHeader: true}); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(got.String())).ReadAll()
	if err != nil || len(records) != 1 || len(records[0]) != 2 || records[0][1] != "x" {
		t.Fatalf("%q printed as %q: %q, %v", in, got.String(), records, err)
	}
	return records[0][0]
}

// FuzzCells: whatever a cell holds, csv, tsv and id keep it in its place,
// harmless to terminals, and in csv to spreadsheets.
func FuzzCells(f *testing.F) {
	for _, s := range []string{"", "Front desk", "+14155550101", "=cmd()", "\t=1", "a\"b,c;d\r\ne", "\x1b[31m", "\xff+", "\u202e@x", "＋1", `\t`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := firstCell(t, s)
		for _, r := range got {
			if text.Unsafe(r) && r != '\n' && r != '\t' {
				t.Errorf("csv: %q keeps %q", s, r)
			}
		}
		if start := strings.TrimLeft(got, " \t\n"); start != "" && strings.Contains("=@", start[:1]) {
			t.Errorf("csv: %q became the formula %q", s, got)
		} else if start != "" && strings.Contains("+-", start[:1]) && strings.Trim(start[1:], "0123456789.") != "" {
			t.Errorf("csv: %q became the formula %q", s, got)
		}
		var id strings.Builder
		if _, err := printed(t.Context(), &id, sequence([]string{s}, nil), cells(), output.Options{Format: format(t, "id")}); err != nil {
			t.Fatal(err)
		}
		if line := id.String(); strings.ContainsFunc(strings.TrimSuffix(line, "\n"), text.Unsafe) {
			t.Errorf("id: %q printed as %q", s, line)
		}
		var tsv strings.Builder
		if _, err := printed(t.Context(), &tsv, sequence([]string{s}, nil), cells(), output.Options{Format: format(t, "tsv"), NoHeader: true}); err != nil {
			t.Fatal(err)
		}
		if line := tsv.String(); strings.Count(line, "\t") != 1 || strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\tx\n") {
			t.Errorf("tsv: %q printed as %q", s, line)
		}
	})
}
