// Package webhook signs and verifies the requests a provider of fax numbers
// sends to a web application.
//
// Use [Verify] in whatever receives such requests, and [Sign] in whatever has
// to look like the provider: a probe, a forwarder, a test. Twilio and
// SignalWire share the algorithm and differ in the header and in which secret
// is the key: Twilio's is the account's auth token (never an API key's
// secret), SignalWire's the project's signing key (not its API token).
//
// Source: Twilio, "Validating Signatures from Twilio" (webhooks security).
package webhook

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/provider/info"
)

// Key is a signing key. It cannot print itself.
type Key string

// Format writes "[signing key]" whatever the verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[signing key]") }

// MarshalText writes "[signing key]", for JSON, YAML and slog.
func (Key) MarshalText() ([]byte, error) { return []byte("[signing key]"), nil }

// Sign is the signature of a request: base64 of the HMAC-SHA1, under the key,
// of the URL as the provider calls it (query included) and then, for a form
// post, every name and value in the order of the names. The form is nil for
// GET, and for a body that is no form. Of a name with several values each
// different value counts once, in order, as Twilio's libraries do it.
func Sign(key Key, url string, form url.Values) string { return sign(key, url+formText(form, once)) }

// signAsSent is [Sign] with every value of a name, in the order in which they
// were sent.
// Source: SignalWire's SDKs (security, scheme B); twilio-node before 3.81.
func signAsSent(key Key, url string, form url.Values) string {
	return sign(key, url+formText(form, asSent))
}

func sign(key Key, text string) string {
	mac := hmac.New(sha1.New, []byte(key))
	_, _ = io.WriteString(mac, text)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// formText is what is signed of a form, with those of the values of each name that
// count.
func formText(form url.Values, count func(values []string) []string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range count(form[name]) {
			b.WriteString(name + value)
		}
	}
	return b.String()
}

func once(values []string) []string { return slices.Compact(slices.Sorted(slices.Values(values))) }

func asSent(values []string) []string { return values }

// Verify reports whether a signature is right for a request. The URL is the
// public one, as the provider was told it. Providers are not of one mind about
// the port, which may be in the signed URL or not, about a few characters of the
// query, which may be signed bare and sent escaped, and about repeated names. Each
// spelling says the same, and no other is tried. Comparing takes the same time
// however wrong the signature is.
func Verify(key Key, rawURL string, form url.Values, signature string) bool {
	if key == "" || signature == "" {
		return false
	}
	rawURL, _, _ = strings.Cut(rawURL, "#") // connection overrides are not signed
	ok := false
	for _, u := range ports(rawURL) {
		for _, u := range bare(u) {
			for _, sign := range []func(Key, string, url.Values) string{Sign, signAsSent} {
				ok = hmac.Equal([]byte(sign(key, u, form)), []byte(signature)) || ok
			}
		}
	}
	return ok
}

// VerifyBody reports whether a body that is no form is the one that was
// signed: the signed URL of such a request carries its SHA-256 in hex, as
// bodySHA256. The signature of that URL is for [Verify], with a nil form.
func VerifyBody(rawURL string, body []byte) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(body)
	return hmac.Equal([]byte(hex.EncodeToString(sum[:])), []byte(strings.ToLower(u.Query().Get("bodySHA256"))))
}

// Signature is the signature a request carries, or "". SignalWire may send both
// headers, and its own is the one that counts; requests in its dialect may also
// come with Twilio's alone, and the other way round.
// Source: SignalWire's SDKs (security).
func (d Dialect) Signature(h http.Header) string {
	signature := h.Get(d.Header())
	for _, p := range info.All() {
		signature = cmp.Or(signature, h.Get(p.SignatureHeader))
	}
	return signature
}

// ports is the URL as it is, and with its port taken out, or the default port
// put in when it has none. Everything else stays byte for byte, since it was
// signed that way.
func ports(raw string) []string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return []string{raw}
	}
	scheme, rest, _ := strings.Cut(raw, "//")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, path := rest[:end], rest[end:]
	bare := strings.TrimSuffix(strings.TrimSuffix(authority, u.Port()), ":")
	if u.Port() != "" {
		return []string{raw, scheme + "//" + bare + path}
	}
	standard := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	return []string{raw, scheme + "//" + bare + standard + path}
}

// bare is the URL as it is, and with those characters of its query unescaped that
// one library or another leaves alone: the colon, the at sign and the apostrophe.
// Source: twilio/twilio-node issue 1183, and its withLegacyQuerystring.
func bare(raw string) []string {
	before, query, ok := strings.Cut(raw, "?")
	if !ok {
		return []string{raw}
	}
	all := []string{raw}
	for _, spell := range barely() {
		if u := before + "?" + spell(query); !slices.Contains(all, u) {
			all = append(all, u)
		}
	}
	return all
}

// barely are the ways in which libraries unescape these characters.
func barely() []func(query string) string {
	apostrophe := strings.NewReplacer("%27", "'").Replace
	marks := strings.NewReplacer("%3A", ":", "%3a", ":", "%40", "@").Replace
	return []func(string) string{apostrophe, marks, func(query string) string { return marks(apostrophe(query)) }}
}
