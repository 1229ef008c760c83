package sandbox

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Dialect names the provider a sandbox speaks like.
type Dialect string

// The dialects.
const (
	Twilio     Dialect = "twilio"
	SignalWire Dialect = "signalwire"
)

// Dialects lists them for help and completion.
func Dialects() []Dialect { return []Dialect{Twilio, SignalWire} }

// dialect is all that differs between the providers: paths, shapes, quirks.
// Everything else is said once.
type dialect struct {
	name    Dialect
	account Credentials

	root      string // of the 2010 API, before /Accounts
	otherRoot string // where the same is served too
	suffix    string // of a path in an answer: ".json" or none
	xml       bool   // answers XML when the path does not end in .json
	requestID string // response header

	types       []string // of numbers for sale, as paths spell them
	filters     []string // of a search that count; nil: all
	faxOffers   bool     // offers say whether a number does fax
	areaCodeBuy bool     // a purchase may name an area code only
	showsMode   bool     // a number carries voice_receive_mode
	unset       any      // how an empty URL reads: "" or null

	faxRoot    string                     // of the fax API; "": below the account like everything else
	base       func(*http.Request) string // what links of the fax API begin with, before the path
	retention  time.Duration              // of faxes; 0: until deleted
	sendsFaxes bool

	signature    string        // header of a request to an application
	userAgent    string        // of such a request
	connectLimit time.Duration // until an application is reached
	answerLimit  time.Duration // until it begins to answer
	callLimit    time.Duration // until it has answered, redirects and all

	badInput  int // status of a refused parameter
	errorBody func(failure) any
	noRoute   http.HandlerFunc // a path nobody serves; nil: an error like any other
}

func dialectNamed(name Dialect) (dialect, error) {
	switch name {
	case "", Twilio:
		return twilio(), nil
	case SignalWire:
		return signalWire(), nil
	}
	return dialect{}, fmt.Errorf("dialect %q: want twilio or signalwire", name)
}

func twilio() dialect {
	return dialect{
		name:        Twilio,
		account:     twilioAccount(),
		root:        "/2010-04-01",
		suffix:      ".json",
		xml:         true,
		requestID:   "Twilio-Request-Id",
		types:       []string{"Local", "TollFree", "Mobile", "National", "Voip", "SharedCost", "MachineToMachine"},
		faxOffers:   true,
		areaCodeBuy: true,
		showsMode:   true,
		unset:       "",
		faxRoot:     "/v1/Faxes",
		base:        origin,
		retention:   180 * 24 * time.Hour,

		signature: "X-Twilio-Signature", userAgent: "TwilioProxy/1.1",
		connectLimit: 15 * time.Second, answerLimit: 15 * time.Second, callLimit: 15 * time.Second,

		badInput:  http.StatusBadRequest,
		errorBody: failure.twilioBody,
	}
}

func signalWire() dialect {
	return dialect{
		name:       SignalWire,
		account:    signalWireAccount(),
		root:       "/api/laml/2010-04-01",
		otherRoot:  "/2010-04-01", // what SignalWire's own library asks
		requestID:  "X-Request-Id",
		types:      []string{"Local", "TollFree"},
		filters:    []string{"AreaCode", "Contains", "InRegion", "InLocality", "Beta"},
		base:       func(*http.Request) string { return "" },
		sendsFaxes: true,

		signature: "X-SignalWire-Signature", userAgent: "SignalWire",
		connectLimit: 2 * time.Second, answerLimit: 5 * time.Second, callLimit: 7 * time.Second,

		badInput:  http.StatusUnprocessableEntity,
		errorBody: failure.twilioBody,
		noRoute:   signalWireNoRoute,
	}
}

// atRoot moves a request to the root that the routes are written for.
func (d dialect) atRoot(r *http.Request) *http.Request {
	if d.otherRoot == "" || !strings.HasPrefix(r.URL.Path, d.otherRoot+"/") {
		return r
	}
	r = r.Clone(r.Context())
	r.URL.Path = d.root + strings.TrimPrefix(r.URL.Path, d.otherRoot)
	return r
}

// id writes a stored id, 32 hex digits, as the provider does: prefixed, or as
// a bare UUID.
func (d dialect) id(prefix, hex string) string {
	if d.name == SignalWire {
		return strings.Join([]string{hex[:8], hex[8:12], hex[12:16], hex[16:20], hex[20:]}, "-")
	}
	return prefix + hex
}

// hex is the reverse of id; an id of another shape gives "", which nothing has.
func (d dialect) hex(prefix, id string) string {
	hex := strings.TrimPrefix(id, prefix)
	if d.name == SignalWire {
		hex = strings.ReplaceAll(id, "-", "")
	}
	if len(hex) != 32 || d.id(prefix, hex) != id {
		return ""
	}
	return hex
}
