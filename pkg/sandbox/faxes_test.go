package sandbox_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// noon is when the faxes of these tests are looked at.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// clock is a sandbox's time, to be moved.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func openAt(t *testing.T, o sandbox.Options) (*sandbox.Sandbox, *clock) {
	t.Helper()
	c := &clock{noon}
	o.Now = c.now
	return open(t, o), c
}

// faxes is the path of the fax resource.
func (c caller) faxes(rest string) string {
	if strings.HasPrefix(c.root, "/api/laml") {
		return c.root + "/Faxes" + rest
	}
	return "/v1/Faxes" + rest
}

func add(t *testing.T, s *sandbox.Sandbox, f sandbox.Fax) sandbox.Fax {
	t.Helper()
	if f.From == "" {
		f.From, f.To = "+14155550123", "+16285550147"
	}
	f, err := s.AddFax(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func sids(a answer) []string {
	all := []string{}
	for _, f := range a.list("faxes") {
		id, _ := f["sid"].(string)
		all = append(all, id)
	}
	return all
}

// The wire says what each provider says, to the key.
func TestFaxShape(t *testing.T) {
	s, _ := openAt(t, sandbox.Options{})
	c := call(t, s, sandbox.Twilio)
	f := add(t, s, sandbox.Fax{Pages: 3, Duration: 70, Price: "0.03", Quality: "fine", Created: noon.Add(-time.Hour)})
	a := c.get(c.faxes("/" + f.ID))
	link, _ := a.at("media_url").(string)
	if !strings.HasPrefix(link, "https://provider.example.com/media-cdn/"+f.ID+"/"+f.MediaID+".pdf?Expires=1795442400&Signature=") {
		t.Errorf("media_url %s", link)
	}
	self := "https://provider.example.com/v1/Faxes/" + f.ID
	want := map[string]any{
		"sid": f.ID, "account_sid": s.Account().Account, "api_version": "v1",
		"from": "+14155550123", "to": "+16285550147", "direction": "inbound", "status": "received", "quality": "fine",
		"num_pages": 3.0, "duration": 70.0, "price": 0.03, "price_unit": "USD",
		"media_sid": f.MediaID, "media_url": link,
		"date_created": "2026-11-23T11:00:00Z", "date_updated": "2026-11-23T11:00:00Z",
		"links": map[string]any{"media": self + "/Media"}, "url": self,
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	s, _ = openAt(t, sandbox.Options{Dialect: sandbox.SignalWire})
	c = call(t, s, sandbox.SignalWire)
	f = add(t, s, sandbox.Fax{Status: "failed", ErrorCode: 34004, ErrorMessage: `lost in "transit"` + "\x1b", Created: noon})
	self = c.root + "/Faxes/" + f.ID
	want = map[string]any{
		"sid": f.ID, "account_sid": s.Account().Account, "api_version": "v1",
		"from": "+14155550123", "to": "+16285550147", "direction": "inbound", "status": "failed", "quality": "standard",
		"num_pages": nil, "duration": nil, "price": nil, "price_unit": nil, "media_sid": nil, "media_url": nil,
		"error_code": 34004.0, "error_message": `lost in "transit"` + "\x1b",
		"date_created": "2026-11-23T12:00:00Z", "date_updated": "2026-11-23T12:00:00Z",
		"links": map[string]any{"media": self + "/Media"}, "url": self,
	}
	if diff := cmp.Diff(want, c.get(c.faxes("/"+f.ID)).body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Numbers come as numbers and as strings.
	seen := map[string]bool{}
	for range 64 {
		f := add(t, s, sandbox.Fax{Pages: 2, Duration: 40, Price: "0.02"})
		a := c.get(c.faxes("/" + f.ID))
		seen[fmt.Sprintf("%T%T%T", a.at("num_pages"), a.at("duration"), a.at("price"))] = true
	}
	if !seen["stringstringstring"] || !seen["float64float64float64"] || len(seen) != 2 {
		t.Errorf("numbers of SignalWire come as %v", seen)
	}
}

func TestFaxFilters(t *testing.T) {
	for _, dialect := range sandbox.Dialects() {
		s, _ := openAt(t, sandbox.Options{Dialect: dialect})
		c := call(t, s, dialect)
		at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
		a := add(t, s, sandbox.Fax{From: "+14155550101", To: "+16285550147", Created: at(-3)})
		b := add(t, s, sandbox.Fax{From: "+14155550102", To: "+16285550147", Created: at(-2)})
		d := add(t, s, sandbox.Fax{From: "+14155550101", To: "+16285550148", Created: at(-1)})
		e := add(t, s, sandbox.Fax{From: "+14155550101", To: "+16285550148", Created: at(-1)})
		for query, want := range map[string][]string{
			"":                                              {e.ID, d.ID, b.ID, a.ID},
			"?From=%2B14155550101":                          {e.ID, d.ID, a.ID},
			"?To=%2B16285550147":                            {b.ID, a.ID},
			"?From=%2B14155550101&To=%2B1628":               {},
			"?DateCreatedAfter=2026-11-23T10:00:00Z":        {e.ID, d.ID}, // strictly
			"?DateCreatedAfter=2026-11-23T09:59:59Z":        {e.ID, d.ID, b.ID},
			"?DateCreatedAfter=2026-11-23T09:59:59.5Z":      {e.ID, d.ID, b.ID},
			"?DateCreatedOnOrBefore=2026-11-23T10:00:00Z":   {b.ID, a.ID}, // and at that instant
			"?DateCreatedOnOrBefore=2026-11-23T10:59:59.9Z": {b.ID, a.ID},
			"?DateCreatedAfter=2026-11-23T12:00:00%2B02:00": {e.ID, d.ID},
			"?DateCreatedAfter=2026-11-23&DateCreatedOnOrBefore=2026-11-23T09:00:00Z": {a.ID},
			"?DateCreatedOnOrBefore=1901-01-01":                                       {},
		} {
			if got := sids(c.get(c.faxes(query))); !slices.Equal(got, want) {
				t.Errorf("%s %s: %v, want %v", dialect, query, got, want)
			}
		}
		bad := map[sandbox.Dialect]int{sandbox.Twilio: 400, sandbox.SignalWire: 422}[dialect]
		c.do("GET", c.faxes("?DateCreatedAfter=yesterday"), "", bad)
		c.do("GET", c.faxes("?Page=1"), "", 400)
		c.do("GET", c.faxes("?PageSize=0"), "", 400)
		if got := c.get(c.faxes("?PageSize=5000")); got.at("page_size") != 1000.0 && got.at("meta", "page_size") != 1000.0 {
			t.Errorf("%s: a page of 5000: %s", dialect, got.text)
		}
	}
}

// TestFaxPaging follows the links of each dialect to the end and back.
func TestFaxPaging(t *testing.T) {
	const origin = "https://provider.example.com"
	for _, dialect := range sandbox.Dialects() {
		s, _ := openAt(t, sandbox.Options{Dialect: dialect})
		if _, err := s.Seed(t.Context(), sandbox.SeedOptions{Faxes: 230}); err != nil {
			t.Fatal(err)
		}
		c := call(t, s, dialect)
		link := func(a answer, which string) string {
			var v any
			if dialect == sandbox.Twilio {
				if a.at("meta", "key") != "faxes" {
					t.Errorf("meta: %v", a.at("meta"))
				}
				v = a.at("meta", which+"_page_url")
			} else {
				v = a.at(which + "_page_uri")
			}
			text, _ := v.(string)
			if dialect == sandbox.Twilio && text != "" && !strings.HasPrefix(text, origin+"/v1/Faxes?") {
				t.Errorf("%s link %s", which, text)
			}
			return strings.TrimPrefix(text, origin)
		}
		filter := "DateCreatedAfter=2026-09-01T00:00:00Z"
		whole := sids(c.get(c.faxes("?PageSize=1000&" + filter)))
		if len(whole) < 150 {
			t.Fatalf("%d faxes", len(whole))
		}
		var forward []string
		var last answer
		for next := c.faxes("?PageSize=40&" + filter); next != ""; next = link(last, "next") {
			last = c.get(next)
			if end, flat := last.at("end").(float64); flat && int(end) != len(forward)+len(sids(last))-1 {
				t.Errorf("%s: %d faxes after %d end with %v", dialect, len(sids(last)), len(forward), end)
			}
			forward = append(forward, sids(last)...)
			if after := link(last, "next"); after != "" && !strings.Contains(after, "DateCreatedAfter=2026-09-01") {
				t.Errorf("%s: the filter is not in %s", dialect, after)
			}
		}
		if diff := cmp.Diff(whole, forward); diff != "" {
			t.Errorf("%s: at once and page by page:\n%s", dialect, diff)
		}
		back := sids(last)
		for previous := link(last, "previous"); previous != ""; previous = link(last, "previous") {
			last = c.get(previous)
			back = append(sids(last), back...)
		}
		if diff := cmp.Diff(whole, back); diff != "" {
			t.Errorf("%s: at once and backwards:\n%s", dialect, diff)
		}
		if first := sids(c.get(link(last, "first"))); !slices.Equal(first, whole[:40]) {
			t.Errorf("%s: the first page is %v", dialect, first)
		}
	}
	// Whoever asks through another address is led on there.
	s, _ := openAt(t, sandbox.Options{})
	add(t, s, sandbox.Fax{})
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/v1/Faxes", nil)
	r.SetBasicAuth(s.Account().Account, s.Account().Token)
	res, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if body := read(t, res); strings.Count(body, `"http://127.0.0.1:8080/`) != 5 {
		t.Errorf("links do not lead to the host that was asked: %s", body)
	}
}

func TestDeleteFax(t *testing.T) {
	for _, dialect := range sandbox.Dialects() {
		s, _ := openAt(t, sandbox.Options{Dialect: dialect})
		c := call(t, s, dialect)
		done := add(t, s, sandbox.Fax{})
		running := add(t, s, sandbox.Fax{Status: "receiving"})
		c.do("DELETE", c.faxes("/"+done.ID), "", 204)
		c.do("DELETE", c.faxes("/"+done.ID), "", 404)
		c.do("GET", c.faxes("/"+done.ID), "", 404)
		c.do("GET", c.faxes("/"+done.ID+"/Media"), "", 404)
		if a := c.do("DELETE", c.faxes("/"+running.ID), "", 409); fmt.Sprint(a.at("code")) != "20009" {
			t.Errorf("%s: in progress: %s", dialect, a.text)
		}
		if got := sids(c.get(c.faxes(""))); !slices.Equal(got, []string{running.ID}) {
			t.Errorf("%s: left over: %v", dialect, got)
		}
		c.do("DELETE", c.faxes("/nonsense"), "", 404)
		c.do("DELETE", c.faxes(""), "", 405)
	}
}

// TestRetention: Twilio forgets a fax after 180 days.
func TestRetention(t *testing.T) {
	for dialect, kept := range map[sandbox.Dialect]int{sandbox.Twilio: 0, sandbox.SignalWire: 1} {
		s, now := openAt(t, sandbox.Options{Dialect: dialect})
		c := call(t, s, dialect)
		f := add(t, s, sandbox.Fax{})
		now.Time = noon.AddDate(0, 0, 180)
		c.get(c.faxes("/" + f.ID))
		now.Time = now.Add(time.Second)
		if got := len(sids(c.get(c.faxes("")))); got != kept {
			t.Errorf("%s: %d faxes listed, want %d", dialect, got, kept)
		}
		status := map[int]int{0: 404, 1: 200}[kept]
		c.do("GET", c.faxes("/"+f.ID), "", status)
		c.do("GET", c.faxes("/"+f.ID+"/Media"), "", status)
		c.do("DELETE", c.faxes("/"+f.ID), "", map[int]int{404: 404, 200: 204}[status])
	}
}

func TestEndOfLife(t *testing.T) {
	s, _ := openAt(t, sandbox.Options{EndOfLife: true})
	c := call(t, s, sandbox.Twilio)
	f := add(t, s, sandbox.Fax{})
	for method, paths := range map[string][]string{"GET": {"", "/" + f.ID, "/" + f.ID + "/Media"}, "DELETE": {"/" + f.ID}} {
		for _, path := range paths {
			status, code := 403, 34005.0
			if path == "" {
				status, code = 404, 20404
			}
			if a := c.do(method, c.faxes(path), "", status); a.at("code") != code {
				t.Errorf("%s %s: %s", method, path, a.text)
			}
		}
	}
	c.get("IncomingPhoneNumbers.json") // numbers are alive
}

func TestSendAndCancel(t *testing.T) {
	s, _ := openAt(t, sandbox.Options{Dialect: sandbox.SignalWire})
	c := call(t, s, sandbox.SignalWire)
	const form = "From=%2B14155550123&To=%2B16285550147&MediaUrl=https%3A%2F%2Fexample.com%2Fa.pdf"
	a := c.do("POST", c.faxes(""), form, 201)
	if a.at("status") != "queued" || a.at("direction") != "outbound" || a.at("media_sid") != nil {
		t.Errorf("sent: %s", a.text)
	}
	path := c.faxes("/" + a.at("sid").(string))
	c.do("DELETE", path, "", 409)
	c.do("POST", path, "Status=delivered", 422)
	if a := c.do("POST", path, "Status=canceled", 200); a.at("status") != "canceled" {
		t.Errorf("canceled: %s", a.text)
	}
	if a := c.do("POST", path, "Status=canceled", 422); a.at("code") != 10000.0 {
		t.Errorf("canceled twice: %s", a.text)
	}
	c.do("DELETE", path, "", 204)
	for _, bad := range []string{"", strings.Replace(form, "%2B1415", "415", 1), strings.Replace(form, "https", "ftp", 1), form + "&Quality=best"} {
		c.do("POST", c.faxes(""), bad, 422)
	}
	if left := sids(c.get(c.faxes(""))); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
	// At Twilio nobody sends any more.
	s, _ = openAt(t, sandbox.Options{})
	call(t, s, sandbox.Twilio).do("POST", "/v1/Faxes", form, 405)
}

func TestChangeFax(t *testing.T) {
	s, now := openAt(t, sandbox.Options{})
	c := call(t, s, sandbox.Twilio)
	f := add(t, s, sandbox.Fax{Status: "receiving"})
	if a := c.get(c.faxes("/" + f.ID)); a.at("media_sid") != nil || a.at("num_pages") != nil {
		t.Errorf("while receiving: %s", a.text)
	}
	now.Time = noon.Add(time.Minute)
	g, err := s.ChangeFax(t.Context(), f.ID, func(f *sandbox.Fax) error {
		f.Status, f.Pages = "received", 2
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a := c.get(c.faxes("/" + f.ID))
	if a.at("status") != "received" || a.at("media_sid") != g.MediaID || a.at("date_created") != "2026-11-23T12:00:00Z" || a.at("date_updated") != "2026-11-23T12:01:00Z" {
		t.Errorf("received: %s", a.text)
	}
	if _, err := s.ChangeFax(t.Context(), "FX"+strings.Repeat("0", 32), func(*sandbox.Fax) error { return nil }); !errors.Is(err, sandbox.ErrNoFax) {
		t.Errorf("no such fax: %v", err)
	}
	refused := errors.New("changed my mind")
	if _, err := s.ChangeFax(t.Context(), f.ID, func(*sandbox.Fax) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("refused: %v", err)
	}
	for _, bad := range []sandbox.Fax{{Status: "lost"}, {Direction: "up"}, {Quality: "best"}, {PageSize: "a5"}, {ContentType: "text/html"}, {Pages: -1}} {
		if _, err := s.AddFax(t.Context(), bad); err == nil {
			t.Errorf("%+v was added", bad)
		}
	}
}
