package cli

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/profile"
)

// everyCommand visits the whole tree, the root first.
func everyCommand(t *testing.T, visit func(t *testing.T, c *cobra.Command)) {
	t.Helper()
	root := whole(testApp(t))
	root.InitDefaultHelpFlag()
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "_")
		t.Run(name, func(t *testing.T) { visit(t, c) })
		for _, child := range c.Commands() {
			if !child.Hidden { // a word that is refused with advice is no command
				walk(child)
			}
		}
	}
	walk(root)
}

func testApp(t *testing.T) *app.App {
	t.Helper()
	return app.New(strings.NewReader(""), io.Discard, io.Discard, func(string) string { return "" })
}

// TestCommands holds the grammar: every command has a line of help, an example
// that names it, and completion for each flag and argument.
func TestCommands(t *testing.T) {
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("Short is %q; want a line without a full stop", c.Short)
		}
		if c.IsAdditionalHelpTopicCommand() {
			if c.Long == "" {
				t.Error("a help topic without text")
			}
			return
		}
		if !strings.Contains(c.Example, c.CommandPath()) && !strings.Contains(c.Example, "faxctl") {
			t.Errorf("Example does not show the command: %q", c.Example)
		}
		for line := range strings.Lines(c.Example) {
			if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "  ") {
				t.Errorf("Example line %q is not indented by two spaces", line)
			}
		}
		if c.RunE == nil {
			t.Error("no RunE: errors must come back as values")
		}
		if c.Run != nil {
			t.Error("Run is set: use RunE")
		}
		if c.ValidArgsFunction == nil && len(c.ValidArgs) == 0 && c.Args == nil {
			t.Error("neither Args nor completion of arguments is declared")
		}
		if takesArgs(c) && c.ValidArgsFunction == nil && len(c.ValidArgs) == 0 {
			t.Errorf("no completion for the arguments of %q", c.Use)
		}
	})
}

func takesArgs(c *cobra.Command) bool {
	return strings.Contains(strings.TrimSuffix(c.Use, "[flags]"), " ")
}

// TestFlags: each flag has help, completion, and a unique meaning.
func TestFlags(t *testing.T) {
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			if f.Usage == "" || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("--%s: usage %q; want a phrase without a full stop", f.Name, f.Usage)
			}
			if f.Value.Type() == "bool" {
				return
			}
			if _, ok := c.GetFlagCompletionFunc(f.Name); !ok {
				t.Errorf("--%s has no completion", f.Name)
			}
		})
	})
}

// TestEffects: what each command does at the worst is declared, and is what this table
// says. Whatever does not only read can be tried first.
func TestEffects(t *testing.T) {
	worst := map[string]app.Effect{}
	for effect, groups := range map[app.Effect]map[string]string{
		app.Read: { // they look, add copies, pass the time or talk to applications
			"":         "help version whoami completion healthcheck",
			"numbers ": "list get check export plan",
			"faxes ":   "list get view stats expiring watch media.list archive download",
			"archive ": "list get view verify reindex",
			"profile ": "list show",
			"serve ":   "status jobs.list jobs.retry",
			"webhook ": "send verify",
			"twiml ":   "receive reject",
			"sandbox ": "serve call",
		},
		app.Change: {
			"numbers ": "search buy configure", // a search can end in a purchase,
			"archive ": "hold unhold copy mail",
			"faxes ":   "mail",
			"profile ": "add use import",
			"sandbox ": "seed",
		},
		app.Destroy: {
			"":         "api",
			"numbers ": "release apply",
			"faxes ":   "delete prune media.delete",
			"archive ": "remove",
			"profile ": "remove",
			"serve ":   "jobs.discard",
			"sandbox ": "reset",
		},
	} {
		for group, names := range groups {
			for name := range strings.FieldsSeq(names) {
				worst["faxctl "+group+strings.ReplaceAll(name, ".", " ")] = effect
			}
		}
	}
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		if c.HasSubCommands() || c.IsAdditionalHelpTopicCommand() {
			return
		}
		effect := worst[c.CommandPath()]
		if effect == "" || !app.Does(c, effect) {
			t.Errorf("%q is to be declared; it is %v", effect, c.Annotations)
		}
		if has := c.Flags().Lookup("dry-run") != nil; has == (effect == app.Read) {
			t.Errorf("has --dry-run: %v, and its effect is %q", has, effect)
		}
	})
}

