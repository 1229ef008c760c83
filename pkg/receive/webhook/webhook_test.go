package webhook_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

const (
	key  = webhook.Key("12345")
	call = "https://mycompany.com/myapp.php?foo=1&bar=2"
)

func form() url.Values {
	return url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"},
		"From": {"+14158675309"}, "To": {"+18005551212"},
	}
}

func TestSignVectors(t *testing.T) {
	more := form()
	more.Set("Reason", "Participant")
	more.Set("ReasonConferenceEnded", "test")
	for want, f := range map[string]url.Values{
		"RSOYDt4T1cUTdK1PDd93/VVr8B8=": form(),
		"vOEb5UThFn24KEfnOFLQY2AE5FY=": more,
	} {
		if got := webhook.Sign(key, call, f); got != want {
			t.Errorf("Sign = %s, want %s", got, want)
		}
	}
}

func TestSignCountsEachValueOnce(t *testing.T) {
	once := webhook.Sign(key, call, url.Values{"A": {"1", "2"}})
	if got := webhook.Sign(key, call, url.Values{"A": {"2", "1", "2"}}); got != once {
		t.Errorf("values in another order and repeated: %s, want %s", got, once)
	}
	if got := webhook.Sign(key, call, url.Values{"A": {"1"}}); got == once {
		t.Error("a value less, and the same signature")
	}
}

func TestVerify(t *testing.T) {
	right := "RSOYDt4T1cUTdK1PDd93/VVr8B8="
	with := func(mutate func(url.Values)) url.Values { f := form(); mutate(f); return f }
	for name, c := range map[string]struct {
		key       webhook.Key
		url       string
		form      url.Values
		signature string
		want      bool
	}{
		"as signed":            {key, call, form(), right, true},
		"default port spelled": {key, "https://mycompany.com:443/myapp.php?foo=1&bar=2", form(), right, true},
		"another port spelled": {key, "https://mycompany.com:8443/myapp.php?foo=1&bar=2", form(), right, true},
		"another port":         {key, "https://mycompany.com:8443/myapp.php?foo=1&bar=2", form(), webhook.Sign(key, "https://mycompany.com:9443/myapp.php?foo=1&bar=2", form()), false},
		"a port too many":      {key, call, form(), webhook.Sign(key, "https://mycompany.com:8443/myapp.php?foo=1&bar=2", form()), false},
		"address, version 6":   {key, "https://[::1]/in", nil, webhook.Sign(key, "https://[::1]:443/in", nil), true},
		"http":                 {key, "http://mycompany.com/myapp.php?foo=1&bar=2", form(), right, false},
		"query reordered":      {key, "https://mycompany.com/myapp.php?bar=2&foo=1", form(), right, false},
		"value changed":        {key, call, with(func(f url.Values) { f.Set("To", "+18005551213") }), right, false},
		"value added":          {key, call, with(func(f url.Values) { f.Set("X", ""); f.Set("Y", "1") }), right, false},
		"wrong key":            {"12346", call, form(), right, false},
		"no key":               {"", call, form(), webhook.Sign("", call, form()), false},
		"no signature":         {key, call, form(), "", false},
	} {
		if got := webhook.Verify(c.key, c.url, c.form, c.signature); got != c.want {
			t.Errorf("%s: Verify = %v, want %v", name, got, c.want)
		}
	}
	signedWithPort := webhook.Sign(key, "http://x.example:80/in?a=b:80", nil)
	if !webhook.Verify(key, "http://x.example/in?a=b:80", nil, signedWithPort) {
		t.Error("signed with the default port, configured without: refused")
	}
}

func TestVerifyBody(t *testing.T) {
	// printf '{"a":1}' | sha256sum
	u := "https://x.example/in?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
	if !webhook.VerifyBody(u, []byte(`{"a":1}`)) {
		t.Error("the signed body is refused")
	}
	if upper := strings.Replace(u, "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862", "015ABD7F5CC57A2DD94B7590F04AD8084273905EE33EC5CEBEAE62276A97F862", 1); !webhook.VerifyBody(upper, []byte(`{"a":1}`)) {
		t.Error("a hash in capitals is refused")
	}
	for _, bad := range []string{`{"a":2}`, ""} {
		if webhook.VerifyBody(u, []byte(bad)) || webhook.VerifyBody("https://x.example/in", []byte(bad)) {
			t.Errorf("body %q is accepted", bad)
		}
	}
}

