package sandbox

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxOffers is all a search ever answers; there is no second page.
const maxOffers = 30

func (s *Sandbox) searchRoutes() []route {
	base := s.accountPath("/AvailablePhoneNumbers")
	return []route{
		{pattern: "GET " + base, handle: s.listCountries, needs: looking},
		{pattern: "GET " + base + "/{country}", handle: s.getCountry, needs: looking},
		{pattern: "GET " + base + "/{country}/{type}", handle: s.searchNumbers, needs: looking},
	}
}

func (s *Sandbox) listCountries(*http.Request) (reply, error) {
	bodies := []any{}
	for _, c := range s.stock.countries {
		bodies = append(bodies, s.countryBody(c))
	}
	return ok(map[string]any{"countries": bodies, "uri": s.accountURI("/AvailablePhoneNumbers")}), nil
}

func (s *Sandbox) getCountry(r *http.Request) (reply, error) {
	c, sold := s.stock.country(r.PathValue("country"))
	if !sold {
		return reply{}, notFound(r)
	}
	return ok(s.countryBody(c)), nil
}

func (s *Sandbox) countryBody(c country) map[string]any {
	path := "/AvailablePhoneNumbers/" + c.code
	types := map[string]string{}
	for _, t := range c.types {
		if slices.Contains(s.dialect.types, t.name) {
			types[snake(t.name)] = s.accountURI(path + "/" + t.name)
		}
	}
	return map[string]any{
		"country_code":     c.code,
		"country":          c.name,
		"beta":             false,
		"uri":              s.accountURI(path),
		"subresource_uris": types,
	}
}

// snake turns TollFree into toll_free.
func snake(name string) string {
	var b strings.Builder
	for i, c := range name {
		if c >= 'A' && c <= 'Z' && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(c)
	}
	return strings.ToLower(b.String())
}

func (s *Sandbox) searchNumbers(r *http.Request) (reply, error) {
	c, sold := s.stock.country(r.PathValue("country"))
	kind := r.PathValue("type")
	if _, has := c.typeNamed(kind); !sold || !has || !slices.Contains(s.dialect.types, kind) {
		return reply{}, notFound(r)
	}
	limit := maxOffers
	if n, err := strconv.Atoi(r.Form.Get("PageSize")); err == nil && n > 0 {
		limit = min(n, maxOffers)
	}
	match, err := s.searchFilter(r.Form, c)
	if err != nil {
		return reply{}, err
	}
	offers, err := s.forSale(r.Context(), limit,
		func(a *area) bool { return a.country == c.code && a.kind.name == kind && a.in(r.Form.Get("AreaCode")) }, match)
	if err != nil {
		return reply{}, err
	}
	bodies := []any{}
	for i, o := range offers {
		body := s.offerBody(o)
		body["phone_number"] = orNull(s.options.Quirks.offered(i, o.phone))
		bodies = append(bodies, body)
	}
	return ok(map[string]any{
		"available_phone_numbers": bodies,
		"uri":                     s.accountURI("/AvailablePhoneNumbers/"+c.code+"/"+kind) + query(r.Form),
	}), nil
}

func query(form url.Values) string {
	if len(form) == 0 {
		return ""
	}
	return "?" + form.Encode()
}

// forSale is the stock without what is owned.
func (s *Sandbox) forSale(ctx context.Context, limit int, keep func(*area) bool, match func(offer) bool) ([]offer, error) {
	owned, err := s.state.phones(ctx)
	if err != nil {
		return nil, err
	}
	var found []offer
	for o := range s.stock.offers(keep) {
		if owned[o.phone] && !s.options.Quirks.SoldAgain || !match(o) {
			continue
		}
		if found = append(found, o); len(found) == limit {
			break
		}
	}
	return found, nil
}

func (s *Sandbox) offerBody(o offer) map[string]any {
	can := map[string]bool{"voice": o.can.Voice, "SMS": o.can.SMS, "MMS": o.can.MMS}
	if s.dialect.faxOffers && s.options.Quirks.Offers != "fax" {
		can["fax"] = o.can.Fax
	}
	body := map[string]any{
		"friendly_name":        friendly(o.phone),
		"phone_number":         o.phone,
		"iso_country":          o.area.country,
		"region":               orNull(o.area.region),
		"lata":                 orNull(o.area.lata),
		"locality":             nil,
		"rate_center":          nil,
		"postal_code":          nil,
		"latitude":             nil,
		"longitude":            nil,
		"address_requirements": o.area.kind.address,
		"beta":                 o.beta,
		"capabilities":         can,
	}
	if p := o.place; p != nil {
		body["locality"] = p.name
		body["rate_center"] = orNull(p.rateCenter)
		body["postal_code"] = p.postalCode
		body["latitude"] = strconv.FormatFloat(p.lat, 'f', 6, 64)
		body["longitude"] = strconv.FormatFloat(p.long, 'f', 6, 64)
	}
	return body
}

// in reports whether the area's numbers have the area code; empty, or outside of
// North America, is any. An answer need not go through the numbers of the others.
func (a *area) in(code string) bool { return code == "" || a.dial != "1" || a.prefix == code }

// orNull is the text, or null when there is none.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
