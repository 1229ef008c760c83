package sandbox_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

func TestPaging(t *testing.T) {
	for _, dialect := range sandbox.Dialects() {
		s := open(t, sandbox.Options{Dialect: dialect})
		if _, err := s.Seed(t.Context(), sandbox.SeedOptions{Numbers: 23}); err != nil {
			t.Fatal(err)
		}
		c := call(t, s, dialect)
		whole := ids(c.get("IncomingPhoneNumbers.json"))
		if len(whole) != 23 {
			t.Fatalf("%s: %d numbers on one page, want 23", dialect, len(whole))
		}

		var forward, pages []string
		for next := any("IncomingPhoneNumbers.json?PageSize=5"); next != nil; {
			a := c.get(next.(string))
			if want := len(forward); a.at("start") != float64(want) || a.at("page") != float64(len(pages)) || a.at("page_size") != 5.0 {
				t.Errorf("%s: page %v of %v starts at %v, want page %d at %d", dialect, a.at("page"), a.at("page_size"), a.at("start"), len(pages), want)
			}
			forward = append(forward, ids(a)...)
			pages = append(pages, fmt.Sprint(a.at("previous_page_uri")))
			next = a.at("next_page_uri")
		}
		if !slices.Equal(forward, whole) {
			t.Errorf("%s: page by page %v\nat once %v", dialect, forward, whole)
		}

		// And back again, to the first page.
		back := slices.Clone(whole[20:])
		for previous := any(pages[len(pages)-1]); previous != nil; {
			a := c.get(previous.(string))
			back = append(ids(a), back...)
			previous = a.at("previous_page_uri")
		}
		if !slices.Equal(back, whole) {
			t.Errorf("%s: backwards %v\nat once %v", dialect, back, whole)
		}
	}
}

// A row that goes while a list is read shifts nothing: no row is missed.
func TestPagingWhileNumbersGo(t *testing.T) {
	s := open(t, sandbox.Options{})
	if _, err := s.Seed(t.Context(), sandbox.SeedOptions{Numbers: 9}); err != nil {
		t.Fatal(err)
	}
	c := call(t, s, sandbox.Twilio)
	seen := 0
	for next := any("IncomingPhoneNumbers.json?PageSize=2"); next != nil; {
		a := c.get(next.(string))
		for _, id := range ids(a) {
			c.do("DELETE", "IncomingPhoneNumbers/"+id+".json", "", 204)
			seen++
		}
		next = a.at("next_page_uri")
	}
	if seen != 9 {
		t.Errorf("%d of 9 seen", seen)
	}
}

func TestListFilters(t *testing.T) {
	s := open(t, sandbox.Options{})
	c := call(t, s, sandbox.Twilio)
	c.buy("AreaCode=415&FriendlyName=one")
	c.buy("AreaCode=212&FriendlyName=two")
	c.buy("PhoneNumber=%2B15005550006&FriendlyName=two")
	for query, want := range map[string]int{
		"":                                  3,
		"?FriendlyName=two":                 2,
		"?FriendlyName=tw":                  0,
		"?PhoneNumber=%2B15005550006":       1,
		"?PhoneNumber=500555***6":           1,
		"?PhoneNumber=415":                  1,
		"?PhoneNumber=%2B1":                 3,
		"?FriendlyName=two&PhoneNumber=212": 1,
		"?Origin=hosted":                    0,
		"?Origin=twilio":                    3,
		"?Beta=false":                       3,
	} {
		if got := len(ids(c.get("IncomingPhoneNumbers.json" + query))); got != want {
			t.Errorf("%s: %d numbers, want %d", query, got, want)
		}
	}
	for kind, want := range map[string]int{"Local": 3, "TollFree": 0} {
		if got := len(ids(c.get("IncomingPhoneNumbers/" + kind + ".json"))); got != want {
			t.Errorf("%s: %d numbers, want %d", kind, got, want)
		}
	}
	// Links carry the filters along.
	a := c.get("IncomingPhoneNumbers.json?FriendlyName=two&PageSize=1")
	if rest := c.get(a.at("next_page_uri").(string)); len(ids(rest)) != 1 || rest.at("next_page_uri") != nil {
		t.Errorf("second page: %s", rest.text)
	}
}

func TestRelayList(t *testing.T) {
	s := open(t, sandbox.Options{Dialect: sandbox.SignalWire})
	if _, err := s.Seed(t.Context(), sandbox.SeedOptions{Numbers: 7}); err != nil {
		t.Fatal(err)
	}
	c := call(t, s, sandbox.SignalWire)
	seen := map[any]bool{}
	for next := any("/api/relay/rest/phone_numbers?page_size=3"); next != nil; {
		a := c.get(next.(string))
		for _, n := range a.list("data") {
			seen[n["number"]] = true
		}
		next = a.at("links", "next")
	}
	if len(seen) != 7 {
		t.Errorf("%d of 7 seen", len(seen))
	}
}

func ids(a answer) []string {
	var all []string
	for _, n := range a.list("incoming_phone_numbers") {
		id, _ := n["sid"].(string)
		all = append(all, id)
	}
	return all
}
