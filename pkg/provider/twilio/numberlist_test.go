package twilio_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// The modes of all numbers come by the page, whatever the order of the two
// lists, and a number that only one of them has stays unknown.
func TestModesByThePage(t *testing.T) {
	d := newDouble(t)
	list := func(key, item string, ids []string) string {
		var all []string
		for _, id := range ids {
			all = append(all, fmt.Sprintf(item, id))
		}
		return `"` + key + `":[` + strings.Join(all, ",") + `]`
	}
	pages := func(pattern, param string, page ...string) {
		d.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			at, _ := strconv.Atoi(r.FormValue(param))
			_, _ = io.WriteString(w, page[at])
		})
	}
	const owned, relayed = `{"sid":"%s","voice_url":"https://fax.example.com/"}`, `{"id":"%s","call_receive_mode":"fax"}`
	pages("GET "+wireNumbers+".json", "Page",
		`{`+list("incoming_phone_numbers", owned, []string{"a", "b"})+`,"next_page_uri":"?Page=1&PageToken=PAb"}`,
		`{`+list("incoming_phone_numbers", owned, []string{"c", "d", "e"})+`}`)
	pages("GET "+relayNumbers, "page_number",
		`{`+list("data", relayed, []string{"a", "d"})+`,"links":{"next":"https://evil.example/?page_number=1&page_token=PAd"}}`,
		`{`+list("data", relayed, []string{"c", "b"})+`,"links":{}}`)
	got, err := fax.Collect(d.open(t, twilio.Config{Dialect: twilio.SignalWire}).Numbers.List(t.Context(), fax.NumberFilter{WithMode: true}))
	if err != nil {
		t.Fatal(err)
	}
	var modes []string
	for _, n := range got {
		modes = append(modes, n.ID+" "+string(n.Mode)+" "+n.FaxURL)
	}
	const url = "https://fax.example.com/"
	if diff := cmp.Diff([]string{"a fax " + url, "b fax " + url, "c fax " + url, "d fax " + url, "e unknown "}, modes); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"GET " + space + wireNumbers + ".json PageSize=1000",
		"GET " + space + relayNumbers + " page_size=1000",
		"GET " + space + relayNumbers + " page_number=1&page_size=1000&page_token=PAd",
		"GET " + space + wireNumbers + ".json Page=1&PageSize=1000&PageToken=PAb",
	}
	if diff := cmp.Diff(want, d.requests()); diff != "" {
		t.Error(diff)
	}
}

// The list of the modes is read in the largest pages that it gives, for a selection
// of many numbers as well: never with a request for each.
func TestModesOfMany(t *testing.T) {
	const owned = 1200
	box := signalWireBox(t, sandbox.SeedOptions{Numbers: owned})
	pages := func(of, each int) int { return (of + each - 1) / each }
	for most, allowed := range map[int]int{
		1000: 2 * pages(owned, 1000),
		100:  pages(owned, 1000) + 2 + pages(owned, 100), // two are refused
	} {
		for name, filter := range map[string]fax.NumberFilter{"all": {WithMode: true}, "some": {WithMode: true, Contains: "+1"}} {
			asked := 0
			p := openBox(t, box, roundTrip(func(r *http.Request) (*http.Response, error) {
				asked++
				if n, _ := strconv.Atoi(r.FormValue("page_size")); n > most {
					w := httptest.NewRecorder()
					http.Error(w, `{"errors":[{"code":"invalid_parameter","message":"page_size is too large"}]}`, http.StatusUnprocessableEntity)
					return w.Result(), nil
				}
				return box.Transport().RoundTrip(r)
			}))
			got, err := fax.Collect(p.Numbers.List(t.Context(), filter))
			if err != nil || len(got) != owned {
				t.Fatalf("%d numbers, %v", len(got), err)
			}
			for _, n := range got {
				if n.Mode == fax.ModeUnknown {
					t.Fatalf("the mode of %s is unknown", n.Phone)
				}
			}
			if asked > allowed {
				t.Errorf("%s, pages of %d: %d requests, want at most %d", name, most, asked, allowed)
			}
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A filter decides here as well: providers match parts of names and numbers.
func TestListFilter(t *testing.T) {
	d := newDouble(t)
	d.answer("GET "+twilioNumbers+".json", http.StatusOK, wire(t, "twilio/numbers.json"))
	n := d.open(t, twilio.Config{}).Numbers
	for filter, want := range map[fax.NumberFilter]int{
		{}:                                1,
		{Phone: "+18005550142"}:           1,
		{Phone: "+1800555014"}:            0,
		{Name: "Records"}:                 1,
		{Name: "Record"}:                  0,
		{Contains: "8005550"}:             1,
		{Contains: "80055*0"}:             1,
		{Contains: "*18005550142"}:        0, // * is a digit, and the number has eleven
		{Contains: "1800555014200000000"}: 0,
		{Contains: "+1800"}:               1,
	} {
		got, err := fax.Collect(n.List(t.Context(), filter))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != want {
			t.Errorf("%+v selects %d, want %d", filter, len(got), want)
		}
	}
}

// signalWireBox is a sandbox that speaks as SignalWire does.
func signalWireBox(t *testing.T, seed sandbox.SeedOptions) *sandbox.Sandbox {
	t.Helper()
	box, err := sandbox.Open(t.Context(), sandbox.Options{Dialect: sandbox.SignalWire})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	if _, err := box.Seed(t.Context(), seed); err != nil {
		t.Fatal(err)
	}
	return box
}

// openBox opens its account, by way of rt.
func openBox(t *testing.T, box *sandbox.Sandbox, rt http.RoundTripper) fax.Provider {
	t.Helper()
	p, err := twilio.Open(twilio.Config{
		Dialect: twilio.SignalWire, AccountID: box.Account().Account, User: box.Account().Account,
		Secret: func() string { return box.Account().Token }, Space: "example.signalwire.com",
		API: &http.Client{Transport: rt},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
