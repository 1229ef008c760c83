package fax

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Offer is a number for sale.
type Offer struct {
	Phone        string       `json:"phone"`   // E.164
	Country      string       `json:"country"` // ISO 3166-1 alpha-2
	Type         NumberType   `json:"type"`
	Region       string       `json:"region,omitempty"`   // state or province
	Locality     string       `json:"locality,omitempty"` // city
	RateCenter   string       `json:"rate_center,omitempty"`
	Lata         string       `json:"lata,omitempty"`
	PostalCode   string       `json:"postal_code,omitempty"`
	Latitude     string       `json:"latitude,omitempty"`  // degrees, as the provider wrote them
	Longitude    string       `json:"longitude,omitempty"` // degrees
	Capabilities Capabilities `json:"capabilities"`
	Address      string       `json:"address_requirements,omitempty"` // none, any, local or foreign
	Beta         bool         `json:"beta"`
	Price        *Money       `json:"price,omitempty"` // a month; only when prices were asked for

	Raw json.RawMessage `json:"-"`
}

// Query is one question for numbers for sale: one country, one type, at most
// one area code and one pattern. [Search] asks several side by side.
type Query struct {
	Country     string // ISO 3166-1 alpha-2
	Type        NumberType
	AreaCode    string // US and Canada
	Contains    string // 2–16 of digits, A–Z, * one, % any, + at the start, $ at the end
	Region      string
	Locality    string
	PostalCode  string
	NearNumber  string // E.164
	NearLatLong string // "37.84,-122.26"
	Distance    int    // miles from NearNumber or NearLatLong; 0: the provider's default
	RateCenter  string
	Lata        string

	Fax, Voice, SMS, MMS bool // required capabilities
	// Sure asks, with Fax, for numbers that surely do fax. A provider that
	// cannot tell for this question fails with ErrUnsupported.
	Sure bool

	// NoAddress leaves out numbers that need an address: any, local or
	// foreign; empty leaves out none.
	NoAddress string
	Beta      *bool // false leaves out numbers new to the provider
}

// Allows reports whether a number may have what q requires: unknown may.
func (q Query) Allows(c Capabilities) bool {
	may := func(required bool, s Support) bool { return !required || s != No }
	return may(q.Fax, c.Fax) && may(q.Voice, c.Voice) && may(q.SMS, c.SMS) && may(q.MMS, c.MMS)
}

// Order is a purchase: exactly one of Phone and AreaCode.
//
// An order never carries the receive mode or a URL: providers accept them on
// purchase and do not keep them, so they are set by a second call.
type Order struct {
	Phone     string // E.164
	AreaCode  string // any number there; never repeat such an order
	Country   string // with AreaCode
	Name      string
	AddressID string // for countries that want an address
	BundleID  string // for countries that want a regulatory bundle
}

// CheckAreaCode refuses what is no area code of the US and Canada.
func CheckAreaCode(code string) error {
	if len(code) != 3 || code[0] < '2' || !text.MadeOf(code, text.Digits) {
		return problem.Invalid(problem.Say("three digits, the first one 2 to 9, as in 415"), "area code %q", code)
	}
	return nil
}

// SetNear sets the place to search near to: a phone number in E.164, or a
// latitude and a longitude in degrees, "37.84,-122.26".
func (q *Query) SetNear(place string) error {
	q.NearNumber, q.NearLatLong = "", ""
	if lat, long, ok := strings.Cut(place, ","); ok {
		lat, long = strings.TrimSpace(lat), strings.TrimSpace(long)
		if !degrees(lat, 90) || !degrees(long, 180) {
			return problem.Invalid(problem.Say("latitude and longitude in degrees, as in 37.84,-122.26"), "place %q", place)
		}
		q.NearLatLong = lat + "," + long
		return nil
	}
	phone, err := ParsePhone(place)
	if err != nil {
		return problem.Invalid(problem.Say("a phone number like +14155550123, or a latitude and longitude like 37.84,-122.26"), "place %q", place)
	}
	q.NearNumber = phone
	return nil
}

// degrees reports whether s is a plain decimal number from -limit to limit.
func degrees(s string, limit float64) bool {
	v, err := strconv.ParseFloat(s, 64)
	return err == nil && strings.Trim(s, "+-.0123456789") == "" && v >= -limit && v <= limit
}
