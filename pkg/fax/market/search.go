package market

import (
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Search is what a person asks for: one country, any of several types, area
// codes and patterns. [Search.Queries] turns it into the questions a provider
// can be asked.
type Search struct {
	// Query is what all questions share. Its Type, AreaCode and Contains are
	// not used; the lists below take their place. Country is "US" when empty.
	fax.Query

	Types     []fax.NumberType // empty: local
	AreaCodes []string         // three digits, US and Canada only
	Patterns  []string         // see Query.Contains
}

// maxQueries bounds the cross product: more than this is a mistake, not a wish.
const maxQueries = 500

// Queries is the cross product of types, area codes and patterns, in the order
// they were given, each once. ErrInvalid: something no provider can answer.
// Limits that only some providers have are left to the provider.
func (s Search) Queries() ([]fax.Query, error) {
	base, err := s.common()
	if err != nil {
		return nil, err
	}
	types := s.Types
	if len(types) == 0 {
		types = []fax.NumberType{fax.Local}
	}
	for _, t := range types {
		if !slices.Contains(fax.NumberTypes(), t) {
			return nil, problem.Invalid(problem.Say("one of "+joined(fax.NumberTypes())), "number type %q", t)
		}
	}
	areas, err := each(s.AreaCodes, func(a string) (string, error) {
		if !northAmerican(base.Country) {
			return "", about("area-code", problem.Invalid(problem.Say("leave %s out, or search %s or CA; elsewhere use %s with the leading digits", problem.Field("area-code"), problem.Field("country", "US"), problem.Field("contains")), "area code %s: only the US and Canada have them, not %s", a, base.Country))
		}
		return a, about("area-code", fax.CheckAreaCode(a))
	})
	if err != nil {
		return nil, err
	}
	patterns, err := each(s.Patterns, cleanPattern)
	if err != nil {
		return nil, about("contains", err)
	}
	if n := len(types) * len(areas) * len(patterns); n > maxQueries {
		return nil, problem.Invalid(problem.Say("ask for fewer types, area codes or patterns at once"), "search: it takes %d questions, at most %d are asked", n, maxQueries)
	}
	var all []fax.Query
	for _, t := range types {
		for _, a := range areas {
			for _, p := range patterns {
				q := base
				q.Type, q.AreaCode, q.Contains = t, a, p
				if !slices.ContainsFunc(all, func(o fax.Query) bool { return o.Type == t && o.AreaCode == a && o.Contains == p }) {
					all = append(all, q)
				}
			}
		}
	}
	return all, nil
}

// FieldError says which part of a search an error is about: "area-code",
// "country". Its text is that of the error alone, for each kind of asking to
// point at the part in its own way.
type FieldError struct {
	Field string
	error
}

// Unwrap is the error.
func (e *FieldError) Unwrap() error { return e.error }

// about says which part of a search an error is about.
func about(field string, err error) error {
	if err == nil {
		return nil
	}
	return &FieldError{field, err}
}

// common checks and normalises what all questions share.
// Source: Twilio's AvailablePhoneNumbers resource, query parameters.
func (s Search) common() (fax.Query, error) {
	q := s.Query
	if q.Country == "" {
		q.Country = "US"
	}
	q.Country = strings.ToUpper(strings.TrimSpace(q.Country))
	near := q.NearNumber != "" || q.NearLatLong != ""
	switch {
	case fax.CheckCountry(q.Country) != nil:
		return q, about("country", fax.CheckCountry(q.Country))
	case q.NearNumber != "" && q.NearLatLong != "":
		return q, problem.Invalid(problem.Say("give one place to be near to"), "search: near a number and near a place at once")
	case q.Distance != 0 && !near:
		return q, about("distance", problem.Invalid(problem.Say("say from where: %s or %s", problem.Field("near", "+14155550123"), problem.Field("near", "37.84,-122.26")), "distance without a place to measure from"))
	case q.Distance < 0 || q.Distance > 500:
		return q, about("distance", problem.Invalid(problem.Say("from 1 to 500 miles"), "distance %d", q.Distance))
	case q.RateCenter != "" && q.Lata == "":
		return q, about("rate-center", problem.Invalid(problem.Say("add %s, the area the rate center is in", problem.Field("lata")), "rate center %q without a LATA", q.RateCenter))
	case !slices.Contains([]string{"", "any", "local", "foreign"}, q.NoAddress):
		return q, about("no-address-required", problem.Invalid(problem.Say("any, local or foreign"), "address requirement %q", q.NoAddress))
	}
	if northAmerican(q.Country) {
		return q, nil
	}
	for _, f := range []struct {
		what  string
		given bool
	}{{"place to be near to", near}, {"region", q.Region != ""}, {"postal code", q.PostalCode != ""}, {"LATA", q.Lata != ""}} {
		if f.given {
			return q, problem.Invalid(problem.Say("leave it out, or search %s or CA", problem.Field("country", "US")), "%s: providers look at it in the US and Canada only, not in %s", f.what, q.Country)
		}
	}
	return q, nil
}

// cleanPattern checks a pattern and writes it in capitals.
func cleanPattern(p string) (string, error) {
	up := strings.ToUpper(strings.TrimSpace(p))
	body := strings.TrimSuffix(strings.TrimPrefix(up, "+"), "$")
	if len(up) < 2 || len(up) > 16 || body == "" || !text.MadeOf(body, text.Digits+text.Upper+"*%") {
		return "", problem.Invalid(problem.Say("2 to 16 of digits and letters; * is one digit, % any; + at the start and $ at the end hold the pattern there"), "pattern %q", p)
	}
	return up, nil
}

// northAmerican reports whether area codes, regions and rate centers mean
// something to providers there.
func northAmerican(country string) bool { return country == "US" || country == "CA" }

// each cleans every value; none at all is the one empty value.
func each(values []string, clean func(string) (string, error)) ([]string, error) {
	if len(values) == 0 {
		return []string{""}, nil
	}
	out := make([]string, 0, len(values))
	for _, v := range values {
		c, err := clean(v)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func joined(types []fax.NumberType) string {
	words := make([]string, len(types))
	for i, t := range types {
		words[i] = string(t)
	}
	return strings.Join(words, ", ")
}
