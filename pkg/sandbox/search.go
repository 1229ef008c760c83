package sandbox

import (
	"context"
	"math"
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
		{pattern: "GET " + base, handle: s.listCountries},
		{pattern: "GET " + base + "/{country}", handle: s.getCountry},
		{pattern: "GET " + base + "/{country}/{type}", handle: s.searchNumbers},
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
		func(a *area) bool { return a.country == c.code && a.kind.name == kind }, match)
	if err != nil {
		return reply{}, err
	}
	bodies := []any{}
	for _, o := range offers {
		bodies = append(bodies, s.offerBody(o))
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
		if owned[o.phone] || !match(o) {
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
	if s.dialect.faxOffers {
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

// orNull is the text, or null when there is none.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// searchFilter reads the parameters of a search. Those the dialect does not
// know are ignored, as the provider does.
func (s *Sandbox) searchFilter(all url.Values, c country) (func(offer) bool, error) {
	form := url.Values{}
	for key, values := range all {
		if s.dialect.filters == nil || slices.Contains(s.dialect.filters, key) {
			form[key] = values
		}
	}
	var tests []func(offer) bool
	for _, read := range []func(url.Values, country) (func(offer) bool, error){
		s.filterPlace, s.filterPattern, s.filterFlags, s.filterDistance,
	} {
		test, err := read(form, c)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return func(o offer) bool {
		return !slices.ContainsFunc(tests, func(t func(offer) bool) bool { return !t(o) })
	}, nil
}

func (s *Sandbox) filterPlace(form url.Values, c country) (func(offer) bool, error) {
	areaCode := form.Get("AreaCode")
	if c.dial != "1" {
		areaCode = "" // only North America has them
	}
	if areaCode != "" && !isAreaCode(areaCode) {
		return nil, s.refuse(21451, "Invalid area code: %s", areaCode)
	}
	if form.Get("InRateCenter") != "" && form.Get("InLata") == "" {
		return nil, s.refuse(20001, "InRateCenter requires InLata")
	}
	if s.dialect.filters != nil && form.Get("InLocality") != "" && form.Get("InRegion") == "" {
		return nil, s.refuse(20001, "InLocality requires InRegion")
	}
	return func(o offer) bool {
		var p place
		if o.place != nil {
			p = *o.place
		}
		return (areaCode == "" || o.area.prefix == areaCode) &&
			asked(form, "InRegion", o.area.region) &&
			asked(form, "InLata", o.area.lata) &&
			asked(form, "InLocality", p.name) &&
			asked(form, "InRateCenter", p.rateCenter) &&
			asked(form, "InPostalCode", p.postalCode)
	}, nil
}

func isAreaCode(text string) bool {
	return len(text) == 3 && text[0] >= '2' && strings.Trim(text, "0123456789") == ""
}

// asked compares a parameter, if given, with what a number has.
func asked(form url.Values, param, has string) bool {
	want := form.Get(param)
	return want == "" || strings.EqualFold(compact(want), compact(has))
}

func compact(s string) string { return strings.ReplaceAll(s, " ", "") }

func (s *Sandbox) filterPattern(form url.Values, _ country) (func(offer) bool, error) {
	text := form.Get("Contains")
	if text == "" {
		return func(offer) bool { return true }, nil
	}
	p, err := parsePattern(text)
	if err != nil {
		return nil, s.refuse(21421, "Invalid pattern %q: %v", text, err)
	}
	return func(o offer) bool { return p.match(o.phone) }, nil
}

func (s *Sandbox) filterFlags(form url.Values, _ country) (func(offer) bool, error) {
	flags := map[string]func(o offer, want bool) bool{
		"VoiceEnabled": func(o offer, want bool) bool { return o.can.Voice == want },
		"SmsEnabled":   func(o offer, want bool) bool { return o.can.SMS == want },
		"MmsEnabled":   func(o offer, want bool) bool { return o.can.MMS == want },
		"FaxEnabled":   func(o offer, want bool) bool { return o.can.Fax == want },
		"Beta":         func(o offer, want bool) bool { return want || !o.beta },

		"ExcludeAllAddressRequired":     func(o offer, want bool) bool { return !want || o.area.kind.address == "none" },
		"ExcludeLocalAddressRequired":   func(o offer, want bool) bool { return !want || o.area.kind.address != "local" },
		"ExcludeForeignAddressRequired": func(o offer, want bool) bool { return !want || o.area.kind.address != "foreign" },
	}
	var tests []func(offer) bool
	for param, test := range flags {
		text := form.Get(param)
		if text == "" {
			continue
		}
		want, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return nil, s.refuse(20001, "%s: want true or false, not %q", param, text)
		}
		tests = append(tests, func(o offer) bool { return test(o, want) })
	}
	return func(o offer) bool {
		return !slices.ContainsFunc(tests, func(t func(offer) bool) bool { return !t(o) })
	}, nil
}

func (s *Sandbox) filterDistance(form url.Values, _ country) (func(offer) bool, error) {
	everywhere := func(offer) bool { return true }
	near, latLong := form.Get("NearNumber"), form.Get("NearLatLong")
	if near == "" && latLong == "" {
		return everywhere, nil
	}
	miles := 25.0
	if text := form.Get("Distance"); text != "" {
		var err error
		if miles, err = strconv.ParseFloat(text, 64); err != nil || !(miles > 0 && miles <= 500) {
			return nil, s.refuse(20001, "Distance: want 1 to 500 miles, not %q", text)
		}
	}
	var lat, long float64
	switch {
	case latLong != "":
		a, b, _ := strings.Cut(latLong, ",")
		var errA, errB error
		lat, errA = strconv.ParseFloat(strings.TrimSpace(a), 64)
		long, errB = strconv.ParseFloat(strings.TrimSpace(b), 64)
		if errA != nil || errB != nil || math.Abs(lat) > 90 || math.Abs(long) > 180 {
			return nil, s.refuse(20001, "NearLatLong: want latitude,longitude, not %q", latLong)
		}
	case !isE164(near):
		return nil, s.refuse(21421, "NearNumber %q is not a valid phone number", near)
	default:
		where := s.stock.where(near)
		if where == nil {
			return func(offer) bool { return false }, nil
		}
		lat, long = where.lat, where.long
	}
	return func(o offer) bool {
		return o.place != nil && distance(lat, long, o.place.lat, o.place.long) <= miles
	}, nil
}

// where is the place of a number: its own when it is in stock, else its area's.
func (s stock) where(phone string) *place {
	if o, found := s.find(phone); found {
		return o.place
	}
	for i := range s.areas {
		a := &s.areas[i]
		if len(a.places) > 0 && strings.HasPrefix(phone, "+"+a.dial+a.prefix) {
			return &a.places[0]
		}
	}
	return nil
}

// distance is in miles, by the haversine formula on a sphere.
func distance(lat1, long1, lat2, long2 float64) float64 {
	const earthRadius, degree = 3958.8, math.Pi / 180
	h := hav((lat2-lat1)*degree) + math.Cos(lat1*degree)*math.Cos(lat2*degree)*hav((long2-long1)*degree)
	return 2 * earthRadius * math.Asin(math.Sqrt(min(1, h)))
}

func hav(x float64) float64 { return (1 - math.Cos(x)) / 2 }

func isE164(phone string) bool {
	digits, plus := strings.CutPrefix(phone, "+")
	return plus && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}
