package resolve

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Reading is how words are read. The zero value takes them exactly, which is for whatever
// changes or deletes.
type Reading struct {
	// Freely takes what was likely meant as well, when it can mean one thing only: phone
	// numbers as people write them, names in any case, and ids in any case or by their
	// beginning.
	Freely bool

	Country string // whose phone numbers come without a country code: ISO 3166-1; "": US
}

// ShortestBeginning is how many characters an id is known by at least.
const ShortestBeginning = 6

// Begins reports whether id is that of ref: the same in another case, or one that begins
// with it.
func Begins(id, ref string) bool {
	return strings.EqualFold(id, ref) || len(ref) >= ShortestBeginning && len(ref) < len(id) && strings.EqualFold(id[:len(ref)], ref)
}

// TooShort reports whether ref begins as the ids of providers do, and has too few
// characters to be known by.
func TooShort(ref string) bool {
	const least, hex = 3, text.Digits + "abcdefABCDEF"
	up := strings.ToUpper(ref)
	sid := strings.HasPrefix(up, "FX") || strings.HasPrefix(up, "PN")
	return len(ref) >= least && len(ref) < ShortestBeginning && (sid && text.MadeOf(ref[2:], hex) || text.MadeOf(ref, hex) && strings.ContainsAny(ref, text.Digits))
}

// TooShortAdvice says how much of an id is needed.
func TooShortAdvice() problem.Advice {
	return problem.Say("of an id its first %s characters at least are needed", problem.Text(strconv.Itoa(ShortestBeginning)))
}

// every lists the account's numbers when it is first asked to, and once.
func every(ctx context.Context, numbers fax.Numbers) func() ([]fax.Number, error) {
	return sync.OnceValues(func() ([]fax.Number, error) {
		return fax.Collect(numbers.List(ctx, fax.NumberFilter{}))
	})
}

// likely is the number that a ref names which is none exactly. Read exactly, none is
// found, and the advice says which was likely meant.
func likely(ctx context.Context, numbers fax.Numbers, ref string, how Reading, owned func() ([]fax.Number, error)) (fax.Number, error) {
	if strings.HasPrefix(strings.TrimSpace(ref), "+") && strings.Trim(fax.WithoutMarks(ref), "+0123456789") == "" {
		_, err := fax.ParsePhone(ref)
		return fax.Number{}, problem.With(notFound(ref), problem.AdviceOf(err))
	}
	all, err := owned()
	if err != nil {
		if how.Freely {
			return fax.Number{}, err
		}
		return fax.Number{}, notFound(ref) // whoever else may have been meant
	}
	meant := candidates(all, ref, how.Country)
	switch {
	case len(meant) == 0 && nearName(all, ref) != "":
		return fax.Number{}, problem.With(notFound(ref), problem.Say("did you mean %s?", problem.Text(text.ShellWord(nearName(all, ref)))))
	case len(meant) == 0:
		return fax.Number{}, problem.With(notFound(ref), withoutSign(all, ref, how.Country))
	case !how.Freely:
		return fax.Number{}, problem.With(notFound(ref), problem.Say("did you mean %s?", problem.Text(Offer(meant, func(n fax.Number) string { return n.Phone }))))
	}
	n, err := single(ref, meant)
	if err != nil {
		return n, err
	}
	return numbers.Get(ctx, n.ID)
}

// shortestName is how long a name is at least that is told from others by more than a letter.
const shortestName = 4

// nearName is the name that ref misses by a letter; "": there is none. What has no letter is
// no name, but another phone number, and the beginning of an id is no name either.
func nearName(all []fax.Number, ref string) string {
	ref = strings.TrimSpace(ref)
	if !strings.ContainsFunc(ref, unicode.IsLetter) {
		return ""
	}
	if slices.ContainsFunc(all, func(n fax.Number) bool { return strings.HasPrefix(strings.ToLower(n.ID), strings.ToLower(ref)) }) {
		return ""
	}
	for _, n := range all {
		if len(n.Name) >= shortestName && text.OneAway(ref, n.Name) {
			return n.Name
		}
	}
	return ""
}

// Offer names what was likely meant: "a, b or c", and no more than a few.
func Offer[T any](meant []T, name func(T) string) string {
	const most = 5
	var names []string
	for _, m := range meant[:min(len(meant), most)] {
		names = append(names, name(m))
	}
	if len(meant) > most {
		names = append(names, "another one")
	}
	return text.List(names, "or")
}

// candidates are the numbers that ref may mean when it is read freely, each once.
func candidates(all []fax.Number, ref, country string) []fax.Number {
	phone, err := fax.ReadPhone(ref, country)
	if err != nil {
		phone = ""
	}
	ref = strings.TrimSpace(ref)
	var found []fax.Number
	for _, n := range all {
		means := phone != "" && n.Phone == phone || strings.EqualFold(n.Name, ref) || Begins(n.ID, ref)
		if means && !slices.ContainsFunc(found, func(o fax.Number) bool { return o.ID == n.ID }) { // a list that grows while it is read has a number twice
			found = append(found, n)
		}
	}
	return found
}

// withoutSign is the advice for a phone number that nobody owns and that lacks
// its country code or its plus sign: which country is meant only the numbers of
// the account can tell. What it reads as is said. A ref that may be the beginning of an
// id is told how much of one is needed; any other has the advice of whatever is not found.
func withoutSign(all []fax.Number, ref, country string) problem.Advice {
	there := problem.AdviceOf(notFound(ref))
	digits := fax.WithoutMarks(ref)
	phone, no := fax.ReadPhone(ref, country)
	switch {
	case TooShort(ref):
		return TooShortAdvice().Then(there)
	case len(digits) < 6 || len(digits) > 14 || !text.MadeOf(digits, text.Digits):
		return there
	}
	const rule = "a phone number begins with a plus sign and the country code"
	for _, n := range all {
		if strings.HasSuffix(n.Phone, digits) {
			return problem.Say(rule + ": " + n.Phone + " is yours")
		}
	}
	if no == nil {
		return problem.Say("it reads as %s, which is no number of this account", problem.Text(phone)).Then(there)
	}
	return problem.Say(rule).Then(there)
}
