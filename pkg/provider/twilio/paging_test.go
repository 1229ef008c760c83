package twilio

import (
	"errors"
	"net/url"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// The links of both dialects, and what is taken from them: the page, never the
// place.
func TestCursorOf(t *testing.T) {
	for link, want := range map[string]string{
		"": "",
		"/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json?PageSize=50&Page=1&PageToken=PAPN9":                          "Page=1&PageToken=PAPN9",
		"https://fax.twilio.com/v1/Faxes?From=%2B14165550111&PageSize=50&Page=1&PageToken=PAFX9":                         "Page=1&PageToken=PAFX9",
		"/api/laml/2010-04-01/Accounts/b3877c40/Faxes?Page=2&PageSize=50&PageToken=PA1f0aa6f2":                           "Page=2&PageToken=PA1f0aa6f2",
		"/fax/v1/Faxes?Page=1&PageSize=50&PageToken=PA1f0aa6f2":                                                          "Page=1&PageToken=PA1f0aa6f2",
		"https://evil.example/steal?PageToken=PA%26AccountSid%3DAC666":                                                   "PageToken=PA%26AccountSid%3DAC666",
		"//evil.example/2010-04-01/Accounts/AC666/Calls.json?Page=1&PageSize=9999999&PageToken=x&Url=http://evil&Page=7": "Page=1&PageToken=x",
	} {
		got, err := cursorOf(link, "Page", "PageToken")
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", link, got, err, want)
		}
	}
	for _, link := range []string{"/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json", "https://[::1", "%zz", "?page=1"} {
		if _, err := cursorOf(link, "Page", "PageToken"); !errors.Is(err, problem.ErrUnavailable) {
			t.Errorf("%s: %v", link, err)
		}
	}
}

// Whatever the link, the cursor holds a page and a token and leads back to the
// same two.
func FuzzCursorOf(f *testing.F) {
	for _, seed := range []string{"", "?Page=1", "/a?Page=1&PageToken=PA", "https://x/?PageToken=%00&a=b", "?Page=1;PageToken=2", "//h?Page=%zz&PageToken=1", "?Page=&PageToken="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, link string) {
		cursor, err := cursorOf(link, "Page", "PageToken")
		if err != nil || cursor == "" {
			return
		}
		query, err := url.ParseQuery(cursor)
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range query {
			if name != "Page" && name != "PageToken" || len(values) != 1 {
				t.Fatalf("%q holds %s", cursor, name)
			}
		}
		number, token, err := pageOf(cursor)
		if err != nil || number == "" && token == "" {
			t.Fatalf("%q: %q, %q, %v", cursor, number, token, err)
		}
	})
}
