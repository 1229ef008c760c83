package info_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/provider/info"
)

// TestTable: whoever reads a fact finds one, of every provider.
func TestTable(t *testing.T) {
	seen := map[string]string{}
	for _, p := range info.All() {
		for what, is := range map[string]bool{
			"title": p.Title != "", "secret": p.Secret != "", "signing key": p.SigningKey != "",
			"header": p.SignatureHeader != "", "patience": p.Patience > 0, "redirects": p.Redirects > 0,
			"page size": p.PageSize > 0, "search": p.Search.Rows > 0 && p.FaxSearch.Rows > 0,
		} {
			if !is {
				t.Errorf("%s has no %s", p.Name, what)
			}
		}
		for _, unique := range []string{p.Name, p.SignatureHeader} {
			if other, taken := seen[unique]; taken {
				t.Errorf("%s is of %s and of %s", unique, other, p.Name)
			}
			seen[unique] = p.Name
		}
		for _, key := range []string{"account", "secret", "signing-key"} {
			if p.Variable(key) == "" {
				t.Errorf("%s: no variable gives %s", p.Name, key)
			}
		}
		if info.Of(p.Name).Title != p.Title {
			t.Errorf("%s is not found by its name", p.Name)
		}
	}
	if got := info.Of("nobody's").Name; got != info.Twilio {
		t.Errorf("what is nobody's name is %s", got)
	}
}

// TestDocs: the page about providers says what the table says.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	kept, faxes := "| how long faxes are kept", "| receiving and sending faxes"
	for _, p := range info.All() {
		if p.Retention > 0 {
			kept += fmt.Sprintf(" | %d days", p.Retention/(24*time.Hour))
		} else {
			kept += " | until deleted"
		}
		if p.Ended != "" {
			faxes += " | ended on " + p.Ended
		} else {
			faxes += " | yes"
		}
	}
	for _, row := range []string{kept + " |", faxes + " |"} {
		if !strings.Contains(string(text), row) {
			t.Errorf("docs/providers.md lacks the row %s", row)
		}
	}
}
