package sandbox

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const relayRoot = "/api/relay/rest/phone_numbers"

// relayRoutes are the part of SignalWire's Relay REST API that tells what the
// Compatibility API keeps to itself: whether a number for sale does fax, and the
// receive mode of an owned one.
func (s *Sandbox) relayRoutes() []route {
	if s.dialect.name != SignalWire {
		return nil
	}
	return []route{
		{pattern: "GET " + relayRoot, handle: s.relayList},
		{pattern: "GET " + relayRoot + "/search", handle: s.relaySearch},
		{pattern: "GET " + relayRoot + "/{id}", handle: s.relayGet},
	}
}

func (s *Sandbox) relaySearch(r *http.Request) (reply, error) {
	match, limit, err := s.relayFilter(r.Form)
	if err != nil {
		return reply{}, err
	}
	kind := "Local"
	if r.Form.Get("number_type") == "toll-free" {
		kind = "TollFree"
	}
	offers, err := s.forSale(r.Context(), limit,
		func(a *area) bool { return a.dial == "1" && a.kind.name == kind && a.in(r.Form.Get("areacode")) }, match)
	if err != nil {
		return reply{}, err
	}
	data := []any{}
	field := "number"
	if s.options.Quirks.wild() {
		field = "e164"
	}
	for i, o := range offers {
		item := map[string]any{
			field:          orNull(s.options.Quirks.offered(i, o.phone)),
			"country_code": o.area.country,
			"region":       orNull(o.area.region),
			"city":         nil,
			"rate_center":  nil,
			"capabilities": s.relayCapabilities(o.can),
		}
		if o.place != nil {
			item["city"], item["rate_center"] = o.place.name, o.place.rateCenter
		}
		data = append(data, item)
	}
	self := relayRoot + "/search" + query(r.Form)
	return ok(map[string]any{"links": map[string]any{"self": self, "first": self}, "data": data}), nil
}

// relayCapabilities of a number for sale are an object, or a list of what it can
// do.
func (s *Sandbox) relayCapabilities(c capabilities) any {
	object := map[string]bool{"voice": c.Voice, "sms": c.SMS, "mms": c.MMS}
	switch {
	case s.options.Quirks.Offers == "fax":
	case s.options.Quirks.wild():
		return c.names()
	default:
		object["fax"] = c.Fax
	}
	return object
}

// relayFilter reads the search's parameters; the limits are as documented.
func (s *Sandbox) relayFilter(form url.Values) (match func(offer) bool, limit int, err error) {
	limit = 50
	if text := form.Get("max_results"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > 100 {
			return nil, 0, s.refuse(20001, "max_results must be from 1 to 100")
		}
	}
	if kind := form.Get("number_type"); kind != "" && kind != "local" && kind != "toll-free" {
		return nil, 0, s.refuse(20001, "number_type must be local or toll-free")
	}
	digits, given := "", 0
	has := strings.Contains
	for _, by := range []struct {
		param string
		test  func(phone, digits string) bool
	}{{"starts_with", startsWith}, {"contains", strings.Contains}, {"ends_with", strings.HasSuffix}} {
		text := form.Get(by.param)
		if text == "" {
			continue
		}
		if len(text) < 3 || len(text) > 7 || strings.Trim(text, "0123456789") != "" {
			return nil, 0, s.refuse(20001, "%s must be 3 to 7 digits", by.param)
		}
		digits, has = text, by.test
		given++
	}
	areaCode, region, city := form.Get("areacode"), form.Get("region"), form.Get("city")
	switch {
	case given > 1:
		return nil, 0, s.refuse(20001, "starts_with, contains and ends_with exclude one another")
	case region != "" && areaCode != "":
		return nil, 0, s.refuse(20001, "region and areacode exclude one another")
	case city != "" && (region == "" || given > 0):
		return nil, 0, s.refuse(20001, "city needs region, without areacode, starts_with, contains or ends_with")
	}
	return func(o offer) bool {
		var p place
		if o.place != nil {
			p = *o.place
		}
		return (areaCode == "" || o.area.prefix == areaCode) &&
			has(strings.TrimPrefix(o.phone, "+"), digits) &&
			(region == "" || strings.EqualFold(region, o.area.region)) &&
			(city == "" || strings.EqualFold(city, p.name))
	}, limit, nil
}

