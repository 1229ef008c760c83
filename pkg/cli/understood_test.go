package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// bench is a place to run commands in: an account at a sandbox that is reached over
// HTTP, an empty home, and an empty folder to be in.
type bench struct {
	t        *testing.T
	env      map[string]string
	requests []string // METHOD path, of all that reached the provider
}

func newBench(t *testing.T) *bench {
	t.Helper()
	box, err := sandbox.Open(t.Context(), sandbox.Options{Dialect: sandbox.Twilio})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.requests = append(b.requests, r.Method+" "+r.URL.Path)
		box.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	home := t.TempDir()
	t.Chdir(t.TempDir())
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"} {
		t.Setenv(name, home)
	}
	account := box.Account()
	b.env = map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home, "XDG_CACHE_HOME": home,
		"FAXCTL_API_URL": server.URL, "FAXCTL_NO_INPUT": "1", "FAXCTL_CONFIRM_FOR": "0s",
		"TWILIO_ACCOUNT_SID": account.Account, "TWILIO_AUTH_TOKEN": account.Token,
	}
	return b
}

// run runs a command that must not make any request, or any file.
func (b *bench) run(args []string) (status int, stderr string) {
	var out, errs bytes.Buffer
	b.requests = nil
	a := app.New(strings.NewReader(""), &out, &errs, func(name string) string { return b.env[name] })
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute) // what is not refused may go on for ever
	defer cancel()
	status = run(ctx, a, args)
	if out.Len() > 0 {
		b.t.Errorf("%q printed %q", args, out.String())
	}
	for _, dir := range []string{".", b.env["HOME"]} {
		for _, name := range filesIn(b.t, dir) {
			b.t.Errorf("%q left %s behind", args, name)
			_ = os.RemoveAll(filepath.Join(dir, name))
		}
	}
	return status, errs.String()
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// examplesOf are the command lines of a command that its help shows, without
// faxctl, and without what a shell makes of them.
func examplesOf(t *testing.T, root, c *cobra.Command) (all [][]string) {
	t.Helper()
	for line := range strings.Lines(strings.ReplaceAll(c.Example, "\\\n", " ")) {
		words, err := profile.SplitArgv(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for len(words) > 0 {
			end := slices.IndexFunc(words, func(w string) bool { return w == "|" || w == ">" || w == "<" })
			if end < 0 {
				end = len(words)
			}
			args := words[:end]
			words = words[min(end+1, len(words)):]
			if len(args) == 0 || args[0] != "faxctl" {
				continue
			}
			if of, _, err := root.Find(args[1:]); err == nil && of.CommandPath() == c.CommandPath() {
				all = append(all, args[1:])
			}
		}
	}
	return all
}

// everyExample visits the examples of all commands that do something: each has one.
func everyExample(t *testing.T, visit func(t *testing.T, a *app.App, c *cobra.Command, args []string)) {
	t.Helper()
	a := testApp(t)
	root := whole(a)
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		if c.IsAdditionalHelpTopicCommand() {
			return
		}
		c, _, err := root.Find(strings.Fields(c.CommandPath())[1:])
		if err != nil {
			t.Fatal(err)
		}
		examples := examplesOf(t, root, c)
		if len(examples) == 0 && !c.HasSubCommands() {
			t.Error("no example is a command line of this command")
		}
		for _, args := range examples {
			visit(t, a, c, args)
		}
	})
}

// TestOutputIsUnderstoodFirst: whatever is wrong with the way in which output is
// asked for ends every command, those that are still to be written as well, with
// status 2, before anything reaches the provider or the disk.
func TestOutputIsUnderstoodFirst(t *testing.T) {
	b := newBench(t)
	everyExample(t, func(t *testing.T, a *app.App, c *cobra.Command, args []string) {
		for _, m := range []struct {
			flags  []string
			says   string
			fields bool // what is wrong is known for data whose fields are
		}{
			{[]string{"-o", "csv=phnoe"}, "phnoe", false},
			{[]string{"-o", "table=phnoe"}, "phnoe", false},
			{[]string{"-o", "jsn"}, "jsn", false},
			{[]string{"-o", "jq=.["}, "jq", false},
			{[]string{"-o", "jq=nosuch"}, "jq", false},
			{[]string{"-o", "template={{"}, "template", false},
			{[]string{"-o", "template={{.phnoe}}"}, "phnoe", true},
			{[]string{"-o", "csv", "--columns", "phnoe"}, "phnoe", false},
			{[]string{"-o", "json", "--columns", "phnoe"}, "--columns", false},
			{[]string{"-o", "csv", "--raw"}, "--raw", false},
		} {
			if m.fields && len(a.ColumnsOf(c)) == 0 && a.PrintsData(c) {
				continue // JSON of any shape
			}
			line := slices.Concat(args, []string{"--yes"}, m.flags)
			status, stderr := b.run(line)
			if status != app.StatusUsage {
				t.Errorf("%q: status %d, %s", line, status, stderr)
			}
			if !strings.Contains(stderr, m.says) && !strings.Contains(stderr, " prints ") && !strings.Contains(stderr, "no columns") {
				t.Errorf("%q does not say what is wrong: %s", line, stderr)
			}
			if len(b.requests) > 0 {
				t.Errorf("%q sent %v", line, b.requests)
			}
		}
	})
}
