package fetch

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func TestName(t *testing.T) {
	three := 3
	f := fax.Fax{ID: "FX0123", From: "+14155550100", To: "+14155550123", Direction: fax.Inbound, Status: fax.Received, Pages: &three,
		Created: time.Date(2026, 11, 23, 23, 30, 5, 0, time.FixedZone("", -3600))}
	odd := fax.Fax{ID: "FX0123", From: "../../etc/passwd\x1b[31m\x00", To: "CON"}
	for _, tc := range []struct {
		template string
		fax      fax.Fax
		want     string
	}{
		{"{date}_{from}_{id}", f, "2026-11-24_+14155550100_FX0123"},
		{"{date}_{from}_{id}.{ext}", f, "2026-11-24_+14155550100_FX0123"},
		{"{id}", f, "FX0123"},
		{"{time}-{to}-{direction}-{status}-{pages}p-{id}", f, "003005-+14155550123-inbound-received-3p-FX0123"},
		{"{date}", f, "2026-11-24_FX0123"},
		{"fax {id}", f, "fax_FX0123"},
		{".{id}", f, "_FX0123"},
		{"-{id}", f, "_FX0123"},
		{"{date}{pages}{status}{id}", odd, "undatedunknownFX0123"},
		{"{from}_{id}", odd, "______etc_passwd__31m__FX0123"},
		{"{to}.{id}", odd, "_CON.FX0123"},
		{"{to}", fax.Fax{ID: "FX0123", To: strings.Repeat("9", 500)}, strings.Repeat("9", longestField) + "_FX0123"},
		{strings.Repeat("x", 300) + "{id}", f, strings.Repeat("x", longestName-7) + "_FX0123"},
	} {
		n, err := ParseName(tc.template)
		if err != nil {
			t.Errorf("%q: %v", tc.template, err)
			continue
		}
		if got := n.Base(tc.fax); got != tc.want {
			t.Errorf("%q names %q, want %q", tc.template, got, tc.want)
		}
	}
	if got := (Name{}).Base(f); got != "FX0123" {
		t.Errorf("the zero name is %q", got)
	}
	for _, template := range []string{"", ".{ext}", "{ext}-{id}", "{ID}", "{phone}", "{id", "id}", "{}", "a/{id}", `a\{id}`, "../{id}", "{{id}}"} {
		if n, err := ParseName(template); !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("%q: %v, %v; want it refused", template, n, err)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"{date}_{from}_{id}", "{from}", "..{to}", "{ext}", "\u202e{id}", "nul.{id}"} {
		f.Add(s, "+14155550100", "+14155550123", "received", int64(1_800_000_000))
	}
	f.Add("{from}{to}", "../..", "\\\\server\\share", "\x00", int64(-1<<60))
	f.Fuzz(func(t *testing.T, template, from, to, status string, created int64) {
		n, err := ParseName(template)
		if err != nil {
			if !errors.Is(err, problem.ErrInvalid) {
				t.Errorf("%q: %v", template, err)
			}
			return
		}
		one := n.Base(fax.Fax{ID: "FX0001", From: from, To: to, Status: fax.Status(status), Created: time.Unix(created, 0)})
		two := n.Base(fax.Fax{ID: "FX0002", From: from, To: to, Status: fax.Status(status), Created: time.Unix(created, 0)})
		if one == two {
			t.Errorf("%q names two faxes %q", template, one)
		}
		if one == "" || len(one) > longestName+1 || !utf8.ValidString(one) || strings.ContainsAny(one, `/\:*?"<>|`) || strings.Contains(one, "..") ||
			strings.HasPrefix(one, ".") || strings.HasSuffix(one, ".") || filepath.Base(one) != one || strings.ContainsFunc(one, unicode.IsControl) {
			t.Errorf("%q names %q", template, one)
		}
	})
}
