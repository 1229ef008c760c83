package sandbox

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/receive/twiml"
)

func TestReadTwiML(t *testing.T) {
	plain := instruction{method: "POST", mediaType: "application/pdf", pageSize: "letter", store: true}
	for doc, want := range map[string]func(*instruction){
		`<Response><Receive/></Response>`:                                             func(*instruction) {},
		"<?xml version=\"1.0\"?>\n<!-- x -->\n<Response>\n<Receive />\n</Response>\n": func(*instruction) {},
		`<Response><Receive action="/done?a=1&amp;b=2" method="GET"/></Response>`:     func(i *instruction) { i.action, i.method = "/done?a=1&b=2", "GET" },
		`<Response><Receive mediaType="image/tiff" pageSize="a4" storeMedia="false"></Receive></Response>`: func(i *instruction) {
			i.mediaType, i.pageSize, i.store = "image/tiff", "a4", false
		},
		`<Response><Reject/></Response>`: func(i *instruction) { i.reject = true },
	} {
		expected := plain
		want(&expected)
		got, err := twilio().readTwiML("text/xml; charset=utf-8", []byte(doc))
		if err != nil {
			t.Errorf("%s: %v", doc, err)
		}
		if d := cmp.Diff(expected, got, cmp.AllowUnexported(instruction{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", doc, d)
		}
	}
}

func codeOf(err error) int {
	var t *trouble
	if errors.As(err, &t) {
		return t.code
	}
	return 0
}

func TestReadTwiMLRefuses(t *testing.T) {
	for doc, want := range map[string]int{
		"":                     codeParse,
		"ok":                   codeParse,
		`<Response><Receive/>`: codeParse,
		`<Response><Receive/></Response><Response/>`:                 codeParse,
		`<Response><Receive/></Response>tail`:                        codeParse,
		`<Response>hello<Receive/></Response>`:                       codeParse,
		`<Response><Receive method="GET" method="POST"/></Response>`: codeParse,
		`<!DOCTYPE Response><Response><Receive/></Response>`:         codeParse,
		`<Response><Receive action="&x;"/></Response>`:               codeParse,
		`<html></html>`:                                     codeRoot,
		`<response><Receive/></response>`:                   codeRoot,
		`<Response xmlns="urn:x"><Receive/></Response>`:     codeRoot,
		`<Response/>`:                                       codeNoVerb,
		`<Response><receive/></Response>`:                   codeNoVerb,
		`<Response><Say>Hello</Say></Response>`:             codeNoVerb,
		`<Response><Receive/><Reject/></Response>`:          codeNoVerb,
		`<Response><Reject reason="busy"/></Response>`:      codeSchema,
		`<Response><Receive pageSize="A4"/></Response>`:     codeSchema,
		`<Response><Receive storeMedia="no"/></Response>`:   codeSchema,
		`<Response><Receive><Reject/></Receive></Response>`: codeSchema,
		strings.Repeat(" ", maxTwiML) + `<Response/>`:       codeTooBig,
	} {
		if got, err := twilio().readTwiML("text/xml", []byte(doc)); codeOf(err) != want {
			t.Errorf("%.60s: %+v, %v, want %d", doc, got, err, want)
		}
	}
	for _, kind := range []string{"", "text/html", "application/json", "text/xml;;"} {
		if _, err := twilio().readTwiML(kind, []byte(`<Response><Receive/></Response>`)); codeOf(err) != codeContentType {
			t.Errorf("content type %q: %v", kind, err)
		}
	}
	// SignalWire does not know how to keep nothing.
	if _, err := signalWire().readTwiML("text/xml", []byte(`<Response><Receive storeMedia="true"/></Response>`)); codeOf(err) != codeSchema {
		t.Errorf("storeMedia at SignalWire: %v", err)
	}
}

// FuzzTwiML: two readers, written apart, agree on what an answer is.
func FuzzTwiML(f *testing.F) {
	f.Add([]byte(`<Response><Receive action="/a" storeMedia="false"/></Response>`))
	f.Add([]byte(`<Response><Reject/></Response>`))
	f.Add([]byte(`<?xml version="1.0"?><!-- a --><Response> <Receive></Receive> </Response>`))
	f.Add([]byte(`<!DOCTYPE a><html/>`))
	f.Add([]byte("<Response>\xff<Receive/></Response>"))
	f.Add([]byte("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><Response><Receive/></Response>"))
	f.Add([]byte("\xef\xbb\xbf<Response><Receive/></Response>"))
	f.Add([]byte("\n<?xml version=\"1.0\"?><Response><Receive/></Response>"))
	f.Add([]byte("\xff\xfe<\x00"))
	f.Add([]byte(`<?xml version="1.0" encoding="iso-8859-1"?><Response><Receive/></Response>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		here, err := twilio().readTwiML("text/xml", doc)
		if err != nil && codeOf(err) == 0 {
			t.Fatalf("an error without a code: %v", err)
		}
		there, otherErr := twiml.Parse(strings.NewReader(string(doc)))
		if (err == nil) != (otherErr == nil) {
			t.Fatalf("%q: here %v, there %v", doc, err, otherErr)
		}
		if err == nil && here.reject != (there.Receive == nil) {
			t.Fatalf("%q: here %+v, there %+v", doc, here, there)
		}
		if err == nil && !here.reject && here.action != there.Receive.Action {
			t.Fatalf("%q: action %q, there %q", doc, here.action, there.Receive.Action)
		}
	})
}
