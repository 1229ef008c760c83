// Package profile says which account of which provider is meant, and where its
// secret is kept.
//
// Use it before talking to a provider. [Load] reads the config file, [Resolve]
// weighs flags, environment, config and defaults and remembers where every
// value came from, and [Secrets] fetches the secret at the moment a call needs
// it. [Add], [Use] and [Remove] change the config file.
//
// A config file never holds a secret, only a [Reference] to one; a [Secret]
// never prints itself.
package profile

import (
	"cmp"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// Provider is the company behind an account.
type Provider string

// The providers an account can be with.
const (
	Twilio     Provider = info.Twilio
	SignalWire Provider = info.SignalWire
)

// Providers are all of them.
func Providers() []Provider {
	var all []Provider
	for _, name := range info.Names() {
		all = append(all, Provider(name))
	}
	return all
}

// Profile is one account. The YAML keys are those of the config file.
type Profile struct {
	Name       string    `json:"name" yaml:"-"`                                     // "" when the environment gave the account
	Provider   Provider  `json:"provider" yaml:"provider"`                          //
	AccountID  string    `json:"account" yaml:"account"`                            // AC and 32 hex digits, or SignalWire's project UUID
	APIKey     string    `json:"api_key,omitempty" yaml:"api-key,omitempty"`        // Twilio's SK…; "" when the secret is the auth token
	Parent     string    `json:"parent,omitempty" yaml:"parent,omitempty"`          // Twilio's AC… that the credentials are of, when account is a subaccount of it
	Space      string    `json:"space,omitempty" yaml:"space,omitempty"`            // SignalWire's host, x.signalwire.com
	Edge       string    `json:"edge,omitempty" yaml:"edge,omitempty"`              // Twilio's edge location
	Region     string    `json:"region,omitempty" yaml:"region,omitempty"`          // Twilio's region
	Secret     Reference `json:"secret,omitzero" yaml:"secret,omitempty"`           // of the account or of the API key
	SigningKey Reference `json:"signing_key,omitzero" yaml:"signing-key,omitempty"` // of callbacks, where it is not Secret
	APIURL     string    `json:"api_url,omitempty" yaml:"api-url,omitempty"`        // origin that stands for every host of the provider
	ReadOnly   bool      `json:"read_only,omitempty" yaml:"read-only,omitempty"`    // refuse every change at the provider
	Defaults   `yaml:",inline"`

	SMTPPassword Reference `json:"smtp_password,omitzero" yaml:"smtp-password,omitempty"` // of the user of the mail server
}

// Info is what is known of the provider.
func (p Profile) Info() info.Provider { return info.Of(string(p.Provider)) }

// SecretName is what the provider calls the secret.
func (p Profile) SecretName() string {
	if known := p.Info(); p.APIKey != "" && known.KeySecret != "" {
		return known.KeySecret
	}
	return p.Info().Secret
}

// Username is what the secret is sent with: the API key, or the account that the
// credentials are of.
func (p Profile) Username() string { return cmp.Or(p.APIKey, p.Parent, p.AccountID) }

// IsBuiltIn reports whether p is one of the sandboxes, which need no account.
func (p Profile) IsBuiltIn() bool { return p.Secret.Kind == BuiltIn }

const (
	sandbox           = "sandbox"
	sandboxSignalWire = "sandbox-signalwire"
)

// BuiltIns are the profiles that need nothing: a sandbox in either dialect.
// Their account means something to a sandbox only. Whoever opens one knows its
// secret and its address; [Secrets] does not.
func BuiltIns() map[string]Profile {
	return map[string]Profile{
		sandbox: {
			Name: sandbox, Provider: Twilio, Secret: Reference{Kind: BuiltIn},
			AccountID: "AC5a4db0c55a4db0c55a4db0c55a4db0c5",
		},
		sandboxSignalWire: {
			Name: sandboxSignalWire, Provider: SignalWire, Secret: Reference{Kind: BuiltIn},
			AccountID: "5a4db0c5-5a4d-4b0c-8a4d-b0c55a4db0c5",
			Space:     "sandbox.signalwire.com",
		},
	}
}

// CheckName reports whether name can name a profile of the config file. Names
// that begin with "sandbox" are the built-in ones. Errors: problem.ErrInvalid.
func CheckName(name string) error {
	bad := func(what string) error {
		return &problem.Error{Kind: problem.ErrInvalid, Text: "profile name " + text.Quote(name) + " " + what,
			Advice: problem.Say("use small letters, digits and hyphens, as in clinic-2")}
	}
	switch {
	case name == "":
		return bad("is empty")
	case len(name) > 63:
		return bad("is longer than 63 characters")
	case name == sandbox || strings.HasPrefix(name, sandbox+"-"):
		return bad("is reserved for the built-in sandbox")
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return bad("begins or ends with a hyphen")
	case !consistsOf(name, isLowerAlnum, '-'):
		return bad("has a character that a name cannot have")
	}
	return nil
}

// problem is something wrong with one setting of a profile.
type mistake struct{ key, text, next string }

// Validate checks that p can be used and saved: the shapes of the ids, the
// space, the place of the secret. Errors: problem.ErrInvalid, all problems at once.
func (p Profile) Validate() error {
	if err := CheckName(p.Name); err != nil {
		return err
	}
	return joinProblems("profile "+p.Name+": ", p.problems())
}

func joinProblems(prefix string, all []mistake) error {
	if len(all) == 0 {
		return nil
	}
	e := &problem.Error{Kind: problem.ErrInvalid}
	lines := make([]string, len(all))
	for i, pr := range all {
		lines[i] = prefix + pr.key + ": " + pr.text
		if e.Advice.Empty() {
			e.Advice = problem.Say(pr.next)
		}
	}
	e.Text = strings.Join(lines, "\n")
	return e
}

func (p Profile) problems() []mistake {
	var all []mistake
	add := func(key, text, next string) { all = append(all, mistake{key, text, next}) }

	switch p.Provider {
	case Twilio:
		all = append(all, p.twilioProblems()...)
	case SignalWire:
		all = append(all, p.signalWireProblems()...)
	case "":
		add("provider", "is missing", "write twilio or signalwire")
	default:
		add("provider", "unknown provider "+text.Quote(string(p.Provider))+yamlfile.Suggest(string(p.Provider), info.Names()), "write twilio or signalwire")
	}
	if p.Secret.IsZero() {
		add("secret", "does not say where the secret is kept", "write keyring, env:NAME, file:PATH or command:PROGRAM ARGUMENTS")
	}
	if p.Country != "" && (len(p.Country) != 2 || !text.MadeOf(p.Country, text.Upper)) {
		add("country", text.Quote(p.Country)+" is no country", "write two capital letters (ISO 3166-1), as in US")
	}
	if p.APIURL != "" {
		if _, err := ParseAPIURL(p.APIURL); err != nil {
			add("api-url", err.Error(), "give an origin, as in https://api.example.com or http://127.0.0.1:8080")
		}
	}
	if err := postgres.Check(p.Database); p.Database != "" && postgres.Mask(p.Database) != p.Database { // of a variable, whoever reads the flag tells
		add("database", err.Error(), problem.AdviceOf(err).String())
	}
	if withoutPassword(p.SMTPURL) != p.SMTPURL {
		add("smtp-url", "has a password in it", "leave it out, and say in smtp-password where it is kept")
	}
	if p.SMTPPassword.Kind == InKeyring {
		add("smtp-password", "cannot be keyring: nothing puts it there", "write env:NAME, file:PATH or command:PROGRAM ARGUMENTS")
	}
	return all
}

func (p Profile) twilioProblems() []mistake {
	const where = "copy the Account SID from the Twilio console; it begins with AC"
	var all []mistake
	switch {
	case p.AccountID == "":
		all = append(all, mistake{"account", "is missing", where})
	case isSID(p.AccountID, "SK"):
		all = append(all, mistake{"account", "is an API key (SK…), not an account",
			"put the SK… in api-key and the AC… of the account in account"})
	case !isSID(p.AccountID, "AC"):
		all = append(all, mistake{"account", text.Quote(p.AccountID) + " is not a Twilio account: AC and 32 hex digits", where})
	}
	if p.APIKey != "" && !isSID(p.APIKey, "SK") {
		all = append(all, mistake{"api-key", "is not a Twilio API key: SK and 32 hex digits", "leave api-key out to use the auth token"})
	}
	switch {
	case p.Parent == "":
	case !isSID(p.Parent, "AC"):
		all = append(all, mistake{"parent", text.Quote(p.Parent) + " is not a Twilio account: AC and 32 hex digits", where})
	case p.Parent == p.AccountID:
		all = append(all, mistake{"parent", "is the account itself", "leave parent out, or write the subaccount in account"})
	}
	if p.Space != "" {
		all = append(all, mistake{"space", "belongs to SignalWire", "leave space out, or write provider: signalwire"})
	}
	for _, label := range []mistake{{key: "edge", text: p.Edge}, {key: "region", text: p.Region}} {
		if !consistsOf(label.text, isLowerAlnum, '-') {
			all = append(all, mistake{label.key, text.Quote(label.text) + " is not a name like dublin or ie1", ""})
		}
	}
	return all
}

func (p Profile) signalWireProblems() []mistake {
	const where = "copy the Project ID from the API page of the SignalWire space"
	var all []mistake
	if p.AccountID == "" {
		all = append(all, mistake{"account", "is missing", where})
	} else if !isUUID(p.AccountID) {
		all = append(all, mistake{"account", text.Quote(p.AccountID) + " is not a SignalWire project: a UUID", where})
	}
	if p.Space == "" {
		all = append(all, mistake{"space", "is missing", "write the space's host, as in example.signalwire.com"})
	} else if _, err := NormalizeSpace(p.Space); err != nil {
		all = append(all, mistake{"space", err.Error(), "write the space's host, as in example.signalwire.com"})
	}
	for _, s := range []mistake{{key: "api-key", text: p.APIKey}, {key: "parent", text: p.Parent}, {key: "edge", text: p.Edge}, {key: "region", text: p.Region}} {
		if s.text != "" {
			all = append(all, mistake{s.key, "belongs to Twilio", "leave it out"})
		}
	}
	return all
}

// NormalizeSpace turns x, x.signalwire.com and https://x.signalwire.com/ into
// x.signalwire.com. Any other host is refused (problem.ErrInvalid), because the
// secret is sent there.
func NormalizeSpace(s string) (string, error) {
	const domain = ".signalwire.com"
	host := strings.ToLower(strings.TrimSpace(s))
	host = strings.TrimSuffix(strings.TrimPrefix(host, "https://"), "/")
	label := strings.TrimSuffix(host, domain)
	if label == "" || len(label) > 63 || !consistsOf(label, isLowerAlnum, '-') || label[0] == '-' || label[len(label)-1] == '-' {
		return "", &problem.Error{Kind: problem.ErrInvalid, Text: text.Quote(s) + " is not a SignalWire space",
			Advice: problem.Say("write the space's host, as in example.signalwire.com")}
	}
	return label + domain, nil
}

// ParseAPIURL reads an origin that is to stand for the provider's hosts: scheme
// and host and nothing else. The scheme is https, or http when the host is this
// very machine (localhost, 127.0.0.0/8, ::1). A slash at the end is dropped, and
// capitals become small. Errors: problem.ErrInvalid; they do not repeat s, which may
// hold a password.
func ParseAPIURL(s string) (*url.URL, error) {
	bad := func(what string) (*url.URL, error) {
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: what,
			Advice: problem.Say("give an origin, as in https://api.example.com or http://127.0.0.1:8080")}
	}
	u, err := url.Parse(strings.TrimSpace(s))
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return bad("the API URL is not a URL with a host")
	case u.User == nil && !isHost(u.Hostname()):
		return bad(text.Quote(u.Hostname()) + " in the API URL is not the name of a host")
	case u.User != nil:
		return bad("the API URL has a user or password in it")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return bad("the API URL is more than an origin")
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
	case u.Scheme == "http":
		return bad("the API URL would send the secret unencrypted to " + u.Hostname())
	}
	return bad("the API URL is neither https nor http")
}

