package transport

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// redact makes err fit to print: the URLs that an [http.Client] spells out in
// its errors, query and all, are cut down to scheme and host. What err wraps
// stays, so [errors.Is] and [errors.As] find what they found before.
func redact(err error) error {
	text := ""
	for rest := err; ; {
		var u *url.Error
		if !errors.As(rest, &u) {
			break
		}
		if text == "" {
			text = err.Error()
		}
		where := "the server"
		if parsed, bad := url.Parse(u.URL); bad == nil && parsed.Host != "" {
			where = origin(parsed)
		}
		text = strings.ReplaceAll(text, u.URL, where)
		rest = u.Err
	}
	if text == "" {
		return err
	}
	return redacted{err, text}
}

type redacted struct {
	error
	text string
}

func (r redacted) Error() string { return r.text }
func (r redacted) Unwrap() error { return r.error }

// origin is what may be seen of any URL: scheme and host.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// file is what may be seen of the URL of a file: its path, and the keys of the query.
func file(u *url.URL) string {
	shown := origin(u) + u.EscapedPath()
	if keys := slices.Sorted(maps.Keys(u.Query())); len(keys) > 0 {
		shown += "?" + strings.Join(keys, "&")
	}
	return shown
}

// address is what may be seen of the URL of an API: the path and the query too,
// numbers masked and values of unknown keys left out.
func address(u *url.URL) string {
	query := u.Query()
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(query)) {
		value := "…"
		if shown(key) {
			value = mask(strings.Join(query[key], ","))
		}
		pairs = append(pairs, mask(key)+"="+value)
	}
	text := origin(u) + mask(u.Path)
	if len(pairs) > 0 {
		text += "?" + strings.Join(pairs, "&")
	}
	return text
}

// shown lists the query keys whose values tell what was asked and nothing
// about anybody.
func shown(key string) bool {
	switch key {
	case "From", "To", "PhoneNumber", "NearNumber",
		"Page", "PageSize",
		"DateCreatedAfter", "DateCreatedOnOrBefore",
		"AreaCode", "Contains", "InRegion", "InLocality", "InPostalCode", "InRateCenter", "InLata",
		"NearLatLong", "Distance", "Beta",
		"FaxEnabled", "VoiceEnabled", "SmsEnabled", "MmsEnabled",
		"ExcludeAllAddressRequired", "ExcludeLocalAddressRequired", "ExcludeForeignAddressRequired",
		"areacode", "number_type", "starts_with", "contains", "ends_with", "max_results", "region", "city":
		return true
	}
	return false
}

// mask hides the middle of every phone number in s: "+1415•••0123". Ids, which
// have letters or hyphens between their digits, stay.
func mask(s string) string {
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune("_+-", r) }
	var b strings.Builder
	for s != "" {
		rest := strings.TrimLeftFunc(s, inWord)
		b.WriteString(maskWord(s[:len(s)-len(rest)]))
		s = strings.TrimLeftFunc(rest, func(r rune) bool { return !inWord(r) })
		b.WriteString(rest[:len(rest)-len(s)])
	}
	return b.String()
}

// maskWord hides the middle of a word that is a phone number.
func maskWord(w string) string {
	digits := strings.TrimPrefix(w, "+")
	if len(digits) < 7 || len(digits) > 15 || !text.MadeOf(digits, text.Digits) {
		return w
	}
	if len(w) < 10 {
		return "•••"
	}
	return w[:5] + "•••" + w[len(w)-4:]
}
