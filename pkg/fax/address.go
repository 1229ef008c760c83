package fax

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// CheckAddress tells whether a provider asks the URL of an application as it is written:
// in the characters of a request, and with nothing behind a # but connection overrides,
// as #rc=3&rp=all, which the provider keeps to itself. ErrInvalid, and never with a user
// name or a password in it. Source: RFC 3986, section 2; Twilio, "Webhook connection
// overrides".
func CheckAddress(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return problem.Invalid(problem.Say("an absolute URL, as in https://fax.example.com/in"), "URL")
	}
	shown, sent := raw, encoded(raw)
	if u.User != nil { // it may hold a password
		shown, sent = u.Redacted(), encoded(u.Redacted())
	}
	if encoded(raw) != raw {
		return problem.Invalid(problem.Say("write %s", problem.Text(sent)), "URL %q: a request has it otherwise", shown)
	}
	overrides, err := url.ParseQuery(u.EscapedFragment())
	if err != nil {
		return problem.Invalid(problem.Say("leave out what follows the #"), "URL %q: it has a fragment", shown)
	}
	for name := range overrides {
		if !slices.Contains(strings.Fields("ct rt tt rc rp sni e"), name) {
			return problem.Invalid(problem.Say("leave out what follows the #; connection overrides are ct, rt, tt, rc, rp, sni and e, as in #rc=3&rp=all"), "URL %q: it has a fragment", shown)
		}
	}
	return nil
}

// encoded is raw with those characters percent-encoded that no URL has.
func encoded(raw string) string {
	var b strings.Builder
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(raw[i])
	}
	return b.String()
}
