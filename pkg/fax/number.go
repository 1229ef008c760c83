package fax

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Mode is what a number does with a call: receive a fax or take a voice call.
// One number does one of the two (VoiceReceiveMode).
type Mode string

// The receive modes. ModeUnknown is for providers that do not say.
const (
	ModeFax     Mode = "fax"
	ModeVoice   Mode = "voice"
	ModeUnknown Mode = "unknown"
)

// Support is yes, no, or unknown: some providers do not say what a number can
// do. In JSON it is true, false or null.
type Support int8

// The zero value is Unknown.
const (
	Unknown Support = iota
	Yes
	No
)

// String is "yes", "no" or "unknown".
func (s Support) String() string { return [...]string{"unknown", "yes", "no"}[s] }

// MarshalJSON writes true, false or null.
func (s Support) MarshalJSON() ([]byte, error) {
	return []byte([...]string{"null", "true", "false"}[s]), nil
}

// UnmarshalJSON reads true, false or null.
func (s *Support) UnmarshalJSON(b []byte) error {
	var v *bool
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("support: %w", err)
	}
	switch {
	case v == nil:
		*s = Unknown
	case *v:
		*s = Yes
	default:
		*s = No
	}
	return nil
}

// Capabilities tells what a number can do.
type Capabilities struct {
	Voice Support `json:"voice"`
	SMS   Support `json:"sms"`
	MMS   Support `json:"mms"`
	Fax   Support `json:"fax"`
}

// NumberType is the kind of a number for sale.
type NumberType string

// The types Twilio sells; SignalWire has Local and TollFree only.
const (
	Local            NumberType = "local"
	TollFree         NumberType = "toll-free"
	Mobile           NumberType = "mobile"
	National         NumberType = "national"
	Voip             NumberType = "voip"
	SharedCost       NumberType = "shared-cost"
	MachineToMachine NumberType = "machine-to-machine"
)

// NumberTypes lists every type, the most common first.
func NumberTypes() []NumberType {
	return []NumberType{Local, TollFree, Mobile, National, Voip, SharedCost, MachineToMachine}
}

// Number is a phone number the account owns.
//
// A number has one address the provider asks when it is called. Providers call
// it VoiceUrl; in fax mode it is the fax URL. Here it is FaxURL when the mode
// is fax and VoiceURL otherwise, so that neither is mistaken for the other;
// [Number.URL] is whichever is in force.
type Number struct {
	ID           string       `json:"id"`    // PN and 32 hex digits at Twilio, a UUID at SignalWire
	Phone        string       `json:"phone"` // E.164
	Name         string       `json:"name"`  // the friendly name, at most 64 characters
	Type         NumberType   `json:"type,omitempty"`
	Capabilities Capabilities `json:"capabilities"`
	Mode         Mode         `json:"mode"`

	FaxURL         string `json:"fax_url"`
	VoiceURL       string `json:"voice_url"`
	Method         string `json:"method"` // of the URL in force: POST or GET
	FallbackURL    string `json:"fallback_url"`
	FallbackMethod string `json:"fallback_method"`
	StatusCallback string `json:"status_callback"`

	// What takes the call before the URL is asked: when either is set, the
	// provider ignores the URL. The trunk wins over the application.
	TrunkID       string `json:"trunk_id"`
	ApplicationID string `json:"application_id"`
	// CallHandler is what else takes the calls, in the provider's words, where it
	// is not the URL: SignalWire's "ai_agent" and the like.
	CallHandler string `json:"call_handler,omitempty"`

	// Status is the provider's word for a number that is not in use yet, as
	// "pending"; else "".
	Status string `json:"status,omitempty"`

	Address string `json:"address_requirements,omitempty"` // any, local or foreign; "": none
	Beta    bool   `json:"beta,omitempty"`                 // new to the provider

	Created time.Time `json:"created,omitzero"`
	Updated time.Time `json:"updated,omitzero"`

	// Raw is the number as the provider sent it.
	Raw json.RawMessage `json:"-"`
}

// URL is the address in force: the fax URL in fax mode, else the voice URL.
func (n Number) URL() string {
	if n.Mode == ModeFax {
		return n.FaxURL
	}
	return n.VoiceURL
}

// SetURL puts the address where the mode says it belongs.
func (n *Number) SetURL(url string) {
	n.FaxURL, n.VoiceURL = "", url
	if n.Mode == ModeFax {
		n.FaxURL, n.VoiceURL = url, ""
	}
}

// ShadowedBy names what takes calls before the number's URL is asked: "trunk",
// "application", "call handler", or "" when the URL is in force.
func (n Number) ShadowedBy() string {
	switch {
	case n.TrunkID != "":
		return "trunk"
	case n.ApplicationID != "":
		return "application"
	case n.CallHandler != "":
		return "call handler"
	}
	return ""
}

// NumberFilter selects owned numbers. The zero value selects all.
type NumberFilter struct {
	Phone    string // exact E.164; the provider does the looking up
	Name     string // exact friendly name
	Contains string // digits with * for one digit, anywhere in the number
	// WithMode asks for the receive mode even where that costs a request per
	// number (SignalWire). Without it the mode may be unknown.
	WithMode bool

	// Most is how many numbers the reader will take; 0: all. A provider need
	// not fetch more, and may yield more.
	Most int
}

// Change is what Configure alters: nil leaves a field alone, a pointer to ""
// clears it.
type Change struct {
	Name           *string
	Mode           *Mode
	URL            *string // the fax URL in fax mode, else the voice URL
	Method         *string // POST or GET
	FallbackURL    *string
	FallbackMethod *string
	StatusCallback *string
	TrunkID        *string
	ApplicationID  *string
}

// Empty reports whether nothing would change.
func (c Change) Empty() bool { return c == Change{} }

// Money is an amount a provider charges. The amount stays the decimal string
// the provider sent, so no cent is lost in a float.
type Money struct {
	Amount   string `json:"amount"`   // decimal, "1.15"
	Currency string `json:"currency"` // ISO 4217
}

// String is "1.15 USD", or "1.15" when the currency is not known.
func (m Money) String() string { return strings.TrimSpace(m.Amount + " " + m.Currency) }
