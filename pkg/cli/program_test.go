package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// TestProgramVariables: what a program finds of a fax is one list, whoever runs it, and
// stands on every page that tells of such a program.
func TestProgramVariables(t *testing.T) {
	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "receiving.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{"docs/receiving.md": string(docs)}
	everyCommand(t, func(t *testing.T, c *cobra.Command) {
		t.Helper()
		if c.Flags().Lookup("exec") != nil {
			pages[c.CommandPath()] = c.Long
		}
	})
	if len(pages) < 3 {
		t.Errorf("--exec is an option of %d commands", len(pages)-1)
	}
	for name, page := range pages {
		for _, variable := range delivery.Variables() {
			if !strings.Contains(page, variable) {
				t.Errorf("%s does not name %s", name, variable)
			}
		}
		for _, mark := range []string{"{document}", "{id}", "{from}", "{to}", "{pages}"} {
			if !strings.Contains(page, mark) {
				t.Errorf("%s does not name %s", name, mark)
			}
		}
	}
}
