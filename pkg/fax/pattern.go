package fax

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Pattern selects faxes by who sends them, or by the number they are for.
type Pattern struct {
	end  string // "from", "to", or "" for either
	glob string
	word string // matches as well, in any case; "": there is none
}

// String is the pattern as [ParsePattern] reads it.
func (p Pattern) String() string {
	shown := cmp.Or(p.word, p.glob, NoCaller)
	if p.end == "" {
		return shown
	}
	return p.end + "=" + shown
}

// ParsePattern reads from=GLOB, to=GLOB or GLOB, which is for either end. In a
// glob * stands for any characters and ? for one: from=+1415*. Only from=, which is
// what the far end claims, may be no number.
func ParsePattern(s string) (Pattern, error) {
	p := Pattern{glob: s}
	if end, glob, ok := strings.Cut(s, "="); ok {
		p = Pattern{end: end, glob: glob}
	}
	_, err := path.Match(p.glob, "")
	known := p.end == "" || p.end == "from" || p.end == "to"
	number := strings.Trim(p.glob, "+0123456789*?[]^-") == ""
	if err != nil || p.glob == "" || !known || p.end != "from" && !number { // a sender may claim to be anything
		return Pattern{}, problem.With(fmt.Errorf("%w pattern %q", problem.ErrInvalid, s), problem.Say("as in from=+1415* or to=+14155550123"))
	}
	return p, p.sure()
}

// sure refuses a pattern that begins as no number does.
func (p Pattern) sure() error {
	if number := strings.Trim(p.glob, "+0123456789*?[]^-") == ""; number && p.lacksPlus() {
		return problem.Invalid(problem.Say("as in +%s", problem.Text(p.glob)), "pattern %q: numbers begin with a +, and it would match none", p.String())
	}
	return nil
}

// lacksPlus reports whether a pattern begins as no number does. What is short and
// complete may be a caller of few digits.
func (p Pattern) lacksPlus() bool {
	const longestShort = 6
	short := p.end != "to" && len(p.glob) <= longestShort && !strings.ContainsAny(p.glob, "*?[")
	return p.glob[0] >= '0' && p.glob[0] <= '9' && !short
}

// Match reports whether a fax between these numbers is selected.
func (p Pattern) Match(from, to string) bool {
	match := func(number string) bool {
		if p.word != "" && (p.glob == "" || strings.EqualFold(number, p.word)) {
			return strings.EqualFold(number, p.word)
		}
		plain := strings.NewReplacer("/", "\x00") // a slash is nothing special here
		ok, err := path.Match(plain.Replace(p.glob), plain.Replace(number))
		return ok && err == nil
	}
	return p.end != "to" && match(from) || p.end != "from" && match(to)
}
