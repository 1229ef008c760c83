// Package info is what is known of each provider: one table, so that nobody else
// has to ask which provider it is.
//
// Use [Of] with the name that a profile has, wherever providers differ in a number,
// a name or an ability. What differs in addresses and in the shape of answers is the
// business of the package that speaks to the provider.
package info

import (
	"slices"
	"time"
)

// Provider is what is known of one.
type Provider struct {
	Name  string // in profiles, flags and output
	Title string // as the company writes it

	// Settings are those of a profile of it that not all have, and what else its
	// variables give, in the order in which a person is asked for them.
	Settings []Setting

	Secret     string // what it calls the secret that goes with the account
	KeySecret  string // what it calls that of an API key; "": it has no API keys
	SigningKey string // what it calls the key that signs callbacks
	UUIDs      bool   // its ids are UUIDs; otherwise two letters and 32 hex digits

	// Of callbacks.
	SignatureHeader string        // carries the signature
	Patience        time.Duration // how long it waits for an answer
	Redirects       int           // the most that it follows on the way to one
	NamesMedia      bool          // what it tells of a fax has the id of the document, and the time
	SendsDocument   bool          // it can be told to store no document, which then comes along
	TellsFaxURL     bool          // an answer without an action URL has the fax URL told of the fax

	// Of its API.
	PageSize  int    // the most records on a page of a list
	Search    Search // of numbers for sale
	FaxSearch Search // of those that are known to do fax

	Retention time.Duration // how long a fax is kept after its creation; 0: until it is deleted
	Ended     string        // the day on which its fax service ended; "": it has one
}

// Setting is one of a profile.
type Setting struct {
	Key       string   // in the config file; "api-secret" is the secret of an API key
	Question  string   // that asks a person for it; "": it is not asked for
	Variables []string // of the environment that give it; the first is the one in use today
}

// Search are the limits of one question about numbers for sale.
type Search struct {
	Rows   int // the most offers in an answer
	Digits int // the fewest digits in a pattern

	// Exact: a pattern of all digits of a number finds it when it is for sale.
	Exact bool
}

// The names of the providers.
const (
	Twilio     = "twilio"
	SignalWire = "signalwire"
)

// day is 24 hours; retention is counted in them.
const day = 24 * time.Hour

// twilio is the provider whose API the others imitate.
func twilio() Provider {
	return Provider{
		Name: Twilio, Title: "Twilio",
		// Source: twilio-cli, docs/general_usage.md.
		Settings: []Setting{
			{Key: "account", Question: "Account SID (AC…):", Variables: []string{"TWILIO_ACCOUNT_SID"}},
			{Key: "api-key", Variables: []string{"TWILIO_API_KEY"}},
			{Key: "api-secret", Variables: []string{"TWILIO_API_SECRET"}},
			{Key: "parent"},
			{Key: "edge", Variables: []string{"TWILIO_EDGE"}},
			{Key: "region", Variables: []string{"TWILIO_REGION"}},
			{Key: "secret", Variables: []string{"TWILIO_AUTH_TOKEN"}},
			{Key: "signing-key", Variables: []string{"TWILIO_AUTH_TOKEN"}},
		},
		Secret: "auth token", KeySecret: "API key secret",
		// Source: Twilio, "Validating Signatures from Twilio" (webhooks security).
		SigningKey: "auth token", SignatureHeader: "X-Twilio-Signature",
		// Source: Twilio, "Fax TwiML: Receive". It does not say how many redirects it
		// follows; no other provider follows fewer than these.
		Patience: 15 * time.Second, Redirects: 3, SendsDocument: true, TellsFaxURL: true,
		// Source: Twilio, "Fax resource" (PageSize); twilio-node issue 316 (a search
		// has no second page).
		PageSize: 1000, Search: Search{Rows: 30, Digits: 2, Exact: true}, FaxSearch: Search{Rows: 30, Digits: 2, Exact: true},
		// Source: Twilio, "Programmable Fax End of Life", and "Fax resource" of before.
		Retention: 180 * day, Ended: "2021-12-17",
	}
}

func signalWire() Provider {
	return Provider{
		Name: SignalWire, Title: "SignalWire",
		// Source: SignalWire's SDKs, which have had all of these names.
		Settings: []Setting{
			{Key: "space", Question: "Space (example.signalwire.com):", Variables: []string{"SIGNALWIRE_SPACE_URL", "SIGNALWIRE_SPACE", "SIGNALWIRE_API_HOSTNAME"}},
			{Key: "account", Question: "Project id:", Variables: []string{"SIGNALWIRE_PROJECT_ID"}},
			{Key: "secret", Variables: []string{"SIGNALWIRE_API_TOKEN", "SIGNALWIRE_TOKEN"}},
			{Key: "signing-key", Variables: []string{"SIGNALWIRE_SIGNING_KEY"}},
		},
		Secret: "API token", UUIDs: true,
		// Source: SignalWire's SDKs (security).
		SigningKey: "signing key", SignatureHeader: "X-SignalWire-Signature",
		// Source: SignalWire, "Compatibility XML: Receive", and its guide to webhooks.
		Patience: 5 * time.Second, Redirects: 3, NamesMedia: true,
		// Source: SignalWire, "Compatibility API"; the relay search, which alone knows
		// who does fax, documents its own:
		// https://signalwire.com/docs/apis/relay-rest/phone-numbers/search-available-phone-numbers
		PageSize: 1000, Search: Search{Rows: 30, Digits: 2}, FaxSearch: Search{Rows: 100, Digits: 3},
	}
}

// All are the providers, in the order in which they are offered.
func All() []Provider { return []Provider{twilio(), signalWire()} }

// Names are those of all providers.
func Names() []string {
	var names []string
	for _, p := range All() {
		names = append(names, p.Name)
	}
	return names
}

// Of is what is known of the provider with this name. What is nobody's name has the
// table's first, the one that others imitate.
func Of(name string) Provider {
	for _, p := range All() {
		if p.Name == name {
			return p
		}
	}
	return twilio()
}

// Setting is the one with this key, and whether a profile of p has it.
func (p Provider) Setting(key string) (Setting, bool) {
	i := slices.IndexFunc(p.Settings, func(s Setting) bool { return s.Key == key })
	if i < 0 {
		return Setting{}, false
	}
	return p.Settings[i], true
}

// Variable is the one to name where a setting is missing; "": there is none.
func (p Provider) Variable(key string) string {
	if s, _ := p.Setting(key); len(s.Variables) > 0 {
		return s.Variables[0]
	}
	return ""
}
