package sandbox

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// Credentials open the sandbox's one account. They are the same everywhere and
// worth nothing.
type Credentials struct {
	Account    string // account SID (Twilio) or project id (SignalWire)
	Token      string // auth token or API token
	SigningKey string // signs callbacks; Twilio signs with the auth token
	APIKey     string // Twilio only: a key and its secret instead of account and token
	APISecret  string
}

// Account is what the sandbox accepts; any other user name or password is
// answered 401.
func (s *Sandbox) Account() Credentials { return s.dialect.account }

// Account is what every sandbox of a dialect accepts; the zero value for a
// dialect that does not exist.
func Account(d Dialect) Credentials {
	spoken, _ := dialectNamed(d)
	return spoken.account
}

func twilioAccount() Credentials {
	token := strings.Repeat("sandbox0", 4)
	return Credentials{
		Account:    "AC" + strings.Repeat("5a4db0c5", 4),
		Token:      token,
		SigningKey: token,
		APIKey:     "SK" + strings.Repeat("5a4db0c5", 4),
		APISecret:  strings.Repeat("sandbox1", 4),
	}
}

func signalWireAccount() Credentials {
	return Credentials{
		Account:    "5a4db0c5-5a4d-4b0c-8a4d-b0c55a4db0c5",
		Token:      "PT" + strings.Repeat("sandbox0", 6),
		SigningKey: "PSK_" + strings.Repeat("sandbox2", 3),
	}
}

// authorized tells whether the request carries the account's credentials.
func (c Credentials) authorized(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	if !ok {
		return false
	}
	return same(user, c.Account) && same(password, c.Token) ||
		c.APIKey != "" && same(user, c.APIKey) && same(password, c.APISecret)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *Sandbox) accountRoutes() []route {
	return []route{{pattern: "GET " + s.accountPath(""), handle: s.getAccount}}
}

// accountPath is the path of something in the account as a pattern, without
// .json.
func (s *Sandbox) accountPath(rest string) string {
	return s.dialect.root + "/Accounts/{account}" + rest
}

// accountURI is the same path as the service writes it in answers.
func (s *Sandbox) accountURI(rest string) string {
	return s.dialect.root + "/Accounts/" + s.dialect.account.Account + rest + s.dialect.suffix
}

func (s *Sandbox) getAccount(r *http.Request) (reply, error) {
	created, err := s.state.created(r.Context())
	if err != nil {
		return reply{}, err
	}
	a := s.dialect.account
	return ok(map[string]any{
		"sid":               a.Account,
		"owner_account_sid": a.Account,
		"friendly_name":     "faxctl sandbox",
		"auth_token":        a.Token,
		"status":            "active",
		"type":              "Full",
		"date_created":      rfc2822(created),
		"date_updated":      rfc2822(created),
		"uri":               s.accountURI(""),
		"subresource_uris": map[string]string{
			"available_phone_numbers": s.accountURI("/AvailablePhoneNumbers"),
			"incoming_phone_numbers":  s.accountURI("/IncomingPhoneNumbers"),
		},
	}), nil
}
