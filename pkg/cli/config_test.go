package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/profile"
)

// TestConfigHelp: the example of help config can be read, and every key there is has its
// line, and no other.
func TestConfigHelp(t *testing.T) {
	example := regexp.MustCompile(`(?m)^  current: .*\n(  .*\n)+`).FindString(configHelp)
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := profile.Load(path)
	if err != nil || c.Current != "clinic" || len(c.Profiles) != 2 || c.Profiles["court"].Country != "CA" {
		t.Errorf("%+v, %v", c, err)
	}
	told := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^  ([a-z][a-z, -]*[a-z])  +\S`).FindAllStringSubmatch(configHelp, -1) {
		for key := range strings.SplitSeq(line[1], ", ") {
			told[key] = true
		}
	}
	for _, key := range profile.Keys() {
		if !told[key] {
			t.Errorf("help config does not explain %s", key)
		}
		delete(told, key)
	}
	if len(told) > 0 {
		t.Errorf("help config explains what is no key: %v", told)
	}
}
