package twilio

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// scalar is a JSON string, or a number or boolean as it is written: the two
// dialects do not agree on which field is which, nor does either with itself.
// Null is "".
type scalar string

// UnmarshalJSON never fails on valid JSON.
func (t *scalar) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(t))
	case 'n':
		*t = ""
	default:
		*t = scalar(b)
	}
	return nil
}

// wholeOf is s as a whole number, nil when it is none.
func wholeOf(s string) *int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return nil
	}
	return &n
}

// moneyOf is an amount, nil when s is none that can be added up.
func moneyOf(s, currency string) *fax.Money {
	m := &fax.Money{Amount: s, Currency: strings.ToUpper(currency)}
	if _, err := m.Exact(); err != nil {
		return nil
	}
	return m
}

// timeOf reads the formats in use: ISO 8601 on faxes, RFC 2822 on numbers; at
// SignalWire also the one without a colon in its zone, and the other with its month in
// any length ("25 Sept 2018"). A day alone is meant to its end, so that nothing
// is taken for older than it is. What is none of these, says not in which zone it
// is, or cannot be, is the zero time.
// Source: https://developer.signalwire.com/compatibility-api/, the examples.
func timeOf(s string) time.Time {
	fields := strings.Fields(s)
	if len(fields) > 0 && strings.HasSuffix(fields[0], ",") {
		fields = fields[1:] // the day of the week
	}
	if len(fields) > 1 {
		fields[1] = shortMonth(fields[1])
	}
	s = strings.Join(fields, " ")
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z0700", "2006-01-02 15:04:05 UTC",
		"2 Jan 2006 15:04:05 Z0700", "2 Jan 2006 15:04:05 GMT", "2 Jan 2006 15:04:05 UTC",
	} {
		if at, err := time.Parse(layout, s); err == nil {
			return possible(at)
		}
	}
	for _, layout := range []string{time.DateOnly, "2 Jan 2006"} {
		if at, err := time.Parse(layout, s); err == nil {
			return possible(at.AddDate(0, 0, 1).Add(-time.Second))
		}
	}
	return time.Time{}
}

// possible is a date in UTC, or the zero time for one of a year in which there was no API, as
// of a clock or a field that was never set: nobody knows how old its fax is. In a zone, what is
// written with four digits may also be of a year that JSON cannot tell.
func possible(at time.Time) time.Time {
	if at = at.UTC(); at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}
	}
	return at
}

// shortMonth is the name of a month in three letters, and any other word as it is.
func shortMonth(word string) string {
	for m := time.January; m <= time.December; m++ {
		if len(word) > 3 && strings.HasPrefix(m.String(), strings.TrimSuffix(word, ".")) {
			return m.String()[:3]
		}
	}
	return word
}

// numberType is a provider's word for a type of number: "toll free", "toll-free",
// "tollfree", "longcode".
func (t scalar) numberType() fax.NumberType {
	switch word := strings.NewReplacer(" ", "-", "_", "-").Replace(strings.ToLower(string(t))); word {
	case "tollfree":
		return fax.TollFree
	case "longcode":
		return fax.Local
	default:
		return fax.NumberType(word)
	}
}

// capabilities are an object whose keys come in either case, or a list of the
// names of what the number can do. What an object leaves out is unknown; what a
// list leaves out, the number cannot do.
type capabilities fax.Capabilities

// UnmarshalJSON never fails on valid JSON: what it does not understand stays
// unknown.
func (c *capabilities) UnmarshalJSON(b []byte) error {
	var object map[string]scalar
	var list []scalar
	if json.Unmarshal(b, &object) == nil {
		for name, says := range object {
			switch says {
			case "true":
				c.set(name, fax.Yes)
			case "false":
				c.set(name, fax.No)
			}
		}
	} else if json.Unmarshal(b, &list) == nil {
		*c = capabilities{Voice: fax.No, SMS: fax.No, MMS: fax.No, Fax: fax.No}
		for _, name := range list {
			c.set(string(name), fax.Yes)
		}
	}
	return nil
}

func (c *capabilities) set(name string, s fax.Support) {
	switch strings.ToLower(name) {
	case "voice":
		c.Voice = s
	case "sms":
		c.SMS = s
	case "mms":
		c.MMS = s
	case "fax":
		c.Fax = s
	}
}

// records is a list on the wire, each record as it came.
type records []json.RawMessage

// each decodes a list. An answer without the list is not an empty list: it is
// from somewhere else, and taking it for empty would lose everything quietly.
func each[W, T any](list *records, convert func(W, json.RawMessage) T) ([]T, error) {
	if list == nil {
		return nil, notRecord(noList())
	}
	all := make([]T, 0, len(*list))
	for _, raw := range *list {
		var w W
		if err := json.Unmarshal(raw, &w); err != nil {
			return nil, notRecord(err)
		}
		all = append(all, convert(w, raw))
	}
	return all, nil
}

func noList() error { return errors.New("it has no list") }

// notRecord is an answer that is JSON, but not of the shape of the API.
func notRecord(err error) error {
	return &fax.APIError{Kind: problem.ErrUnavailable, Message: "the answer is not what the API sends: " + clean(err.Error(), 100)}
}
