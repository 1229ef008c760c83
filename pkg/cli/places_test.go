package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// badValues are what cannot be right for flags whose help calls their value so, in
// the words that stand between its quotes.
func badValues(t *testing.T) map[string][]string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "afile")
	if err := os.WriteFile(file, []byte("no document\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	below, nowhere := filepath.Join(file, "below"), filepath.Join(dir, "nosuch", "file")
	urls := []string{"https://", "https:///path", "https://exa mple.com/", "https://example.com:port/"}
	return map[string][]string{
		"folder":   {file, below},
		"archive":  {file, below, "s3:/bucket", "S3://bucket", "s3://"},
		"file":     {dir, below, nowhere},
		"document": {dir, below, nowhere, os.DevNull, file},
		"URL":      urls,
		"link":     urls,
		"origin":   append(urls, "example.com"),
		"address":  {"127.0.0.1", "127.0.0.1:99999", "127.0.0.1:nosuch"},
		"email":    {"127.0.0.1", "fax at example.com"},
		"template": {"{nosuch}"},
		"program":  {"'unclosed"},
	}
}

// takesFiles reports whether the shell is told to offer files or folders for a flag.
func takesFiles(c *cobra.Command, f *pflag.Flag) bool {
	complete, ok := c.GetFlagCompletionFunc(f.Name)
	if !ok {
		return false
	}
	_, directive := complete(c, nil, "")
	return directive&cobra.ShellCompDirectiveNoFileComp == 0
}

// takesRules reports whether a flag takes a file of one kind, which has to say
// something.
func takesRules(c *cobra.Command, f *pflag.Flag) bool {
	complete, ok := c.GetFlagCompletionFunc(f.Name)
	if !ok {
		return false
	}
	_, directive := complete(c, nil, "")
	return directive&cobra.ShellCompDirectiveFilterFileExt != 0
}

// TestPlacesAreUnderstoodFirst: a folder, a file, a URL or an address that cannot be
// right ends every command before anything reaches the provider or the disk, and is
// named. Flags are known by what their help calls their value; those that are none of
// these may neither complete files nor be called so.
func TestPlacesAreUnderstoodFirst(t *testing.T) {
	b := newBench(t)
	bad := badValues(t)
	letter := filepath.Join(t.TempDir(), "letter.pdf")
	var pdf bytes.Buffer
	if err := paper.Write(&pdf, paper.PDF, paper.Sheet{Pages: 1}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(letter, pdf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`(?i)(^|-)(url|dir|folder|file|path|callback|listen)($|-)`)
	everyExample(t, func(t *testing.T, _ *app.App, c *cobra.Command, args []string) {
		if at := slices.Index(args, "letter.pdf"); at >= 0 {
			args[at] = letter // so that this is not what is wrong
		}
		flags := pflag.NewFlagSet("", pflag.ContinueOnError)
		flags.AddFlagSet(c.InheritedFlags())
		flags.AddFlagSet(c.LocalFlags())
		flags.VisitAll(func(f *pflag.Flag) {
			kind, _ := pflag.UnquoteUsage(f)
			values, known := bad[kind]
			if !known {
				if f.Value.Type() == "string" && place.MatchString(f.Name) || takesFiles(c, f) {
					t.Errorf("--%s takes a %s: what is a bad one?", f.Name, kind)
				}
				return
			}
			if takesRules(c, f) {
				values = append(values, os.DevNull)
			}
			for _, value := range values {
				line := slices.Concat(args, []string{"--yes", "--" + f.Name + "=" + value})
				status, stderr := b.run(line)
				if status != app.StatusUsage {
					t.Errorf("%q: status %d, %s", line, status, stderr)
				}
				first, _, _ := strings.Cut(stderr, "\n")
				if short := "-" + f.Shorthand + " "; !regexp.MustCompile(`--`+f.Name+`\b`).MatchString(first) && (f.Shorthand == "" || !strings.Contains(first, short)) {
					t.Errorf("%q does not name the flag: %s", line, stderr)
				}
				if len(b.requests) > 0 {
					t.Errorf("%q sent %v", line, b.requests)
				}
			}
		})
	})
}
