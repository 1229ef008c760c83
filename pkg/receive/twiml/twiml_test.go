package twiml_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/receive/twiml"
)

func code(err error) string {
	var bad *twiml.Error
	if errors.As(err, &bad) {
		return bad.Code
	}
	return ""
}

func TestParse(t *testing.T) {
	receive := func(r twiml.Receive) twiml.Answer { return twiml.Answer{Receive: &r} }
	for doc, want := range map[string]twiml.Answer{
		`<Response><Receive/></Response>`:        receive(twiml.Receive{}),
		`<Response><Reject/></Response>`:         {},
		`<Response><Reject></Reject></Response>`: {},
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- hi -->\n<Response>\n <Receive action=\"/done?a=1&amp;b=2\" />\n</Response>\n": receive(twiml.Receive{Action: "/done?a=1&b=2"}),
		`<Response><Receive method="GET" mediaType="image/tiff" pageSize="a4" storeMedia="false"/></Response>`:                          receive(twiml.Receive{Method: "GET", MediaType: "image/tiff", PageSize: "a4", StoreMedia: new(false)}),
	} {
		got, err := twiml.Parse(strings.NewReader(doc))
		if err != nil {
			t.Errorf("%s: %v", doc, err)
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", doc, d)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for doc, want := range map[string]string{
		"":                               twiml.CodeParse,
		"ok":                             twiml.CodeParse,
		`{"receive":true}`:               twiml.CodeParse,
		`<Response><Receive/>`:           twiml.CodeParse,
		`<Response><Receive></Response>`: twiml.CodeParse,
		`<Response><Receive/></Response><Response/>`:                           twiml.CodeParse,
		`<Response><Receive/></Response>tail`:                                  twiml.CodeParse,
		`<Response>hello<Receive/></Response>`:                                 twiml.CodeParse,
		`<Response><Receive method=GET/></Response>`:                           twiml.CodeParse,
		`<Response><Receive method="GET" method="POST"/></Response>`:           twiml.CodeParse,
		`<!DOCTYPE Response [<!ENTITY x "y">]><Response><Receive/></Response>`: twiml.CodeParse,
		`<Response><Receive action="&x;"/></Response>`:                         twiml.CodeParse,
		`<?xml version="1.0" encoding="ISO-2022-KR"?><Response/>`:              twiml.CodeParse,
		`<html><body>Sign in</body></html>`:                                    twiml.CodeRoot,
		`<response><Receive/></response>`:                                      twiml.CodeRoot,
		`<Receive/>`:                                                           twiml.CodeRoot,
		`<Response xmlns="urn:x"><Receive/></Response>`:                        twiml.CodeRoot,
		`<Response/>`:                                                               twiml.CodeNoVerb,
		`<Response><receive/></Response>`:                                           twiml.CodeNoVerb,
		`<Response><Say>Hello</Say></Response>`:                                     twiml.CodeNoVerb,
		`<Response><Receive/><Receive/></Response>`:                                 twiml.CodeNoVerb,
		`<Response><Receive/><Reject/></Response>`:                                  twiml.CodeNoVerb,
		`<Response><Reject reason="busy"/></Response>`:                              twiml.CodeSchema,
		`<Response><Receive Method="GET"/></Response>`:                              twiml.CodeSchema,
		`<Response><Receive method="get"/></Response>`:                              twiml.CodeSchema,
		`<Response><Receive mediaType="image/png"/></Response>`:                     twiml.CodeSchema,
		`<Response><Receive pageSize="A4"/></Response>`:                             twiml.CodeSchema,
		`<Response><Receive storeMedia="no"/></Response>`:                           twiml.CodeSchema,
		`<Response><Receive x:method="GET" xmlns:x="urn:x"/></Response>`:            twiml.CodeSchema,
		`<Response><Receive><Reject/></Receive></Response>`:                         twiml.CodeSchema,
		`<Response><Receive/>` + strings.Repeat(" ", twiml.MaxSize) + `</Response>`: twiml.CodeTooBig,
	} {
		if got, err := twiml.Parse(strings.NewReader(doc)); code(err) != want {
			t.Errorf("%.80s: %+v, %v, want code %s", doc, got, err, want)
		}
	}
	pad := twiml.MaxSize - len(`<Response><Receive/></Response>`)
	if _, err := twiml.Parse(strings.NewReader(`<Response>` + strings.Repeat(" ", pad) + `<Receive/></Response>`)); err != nil {
		t.Errorf("64 kB to the byte: %v", err)
	}
}

// The beginning of a document is where providers are strict: white space before the
// declaration is refused, a byte order mark is not, and other encodings have words of
// their own.
func TestParseBeginnings(t *testing.T) {
	const declared, said = `<?xml version="1.0" encoding="UTF-8"?>`, `<Response><Receive/></Response>`
	for doc, want := range map[string]string{
		declared + said:                                      "",
		"\xef\xbb\xbf" + declared + said:                     "",
		"\xef\xbb\xbf" + said:                                "",
		"\n" + said:                                          "", // there is no declaration
		"\n" + declared + said:                               "white space before the XML declaration",
		" \t\r\n" + declared + said:                          "white space before the XML declaration",
		"\xef\xbb\xbf\n" + declared + said:                   "white space before the XML declaration",
		"\xff\xfe<\x00R\x00":                                 "UTF-16",
		"\xfe\xff\x00<\x00R":                                 "UTF-16",
		"<\x00R\x00e\x00":                                    "UTF-16",
		`<?xml version="1.0" encoding='iso-8859-1'?>` + said: `declares the encoding "iso-8859-1"`,
		`<?xml version='1.0' encoding="utf-8"?>` + said:      "",
	} {
		_, err := twiml.Parse(strings.NewReader(doc))
		switch {
		case want == "" && err != nil, want != "" && (code(err) != twiml.CodeParse || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %q", doc, err, want)
		}
	}
}

func TestMarshal(t *testing.T) {
	got, err := twiml.Receive{Action: `https://x.example/done?a="1"&b=<2>`, Method: "POST", MediaType: "application/pdf", PageSize: "letter", StoreMedia: new(true)}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	want := `<?xml version="1.0" encoding="UTF-8"?>
<Response><Receive action="https://x.example/done?a=&#34;1&#34;&amp;b=&lt;2&gt;" method="POST" mediaType="application/pdf" pageSize="letter" storeMedia="true"/></Response>
`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("Marshal (-want +got):\n%s", d)
	}
	for _, bad := range []twiml.Receive{{Method: "PUT"}, {MediaType: "text/plain"}, {PageSize: "a3"}} {
		if doc, err := bad.Marshal(); code(err) != twiml.CodeSchema {
			t.Errorf("%+v became %s, %v", bad, doc, err)
		}
	}
	if a, err := twiml.Parse(bytes.NewReader(twiml.Reject())); err != nil || a.Receive != nil {
		t.Errorf("Reject reads as %+v, %v", a, err)
	}
}

func TestCheckContentType(t *testing.T) {
	for header, want := range map[string]string{
		"text/xml": "", "application/xml": "", "Text/XML; charset=utf-8": "", twiml.ContentType: "",
		"": twiml.CodeContentType, "text/html": twiml.CodeContentType, "application/json": twiml.CodeContentType,
		"text/plain": twiml.CodeContentType, "xml": twiml.CodeContentType, "text/xml;;;": twiml.CodeContentType,
	} {
		if err := twiml.CheckContentType(header); code(err) != want {
			t.Errorf("%q: %v, want code %q", header, err, want)
		}
	}
}

// What was read can be written and reads the same; what was refused has a code.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`<Response><Receive/></Response>`))
	f.Add([]byte(`<Response><Reject/></Response>`))
	f.Add([]byte(`<?xml version="1.0"?><Response><Receive action="/a&#x9;b" storeMedia="false"/></Response>`))
	f.Add([]byte(`<Response><Receive action="` + "\xff" + `"/></Response>`))
	f.Add([]byte(`<!DOCTYPE a><html/>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		a, err := twiml.Parse(bytes.NewReader(doc))
		if err != nil {
			if code(err) == "" {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		written := twiml.Reject()
		if a.Receive != nil {
			if written, err = a.Receive.Marshal(); err != nil {
				t.Fatal(err)
			}
		}
		if len(written) > twiml.MaxSize { // escaping made it longer
			return
		}
		again, err := twiml.Parse(bytes.NewReader(written))
		if err != nil {
			t.Fatalf("%s does not read: %v", written, err)
		}
		if d := cmp.Diff(a, again); d != "" {
			t.Fatalf("%s reads otherwise (-first +again):\n%s", written, d)
		}
	})
}
