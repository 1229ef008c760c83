package webhook_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/twilio/twilio-go/client"

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
		"right":                {signed: "https://a.example/in", seen: "https://a.example/in", form: form()},
		"right, without form":  {signed: "https://a.example/in?b=1", seen: "https://a.example/in?b=1"},
		"scheme":               {signed: "https://a.example/in", seen: "http://a.example/in", form: form(), reasons: []string{"scheme was https"}},
		"port of the back end": {signed: "https://a.example/in", seen: "https://a.example:8443/in", form: form(), reasons: []string{"port 8443 was not in the URL"}},
		"default port":         {signed: "https://a.example:443/in", seen: "https://a.example/in", form: form(), reasons: []string{}},
		"default port put in":  {signed: "https://a.example/in", seen: "https://a.example:443/in", form: form(), reasons: []string{}},
		"user and password":    {signed: "https://a.example/in", seen: "https://me:secret@a.example/in", form: form(), reasons: []string{"user name and password"}},
		"bare colon":           {signed: "https://a.example/in?b=x:y@z", seen: "https://a.example/in?b=x%3Ay%40z", form: form(), reasons: []string{"signed bare"}},
		"apostrophe":           {signed: "https://a.example/in?b=%27x", seen: "https://a.example/in?b='x", form: form(), reasons: []string{"%27"}},
		"CR LF":                {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "Note", "a\nb"), signedForm: with2(form(), "Note", "a\r\nb"), reasons: []string{"signed as CR LF"}},
		"LF":                   {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "Note", "a\r\nb"), signedForm: with2(form(), "Note", "a\nb"), reasons: []string{"signed as LF"}},
		"slash missing":        {signed: "https://a.example/in/", seen: "https://a.example/in", form: form(), reasons: []string{"there was a slash"}},
		"slash too many":       {signed: "https://a.example", seen: "https://a.example/", form: form(), reasons: []string{"there was no slash"}},
		"host":                 {signed: "https://fax.example/in", seen: "https://a.example/in", form: form(), hosts: []string{"b.example", "fax.example"}, reasons: []string{"host was fax.example"}},
		"host with port":       {signed: "https://fax.example:9000/in", seen: "https://a.example/in", form: form(), hosts: []string{"fax.example:9000"}, reasons: []string{"host was fax.example:9000"}},
		"upper case host":      {signed: "https://a.example/in", seen: "https://A.Example/in", form: form(), reasons: []string{"lower case"}},
		"address, version 6":   {signed: "https://[::1]/in", seen: "https://[::1]:8080/in", form: form(), reasons: []string{"port 8080"}},
		"behind a proxy":       {signed: "https://fax.example/in/", seen: "http://10.0.0.1:8080/in", form: form(), hosts: []string{"fax.example"}, reasons: []string{"scheme", "host", "port 8080", "slash"}},
		"query lost":           {signed: "https://a.example/in?b=1", seen: "https://a.example/in?b=1&c=2", form: form(), reasons: nil},
		"query left out":       {signed: "https://a.example/in", seen: "https://a.example/in?b=1", form: form(), reasons: []string{"query was left out"}},
		"query decoded":        {signed: "https://a.example/in?b=%2B1%2F", seen: "https://a.example/in?b=%2B1/", form: form(), reasons: []string{"percent-encoded"}},
		"query sorted":         {signed: "https://a.example/in?a=2&b=1", seen: "https://a.example/in?b=1&a=2", form: form(), reasons: []string{"sorted"}},
		"plus for space":       {signed: "https://a.example/in?b=x%20y", seen: "https://a.example/in?b=x+y", form: form(), reasons: []string{"%20"}},
		"another key":          {signed: "https://a.example/in", seen: "https://a.example/in", form: form(), key: "54321", reasons: []string{"signed with the API key secret, not with the auth token"}},
		"plus read as space":   {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "From", " 14158675309"), signedForm: form(), reasons: []string{"+"}},
		"no form post":         {signed: "https://a.example/in", seen: "https://a.example/in", form: form(), signedForm: url.Values{}, reasons: []string{"no form post"}},
		"query among the form": {signed: "https://a.example/in?b=1", seen: "https://a.example/in?b=1", form: with2(form(), "b", "1"), signedForm: form(), reasons: []string{"query were counted"}},
		"values encoded":       {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "From", "%2B14158675309"), signedForm: form(), reasons: []string{"decode them"}},
		"fragment":             {signed: "https://a.example/in", seen: "https://a.example/in", form: form()},

		"query parsed and written by Go":  {signed: "https://a.example/in?team=x%20y&from=%2B1415&at=a", seen: "https://a.example/in?" + rewritten("team=x%20y&from=%2B1415&at=a"), form: form(), reasons: []string{"another order", "+ of the query was signed as %20"}},
		"query of five in another order":  {signed: "https://a.example/in?c=3&a=1&e=5&b=2&d=4", seen: "https://a.example/in?a=1&b=2&c=3&d=4&e=5", form: form(), reasons: []string{"another order"}},
		"GET, sorted with the provider's": {signed: "https://a.example/in?team=b&also=c&AccountSid=AC1&ApiVersion=v1&FaxSid=FX1&From=%2B1&To=%2B2", seen: "https://a.example/in?" + rewritten("team=b&also=c&AccountSid=AC1&ApiVersion=v1&FaxSid=FX1&From=%2B1&To=%2B2"), reasons: []string{"another order"}},
		"names of six sorted":             {signed: "https://a.example/in?a=1&b=2&c=3&d=4&e=5&f=6", seen: "https://a.example/in?f=6&b=2&c=3&d=4&e=5&a=1", form: form(), reasons: []string{"sorted by name"}},
		"plus escaped":                    {signed: "https://a.example/in?from=+1415", seen: "https://a.example/in?from=%2B1415", form: form(), reasons: []string{"%2B of the query was signed as +"}},
		"plus not escaped":                {signed: "https://a.example/in?from=%2B1415", seen: "https://a.example/in?from=+1415", form: form(), reasons: []string{"+ of the query was signed as %2B"}},
		"plus read as a blank":            {signed: "https://a.example/in?from=%2B1415", seen: "https://a.example/in?from= 1415", form: form(), reasons: []string{"a blank of the query was signed as %2B"}},
		"plus decoded and written %20":    {signed: "https://a.example/in?from=+1415", seen: "https://a.example/in?from=%201415", form: form(), reasons: []string{"%20 of the query was signed as +"}},
		"blank decoded":                   {signed: "https://a.example/in?b=x+y", seen: "https://a.example/in?b=x y", form: form(), reasons: []string{"a blank of the query was signed as +"}},
		"question mark escaped":           {signed: "https://a.example/in?b=x?y", seen: "https://a.example/in?b=x%3Fy", form: form(), reasons: []string{"signed as a bare ?"}},
		"question mark bare":              {signed: "https://a.example/in?b=x%3Fy/", seen: "https://a.example/in?b=x?y/", form: form(), reasons: []string{"signed as %3F"}},
		"query in the path":               {signed: "https://a.example/in?b=1", seen: "https://a.example/in%3Fb=1", form: form(), reasons: []string{"became %3F"}},
		"escapes in capitals":             {signed: "https://a.example/in?b=x%2fy%c3%a9", seen: "https://a.example/in?b=x%2Fy%C3%A9", form: form(), reasons: []string{"in lower case"}},
		"escapes in lower case":           {signed: "https://a.example/in?b=x%2Fy%C3%A9", seen: "https://a.example/in?b=x%2fy%c3%a9", form: form(), reasons: []string{"in capitals"}},
		"flag with an =":                  {signed: "https://a.example/in?b&c=1", seen: "https://a.example/in?b=&c=1", form: form(), reasons: []string{"without its ="}},
		"flag without an =":               {signed: "https://a.example/in?b=&c=1", seen: "https://a.example/in?b&c=1", form: form(), reasons: []string{"with an ="}},
		"punctuation escaped":             {signed: "https://a.example/in?b[]=(x,y)%26", seen: "https://a.example/in?b%5B%5D=%28x%2Cy%29%26", form: form(), reasons: []string{"punctuation of the query was signed bare"}},
		"punctuation bare":                {signed: "https://a.example/in?b%5B%5D=%7Ex%2Cy", seen: "https://a.example/in?b[]=~x,y", form: form(), reasons: []string{"punctuation of the query was signed escaped"}},
		"encoded by JavaScript":           {signed: "https://a.example/in?b=(x%2Cy)", seen: "https://a.example/in?b=(x,y)", form: form(), reasons: []string{"as JavaScript"}},
		"each plus read as a blank":       {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "Note", "1 1"), signedForm: with2(form(), "Note", "1+1"), reasons: []string{"every + of a value was read as a space"}},
		"blank left as plus":              {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(url.Values{}, "Note", "a+b"), signedForm: with2(url.Values{}, "Note", "a b"), reasons: []string{"spaces were left as +"}},
		"values of a form encoded":        {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(url.Values{}, "Note", "a+b%2B"), signedForm: with2(url.Values{}, "Note", "a b+"), reasons: []string{"and + as a space"}},
		"station trimmed behind":          {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "RemoteStationId", "ACME"), signedForm: with2(form(), "RemoteStationId", "ACME                "), reasons: []string{"RemoteStationId was signed with \"\" before and \"                \" behind"}},
		"station trimmed before":          {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "RemoteStationId", "+1 415"), signedForm: with2(form(), "RemoteStationId", "      +1 415"), reasons: []string{"RemoteStationId was signed"}},
		"all values trimmed":              {signed: "https://a.example/in", seen: "https://a.example/in", form: url.Values{"RemoteStationId": {"a"}, "Note": {"b"}}, signedForm: url.Values{"RemoteStationId": {" a "}, "Note": {" b "}}, reasons: []string{"RemoteStationId, Note was signed"}},
		"blanks added":                    {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "Note", "b "), signedForm: with2(form(), "Note", "b"), reasons: []string{"were added"}},
		"one empty field dropped":         {signed: "https://a.example/in", seen: "https://a.example/in", form: form(), signedForm: with2(form(), "RemoteStationId", ""), reasons: []string{"RemoteStationId came empty"}},
		"empty fields dropped":            {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "NumPages", "1"), signedForm: with2(form(), "NumPages", "1", "ErrorCode", "", "ErrorMessage", "", "MediaUrl", ""), reasons: []string{"ErrorCode, ErrorMessage, MediaUrl came empty"}},
		"empty fields added":              {signed: "https://a.example/in", seen: "https://a.example/in", form: with2(form(), "Note", ""), signedForm: form(), reasons: []string{"empty parameters were not signed"}},
		"repeated, all":                   {signed: "https://a.example/in", seen: "https://a.example/in", form: url.Values{"To": {"2", "1", "2"}}, reasons: []string{}},
		"repeated, the last":              {signed: "https://a.example/in", seen: "https://a.example/in", form: url.Values{"From": {"0"}, "To": {"2", "1"}}, signedForm: url.Values{"From": {"0"}, "To": {"1"}}, reasons: []string{"only the last value of To"}},
		"repeated, the first":             {signed: "https://a.example/in", seen: "https://a.example/in", form: url.Values{"From": {"0"}, "To": {"2", "1"}}, signedForm: url.Values{"From": {"0"}, "To": {"2"}}, reasons: []string{"only the first value of To"}},
		"proxy and rewritten query":       {signed: "https://a.example/in?team=x+y&from=%2B1415&at=a&by=1", seen: "http://a.example/in?at=a&by=1&from=%2B1415&team=x%20y", form: webhook.SignalWire.Form(received()), reasons: []string{"scheme", "another order", "%20 of the query was signed as +"}},
		"proxy and trimmed":               {signed: "https://fax.example/in", seen: "http://a.example:8080/in", hosts: []string{"b.example", "fax.example"}, form: webhook.Twilio.Form(received()), signedForm: with2(webhook.Twilio.Form(received()), "RemoteStationId", "   ACME & Söhne"), reasons: []string{"scheme", "host", "port", "RemoteStationId was signed"}},
		"proxy and dropped":               {signed: "https://fax.example/in", seen: "http://a.example:8080/in", hosts: []string{"b.example", "fax.example"}, form: webhook.Twilio.Form(received()), signedForm: with2(webhook.Twilio.Form(received()), "ErrorCode", "", "ErrorMessage", ""), reasons: []string{"scheme", "host", "port", "ErrorCode, ErrorMessage came empty"}},
		"everything is another":           {signed: "https://other.example/", seen: "https://a.example/in", form: form(), reasons: nil, key: "nobody's"},
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
			official := client.NewRequestValidator("12345")
			if signature := webhook.Sign(signing, c.signed, signedForm); len(got.Reasons) == 0 && (!official.Validate(c.seen, flat(c.form), signature) || !webhook.Verify(key, c.seen, c.form, signature)) {
				t.Error("valid here, and not for the validators")
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

// rewritten is a query as net/url writes what it read.
func rewritten(query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	return values.Encode()
}

// flat is a form with the values as Twilio's library for Go takes them: those of a
// repeated name, sorted, are one text with the name between.
func flat(form url.Values) map[string]string {
	all := map[string]string{}
	for name, values := range form {
		all[name] = strings.Join(slices.Compact(slices.Sorted(slices.Values(values))), name)
	}
	return all
}

// All values of a repeated name in the order they were sent in are right too, as
// SignalWire signs.
func TestExplainRepeatedAsSent(t *testing.T) {
	form := url.Values{"To": {"2", "1"}}
	got, ok := webhook.Explain(webhook.Suspect{
		URL: call, Form: form, Signature: webhook.Sign(key, call+"To2To1", nil), Keys: []webhook.NamedKey{{Name: "signing key", Key: key}},
	})
	if !ok || len(got.Reasons) > 0 {
		t.Errorf("%v, %+v", ok, got)
	}
}

// However much there is to try, the search ends, and what is common is found all the
// same.
func TestExplainIsBounded(t *testing.T) {
	keys := []webhook.NamedKey{{Name: "auth token", Key: key}, {Name: "API token", Key: "54321"}, {Name: "API key secret", Key: "hunter2"}}
	full := with2(form(), "RemoteStationId", "", "ErrorMessage", " ", "a", "+ ", "b", "%2B", "c", "\n", "d", "", "e", "'")
	full["f"] = []string{"2", "1"}
	const query = "?a=+%20'?&b=%2B:@&c=%3A%40%27%3F&d=(/)&e"
	hosts := []string{"b.example", "c.example", "fax.example"}
	many := slices.Clone(hosts)
	for i := range 500 {
		many = append(many, fmt.Sprintf("h%d.example", i))
	}
	for name, s := range map[string]webhook.Suspect{
		"all there is":      {URL: "http://me:x@10.0.0.1:8080/in/" + query, Form: full, Hosts: hosts},
		"hosts":             {URL: "http://10.0.0.1:8080/in/" + query, Form: full, Hosts: many},
		"long values":       {URL: "http://10.0.0.1:8080/in/" + query, Form: with2(full, "a", strings.Repeat("a +", 300_000)), Hosts: hosts},
		"long query":        {URL: "http://10.0.0.1:8080/in/" + query + strings.Repeat("+%2B", 30_000), Form: full, Hosts: hosts},
		"many parameters":   {URL: "http://10.0.0.1:8080/in/?" + strings.Repeat("a=+&b=1&", 1000), Form: full},
		"values of a name":  {URL: call, Form: url.Values{"a": strings.Split(strings.Repeat("x ", 10_000), " ")}},
		"many names at all": {URL: call, Form: manyNames(5000)},
	} {
		s.Keys, s.Signature = keys, "AAAA"
		got, ok := webhook.Explain(s)
		if ok || got.Tried > 20_000 || got.Tried < 10 {
			t.Errorf("%s: found %v after %d tries", name, ok, got.Tried)
		}
	}
	s := webhook.Suspect{URL: "http://10.0.0.1:8080/in/" + query, Form: full, Hosts: hosts, Keys: keys}
	s.Signature = webhook.Sign(key, "https://fax.example/in"+query, full)
	if got, ok := webhook.Explain(s); !ok || len(got.Reasons) != 4 {
		t.Errorf("behind a proxy: %v, %+v", ok, got)
	}
}

func manyNames(names int) url.Values {
	all := url.Values{}
	for i := range names {
		all.Set(fmt.Sprintf("name%d", i), "a + ")
	}
	return all
}

func TestExplainNeedsAKey(t *testing.T) {
	for _, keys := range [][]webhook.NamedKey{nil, {{Name: "none"}}} {
		if e, ok := webhook.Explain(webhook.Suspect{URL: call, Signature: webhook.Sign("", call, nil), Keys: keys}); ok {
			t.Errorf("without a key: %+v", e)
		}
	}
}
