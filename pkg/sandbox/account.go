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
	APIKey     string // Twilio only: a main key and its secret instead of account and token
	APISecret  string

	// Twilio only: keys that may do less. A standard one may not read accounts,
	// a restricted one only look at numbers.
	Standard, Restricted Key

	Subaccount string // Twilio only: an account below; the same credentials reach its numbers
}

// Key is an API key that stands for an account and its token.
type Key struct{ ID, Secret string }

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
		Standard:   Key{"SK" + strings.Repeat("5a4db0c6", 4), strings.Repeat("sandbox2", 4)},
		Restricted: Key{"SK" + strings.Repeat("5a4db0c7", 4), strings.Repeat("sandbox3", 4)},
		Subaccount: "AC" + strings.Repeat("5a4db0c6", 4),
	}
}

func signalWireAccount() Credentials {
	return Credentials{
		Account:    "5a4db0c5-5a4d-4b0c-8a4d-b0c55a4db0c5",
		Token:      "PT" + strings.Repeat("sandbox0", 6),
		SigningKey: "PSK_" + strings.Repeat("sandbox2", 3),
	}
}

// rights are what a caller may do.
type rights int8

const (
	nothing    rights = iota // not known
	looking                  // a restricted key
	working                  // a standard key
	everything               // the account itself, or a main key
)

// rights tells whose credentials the request carries.
// Source: https://www.twilio.com/docs/iam/api-keys/keys-in-console
func (c Credentials) rights(r *http.Request) rights {
	user, password, ok := r.BasicAuth()
	if !ok {
		return nothing
	}
	for _, known := range []struct {
		Key
		rights
	}{{Key{c.Account, c.Token}, everything}, {Key{c.APIKey, c.APISecret}, everything}, {c.Standard, working}, {c.Restricted, looking}} {
		if known.ID != "" && same(user, known.ID) && same(password, known.Secret) {
			return known.rights
		}
	}
	return nothing
}

// permit refuses what the caller may not do: a standard key in the words for wrong
// credentials, as Twilio does.
// Source: https://www.twilio.com/docs/api/errors/20003
func (c Credentials) permit(r *http.Request, rt route) error {
	needs := rt.needs
	if needs == nothing {
		needs = working
	}
	if has := c.rights(r); rt.open || has >= needs {
		return nil
	} else if has == looking {
		return failure{http.StatusForbidden, 20003, "Permission denied: the key has no permission for this resource"}
	}
	return unauthorized()
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *Sandbox) accountRoutes() []route {
	return []route{{pattern: "GET " + s.accountPath(""), handle: s.getAccount, needs: everything}}
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
	a, sid, name := s.dialect.account, r.PathValue("account"), "faxctl sandbox"
	if sid == a.Subaccount {
		name = "faxctl sandbox, subaccount"
	}
	return ok(map[string]any{
		"sid":               sid,
		"owner_account_sid": a.Account,
		"friendly_name":     name,
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
