// Package twilio speaks the Twilio REST API and SignalWire's dialect of it, as
// a [fax.Provider].
//
// Use it when a profile says twilio or signalwire; nothing else needs to know
// that the two are cousins. Open takes the credentials and two HTTP clients:
// one for the API, which carries the credentials and whose transport brings
// retries, rate limits and tracing, and one for documents, which carries none.
//
// Requests for numbers are made by the generated calls of twilio-go; requests
// for fax records, which twilio-go no longer knows, by our own code on the same
// seam (twilio-go's client.BaseClient, see call). Answers are decoded here in
// both cases: the generated types drop what faxctl is about (the fax capability
// of a number for sale, the raw record) and refuse a number that is written as
// a string.
//
// The dialects differ in addresses (see dialect) and in what the records leave
// out; every difference is where it matters, none is a second implementation.
//
// Sources: https://www.twilio.com/docs/phone-numbers/api,
// https://www.twilio.com/docs/fax/api,
// https://developer.signalwire.com/compatibility-api/.
package twilio

import (
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// Dialect is which cousin is spoken. It is also the provider's name.
type Dialect string

// The dialects.
const (
	Twilio     Dialect = info.Twilio
	SignalWire Dialect = info.SignalWire
)

// Config is what Open needs to know.
type Config struct {
	Dialect   Dialect
	AccountID string        // account SID (AC…) or project id; it stands in most paths
	User      string        // user name of HTTP Basic: the account, an API key (SK…) or the project
	Owner     string        // account that the credentials are of, when it is not AccountID but above it
	Secret    func() string // its password; a func, so that no printing of a Config shows it

	Edge, Region string // Twilio only: {product}.{edge}.{region}.twilio.com
	Space        string // SignalWire only: the host, example.signalwire.com

	API       *http.Client // carries the credentials; nil: http.DefaultClient
	Documents *http.Client // carries none; nil: http.DefaultClient

	// Patience are the pauses before a request is repeated that was answered with a
	// "not found" in words that are not the provider's; none: it is not repeated.
	Patience []time.Duration

	// APIOrigin is where every call goes instead of the provider's hosts
	// (--api-url); nil: nowhere else. It alone may be http. Links to documents
	// may then point there too.
	APIOrigin *url.URL
}

// Open puts a provider together. It makes no request. ErrInvalid: the
// configuration cannot work.
func Open(c Config) (fax.Provider, error) {
	d, err := c.dialect()
	if err != nil {
		return fax.Provider{}, err
	}
	if err := checkID("account", c.AccountID); err != nil {
		return fax.Provider{}, fmt.Errorf("account: %w", err)
	}
	if c.User == "" || c.Secret == nil {
		return fax.Provider{}, problem.With(fmt.Errorf("%w: no credentials for %s", problem.ErrAuth, c.Dialect), problem.Say("add a profile: %s", problem.Command("profile", "add")))
	}
	a := &account{
		dialect:   d,
		id:        c.AccountID,
		user:      c.User,
		owner:     c.Owner,
		secret:    c.Secret,
		api:       clientOf(c.API),
		documents: clientOf(c.Documents),
		origin:    c.APIOrigin,
		patience:  c.Patience,
	}
	return fax.Provider{
		Name:      string(c.Dialect),
		NoFaxes:   a.otherFaxes(),
		Retention: d.Retention,
		Accounts:  a,
		Numbers:   numbers{a},
		Faxes:     faxes{a},
		Raw:       raw{a},
		Clock:     clock{a, a.dialect.faxes, "faxes"},

		NumbersClock: clock{a, a.dialect.api + "/2010-04-01/Accounts/" + a.id + "/IncomingPhoneNumbers.json", "incoming_phone_numbers"},
	}, nil
}

// clientOf is a copy of c that hands redirects back instead of following them.
// The API does not redirect, and credentials do not travel; documents are
// followed link by link, each one checked.
func clientOf(c *http.Client) *http.Client {
	if c == nil {
		c = http.DefaultClient
	}
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// account is one account at one provider: what every request needs.
type account struct {
	dialect   dialect
	id        string
	user      string
	owner     string
	secret    func() string
	api       *http.Client
	documents *http.Client
	origin    *url.URL
	patience  []time.Duration

	// own is set when a fax was seen that is of this account.
	own atomic.Bool
}

var (
	_ fax.Accounts = (*account)(nil)
	_ fax.Numbers  = numbers{}
	_ fax.Faxes    = faxes{}
	_ fax.Raw      = raw{}
	_ fax.Clock    = clock{}
)
