package sandbox_test

import (
	"testing"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// Each kind of key may do what such keys may, and is told apart from wrong
// credentials in the words of the provider.
func TestKeysOfEachKind(t *testing.T) {
	s := open(t, sandbox.Options{})
	a := s.Account()
	for _, k := range []struct {
		name                         string
		key                          sandbox.Key
		account, numbers, buy, faxes int
	}{
		{"token", sandbox.Key{ID: a.Account, Secret: a.Token}, 200, 200, 201, 200},
		{"main", sandbox.Key{ID: a.APIKey, Secret: a.APISecret}, 200, 200, 400, 200},
		{"standard", a.Standard, 401, 200, 400, 200},
		{"restricted", a.Restricted, 403, 200, 403, 403},
		{"wrong", sandbox.Key{ID: a.Standard.ID, Secret: a.Restricted.Secret}, 401, 401, 401, 401},
		{"none", sandbox.Key{}, 401, 401, 401, 401},
	} {
		c := call(t, s, sandbox.Twilio)
		c.user, c.password = k.key.ID, k.key.Secret
		for _, ask := range []struct {
			method, path, form string
			want               int
		}{
			{"GET", "/2010-04-01/Accounts/" + a.Account + ".json", "", k.account},
			{"GET", "IncomingPhoneNumbers.json", "", k.numbers},
			{"POST", "IncomingPhoneNumbers.json", "PhoneNumber=%2B15005550006", k.buy},
			{"GET", "/v1/Faxes", "", k.faxes},
		} {
			c.do(ask.method, ask.path, ask.form, ask.want)
		}
	}
}

// A number that moves to a subaccount is found there and nowhere else.
func TestNumbersMove(t *testing.T) {
	s := open(t, sandbox.Options{})
	a := s.Account()
	own := call(t, s, sandbox.Twilio)
	sub := own
	sub.root = "/2010-04-01/Accounts/" + a.Subaccount
	path := "IncomingPhoneNumbers/" + own.buy("PhoneNumber=%2B15005550006") + ".json"
	if in := own.do("POST", path, "AccountSid="+a.Subaccount, 200).at("account_sid"); in != a.Subaccount {
		t.Errorf("it is in %v", in)
	}
	own.do("GET", path, "", 404)
	own.do("POST", path, "FriendlyName=x", 404)
	own.do("DELETE", path, "", 404)
	sub.do("GET", path, "", 200)
	for c, want := range map[*caller]int{&own: 0, &sub: 1} {
		if all, _ := c.get("IncomingPhoneNumbers.json").at("incoming_phone_numbers").([]any); len(all) != want {
			t.Errorf("%s lists %d numbers", c.root, len(all))
		}
	}
	sub.do("DELETE", path, "", 204)
}
