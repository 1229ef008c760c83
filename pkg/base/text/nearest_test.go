package text_test

import (
	"testing"

	"github.com/faxctl/faxctl/pkg/base/text"
)

func TestNearest(t *testing.T) {
	known := []string{"local", "toll-free", "mobile", "fax-url", "fallback-url"}
	for given, want := range map[string]string{
		"locl":      "local",
		"LOCAL":     "local",
		"tollfree":  "toll-free",
		"tol":       "toll-free",
		"fax-ulr":   "fax-url",
		"fallback":  "fallback-url",
		"x":         "",
		"":          "",
		"satellite": "",
	} {
		if got := text.Nearest(given, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", given, got, want)
		}
	}
}
