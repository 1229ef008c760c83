package twilio_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
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
		"GET " + space + wireNumbers + ".json PageSize=50",
		"GET " + space + relayNumbers + " page_size=50",
		"GET " + space + relayNumbers + " page_number=1&page_size=50&page_token=PAd",
		"GET " + space + wireNumbers + ".json Page=1&PageSize=50&PageToken=PAb",
	}
	if diff := cmp.Diff(want, d.requests()); diff != "" {
		t.Error(diff)
	}
}

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
