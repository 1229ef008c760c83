package sandbox

import (
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

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
	for _, param := range slices.Sorted(maps.Keys(flags)) { // of several mistakes always the same is told
		test, text := flags[param], form.Get(param)
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