// startsWith leaves the country code out.
func startsWith(phone, digits string) bool { return strings.HasPrefix(phone[1:], digits) }

func (s *Sandbox) relayGet(r *http.Request) (reply, error) {
	n, err := s.numberAt(r)
	if err != nil {
		return reply{}, err
	}
	return ok(s.relayNumber(n)), nil
}

func (s *Sandbox) relayList(r *http.Request) (reply, error) {
	form := r.Form
	r.Form = url.Values{} // its paging parameters have other names
	for ours, theirs := range map[string]string{"Page": "page_number", "PageSize": "page_size", "PageToken": "page_token"} {
		if text := form.Get(theirs); text != "" {
			r.Form.Set(ours, text)
		}
	}
	p, err := s.newPage(r, relayRoot)
	if err != nil {
		return reply{}, err
	}
	found, rows, err := s.state.numbers(r.Context(), numberFilter{name: form.Get("filter_name"), phone: form.Get("filter_number"), until: s.listedUntil()}, p)
	if err != nil {
		return reply{}, err
	}
	data := []any{}
	for _, n := range found {
		data = append(data, s.relayNumber(s.shown(n)))
	}
	links := map[string]any{"self": p.relayURI(p.number, ""), "first": p.relayURI(0, "")}
	if rows.more {
		links["next"] = p.relayURI(p.number+1, p.token("PA", p.number+1, rows.last))
	}
	if p.number > 0 && rows.n > 0 {
		links["prev"] = p.relayURI(p.number-1, p.token("PB", p.number-1, rows.first))
	}
	return ok(map[string]any{"links": links, "data": data}), nil
}

func (p page) relayURI(number int, token string) string {
	q := url.Values{"page_number": {strconv.Itoa(number)}, "page_size": {strconv.Itoa(p.size)}}
	if token != "" {
		q.Set("page_token", token)
	}
	return p.path + "?" + q.Encode()
}

func (s *Sandbox) relayNumber(n number) map[string]any {
	kind := "longcode"
	if n.Type == "TollFree" {
		kind = "toll_free"
	}
	handler, resource := s.options.Quirks.handler(n)
	method := func(param string) string {
		if m := n.Set[param]; m != "" {
			return m
		}
		return http.MethodPost
	}
	return map[string]any{
		"id":                          s.dialect.id("PN", n.ID),
		"number":                      n.Phone,
		"name":                        n.Name,
		"number_type":                 kind,
		"country_code":                n.Country,
		"capabilities":                n.Can.names(),
		"call_handler":                handler,
		"calling_handler_resource_id": resource,
		"call_receive_mode":           n.Mode,
		"call_request_url":            orNull(n.Set["VoiceUrl"]),
		"call_request_method":         method("VoiceMethod"),
		"call_fallback_url":           orNull(n.Set["VoiceFallbackUrl"]),
		"call_fallback_method":        method("VoiceFallbackMethod"),
		"call_status_callback_url":    orNull(n.Set["StatusCallback"]),
		"call_status_callback_method": method("StatusCallbackMethod"),
		"call_laml_application_id":    orNull(n.Set["VoiceApplicationSid"]),
		"created_at":                  n.Created.UTC().Format("2006-01-02T15:04:05Z"),
		"updated_at":                  n.Updated.UTC().Format("2006-01-02T15:04:05Z"),
	}
}

// names lists what a number can do.
func (c capabilities) names() []string {
	names := []string{}
	for _, can := range []struct {
		name string
		yes  bool
	}{{"voice", c.Voice}, {"fax", c.Fax}, {"sms", c.SMS}, {"mms", c.MMS}} {
		if can.yes {
			names = append(names, can.name)
		}
	}
	return names
}
