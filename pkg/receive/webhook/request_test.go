package webhook_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twilio/twilio-go/client"

	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

func received() webhook.Event {
	return webhook.Event{
		FaxID: "FX1", AccountID: "AC1", From: "+14158675309", To: "+18005551212", Status: "received", Station: "ACME & Söhne",
		Pages: new(3), MediaID: "ME1", MediaURL: "https://media.example/a?b=1&c=2", Time: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
	}
}

func TestForm(t *testing.T) {
	base := url.Values{"FaxSid": {"FX1"}, "AccountSid": {"AC1"}, "From": {"+14158675309"}, "To": {"+18005551212"}, "ApiVersion": {"v1"}}
	with := func(more url.Values) url.Values {
		all := url.Values{}
		for _, m := range []url.Values{base, more} {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	done := url.Values{"FaxStatus": {"received"}, "RemoteStationId": {"ACME & Söhne"}, "NumPages": {"3"}, "MediaUrl": {"https://media.example/a?b=1&c=2"}}
	incoming := received()
	incoming.Status = ""
	for name, c := range map[string]struct {
		got, want url.Values
	}{
		"incoming":   {webhook.Twilio.Form(incoming), base},
		"twilio":     {webhook.Twilio.Form(received()), with(done)},
		"signalwire": {webhook.SignalWire.Form(received()), with(with2(done, "MediaSid", "ME1", "Timestamp", "2026-11-23T10:00:00Z"))},
		"failed": {
			webhook.Twilio.Form(webhook.Event{FaxID: "FX1", AccountID: "AC1", From: "+14158675309", To: "+18005551212", Status: "failed", Pages: new(0), ErrorCode: "34004", ErrorMessage: "cut"}),
			with(url.Values{"FaxStatus": {"failed"}, "NumPages": {"0"}, "ErrorCode": {"34004"}, "ErrorMessage": {"cut"}}),
		},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func with2(form url.Values, pairs ...string) url.Values {
	all := url.Values{}
	for k, v := range form {
		all[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		all.Set(pairs[i], pairs[i+1])
	}
	return all
}

// What is sent is what an application reads with net/http, and the signature
// is right for it, in every shape and dialect.
func TestNewRequest(t *testing.T) {
	for _, d := range []webhook.Dialect{webhook.Twilio, webhook.SignalWire} {
		for name, c := range map[string]struct {
			method string
			target string
			doc    *webhook.Document
		}{
			"post":      {http.MethodPost, "https://x.example/in?team=a%20b", nil},
			"get":       {http.MethodGet, "https://x.example/in?team=a%20b", nil},
			"get plain": {http.MethodGet, "https://x.example/in", nil},
			"multipart": {http.MethodPost, "https://x.example/in", &webhook.Document{Name: "FX1.pdf", ContentType: "application/pdf", Content: []byte("%PDF-1.7\r\n--\x00\xff")}},
		} {
			t.Run(string(d)+" "+name, func(t *testing.T) {
				form := d.Form(received())
				req, err := d.NewRequest(t.Context(), key, c.method, c.target, form, c.doc)
				if err != nil {
					t.Fatal(err)
				}
				if err := req.ParseMultipartForm(1 << 20); err != nil && c.doc != nil {
					t.Fatal(err)
				}
				signed := req.PostForm
				if c.method == http.MethodGet {
					signed = nil
				}
				if req.MultipartForm != nil {
					signed = req.MultipartForm.Value
				}
				if !webhook.Verify(key, req.URL.String(), signed, req.Header.Get(d.Header())) {
					t.Errorf("the signature is not right for %s %v", req.URL, signed)
				}
				for name := range form {
					if req.Form.Get(name) != form.Get(name) {
						t.Errorf("%s reads %q, want %q", name, req.Form.Get(name), form.Get(name))
					}
				}
				if c.doc == nil {
					return
				}
				file, head, err := req.FormFile("Media")
				if err != nil {
					t.Fatal(err)
				}
				content, err := io.ReadAll(file)
				if err != nil || string(content) != string(c.doc.Content) || head.Filename != "FX1.pdf" || head.Header.Get("Content-Type") != "application/pdf" {
					t.Errorf("document %q, %v, %v", content, head, err)
				}
			})
		}
	}
	if _, err := webhook.Twilio.NewRequest(t.Context(), key, http.MethodGet, "https://x.example/", nil, &webhook.Document{}); err == nil {
		t.Error("a document with GET is accepted")
	}
}

// FuzzSign: however odd the parameters, an application that reads the request
// with net/http finds the signature right, and so does one that asks Twilio's
// library; one changed byte, and it is not.
func FuzzSign(f *testing.F) {
	f.Add("https://mycompany.com/myapp.php?foo=1&bar=2", "From", "+14158675309", "Digits", "1234")
	f.Add("http://x.example:80/a%20b/?q=%2B+%20", "", "", "Ä", "a=b&c")
	f.Add("https://[::1]:8443", "A", "\x00\xff", "A", "2")
	f.Add("https://mycompany.com/in", "From", "+14158675309", "To", "")
	f.Fuzz(func(t *testing.T, target, name1, value1, name2, value2 string) {
		form := url.Values{name1: {value1}}
		form.Add(name2, value2)
		if len(value2)%2 == 1 {
			form.Add(name2, value1)
		}
		req, err := webhook.Twilio.NewRequest(t.Context(), key, http.MethodPost, target, form, nil)
		if err != nil {
			return
		}
		signature := req.Header.Get(webhook.Twilio.Header())
		if err := req.ParseForm(); err != nil && !strings.Contains(target, "?") {
			t.Fatal(err)
		}
		if !webhook.Verify(key, req.URL.String(), req.PostForm, signature) {
			t.Fatalf("Verify refuses %q %q", req.URL, req.PostForm)
		}
		if got, ok := webhook.Explain(webhook.Suspect{URL: req.URL.String(), Form: req.PostForm, Signature: signature, Keys: []webhook.NamedKey{{Name: "auth token", Key: key}}}); !ok || len(got.Reasons) != 0 {
			t.Fatalf("Explain: %+v, %v", got, ok)
		}
		single := map[string]string{} // the library knows no others
		for name, values := range req.PostForm {
			single[name] = values[0]
			if len(values) > 1 {
				single = nil
				break
			}
		}
		validator := client.NewRequestValidator(string(key))
		if single != nil && !validator.Validate(req.URL.String(), single, signature) {
			t.Fatalf("Twilio refuses %q %q", req.URL, req.PostForm)
		}
		form.Add("Added", "x")
		if webhook.Verify(key, req.URL.String(), form, signature) {
			t.Fatal("a parameter more, and the same signature")
		}
	})
}

// FuzzParseBody: a captured body gives the parameters net/http reads.
func FuzzParseBody(f *testing.F) {
	f.Add([]byte("a=1&b=%2B2"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"Media\"; filename=\"x\"\r\n\r\n1\r\n--b--\r\n"))
	f.Add([]byte(`{"a":1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		form, err := webhook.ParseBody(body)
		if err != nil || len(body) == 0 || strings.HasPrefix(strings.TrimLeft(string(body), " \t\r\n"), "--") {
			return
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Trim(string(body), "\r\n")))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := r.ParseForm(); err != nil || form == nil {
			return
		}
		if d := cmp.Diff(r.PostForm, form); d != "" && strings.TrimLeft(string(body), " \t\r\n") == string(body) {
			t.Fatalf("%q (-net/http +got):\n%s", body, d)
		}
	})
}

func TestParseBodyReadsMultipart(t *testing.T) {
	form := webhook.Twilio.Form(received())
	req, err := webhook.Twilio.NewRequest(t.Context(), key, http.MethodPost, "https://x.example/", form,
		&webhook.Document{Name: "a.pdf", ContentType: "application/pdf", Content: []byte("%PDF")})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := webhook.ParseBody(body)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(form, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	part := "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
	for name, bad := range map[string]string{
		"no boundary":   "--\r\n\r\n",
		"cut off":       part,
		"not a form":    "a=\x00",
		"long form":     "a=" + strings.Repeat("1", 2<<20),
		"10,000 parts":  strings.Repeat(part, 10_000) + "--b--\r\n",
		"endless value": part[:len(part)-3] + strings.Repeat("1", 2<<20) + "\r\n--b--\r\n",
	} {
		if got, err := webhook.ParseBody([]byte(bad)); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What net/http refuses is read as it stands, as others do, and told.
func TestParseBodyReadsWhatGoRefuses(t *testing.T) {
	for body, want := range map[string]url.Values{
		"a=1;b=2&c=3":        {"a": {"1;b=2"}, "c": {"3"}},
		"a=50%&b=%&c=%4&d=%": {"a": {"50%"}, "b": {"%"}, "c": {"%4"}, "d": {"%"}},
		"a=%zz%2Bx+y":        {"a": {"%zz+x y"}},
		"%a=1":               {"%a": {"1"}},
	} {
		got, err := webhook.ParseBody([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", body, d)
		}
		if doubts := webhook.Doubts([]byte(body+"\n"), got); len(doubts) != 1 || !strings.Contains(doubts[0], "stands for itself") {
			t.Errorf("%s: %q", body, doubts)
		}
	}
	for body, want := range map[string]int{"a=1&b=%2B%3B": 0, "a=1&b=2&a=2": 1, `{"a":"1;%"}`: 0, "": 0} {
		form, err := webhook.ParseBody([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if doubts := webhook.Doubts([]byte(body), form); len(doubts) != want {
			t.Errorf("%s: %q", body, doubts)
		}
	}
}
