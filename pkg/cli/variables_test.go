package cli

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
)

// paragraphs are what help environment says of each variable, on one line.
func paragraphs() map[string]string {
	all := map[string]string{}
	name := ""
	for line := range strings.Lines(environmentHelp) {
		if m := regexp.MustCompile(`^  (FAXCTL_[A-Z_]+) `).FindStringSubmatch(line); m != nil {
			name = m[1]
		} else if !strings.HasPrefix(line, "   ") {
			name = ""
		}
		if name != "" {
			all[name] += " " + strings.TrimSpace(line)
		}
	}
	return all
}

// TestVariablesOfFlags: each variable that stands for a flag says in help environment
// for which flag of which commands, and names no flag that it does not stand for.
func TestVariablesOfFlags(t *testing.T) {
	pages := paragraphs()
	fed := map[string][]string{} // flags, by variable
	says := func(t *testing.T, variable string, words ...string) {
		t.Helper()
		for _, word := range words {
			if !regexp.MustCompile(regexp.QuoteMeta(word) + `\b`).MatchString(pages[variable]) {
				t.Errorf("help environment does not say of %s that it is for %s: %s", variable, word, pages[variable])
			}
		}
	}
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		path := strings.TrimPrefix(c.CommandPath(), "faxctl ")
		if variable := app.TakesArchive(c); variable != "" {
			says(t, variable, "ARCHIVE", path)
		}
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			variable := flag.Variable(f)
			if variable == "" {
				return
			}
			fed[variable] = append(fed[variable], "--"+f.Name)
			says(t, variable, "--"+f.Name)
			if c.HasParent() {
				says(t, variable, path)
			}
			if !strings.HasSuffix(f.Usage, "("+variable+")") {
				t.Errorf("the help of --%s does not name %s: %s", f.Name, variable, f.Usage)
			}
		})
	})
	for variable, page := range pages {
		for _, named := range regexp.MustCompile(`--[a-z-]+`).FindAllString(page, -1) {
			if !slices.Contains(fed[variable], named) {
				t.Errorf("help environment says that %s is for %s, and it is not", variable, named)
			}
		}
	}
	if len(fed) < 10 {
		t.Errorf("only %d variables stand for a flag", len(fed))
	}
}

// TestNoVariableIsDangerous: no variable stands for a flag that deletes, buys, confirms
// or weakens a check, nor for the archive of what holds and lets go, nor for where the
// sandbox listens. A variable is set once and forgotten.
func TestNoVariableIsDangerous(t *testing.T) {
	harmless := []string{
		"profile", "api-url", "output", "no-input", "confirm-for", "archive", "to", "state",
		"public-url", "listen", "log-format", "database", "mail", "draw", "print-with", "from",
	}
	dangerous := regexp.MustCompile(`^(yes|force|first|prune|release|delete|use|retry-missing|take-over|older-than|prune-after|media-only|keep-last|dry-run)$|^(allow|max|no)-|^(since|until|status|failed)$`)
	seen := 0
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		if app.TakesArchive(c) != "" && !slices.Contains([]string{"list", "get", "verify", "reindex", "view", "mail"}, c.Name()) {
			t.Errorf("a variable is the archive of %s", c.CommandPath())
		}
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			variable := flag.Variable(f)
			if variable == "" {
				return
			}
			seen++
			if !slices.Contains(harmless, f.Name) || dangerous.MatchString(f.Name) && f.Name != "no-input" {
				t.Errorf("%s stands for --%s", variable, f.Name)
			}
			if strings.Contains(c.CommandPath(), "sandbox") && f.Name != "database" { // where its purchases are noted as well
				t.Errorf("%s stands for --%s of %s", variable, f.Name, c.CommandPath())
			}
		})
	})
	if seen < 10 {
		t.Errorf("only %d flags have a variable", seen)
	}
}