func TestSignature(t *testing.T) {
	for _, d := range []webhook.Dialect{webhook.Twilio, webhook.SignalWire, ""} {
		both := http.Header{}
		for _, name := range []string{webhook.Twilio.Header(), webhook.SignalWire.Header()} {
			h := http.Header{}
			h.Set(name, "s")
			if d.Signature(h) != "s" {
				t.Errorf("%s: %s is not seen", d, name)
			}
			both.Set(name, name)
		}
		if got := d.Signature(both); got != d.Header() {
			t.Errorf("%s: of both, %s was taken", d, got)
		}
	}
}

// A query may be signed bare and sent escaped; nothing else that is like it will
// do.
func TestVerifySpellings(t *testing.T) {
	const in = "https://x.example/in%27?"
	for signed, want := range map[string]bool{
		"a=it's:me@x%2Ey":                 true, // twilio/twilio-node issue 1183
		"a=it's%3Ame%40x%2Ey":             true, // encodeURIComponent
		"a=it%27s:me@x%2Ey":               true, // new URL
		"a=it%27s%3Ame%40x%2Ey":           true, // as sent
		"a=it's:me%40x%2Ey":               false,
		"a=it%27s%3Ame%40x.y":             false,
		"a=it%2527s%253Ame%2540x%252Ey":   false,
		"a=it%27s%3Ame%40x%2Ey&a=another": false,
		"":                                false,
	} {
		if got := webhook.Verify(key, in+"a=it%27s%3Ame%40x%2Ey", nil, webhook.Sign(key, in+signed, nil)); got != want {
			t.Errorf("signed as %s: %v, want %v", signed, got, want)
		}
	}
	if webhook.Verify(key, in+"a=%2527", nil, webhook.Sign(key, in+"a=%25'", nil)) {
		t.Error("an escaped percent sign is taken for an escape")
	}
	if webhook.Verify(key, in+"a=%27", nil, webhook.Sign(key, "https://x.example/in'?a=%27", nil)) {
		t.Error("the path is unescaped too")
	}
}

// A provider signs with the default port or without, and a query bare or escaped,
// whichever the receiver believes: all are right together, and another port of the
// provider's is not.
func TestVerifyWhatProvidersSend(t *testing.T) {
	for _, scheme := range []struct{ name, port string }{{"https", ":443"}, {"http", ":80"}} {
		for _, signedPort := range []string{"", scheme.port} {
			for _, seenPort := range []string{"", scheme.port} {
				for _, signed := range []string{"a=it's:me@x", "a=it's%3Ame%40x", "a=it%27s:me@x", "a=it%27s%3Ame%40x", "a=it%27s%3ame%40x"} {
					for _, seen := range []string{signed, "a=it%27s%3Ame%40x"} {
						if strings.Contains(signed, "%3a") {
							seen = signed // the case of an escape is signed as it is sent
						}
						signature := webhook.Sign(key, scheme.name+"://x.example"+signedPort+"/in?"+signed, form())
						target := scheme.name + "://x.example" + seenPort + "/in?" + seen
						if !webhook.Verify(key, target, form(), signature) {
							t.Errorf("signed with port %q and %s, seen as %s: refused", signedPort, signed, target)
						}
					}
				}
			}
		}
		if webhook.Verify(key, scheme.name+"://x.example/in?a=:", nil, webhook.Sign(key, scheme.name+"://x.example:8443/in?a=:", nil)) {
			t.Error("a port that was never given is accepted")
		}
	}
}

// Of a name that is repeated, each value counts in the order it was sent in, or
// each different one in its own order; never fewer, more or longer ones.
func TestVerifyRepeatedNames(t *testing.T) {
	form := url.Values{"A": {"2", "1", "2"}, "B": {"x"}}
	for signed, want := range map[string]bool{
		"A2A1A2Bx": true, // SignalWire's SDKs, twilio-node before 3.81
		"A1A2Bx":   true, // Twilio's libraries of today
		"A1A2A2Bx": false,
		"A2A1Bx":   false,
		"A2Bx":     false,
		"A2,1,2Bx": false,
		"A212Bx":   false,
	} {
		if got := webhook.Verify(key, call, form, webhook.Sign(key, call+signed, nil)); got != want {
			t.Errorf("signed as %s: %v, want %v", signed, got, want)
		}
	}
}

func TestKeyDoesNotPrint(t *testing.T) {
	k := webhook.Key("hunter2")
	j, err := json.Marshal(map[string]any{"k": k})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %+v %#v %s %q %x %d %v %s", k, k, k, k, k, k, k, struct{ K webhook.Key }{k}, j)
	if strings.Contains(all, "hunter2") || strings.Contains(all, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("the key is in %s", all)
	}
}
