package fax_test

import (
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func TestParsePattern(t *testing.T) {
	for _, s := range []string{"", "from=", "both=+1*", "[", "to=[a", "anonymous", "to=desk", "1415*", "from=1415*", "to=14155550100", "to=611", "212-555-*", "+49 (0) 30*"} {
		if _, err := fax.ParsePattern(s); problem.AdviceOf(err).String() == "" {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, tt := range []struct {
		pattern  string
		from, to string
		want     bool
	}{
		{"+1415*", "+14155550100", "+442079460000", true},
		{"+1415*", "+442079460000", "+14155550100", true},
		{"+1415", "+14155550100", "+14155550100", false},
		{"from=+1415*", "+442079460000", "+14155550100", false},
		{"to=+14155550100", "", "+14155550100", true},
		{"611", "611", "+14155550100", true},
		{"*0100", "+14155550100", "", true},
		{"+1 (415) 555-*", "+14155550100", "", true},
		{"to=+1 415 555 ????", "", "+14155550100", true},
		{"+1-415-555-010[0-4]", "+14155550100", "", true},
		{"+1-415-555-010[0-4]", "+14155550105", "", false},
		{"from=sip:desk-2@*", "sip:desk-2@example.com", "", true},
		{"from=*-*", "+14155550100", "", false}, // no pattern of numbers
		{"from=anonymous", "anonymous", "+14155550100", true},
		{"from=sip:*", "sip:desk/2@example.com", "+14155550100", true},
	} {
		p, err := fax.ParsePattern(tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(tt.from, tt.to); got != tt.want {
			t.Errorf("%s matches %s to %s: %v", tt.pattern, tt.from, tt.to, got)
		}
	}
}

func TestSelectEnd(t *testing.T) {
	read := func(s string) (string, error) { return fax.ReadPhone(s, "US") }
	for _, c := range []struct{ says, selects, not string }{
		{"+14155550123", "+14155550123", "+14155550124"},
		{"(415) 555-0123", "+14155550123", "(415) 555-0123"},
		{"+1415*", "+14155550123", "+16285550123"},
		{"*0123", "+14155550123", "+14155550124"},
		{"+1415555012?", "+14155550124", "+14155550134"},
		{"+1 (415) 555-*", "+14155550124", "+12125550134"},
		{"*", "", ""},
		{"611", "611", "+1611"},
		{"266696687", "266696687", "+266696687"},
		{"+266696687", "+266696687", "266696687"},
		{"anonymous", "anonymous", ""},
		{"ANONYMOUS", "Anonymous", "anonymous2"},
		{"sip:desk@example.com", "sip:desk@EXAMPLE.com", "sip:desk@example.org"},
		{"sip:*@example.com", "sip:desk@example.com", "sip:desk@example.org"},
		{"ACME2", "Acme2", "ACME"},
		{"+1-800-FLOWERS", "+18003569377", "+18003569378"},
		{"+1-800-FLOWERS", "+1-800-flowers", ""},
		{"1800flowers", "+18003569377", "flowers"},
		{"COMPANYFAX", "companyfax", "+12667269329"}, // a word is no number
		{"none", "", "none"},
	} {
		for _, end := range []string{"from", "to"} {
			var q fax.Filter
			if err := q.SelectEnd(end, c.says, read); err != nil {
				t.Errorf("%s %s: %v", end, c.says, err)
				continue
			}
			f := func(number string) fax.Fax {
				if end == "from" {
					return fax.Fax{From: number, To: "+12125550100"}
				}
				return fax.Fax{From: "+12125550100", To: number}
			}
			if !q.Match(f(c.selects)) || c.not != c.selects && q.Match(f(c.not)) {
				t.Errorf("%s %s: %+v selects %q: %v, and %q: %v", end, c.says, q, c.selects, q.Match(f(c.selects)), c.not, q.Match(f(c.not)))
			}
		}
	}
	for _, s := range []string{"[", "1415*", "+1415555012", "front desk", "555-0123", "212-555-*", "+49 (0) 30*", "sip:"} {
		var q fax.Filter
		if err := q.SelectEnd("from", s, read); problem.AdviceOf(err).Empty() || q.From != "" || q.Ends != nil {
			t.Errorf("%q: %v, %+v", s, err, q)
		}
	}
}

func TestReadPattern(t *testing.T) {
	for _, c := range []struct{ says, country, want string }{
		{"212-555-*", "", "+1212555*"},
		{"(212) 555-????", "US", "+1212555????"},
		{"212*", "CA", "+1212*"},
		{"1 212*", "US", "+1212*"},
		{"1*", "US", "+1*"},
		{"011 49 30*", "US", "+4930*"},
		{"030*", "DE", "+4930*"},
		{"49 30*", "DE", "+4930*"},
		{"0044*", "DE", "+44*"},
		{"33 12*", "DK", "+453312*"},
		{"+1 (212) 555-*", "DE", "+1212555*"},
		{"*-0199", "US", "*0199"},
		{"+1415555010[0-4]", "US", "+1415555010[0-4]"},
		{"012*", "US", ""},    // no area code
		{"30*", "DE", ""},     // Berlin has a 0 before it
		{"4512*", "DK", ""},   // Denmark's code, or a number in it
		{"212*", "ZZ", ""},    // nobody knows
		{"sip:*", "US", ""},   // a word
		{"212-555", "US", ""}, // no pattern
		{"+49 (0) 30*", "DE", ""},
	} {
		if got := fax.ReadPattern(c.says, c.country); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.says, c.country, got, c.want)
		}
	}
}

func TestAny(t *testing.T) {
	for glob, every := range map[string]bool{
		"*": true, "**": true, "[+]*": true, "+*": true, "*?": true, "+[1-9]*": true, "*[^a-z]*": true,
		"+1*": false, "*5": false, "*1*": false, "+1415*": false, "+[2-9]*": false, "????????????": false, "none": false, "anonymous": false,
	} {
		var q fax.Filter
		if err := q.SelectEnd("from", glob, fax.ParsePhone); err != nil || len(q.Ends) != 1 {
			t.Fatal(glob, err)
		}
		if q.Ends[0].Any() != every {
			t.Errorf("%s selects any number: %v, want %v", glob, !every, every)
		}
	}
}
