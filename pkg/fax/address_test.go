package fax_test

import (
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func TestCheckAddress(t *testing.T) {
	for raw, hint := range map[string]string{
		"https://fax.example.com/in?a=1&b=%20x'y:@":         "",
		"https://fax.example.com/in#rc=3&rp=all&e=ashburn,": "",
		"https://fax.example.com/in#":                       "",
		"https://fax.example.com/in#top":                    "leave out what follows the #",
		"https://fax.example.com/in#rc=3&x=1":               "leave out what follows the #",
		"https://fax.example.com/a b":                       "write https://fax.example.com/a%20b",
		`https://fax.example.com/?q="x"`:                    "write https://fax.example.com/?q=%22x%22",
		"https://fax.example.com/é":                         "write https://fax.example.com/%C3%A9",
		"https://fax.example.com/{id}":                      "write https://fax.example.com/%7Bid%7D",
		"https://fax.example.com/%zz":                       "an absolute URL",
		"https://me:secret@fax.example.com/é":               "me:xxxxx@",
	} {
		err := fax.CheckAddress(raw)
		if got := problem.AdviceOf(err).String(); (err == nil) != (hint == "") || !strings.Contains(got, hint) || strings.Contains(got, "secret") || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v (hint %q), want %q", raw, err, got, hint)
		}
	}
}