// TestNothingThatDestroysIsGuessed: what cannot be undone is suggested for one wrong
// letter, and for nothing else.
func TestNothingThatDestroysIsGuessed(t *testing.T) {
	suggested := func(c *cobra.Command, word string) bool {
		return strings.Contains(problem.AdviceOf(app.UnknownCommand(c.Parent(), word)).String(), "mean "+c.Name())
	}
	some := 0
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		if !app.Does(c, app.Destroy) {
			return
		}
		some++
		name := c.Name()
		for i := range len(name) - 1 {
			if typo := name[:i] + name[i+1:]; len(name) > 3 && !suggested(c, typo) {
				t.Errorf("%q suggests %s no more", typo, name)
			}
			for j := i + 1; j < len(name); j++ {
				word := []byte(name)
				word[i], word[j] = '-', '-'
				if suggested(c, string(word)) {
					t.Errorf("%q suggests %s", word, name)
				}
			}
			if i < len(name)-2 && suggested(c, name[:i+1]) {
				t.Errorf("%q suggests %s", name[:i+1], name)
			}
		}
		for _, word := range []string{"print", "purge", "erase", "open", "view", "drop", "cancel"} {
			if suggested(c, word) {
				t.Errorf("%q suggests %s", word, name)
			}
		}
	})
	if some < 8 {
		t.Errorf("%d commands destroy", some)
	}
}

// TestGlobalFlagsStayGlobal: no command redeclares a global flag or its letter.
func TestGlobalFlagsStayGlobal(t *testing.T) {
	root := whole(testApp(t))
	var global []string
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { global = append(global, f.Name) })
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		if !c.HasParent() {
			return
		}
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if slices.Contains(global, f.Name) {
				t.Errorf("--%s is a global flag", f.Name)
			}
		})
	})
}

// TestHelpPages: every page renders, fits 80 columns, and the exit statuses
// page names each status of the switch.
func TestHelpPages(t *testing.T) {
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		var page bytes.Buffer
		c.SetOut(&page)
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		if page.Len() == 0 {
			t.Fatal("empty help")
		}
		for line := range strings.Lines(page.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > app.HelpWidth {
				t.Errorf("%d columns: %s", n, line)
			}
		}
	})
	page := exitCodesHelp()
	for _, s := range app.ExitStatuses() {
		if !strings.Contains(page, s.Meaning) {
			t.Errorf("help exit-codes does not explain %d", s.Code)
		}
	}
}

// TestHelpIsFilled: no line of a paragraph ends where the next word has room, within a few
// columns of the edge. What is indented is a list or a table.
func TestHelpIsFilled(t *testing.T) {
	const ragged = 4 // columns
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		lines := strings.Split(c.Long, "\n")
		for i, line := range lines[:len(lines)-1] {
			next := lines[i+1]
			if line == "" || next == "" || line[0] == ' ' || next[0] == ' ' {
				continue
			}
			word, _, _ := strings.Cut(next, " ")
			if n := utf8.RuneCountInString(line + " " + word); n <= app.HelpWidth-ragged {
				t.Errorf("%q has room for %q, up to column %d", line, word, n)
			}
		}
	})
}

// TestEnvironmentHelp: each variable that the code names has its line.
func TestEnvironmentHelp(t *testing.T) {
	name := regexp.MustCompile(`"((?:FAXCTL|TWILIO|SIGNALWIRE)_[A-Z_]+)"`)
	seen := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range name.FindAllStringSubmatch(string(code), -1) {
			seen[m[1]] = true
		}
		return err
	})
	if err != nil || len(seen) < 10 {
		t.Fatalf("%v, %v", seen, err)
	}
	for _, v := range slices.Sorted(maps.Keys(seen)) {
		if !strings.Contains(environmentHelp, v) {
			t.Errorf("help environment does not name %s", v)
		}
	}
	for _, secret := range profile.SecretVariables() {
		if in := profile.FileVariable(secret); !strings.Contains(environmentHelp, in) {
			t.Errorf("help environment does not name %s", in)
		}
	}
}
