package sandbox

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseFault(t *testing.T) {
	for text, want := range map[string]Fault{
		"DELETE /Faxes=503@0.1":                {Method: "DELETE", Path: "/Faxes", Kind: FaultStatus, Status: 503, Probability: 0.1},
		"delete /Faxes=503":                    {Method: "DELETE", Path: "/Faxes", Kind: FaultStatus, Status: 503},
		"/=429":                                {Path: "/", Kind: FaultStatus, Status: 429},
		"* /=reset":                            {Path: "/", Kind: FaultReset},
		"POST /IncomingPhoneNumbers$=lost#1":   {Method: "POST", Path: "/IncomingPhoneNumbers$", Kind: FaultLost, Times: 1},
		"DELETE /Faxes/*/Media=422/22121@1#3":  {Method: "DELETE", Path: "/Faxes/*/Media", Kind: FaultStatus, Status: 422, Code: 22121, Probability: 1, Times: 3},
		"GET /Faxes=slow=1.5s@0.5":             {Method: "GET", Path: "/Faxes", Kind: FaultSlow, Delay: 1500 * time.Millisecond, Probability: 0.5},
		"GET /Faxes=truncate":                  {Method: "GET", Path: "/Faxes", Kind: FaultTruncate},
		"GET /Faxes=html":                      {Method: "GET", Path: "/Faxes", Kind: FaultHTML},
		"GET /Faxes=hang":                      {Method: "GET", Path: "/Faxes", Kind: FaultHang},
		"GET /Faxes/*$=404:html":               {Method: "GET", Path: "/Faxes/*$", Kind: FaultStatus, Status: 404, Form: FormHTML},
		"DELETE /Faxes=200:empty":              {Method: "DELETE", Path: "/Faxes", Kind: FaultStatus, Status: 200, Form: FormEmpty},
		"/=404:text@0.5#3~300ms/2s":            {Path: "/", Kind: FaultStatus, Status: 404, Form: FormText, Probability: 0.5, Times: 3, For: 300 * time.Millisecond, Every: 2 * time.Second},
		"/=reset~1s":                           {Path: "/", Kind: FaultReset, For: time.Second},
		"POST /IncomingPhoneNumbers/*=ignore ": {Method: "POST", Path: "/IncomingPhoneNumbers/*", Kind: FaultIgnore},
		"GET /Faxes/FX1$=as=/v1/Faxes/FX2#1":   {Method: "GET", Path: "/Faxes/FX1$", Kind: FaultAs, As: "/v1/Faxes/FX2", Times: 1},
	} {
		got, err := ParseFault(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
	for _, text := range []string{
		"", "=", "503", "/Faxes", "Faxes=503", "GET=503", "GET /a b=503", "/=200", "/=600", "/=503@0", "/=503@2",
		"/=503@NaN", "/=503@x", "/=503#0", "/=503#x", "/=503/x", "/=503/-1", "/=slow", "/=slow=", "/=slow=-1s", "/=sometimes",
		"/=404:", "/=404:xml", "/=100:html", "/=404/20404:html", "/=404~", "/=404~0s", "/=404~2s/1s", "/=404~1s/x", "/=reset:html",
		"/=as", "/=as=", "/=as=v1", "/=as=/v1?a",
	} {
		if f, err := ParseFault(text); err == nil {
			t.Errorf("%q is taken as %+v", text, f)
		}
	}
}

func FuzzParseFault(f *testing.F) {
	f.Add("DELETE /Faxes=503@0.1")
	f.Add("POST /a/*/b$=slow=1s@0.5#3")
	f.Add("/=422/22121")
	f.Fuzz(func(t *testing.T, text string) {
		fault, err := ParseFault(text)
		if err != nil {
			return
		}
		if fault.Kind == FaultStatus && (fault.Status < 200 || fault.Form == FormAPI && fault.Status < 400 || fault.Status > 599) || fault.Probability < 0 || fault.Probability > 1 {
			t.Errorf("%q is %+v", text, fault)
		}
		fault.matches(httptest.NewRequest(http.MethodGet, "/a/b/c.json", nil))
	})
}

func TestFaultMatches(t *testing.T) {
	const list = "/2010-04-01/Accounts/AC1/IncomingPhoneNumbers"
	for _, c := range []struct {
		fault, method, path string
		want                bool
	}{
		{"/=503", "GET", list + ".json", true},
		{"/IncomingPhoneNumbers=503", "GET", list + ".json?Page=0", true},
		{"/IncomingPhoneNumbers=503", "DELETE", list + "/PN1.json", true},
		{"GET /IncomingPhoneNumbers=503", "DELETE", list + "/PN1.json", false},
		{"/IncomingPhoneNumbers/*=503", "POST", list + "/PN1.json", true},
		{"/IncomingPhoneNumbers/*=503", "POST", list + ".json", false},
		{"/IncomingPhoneNumbers$=503", "POST", list + "/PN1.json", false},
		{"/IncomingPhoneNumbers$=503", "POST", list + ".json", true},
		{"/Accounts/*/IncomingPhoneNumbers=503", "GET", list, true},
		{"/PhoneNumbers=503", "GET", list, false},
		{"/Faxes=503", "GET", list, false},
	} {
		f, err := ParseFault(c.fault)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.matches(httptest.NewRequest(c.method, c.path, nil)); got != c.want {
			t.Errorf("%s on %s %s: %v", c.fault, c.method, c.path, got)
		}
	}
}
