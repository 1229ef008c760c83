package output_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/screen/output"
)

// What comes out of yaml and csv, a stranger's reader takes for what went in.
func TestReadBack(t *testing.T) {
	words := []string{"+14155550101", "no", "Y", "null", "~", "1e3", "0x1F", "12:30:45", "2026-11-23", "007", "1_000", ".inf", "", " a ", "a: b", "- a", "#x", "true", "O'Brien", "a\nb", "Front desk", "end "}
	fit := len(words) // for csv, which shows no such characters
	words = append(words, "a\ufeffb", "a\ufffeb", "a\uffffb", "a\u2028b", "\U0001f600 desk")
	type word struct{ W string }
	var got bytes.Buffer
	ty := output.Type[word]{Columns: []output.Column[word]{{Name: "w", Value: func(w word) string { return w.W }}}}
	var items []word
	for _, w := range words {
		items = append(items, word{w})
	}
	if _, err := printed(t.Context(), &got, sequence(items, nil), ty, output.Options{Format: format(t, "yaml")}); err != nil {
		t.Fatal(err)
	}
	var back []map[string]any
	if err := yaml.Unmarshal(got.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	for i, m := range back {
		if m["W"] != any(words[i]) {
			t.Errorf("yaml: %q came back as %#v", words[i], m["W"])
		}
	}
	for _, f := range []string{"json", "jsonl"} { // JSON is YAML as well
		got.Reset()
		if _, err := printed(t.Context(), &got, sequence(items, nil), ty, output.Options{Format: format(t, f)}); err != nil {
			t.Fatal(err)
		}
		dec := yaml.NewDecoder(&got)
		var back []map[string]any
		if f == "jsonl" {
			dec = yaml.NewDecoder(strings.NewReader("[" + strings.ReplaceAll(strings.TrimSpace(got.String()), "\n", ",\n") + "]"))
		}
		if err := dec.Decode(&back); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		for i, m := range back {
			if m["W"] != any(words[i]) {
				t.Errorf("%s: %q came back as %#v", f, words[i], m["W"])
			}
		}
	}
	got.Reset()
	if _, err := printed(t.Context(), &got, sequence(items[:fit], nil), ty, output.Options{Format: format(t, "csv"), NoHeader: true}); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&got).ReadAll()
	if err != nil || len(records) != fit {
		t.Fatalf("csv: %d of %d records, %v", len(records), len(words), err)
	}
	for i, r := range records {
		if want := strings.Replace(words[i], "- a", "'- a", 1); r[0] != want {
			t.Errorf("csv: %q came back as %q", words[i], r[0])
		}
	}
}
