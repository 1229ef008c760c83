// Package plan says what a fax number should be, finds the difference to what
// it is, and carries the difference out.
//
// Use it whenever a number is bought, configured or given up. [Diff] is pure:
// it takes the number as the provider has it and a [Want], and returns the
// change and the fields as a person reads them. [Apply] makes the change and
// reads it back, [Buy] is the one safe way to spend money, [Release] gives a
// number up. Nothing here prints or asks.
//
// Errors are of the kinds of package fax. Two more carry what a caller needs:
// [UnconfirmedError] for fields the provider does not confirm, and
// [UnfinishedError] for a number that is bought but not yet what it should be.
package plan

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// maxName is how many bytes a friendly name may have. Twilio gives 64 characters
// for the most, and does not say what it takes for one.
// Source: Twilio's IncomingPhoneNumbers resource, FriendlyName.
const maxName = 64

// Want is what a number should be. A nil field is left as it is; a pointer to
// "" clears it.
type Want struct {
	Name           *string
	Mode           *fax.Mode // fax or voice
	FaxURL         *string   // absolute and https; giving one implies mode fax
	Method         *string   // of the fax URL, POST or GET; nil: POST when the URL changes
	FallbackURL    *string   // asked when the fax URL fails
	FallbackMethod *string   // POST or GET; nil: POST when the fallback URL changes
	StatusCallback *string

	// KeepRouting leaves a trunk or voice application in place that takes
	// calls before the fax URL is asked; Diff then warns about it.
	KeepRouting bool
	// Force sets fax mode on a number that cannot receive faxes.
	Force bool
	// AllowHTTP permits http and hosts only this machine or network can
	// reach: for the sandbox.
	AllowHTTP bool
}

// Empty reports whether nothing is wanted.
func (w Want) Empty() bool {
	return w.Name == nil && w.Mode == nil && w.FaxURL == nil && w.Method == nil &&
		w.FallbackURL == nil && w.FallbackMethod == nil && w.StatusCallback == nil
}

// fax reports whether a fax number is wanted.
func (w Want) fax() bool { return given(w.FaxURL) || w.Mode != nil && *w.Mode == fax.ModeFax }

// Check finds what is wrong with a want before any number is looked at, so
// that no money is spent on it. Every error is fax.ErrInvalid with a hint.
func (w Want) Check() error {
	for _, u := range []struct {
		flag  string
		value *string
	}{{"fax URL", w.FaxURL}, {"fallback URL", w.FallbackURL}, {"status callback", w.StatusCallback}} {
		if given(u.value) {
			if err := CheckURL(*u.value, w.AllowHTTP); err != nil {
				return fmt.Errorf("%s: %w", u.flag, err)
			}
		}
	}
	for _, m := range []struct {
		name, flag  string
		method, url *string
	}{{"fax method", "fax-method", w.Method, w.FaxURL}, {"fallback method", "fallback-method", w.FallbackMethod, w.FallbackURL}} {
		switch {
		case m.method == nil:
		case !slices.Contains(methods(), *m.method):
			return problem.Invalid(problem.Say("POST or GET"), "%s %q", m.name, *m.method)
		case m.url != nil && *m.url == "":
			return problem.Invalid(problem.Say("leave %s out", problem.Field(m.flag)), "%s for a URL that is to be cleared", m.name)
		}
	}
	if w.Mode != nil {
		switch *w.Mode {
		case fax.ModeFax:
		case fax.ModeVoice:
			if given(w.FaxURL) || w.Method != nil {
				return problem.Invalid(problem.Say("choose %s, or a fax URL, which makes it a fax number", problem.Field("mode", "voice")), "combination: a fax URL or method, and mode voice")
			}
		default:
			return problem.Invalid(problem.Say("fax or voice"), "receive mode %q", *w.Mode)
		}
	}
	if w.Name != nil {
		switch {
		case len(*w.Name) > maxName:
			return problem.Invalid(problem.Say(fmt.Sprintf("at most %d bytes in UTF-8, in which é has two and most emoji four", maxName)), "name: it has %d bytes", len(*w.Name))
		case !utf8.ValidString(*w.Name) || strings.ContainsFunc(*w.Name, unicode.IsControl):
			return problem.Invalid(problem.Say("letters, digits, spaces and punctuation"), "name %q", *w.Name)
		case strings.TrimSpace(*w.Name) != *w.Name:
			return problem.Invalid(problem.Say("write it without: a number is known again by its name, letter for letter"), "name %s: it has blanks around it", text.Quote(*w.Name))
		}
	}
	return nil
}

// methods are those with which a provider can ask a URL.
func methods() []string { return []string{"POST", "GET"} }

// CheckURL tells whether a provider could ask this URL: absolute, https, with
// a host and without a user name or a password, and as [fax.CheckAddress] has it. Hosts that are
// only this machine or a private network are refused, because the provider is
// elsewhere. allowHTTP permits http and such hosts. The error is
// fax.ErrInvalid with a hint.
func CheckURL(raw string, allowHTTP bool) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || strings.ContainsFunc(raw, unicode.IsControl):
		return problem.Invalid(problem.Say("an absolute URL, as in https://fax.example.com/in"), "URL")
	case u.User != nil: // never printed: it may hold a password
		return problem.Invalid(problem.Say("the receiver recognizes the provider by its signature; leave user name and password out"), "URL with a user name")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return problem.Invalid(problem.Say("an absolute URL, as in https://fax.example.com/in"), "URL %q", raw)
	case fax.CheckAddress(raw) != nil:
		return fax.CheckAddress(raw)
	case allowHTTP:
		return nil
	case u.Scheme != "https":
		return problem.Invalid(problem.Say("use https; %s permits it, for tests", problem.On("allow-http")), "URL %q: it is not https", raw)
	case private(u.Hostname()):
		return problem.Invalid(problem.Say("the provider must be able to reach it; %s permits it, for the sandbox", problem.On("allow-http")), "URL %q: the host is reachable from this network only", raw)
	}
	return nil
}

// private reports whether a host, as written, is this machine or a private
// network. No name is looked up.
func private(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() || ip.IsMulticast()
}

// given reports whether a value is set, not left alone and not cleared.
func given(s *string) bool { return s != nil && *s != "" }
