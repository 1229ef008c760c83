package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the generated pages under docs/ anew")

// TestDocs: the pages under docs/ that come from the command tree are the
// command tree's. Write them anew with
//
//	go test ./pkg/cli -run TestDocs -update
func TestDocs(t *testing.T) {
	docs := filepath.Join("..", "..", "docs")
	generated := t.TempDir()
	root := whole(testApp(t))
	root.DisableAutoGenTag = true
	for _, dir := range []string{"reference", "man"} {
		if err := os.Mkdir(filepath.Join(generated, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := doc.GenMarkdownTree(root, filepath.Join(generated, "reference")); err != nil {
		t.Fatal(err)
	}
	header := &doc.GenManHeader{Section: "1", Source: "faxctl", Manual: "faxctl", Date: manDate()}
	if err := doc.GenManTree(root, header, filepath.Join(generated, "man")); err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics() {
		write(t, filepath.Join(generated, topic.Name()+".md"), topicPage(topic))
	}

	want := readTree(t, generated)
	if *update {
		for _, dir := range []string{"reference", "man"} {
			if err := os.RemoveAll(filepath.Join(docs, dir)); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range want {
			write(t, filepath.Join(docs, name), text)
		}
		return
	}
	got := map[string]string{}
	for name, text := range readTree(t, docs) {
		if _, ours := want[name]; ours || strings.HasPrefix(name, "reference/") || strings.HasPrefix(name, "man/") {
			got[name] = text
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/ is stale; run go test ./pkg/cli -run TestDocs -update\n%s", diff)
	}
}

// TestCask: a Homebrew cask has no patterns, so that the release names each man page.
// They are the command tree's, and written anew with
//
//	go test ./pkg/cli -run TestCask -update
func TestCask(t *testing.T) {
	path := filepath.Join("..", "..", ".goreleaser.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?m)^( +manpages:.*\n)(?: +- man/.*\n)+`)
	if n := len(block.FindAll(text, -1)); n != 1 {
		t.Fatalf("%d lists of man pages in %s", n, path)
	}
	var list strings.Builder
	for _, page := range manPages(t) {
		list.WriteString("      - man/" + page + "\n")
	}
	want := block.ReplaceAllString(string(text), "${1}"+list.String())
	if *update {
		write(t, path, want)
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("the man pages of the release are stale; run go test ./pkg/cli -run TestCask -update\n%s", diff)
	}
	var release struct {
		Casks []struct{ Manpages []string } `yaml:"homebrew_casks"`
	}
	if err := yaml.Unmarshal([]byte(want), &release); err != nil || len(release.Casks) != 1 || len(release.Casks[0].Manpages) != len(manPages(t)) {
		t.Errorf("what is written is no list of a cask: %+v, %v", release, err)
	}
}

// manPages are the names of the pages that the command tree has, in order.
func manPages(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	if err := doc.GenManTree(whole(testApp(t)), &doc.GenManHeader{Section: "1", Date: manDate()}, dir); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range readTree(t, dir) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// TestTroubleshooting: the page has a row for each code that faxctl knows, that
// its sandbox gives, and that a check finds.
func TestTroubleshooting(t *testing.T) {
	top := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(top, "docs", "troubleshooting.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []struct{ file, code string }{
		{"pkg/provider/twilio/codes.go", `"(\d{5})"`},
		{"pkg/sandbox/numbers.go", `refuse\((\d{5}),`},
		{"pkg/sandbox/settings.go", `refuse\((\d{5}),`},
		{"pkg/sandbox/errors.go", `, (\d{5}),`},
		{"pkg/sandbox/call.go", `, (\d{5}),`},
		{"pkg/sandbox/calltwiml.go", ` = (\d{5})\b`},
		{"pkg/numbers/audit/audit.go", `Code\w+ +Code = "([a-z-]+)"`},
	} {
		source, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(from.file)))
		if err != nil {
			t.Fatal(err)
		}
		codes := regexp.MustCompile(from.code).FindAllSubmatch(source, -1)
		if len(codes) == 0 {
			t.Errorf("%s: no code is like %s", from.file, from.code)
		}
		for _, code := range codes {
			if row := regexp.MustCompile(`(?m)^\|[^|]*\b` + string(code[1]) + `\b[^|]*\|`); !row.Match(page) {
				t.Errorf("%s: no row for %s", from.file, code[1])
			}
		}
	}
}

// topicPage is a help topic as a page: the text as it stands on a terminal.
func topicPage(topic *cobra.Command) string {
	return "# " + topic.Short + "\n\nThis is `faxctl help " + topic.Name() + "`.\n\n```text\n" + topic.Long + "\n```\n"
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readTree(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		files[filepath.ToSlash(name)] = undated(string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// manDate stands for a date: the pages are the same on every day, and
// undated takes it out.
func manDate() *time.Time { return &time.Time{} }

func undated(page string) string { return strings.Replace(page, `"Jan 0001"`, `""`, 1) }
