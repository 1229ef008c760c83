package show

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// What there is to see of numbers. The first columns matter most: a narrow
// terminal drops the last ones.

// How much is worth showing of a URL, the host of most, and of a name.
const (
	LeastURL  = 24
	LeastName = 16

	leastLocality = 16
)

// OfferType describes a number for sale.
func OfferType() output.Type[fax.Offer] {
	t := output.Type[fax.Offer]{
		ID:  func(o fax.Offer) string { return o.Phone },
		Raw: func(o fax.Offer) json.RawMessage { return o.Raw },
		Columns: []output.Column[fax.Offer]{
			{Name: "phone", Value: func(o fax.Offer) string { return o.Phone }, Whole: true, Style: Accent[fax.Offer]},
			supportColumn("fax", func(o fax.Offer) fax.Support { return o.Capabilities.Fax }),
			{Name: "type", Value: func(o fax.Offer) string { return string(o.Type) }},
			{Name: "locality", Value: func(o fax.Offer) string { return o.Locality }},
			{Name: "region", Value: func(o fax.Offer) string { return o.Region }},
			{Name: "country", Value: func(o fax.Offer) string { return o.Country }},
			{Name: "price", Value: func(o fax.Offer) string { return Amount(o.Price) }, Show: func(o fax.Offer, _ output.Human) string { return Money(o.Price) }, Right: true},
			{Name: "capabilities", Value: func(o fax.Offer) string { return Capabilities(o.Capabilities) }},
			{Name: "address", Title: "ADDRESS", Value: func(o fax.Offer) string { return o.Address }, Wide: true},
			Wide(YesColumn("beta", func(o fax.Offer) bool { return o.Beta })),
			{Name: "postal_code", Value: func(o fax.Offer) string { return o.PostalCode }, Wide: true},
			{Name: "rate_center", Value: func(o fax.Offer) string { return o.RateCenter }, Wide: true},
			{Name: "lata", Value: func(o fax.Offer) string { return o.Lata }, Wide: true},
			Wide(supportColumn("voice", func(o fax.Offer) fax.Support { return o.Capabilities.Voice })),
			Wide(supportColumn("sms", func(o fax.Offer) fax.Support { return o.Capabilities.SMS })),
			Wide(supportColumn("mms", func(o fax.Offer) fax.Support { return o.Capabilities.MMS })),
			{Name: "latitude", Value: func(o fax.Offer) string { return o.Latitude }, Wide: true, Right: true},
			{Name: "longitude", Value: func(o fax.Offer) string { return o.Longitude }, Wide: true, Right: true},
			{Name: "currency", Value: func(o fax.Offer) string { return currency(o.Price) }, Wide: true},
		},
	}
	// What one chooses by comes first; half a list of capabilities says the wrong thing.
	for i, name := range []string{"phone", "price", "locality", "region", "fax", "type", "capabilities", "country"} {
		at := slices.IndexFunc(t.Columns, func(c output.Column[fax.Offer]) bool { return c.Name == name })
		c := t.Columns[at]
		c.Spare = i
		c.Whole = c.Whole || name == "price" || name == "capabilities"
		if name == "locality" {
			c.Least = leastLocality
		}
		t.Drawn = append(t.Drawn, c)
	}
	return t
}

// NumberType describes a number of the account.
func NumberType() output.Type[fax.Number] {
	return output.Type[fax.Number]{
		ID:  func(n fax.Number) string { return n.ID },
		Raw: func(n fax.Number) json.RawMessage { return n.Raw },
		Columns: []output.Column[fax.Number]{
			{Name: "phone", Value: func(n fax.Number) string { return n.Phone }, Whole: true, Style: Accent[fax.Number]},
			{Name: "id", Value: func(n fax.Number) string { return n.ID }, Wide: true, Whole: true},
			{Name: "name", Value: func(n fax.Number) string { return n.Name }, Least: LeastName},
			{Name: "mode", Value: func(n fax.Number) string { return string(n.Mode) }, Style: ModeStyle},
			supportColumn("fax", func(n fax.Number) fax.Support { return n.Capabilities.Fax }),
			{Name: "fax_url", Value: func(n fax.Number) string { return n.FaxURL }, Least: LeastURL},
			{
				Name: "shadowed_by", Title: "SHADOWED BY", Value: func(n fax.Number) string { return n.ShadowedBy() },
				Style: func(fax.Number) output.Style { return output.Bad },
			},
			{Name: "voice_url", Value: func(n fax.Number) string { return n.VoiceURL }, Wide: true, Least: LeastURL},
			{Name: "method", Value: func(n fax.Number) string { return n.Method }, Wide: true},
			{Name: "fallback_url", Value: func(n fax.Number) string { return n.FallbackURL }, Wide: true, Least: LeastURL},
			{Name: "fallback_method", Value: func(n fax.Number) string { return n.FallbackMethod }, Wide: true, Least: len("FALLBACK METHOD")},
			{Name: "status_callback", Value: func(n fax.Number) string { return n.StatusCallback }, Wide: true, Least: LeastURL},
			{Name: "trunk_id", Value: func(n fax.Number) string { return n.TrunkID }, Wide: true, Whole: true},
			{Name: "application_id", Value: func(n fax.Number) string { return n.ApplicationID }, Wide: true, Whole: true},
			Wide(supportColumn("voice", func(n fax.Number) fax.Support { return n.Capabilities.Voice })),
			Wide(supportColumn("sms", func(n fax.Number) fax.Support { return n.Capabilities.SMS })),
			Wide(supportColumn("mms", func(n fax.Number) fax.Support { return n.Capabilities.MMS })),
			Wide(TimeColumn("created", func(n fax.Number) time.Time { return n.Created })),
			Wide(TimeColumn("updated", func(n fax.Number) time.Time { return n.Updated })),
		},
	}
}

// ModeStyle is how a receive mode is drawn.
func ModeStyle(n fax.Number) output.Style {
	switch n.Mode {
	case fax.ModeFax:
		return output.Good
	case fax.ModeUnknown:
		return output.Warn
	case fax.ModeVoice:
	}
	return output.Dim
}

// Capabilities lists what a number can do; what is not known has a question
// mark.
func Capabilities(c fax.Capabilities) string {
	var words []string
	for _, x := range []struct {
		name string
		s    fax.Support
	}{{"fax", c.Fax}, {"voice", c.Voice}, {"sms", c.SMS}, {"mms", c.MMS}} {
		switch x.s {
		case fax.Yes:
			words = append(words, x.name)
		case fax.Unknown:
			words = append(words, x.name+"?")
		case fax.No:
		}
	}
	return strings.Join(words, " ")
}

// Amount is the bare decimal for machines, and currency its unit.
func Amount(m *fax.Money) string {
	if m == nil {
		return ""
	}
	return m.Amount
}

func currency(m *fax.Money) string {
	if m == nil {
		return ""
	}
	return m.Currency
}

// Money is an amount for people.
func Money(m *fax.Money) string {
	if m == nil {
		return ""
	}
	return m.String()
}
