package cli

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
)

// A command offers no names of files where it takes no file, and nothing once it
// takes no more arguments.
func TestCompletionOfArguments(t *testing.T) {
	t.Chdir(t.TempDir())
	environment := map[string]string{"FAXCTL_PROFILE": "sandbox", "XDG_CACHE_HOME": t.TempDir(), "XDG_STATE_HOME": t.TempDir(), "XDG_CONFIG_HOME": t.TempDir()}
	run := func(t *testing.T, words ...string) (out string) {
		t.Helper()
		var buf bytes.Buffer
		a := app.New(strings.NewReader(""), &buf, io.Discard, func(name string) string { return environment[name] })
		if status := run(t.Context(), a, words); status != app.StatusDone {
			t.Fatalf("%q: status %d", words, status)
		}
		return buf.String()
	}
	run(t, "sandbox", "seed", "--numbers", "2", "--faxes", "3")
	run(t, "faxes", "archive", "--to", "x") // so that x is an archive
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		if c.IsAdditionalHelpTopicCommand() {
			return
		}
		line := append([]string{cobra.ShellCompRequestCmd}, strings.Fields(c.CommandPath())[1:]...)
		for given := range 3 {
			lines := strings.Split(strings.TrimSpace(run(t, append(line, "")...)), "\n")
			last := len(lines) - 1
			directive, err := strconv.Atoi(strings.TrimPrefix(lines[last], ":"))
			if err != nil {
				t.Fatalf("%q: %q", line, lines)
			}
			file := given == 0 && strings.Contains(c.Use, "PLAN") // which is one
			if !file && directive&int(cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveFilterDirs) == 0 {
				t.Errorf("%q offers files", line)
			}
			if full := c.Args != nil && c.Args(c, slices.Repeat([]string{"x"}, given+1)) != nil; full && given > 0 && last > 0 {
				t.Errorf("%q offers %q", line, lines[:last])
			}
			line = append(line, "x")
		}
	})
}
