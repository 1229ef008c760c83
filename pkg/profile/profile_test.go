package profile_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

func TestNormalizeSpace(t *testing.T) {
	for _, s := range []string{"clinic-2", "clinic-2.signalwire.com", "https://clinic-2.signalwire.com/", "https://clinic-2.signalwire.com", " Clinic-2.SignalWire.com "} {
		if got, err := profile.NormalizeSpace(s); err != nil || got != "clinic-2.signalwire.com" {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", "https://", ".signalwire.com", "evil.example", "https://evil.example/", "x.signalwire.com.evil.example", "evil.example/.signalwire.com",
		"a@evil.example", "a.b.signalwire.com", "x.signalwire.com:8080", "http://x.signalwire.com", "x.signalwire.com/api", "x?.signalwire.com", "-x", "x-", "é",
		strings.Repeat("x", 64), "https://user@x.signalwire.com",
	} {
		got, err := profile.NormalizeSpace(s)
		if err == nil {
			t.Errorf("%q became %q", s, got)
			continue
		}
		wantError(t, err, problem.ErrInvalid, "not a SignalWire space", "example.signalwire.com")
	}
}

func TestParseAPIURL(t *testing.T) {
	for s, want := range map[string]string{
		"https://api.example.com":    "https://api.example.com",
		"https://api.example.com/":   "https://api.example.com",
		" http://127.0.0.1:8080 ":    "http://127.0.0.1:8080",
		"http://localhost":           "http://localhost",
		"http://[::1]:8080/":         "http://[::1]:8080",
		"https://API.example.com:99": "https://api.example.com:99",
		"HTTP://LocalHost":           "http://localhost",
		"http://127.9.9.9":           "http://127.9.9.9",
		"http://[::ffff:127.0.0.1]":  "http://[::ffff:127.0.0.1]",
	} {
		if got, err := profile.ParseAPIURL(s); err != nil || got.String() != want {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
	for s, text := range map[string]string{
		"": "not a URL", "api.example.com": "not a URL", "localhost:8080": "not a URL", "https://": "not a URL", "https://a b": "not a URL", "https://:80": "not a URL", "https:api.example.com": "not a URL", "https://me:" + hush + "@[::1": "not a URL", "https://api.example.com:port": "not a URL", "https://a\nb": "not a URL",
		"http://api.example.com": "unencrypted", "http://10.0.0.1": "unencrypted", "http://0.0.0.0": "unencrypted", "http://127.0.0.1.example.com": "unencrypted", "http://localhost.example.com": "unencrypted",
		"https://u:" + hush + "@api.example.com": "user or password", "https://api.example.com/v1": "more than an origin",
		"https://api.example.com?x": "more than an origin", "https://api.example.com#x": "more than an origin", "https://api.example.com?": "more than an origin", "https://api.example.com#": "more than an origin", "ftp://api.example.com": "neither https nor http",
	} {
		got, err := profile.ParseAPIURL(s)
		if err == nil {
			t.Errorf("%q became %q", s, got)
			continue
		}
		wantError(t, err, problem.ErrInvalid, text, "origin")
		if strings.Contains(err.Error(), hush) {
			t.Errorf("%v repeats the password", err)
		}
	}
}

func FuzzParseAPIURL(f *testing.F) {
	for _, s := range []string{"https://api.example/", "http://[::1]:80", "http://localhost@evil.example", "https:///x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := profile.ParseAPIURL(s)
		if err != nil {
			return
		}
		if u.Host == "" || *u != (url.URL{Scheme: u.Scheme, Host: u.Host}) || u.Scheme != "https" && u.Scheme != "http" {
			t.Errorf("%q became %#v", s, u)
		}
		again, err := profile.ParseAPIURL(u.String())
		if err != nil || *again != *u {
			t.Errorf("%q became %v, which became %v, %v", s, u, again, err)
		}
	})
}

func TestCheckName(t *testing.T) {
	for _, s := range []string{"a", "clinic-2", "0", "sandboxed", strings.Repeat("a", 63)} {
		if err := profile.CheckName(s); err != nil {
			t.Error(err)
		}
	}
	for _, s := range []string{"", "Clinic", "a b", "a/b", "../a", "a.b", "ü", "-a", "a-", "sandbox", "sandbox-signalwire", "sandbox-x", strings.Repeat("a", 64), "a\x1b[2J"} {
		wantError(t, profile.CheckName(s), problem.ErrInvalid, "profile name", "")
	}
}

func TestValidate(t *testing.T) {
	lab := profile.Profile{Name: "lab", Provider: profile.SignalWire, AccountID: project, Space: "example", Secret: profile.Keyring()}
	for _, p := range []profile.Profile{clinic(), lab} {
		if err := p.Validate(); err != nil {
			t.Error(err)
		}
	}
	tests := map[string]struct {
		p          profile.Profile
		text, hint string
	}{
		"API key as account":    {with(clinic(), func(p *profile.Profile) { p.AccountID = apiKey }), "account: is an API key", "api-key"},
		"short account":         {with(clinic(), func(p *profile.Profile) { p.AccountID = "AC12" }), `"AC12" is not a Twilio account`, "begins with AC"},
		"not hex":               {with(clinic(), func(p *profile.Profile) { p.AccountID = "AC" + strings.Repeat("x", 32) }), "not a Twilio account", ""},
		"no account":            {with(clinic(), func(p *profile.Profile) { p.AccountID = "" }), "account: is missing", ""},
		"account as API key":    {with(clinic(), func(p *profile.Profile) { p.APIKey = account }), "api-key: is not", "auth token"},
		"no provider":           {with(clinic(), func(p *profile.Profile) { p.Provider = "" }), "provider: is missing", "twilio or signalwire"},
		"no secret":             {with(clinic(), func(p *profile.Profile) { p.Secret = profile.Reference{} }), "secret: does not say", "keyring"},
		"space at Twilio":       {with(clinic(), func(p *profile.Profile) { p.Space = "x" }), "space: belongs to SignalWire", ""},
		"host as region":        {with(clinic(), func(p *profile.Profile) { p.Region = "evil.example#" }), "region: ", ""},
		"API URL":               {with(clinic(), func(p *profile.Profile) { p.APIURL = "http://example.com" }), "api-url: ", "origin"},
		"project without space": {with(lab, func(p *profile.Profile) { p.Space = "" }), "space: is missing", "signalwire.com"},
		"another host":          {with(lab, func(p *profile.Profile) { p.Space = "evil.example" }), "space: ", "signalwire.com"},
		"SID as project":        {with(lab, func(p *profile.Profile) { p.AccountID = account }), "a UUID", "Project ID"},
		"API key at SignalWire": {with(lab, func(p *profile.Profile) { p.APIKey = apiKey }), "api-key: belongs to Twilio", ""},
		"reserved name":         {with(lab, func(p *profile.Profile) { p.Name = "sandbox" }), "reserved", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { wantError(t, tt.p.Validate(), problem.ErrInvalid, tt.text, tt.hint) })
	}
}

func with(p profile.Profile, change func(*profile.Profile)) profile.Profile {
	change(&p)
	return p
}
