package fax

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
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
// glob * stands for any characters and ? for one: from=+1415*. Marks between the digits
// of numbers are left out: to=+1 (415) 555-*. Only from=, which is what the far end
// claims, may be no number.
func ParsePattern(s string) (Pattern, error) {
	p := Pattern{glob: s}
	if end, glob, ok := strings.Cut(s, "="); ok {
		p = Pattern{end: end, glob: glob}
	}
	glob, err := plainGlob(p.glob)
	if err != nil {
		return Pattern{}, err
	}
	p.glob = glob
	_, err = path.Match(p.glob, "")
	known := p.end == "" || p.end == "from" || p.end == "to"
	number := ofNumbers(p.glob)
	if err != nil || p.glob == "" || !known || p.end != "from" && !number { // a sender may claim to be anything
		return Pattern{}, problem.With(fmt.Errorf("%w pattern %q", problem.ErrInvalid, s), problem.Say("as in from=+1415* or to=+14155550123"))
	}
	return p, p.sure()
}

// sure refuses a pattern that begins as no number does.
func (p Pattern) sure() error {
	if ofNumbers(p.glob) && p.lacksPlus() {
		return problem.Invalid(problem.Say("write it with a plus sign and the country code, as in +1415*"), "pattern %q: numbers begin with a +, and it would match none", p.glob)
	}
	return nil
}

// Any reports whether every phone number is selected, as by *, +* and [+]?*: it is no
// choice. Numbers of any length that are one digit over and over are tried, of which
// whatever asks for a digit, a place or a length leaves some out.
func (p Pattern) Any() bool {
	const shortest, longest = 7, 15 // digits of E.164
	for digit := '1'; digit <= '9'; digit++ {
		for n := shortest; n <= longest; n++ {
			if number := "+" + strings.Repeat(string(digit), n); !p.Match(number, number) {
				return false
			}
		}
	}
	return true
}

// lacksPlus reports whether a pattern begins as no number does. What is short and
// complete may be a caller of few digits.
func (p Pattern) lacksPlus() bool {
	const longestShort = 6
	short := p.end != "to" && len(p.glob) <= longestShort && !strings.ContainsAny(p.glob, wild)
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

// ReadPattern is a pattern of phone numbers as people write it in a country, as of
// [ReadPhone], in the way that [ParsePattern] matches: 212-555-* is +1212555* in the
// United States. "": it is none, or begins as no number there does.
func ReadPattern(glob, country string) string {
	glob, err := plainGlob(glob)
	switch {
	case err != nil || !strings.ContainsAny(glob, wild) || !ofNumbers(glob):
		return ""
	case glob[0] >= '0' && glob[0] <= '9':
		return dialingIn(cmp.Or(country, "US")).beginning(glob)
	}
	return glob
}

// wild are the characters that make a pattern of a number.
const wild = "*?["

// ofNumbers reports whether a glob is one of phone numbers.
func ofNumbers(glob string) bool { return strings.Trim(glob, text.Digits+"+]^-"+wild) == "" }

// plainGlob is a glob of phone numbers without the marks that people put between digits,
// which no number has; any other glob stays as it is. ErrInvalid: it has the (0) of
// calls within the country.
func plainGlob(glob string) (string, error) {
	if _, home := fromAbroad(glob); home {
		return "", problem.Invalid(problem.Say("leave the (0) out: it is not part of the number"), "pattern %q: it has the (0) of calls within the country", glob)
	}
	var plain strings.Builder
	for rest := glob; rest != ""; {
		marked, _, _ := strings.Cut(rest, "[")
		class, _, _ := strings.Cut(rest[len(marked):], "]") // where a - is no mark, as in [2-9]
		plain.WriteString(WithoutMarks(marked) + class)
		rest = rest[len(marked)+len(class):]
	}
	if p := plain.String(); ofNumbers(p) && strings.ContainsAny(p, text.Digits) {
		return p, nil
	}
	return glob, nil
}
