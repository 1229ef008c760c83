package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/app"
)

// TestHelpOfWhatIsMadeLater: a page of help is the same whichever way it is asked for,
// and has all that belongs to it, of commands below commands as well.
func TestHelpOfWhatIsMadeLater(t *testing.T) {
	page := func(args ...string) string {
		var out bytes.Buffer
		a := app.New(strings.NewReader(""), &out, &out, func(string) string { return "" })
		if status := run(t.Context(), a, args); status != app.StatusDone {
			t.Errorf("%q ends with %d", args, status)
		}
		return out.String()
	}
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		if c.IsAdditionalHelpTopicCommand() || c.Name() == "help" {
			return
		}
		path := strings.Fields(c.CommandPath())[1:]
		help := page(append([]string{"help"}, path...)...)
		if flag := page(append(path, "--help")...); help != flag {
			t.Errorf("help prints\n%s\n--help prints\n%s", help, flag)
		}
		for _, child := range c.Commands() {
			if child.IsAvailableCommand() && !strings.Contains(help, "\n  "+child.Name()+" ") {
				t.Errorf("there is no line about %s", child.Name())
			}
		}
	})
}

// TestOnlyWhatIsNamedIsMade: what a command line does not name is not made for it, and
// the value of a flag names nothing.
func TestOnlyWhatIsNamedIsMade(t *testing.T) {
	for _, tt := range []struct{ line, made string }{
		{"version", ""},
		{"--help", ""},
		{"numbers list", "numbers"},
		{"-p sandbox faxes list", "faxes"},
		{"--profile=sandbox --timeout 3s serve jobs list", "serve jobs"},
		{"serve --listen numbers", "serve"},
		{"help", ""},
	} {
		t.Run(tt.line, func(t *testing.T) {
			a := testApp(t)
			tree := root(a)
			a.Named(tree, strings.Fields(tt.line))
			var made []string
			var walk func(*cobra.Command)
			walk = func(c *cobra.Command) {
				for _, child := range c.Commands() {
					if child.HasSubCommands() {
						made = append(made, child.Name())
					}
					walk(child)
				}
			}
			walk(tree)
			if got := strings.Join(made, " "); got != tt.made {
				t.Errorf("made are %q, want %q", got, tt.made)
			}
		})
	}
}