// isHost reports whether a host can have this name or address. Source: RFC 1123, 2.1;
// names in the networks of Docker have underscores.
func isHost(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	labels := strings.Split(strings.TrimSuffix(strings.ToLower(name), "."), ".")
	return len(name) <= 253 && !text.MadeOf(labels[len(labels)-1], text.Digits) && !slices.ContainsFunc(labels, func(l string) bool {
		return l == "" || len(l) > 63 || !consistsOf(l, isLowerAlnum, '-', '_') || l[0] == '-' || l[len(l)-1] == '-'
	})
}

// IsLoopback reports whether a host name can only mean this machine.
func IsLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

func isSID(s, prefix string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	return ok && len(rest) == 32 && consistsOf(rest, isHex)
}

func isUUID(s string) bool {
	parts := strings.Split(s, "-")
	return slices.EqualFunc(parts, []int{8, 4, 4, 4, 12}, func(part string, n int) bool {
		return len(part) == n && consistsOf(part, isHex)
	})
}

func isHex(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'f' || 'A' <= r && r <= 'F'
}

func isLowerAlnum(r rune) bool { return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' }

// consistsOf reports whether every character of s is in the class or in extra.
func consistsOf(s string, class func(rune) bool, extra ...rune) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !class(r) && !slices.Contains(extra, r) })
}

// names are the keys of m, sorted.
func names(m map[string]Profile) []string { return slices.Sorted(maps.Keys(m)) }
