package webhook_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// Each row is a request signed for one URL and looked at as another: the
// explanation must name the URL that was signed, and the reasons.
func TestExplain(t *testing.T) {
	keys := []webhook.NamedKey{{Name: "auth token", Key: key}, {Name: "API key secret", Key: "54321"}}
	for name, c := range map[string]struct {
		signed, seen string
		form         url.Values
		signedForm   url.Values // nil: form
		key          webhook.Key
		hosts        []string
		reasons      []string // each is part of the reason at its place; none: right
	}{
		"right":                 {signed: "https://a.example/in", seen: "https://a.example/in", form: form()},
		"right, without form":   {signed: "https://a.example/in?b=1", seen: "https://a.example/in?b=1"},
		"scheme":                {signed: "https://a.example/in", seen: "http://a.example/in", form: form(), reasons: []string{"scheme was https"}},
		"port of the back end":  {signed: "https://a.example/in", seen: "https://a.example:8443/in", form: form(), reasons: []string{"port 8443 was not in the URL"}},
		"default port":          {signed: "https://a.example:443/in", seen: "https://a.example/in", form: form(), reasons: []string{}},
		"default port put in":   {signed: "https://a.example/in", seen: "https://a.example:443/in", form: form(), reasons: []string{}},
		"user and password":     {signed: "https://a.example/in", seen: "https://me:secret@a.example/in", form: form(), reasons: []string{"user name and password"}},
		"bare colon":            {signed: "https://a.example/in?b=x:y@z", seen: "https://a.example/in?b=x%3Ay%40z", form: form(), reasons: []string{"signed bare"}},
		"apostrophe":            {signed: "https://a.example/in?b=%27x", seen: "https://a.example/in?b='x", form: form(), reasons: []string{"%27"}},
		"CR LF":                 {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "Note", "a\nb"), signedForm: with2(form(), "Note", "a\r\nb"), reasons: []string{"signed as CR LF"}},
		"LF":                    {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "Note", "a\r\nb"), signedForm: with2(form(), "Note", "a\nb"), reasons: []string{"signed as LF"}},
		"slash missing":         {signed: "https://a.example/in/", seen: "https://a.example/in", form: form(), reasons: []string{"there was a slash"}},
		"slash too many":        {signed: "https://a.example", seen: "https://a.example/", form: form(), reasons: []string{"there was no slash"}},
		"host":                  {signed: "https://fax.example/in", seen: "https://a.example/in", form: form(), hosts: []string{"b.example", "fax.example"}, reasons: []string{"host was fax.example"}},
		"host with port":        {signed: "https://fax.example:9000/in", seen: "https://a.example/in", form: form(), hosts: []string{"fax.example:9000"}, reasons: []string{"host was fax.example:9000"}},
		"upper case host":       {signed: "https://a.example/in", seen: "https://A.Example/in", form: form(), reasons: []string{"lower case"}},
		"address, version 6":    {signed: "https://[::1]/in", seen: "https://[::1]:8080/in", form: form(), reasons: []string{"port 8080"}},
		"behind a proxy":        {signed: "https://fax.example/in/", seen: "http://10.0.0.1:8080/in", form: form(), hosts: []string{"fax.example"}, reasons: []string{"scheme", "host", "port 8080", "slash"}},
		"query lost":            {signed: "https://a.example/in?b=1", seen: "https://a.example/in?b=1&c=2", form: form(), reasons: nil},
		"query left out":        {signed: "https://a.example/in", seen: "https://a.example/in?b=1", form: form(), reasons: []string{"query was left out"}},
		"query decoded":         {signed: "https://a.example/in?b=%2B1%2F", seen: "https://a.example/in?b=%2B1/", form: form(), reasons: []string{"percent-encoded"}},
		"query sorted":          {signed: "https://a.example/in?a=2&b=1", seen: "https://a.example/in?b=1&a=2", form: form(), reasons: []string{"sorted"}},
		"plus for space":        {signed: "https://a.example/in?b=x%20y", seen: "https://a.example/in?b=x+y", form: form(), reasons: []string{"%20"}},
		"another key":           {signed: "https://a.example/in", seen: "https://a.example/in", form: form(), key: "54321", reasons: []string{"signed with the API key secret, not with the auth token"}},
		"plus read as space":    {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "From", " 14158675309"), signedForm: form(), reasons: []string{"+"}},
		"no form post":          {signed: "https://a.example/in", seen: "https://a.example/in", form: form(), signedForm: url.Values{}, reasons: []string{"no form post"}},
		"query among the form":  {signed: "https://a.example/in?b=1", seen: "https://a.example/in?b=1", form: with2(form(), "b", "1"), signedForm: form(), reasons: []string{"query were counted"}},
		"values encoded":        {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "From", "%2B14158675309"), signedForm: form(), reasons: []string{"decode them"}},
		"fragment":              {signed: "https://a.example/in", seen: "https://a.example/in", form: form()},
		"everything is another": {signed: "https://other.example/", seen: "https://a.example/in", form: form(), reasons: nil, key: "nobody's"},
	} {
		t.Run(name, func(t *testing.T) {
			signing, signedForm := c.key, c.signedForm
			if signing == "" {
				signing = key
			}
			if signedForm == nil {
				signedForm = c.form
			}
			got, ok := webhook.Explain(webhook.Suspect{
				URL: c.seen, Form: c.form, Signature: webhook.Sign(signing, c.signed, signedForm), Keys: keys, Hosts: c.hosts,
			})
			if want := c.reasons != nil || c.signed == c.seen; ok != want {
				t.Fatalf("found is %v, want %v (%+v)", ok, want, got)
			}
			if !ok {
				return
			}
			if got.URL != c.signed || len(got.Reasons) != len(c.reasons) {
				t.Fatalf("%+v, want %s because of %q", got, c.signed, c.reasons)
			}
			for i, part := range c.reasons {
				if !strings.Contains(got.Reasons[i], part) {
					t.Errorf("reason %q, want %q", got.Reasons[i], part)
				}
			}
		})
	}
}

func TestExplainNeedsAKey(t *testing.T) {
	for _, keys := range [][]webhook.NamedKey{nil, {{Name: "none"}}} {
		if e, ok := webhook.Explain(webhook.Suspect{URL: call, Signature: webhook.Sign("", call, nil), Keys: keys}); ok {
			t.Errorf("without a key: %+v", e)
		}
	}
}
