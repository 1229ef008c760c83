package plan

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// UnconfirmedError says that a change was accepted and does not show when the
// number is read back. It is fax.ErrConflict.
type UnconfirmedError struct {
	Phone  string
	Fields []Field // From is what was asked for, To what the provider says
}

// Error reads "the provider does not confirm receive mode fax for +1415…".
func (e *UnconfirmedError) Error() string {
	var parts []string
	for _, f := range e.Fields {
		name := strings.ReplaceAll(f.Name, "_", " ")
		if f.Name == "mode" {
			name = "receive mode"
		}
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s (it says %s)", name, orNone(f.From), orNone(f.To))))
	}
	return "the provider does not confirm " + strings.Join(parts, ", ") + " for " + e.Phone
}

// Unwrap is fax.ErrConflict.
func (e *UnconfirmedError) Unwrap() error { return problem.ErrConflict }

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// Apply makes a change and reads the number back: until what was asked for is as
// asked, and everything else that says where calls go as it was, or
// [Options.ConfirmFor] is over. It may be repeated, and repeats itself where the
// answer was lost and the number does not show the change. The number is as the
// provider has it now, also with an error when that much is known. An empty
// change asks nothing of the provider.
//
// [UnconfirmedError]: the provider took the change and does not show it, or shows
// another one besides. A name that differs only in how it is written (NFC, blanks,
// entities) is as the provider keeps it, which is told.
func Apply(ctx context.Context, numbers fax.Numbers, n fax.Number, c fax.Change, o Options) (fax.Number, error) {
	if c.Empty() {
		return n, nil
	}
	now, unsent := numbers.Configure(ctx, n.ID, c)
	if unsent != nil && !errors.Is(unsent, problem.ErrUnavailable) {
		return n, fmt.Errorf("configure %s: %w", n.Phone, left(unsent))
	}
	if unsent != nil {
		now = n
	}
	var missing []Field
	var unread error
	for range looks(ctx, o.ConfirmFor) {
		var read fax.Number
		if read, unread = numbers.Get(ctx, n.ID); unread != nil {
			if errors.Is(unread, problem.ErrNotFound) || errors.Is(unread, problem.ErrUnavailable) {
				continue
			}
			break
		}
		now = read
		if missing = unconfirmed(n, now, c); len(missing) == 0 {
			return now, nil
		}
		if unsent != nil {
			if _, unsent = numbers.Configure(ctx, n.ID, c); unsent == nil {
				if read, unread = numbers.Get(ctx, n.ID); unread == nil {
					if now, missing = read, unconfirmed(n, read, c); len(missing) == 0 {
						return now, nil
					}
				}
			}
		}
	}
	switch {
	case unsent != nil:
		return now, fmt.Errorf("configure %s: %w", n.Phone, unsent)
	case unread != nil:
		return now, fmt.Errorf("%s is configured; reading it back: %w", n.Phone, unread)
	}
	if len(missing) == 1 && missing[0].Name == "name" && folded(missing[0].From) == folded(missing[0].To) {
		o.tell("The provider keeps the name %s of %s as %s.", text.Quote(missing[0].From), n.Phone, text.Quote(missing[0].To))
		return now, nil
	}
	return now, problem.With(&UnconfirmedError{Phone: n.Phone, Fields: missing}, lookAfter(n, now, c, missing))
}

// lookAfter is what to do about a change that does not show.
func lookAfter(before, now fax.Number, c fax.Change, missing []Field) problem.Advice {
	switch {
	case c.Mode == nil && before.Mode == fax.ModeFax && now.Mode == fax.ModeVoice: // the change turned it off
		return problem.Say("set it again: %s", problem.Command("numbers", "configure").Arg(now.Phone).Set("mode", "fax"))
	case len(missing) == 1 && missing[0].Name == "name":
		return problem.Say("the provider may keep names otherwise: leave the name out, or write it as it came back, " + text.Quote(now.Name))
	}
	return problem.Say("look again in a moment: %s", problem.Command("numbers", "get").Arg(now.Phone).Set("o", "yaml"))
}

// unconfirmed lists the fields that a number does not show as they should be
// after a change of what it was before.
func unconfirmed(before, now fax.Number, c fax.Change) []Field {
	var wrong []Field
	check := func(name string, asked *string, was, is string, same func(a, b string) bool) {
		want := was
		if asked != nil {
			want = *asked
		}
		if !same(want, is) {
			wrong = append(wrong, Field{Name: name, From: want, To: is})
		}
	}
	exactly := func(a, b string) bool { return a == b }
	known := func(a, b string) bool { return a == b || a == string(fax.ModeUnknown) }
	byDefault := func(a, b string) bool { return method(a) == method(b) }
	check("mode", (*string)(c.Mode), string(before.Mode), string(now.Mode), known)
	url := "fax_url"
	if now.Mode == fax.ModeVoice {
		url = "voice_url"
	}
	if c.Name != nil {
		check("name", c.Name, "", now.Name, exactly)
	}
	check(url, c.URL, before.URL(), now.URL(), sameURL)
	check("method", c.Method, before.Method, now.Method, byDefault)
	check("fallback_url", c.FallbackURL, before.FallbackURL, now.FallbackURL, sameURL)
	check("fallback_method", c.FallbackMethod, before.FallbackMethod, now.FallbackMethod, byDefault)
	check("status_callback", c.StatusCallback, before.StatusCallback, now.StatusCallback, sameURL)
	check("trunk_id", c.TrunkID, before.TrunkID, now.TrunkID, exactly)
	check("application_id", c.ApplicationID, before.ApplicationID, now.ApplicationID, exactly)
	var handler *string // a URL that is set is to be asked
	if c.URL != nil && *c.URL != "" && now.Mode == fax.ModeFax {
		handler = new("")
	}
	check("call_handler", handler, before.CallHandler, now.CallHandler, exactly)
	return wrong
}

// sameURL tells whether two addresses are the same: an empty path is that of the
// root (RFC 3986, 6.2.3).
func sameURL(a, b string) bool { return a == b || rooted(a) == rooted(b) }

func rooted(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Path != "" {
		return address
	}
	u.Path = "/"
	return u.String()
}
