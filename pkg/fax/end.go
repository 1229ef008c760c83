package fax

import (
	"path"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// NoCaller selects faxes with nobody at one end, as it is when a caller hides.
const NoCaller = "none"

// SelectEnd adds to q who is at one end of the line, "from" or "to", as people say it and
// lists show it:
//
//   - +14155550123: exactly this number, which the provider selects by
//   - +1415*: a pattern, as of [ParsePattern]
//   - 611, 266696687: digits that are no phone number, exactly
//   - anonymous, sip:desk@example.com: any other word, in any case
//   - +1-800-FLOWERS: the number that these letters dial, or whoever is shown so
//   - none: nobody
//
// A phone number is read by read: [ParsePhone], or [ReadPhone] of a country.
// ErrInvalid: neither, or a pattern that can match nothing.
func (q *Filter) SelectEnd(end, s string, read func(string) (string, error)) error {
	exact, p, err := readEnd(end, strings.TrimSpace(s), read)
	switch {
	case err != nil:
		return err
	case exact == "":
		q.Ends = append(q.Ends, p)
	case end == "from":
		q.From = exact
	default:
		q.To = exact
	}
	return nil
}

// readEnd is what s stands for: exactly one text, or a pattern.
func readEnd(end, s string, read func(string) (string, error)) (exact string, p Pattern, err error) {
	phone, err := read(s)
	switch {
	case s == NoCaller:
		return "", Pattern{end: end}, nil
	case strings.ContainsAny(s, wild):
		p, err := globOf(end, s)
		return "", p, err
	case err == nil:
		return phone, Pattern{}, nil
	case text.MadeOf(s, text.Digits): // no phone number here, and so shown as it is
		return s, Pattern{}, nil
	case strings.Trim(WithoutMarks(s), text.Digits+"+") == "":
		return "", Pattern{}, err
	case dialed(s, read) != "":
		return "", Pattern{end: end, glob: dialed(s, read), word: s}, nil
	case strings.ContainsAny(s, " \t"):
		return "", Pattern{}, err
	case strings.HasSuffix(s, ":"):
		return "", Pattern{}, problem.Invalid(problem.Say("as in %sdesk@example.com, or %s* for any", problem.Text(s), problem.Text(s)), "caller %q: nobody stands behind the colon", s)
	}
	return "", Pattern{end: end, word: s}, nil
}

// globOf is a pattern of one end. Letters may be anywhere: what is at the far end may
// claim to be anything.
func globOf(end, glob string) (Pattern, error) {
	plain, err := plainGlob(glob)
	if err != nil {
		return Pattern{}, err
	}
	p := Pattern{end: end, glob: plain}
	if _, err := path.Match(plain, ""); err != nil {
		return Pattern{}, problem.Invalid(problem.Say("* stands for any characters and ? for one, as in +1415*"), "pattern %q", glob)
	}
	return p, p.sure()
}

// ParseCaller reads who a fax comes from, as a provider may tell it: a phone number, in
// E.164; digits that are none; any word; and [NoCaller], which is "". ErrInvalid: what
// looks like a phone number and is none, and what no header of a fax has: control
// characters, or more than 64 bytes.
func ParseCaller(s string) (string, error) {
	phone, err := ParsePhone(s)
	switch {
	case s == NoCaller:
		return "", nil
	case err == nil:
		return phone, nil
	case text.MadeOf(s, text.Digits) && s != "":
		return s, nil
	case strings.Trim(WithoutMarks(s), text.Digits+"+") == "":
		return "", err
	case len(s) > 64 || text.Line(s) != s:
		return "", problem.Invalid(problem.Say("a phone number, as in +14155550123, or a word such as anonymous"), "caller %s", text.Quote(s))
	}
	return s, nil
}

// dialed is the phone number that letters on its keys spell, or "": a word is no number.
// Source: ITU-T E.161, option A.
func dialed(s string, read func(string) (string, error)) string {
	s = WithoutMarks(s)
	if s == "" || s[0] != '+' && (s[0] < '0' || s[0] > '9') {
		return ""
	}
	const keys = "22233344455566677778889999"
	digits := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return rune(keys[r-'A'])
		}
		return r
	}, strings.ToUpper(s))
	phone, err := read(digits)
	if err != nil {
		return ""
	}
	return phone
}
