package cli

import (
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/provider/info"
)

// TestEnvironmentNamesEveryVariable: help environment leaves out no variable that gives
// a setting of a provider's account.
func TestEnvironmentNamesEveryVariable(t *testing.T) {
	for _, p := range info.All() {
		for _, s := range p.Settings {
			for _, name := range s.Variables {
				if !strings.Contains(environmentHelp, name) {
					t.Errorf("help environment does not name %s", name)
				}
			}
		}
	}
}
