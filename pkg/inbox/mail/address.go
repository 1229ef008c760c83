package mail

import (
	netmail "net/mail"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

const longestAddress = 254 // bytes; RFC 5321, section 4.5.3.1.3, and its erratum 1690

// ParseAddress reads the address of one mailbox, and nothing beside it. ErrInvalid: it is
// none, or one of those that mail servers quarrel about: quoted, in other letters than
// ASCII, without a domain.
func ParseAddress(s string) (string, error) {
	a, err := readAddress(s)
	switch {
	case err != nil:
		return "", badAddress(s, "as in desk@clinic.example")
	case a.Name != "" || strings.ContainsAny(s, "<>()"):
		return "", badAddress(s, "the address alone: "+a.Address)
	}
	return a.Address, nil
}

// SameMailbox reports whether two addresses are one: case means nothing in a domain, and
// before it whatever the server there makes of it (RFC 5321, section 2.4).
func SameMailbox(a, b string) bool {
	at := strings.LastIndexByte(a, '@') + 1
	return at == strings.LastIndexByte(b, '@')+1 && a[:at] == b[:at] && strings.EqualFold(a[at:], b[at:])
}

// ParseFrom reads who a mail is from: an address, with or without a name before it.
// ErrInvalid: as of [ParseAddress].
func ParseFrom(s string) (string, error) {
	a, err := readAddress(s)
	switch {
	case err != nil || text.Line(a.Name) != a.Name || len(a.Name) > longestName:
		return "", badAddress(s, "as in faxes@clinic.example, or Faxes <faxes@clinic.example>")
	case a.Name == "":
		return a.Address, nil
	}
	return a.String(), nil
}

func badAddress(s, as string) error {
	return problem.Invalid(problem.Say(as), "address %s", text.Quote(s))
}

func readAddress(s string) (*netmail.Address, error) {
	a, err := netmail.ParseAddress(s)
	if err != nil {
		return nil, err
	}
	at := strings.LastIndexByte(a.Address, '@')
	odd := strings.ContainsFunc(a.Address, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"\<>()[],;:`, r) })
	if at <= 0 || at == len(a.Address)-1 || strings.IndexByte(a.Address, '@') != at || odd || len(a.Address) > longestAddress {
		return nil, problem.ErrInvalid
	}
	return a, nil
}

// addressOf is the address of who a mail is from.
func addressOf(from string) string {
	if a, err := readAddress(from); err == nil {
		return a.Address
	}
	return from
}

// domain is what follows the @ of an address that was parsed.
func domain(address string) string {
	return strings.TrimSuffix(address[strings.LastIndexByte(address, '@')+1:], ">")
}
