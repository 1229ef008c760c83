package sandbox

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

func (s *Sandbox) numberRoutes() []route {
	base := s.accountPath("/IncomingPhoneNumbers")
	routes := []route{
		{pattern: "GET " + base, handle: s.listNumbers(""), needs: looking},
		{pattern: "POST " + base, handle: s.buyNumber},
		{pattern: "GET " + base + "/{id}", handle: s.getNumber, needs: looking},
		{pattern: "POST " + base + "/{id}", handle: s.updateNumber},
		{pattern: "DELETE " + base + "/{id}", handle: s.releaseNumber},
	}
	for _, kind := range []string{"Local", "TollFree", "Mobile"} {
		routes = append(routes,
			route{pattern: "GET " + base + "/" + kind, handle: s.listNumbers(kind), needs: looking},
			route{pattern: "POST " + base + "/" + kind, handle: s.buyNumber})
	}
	return routes
}

func (s *Sandbox) listNumbers(kind string) func(*http.Request) (reply, error) {
	list := "/IncomingPhoneNumbers"
	if kind != "" {
		list += "/" + kind
	}
	return func(r *http.Request) (reply, error) {
		p, err := s.newPage(r, strings.Replace(s.accountURI(list), s.dialect.account.Account, r.PathValue("account"), 1))
		if err != nil {
			return reply{}, err
		}
		f := numberFilter{phone: r.Form.Get("PhoneNumber"), name: r.Form.Get("FriendlyName"), kind: kind, until: s.listedUntil(), account: s.below(r)}
		if strings.Trim(f.phone, "+0123456789*") != "" {
			return reply{}, s.refuse(21421, "PhoneNumber %q: want digits and *", f.phone)
		}
		if beta, err := strconv.ParseBool(strings.ToLower(r.Form.Get("Beta"))); err == nil && !beta {
			f.beta = &beta // true is the default: numbers new to the provider among the others
		}
		var found []number
		var of run
		if origin := r.Form.Get("Origin"); origin == "" || origin == string(s.dialect.name) {
			if found, of, err = s.state.numbers(r.Context(), f, p); err != nil {
				return reply{}, err
			}
		}
		rows := []any{}
		for _, n := range found {
			rows = append(rows, s.numberBody(s.shown(n)))
		}
		body := p.flat(of)
		body["incoming_phone_numbers"] = rows
		return ok(body), nil
	}
}

func (s *Sandbox) getNumber(r *http.Request) (reply, error) {
	n, err := s.numberAt(r)
	if err != nil {
		return reply{}, err
	}
	return ok(s.numberBody(n)), nil
}

func (s *Sandbox) updateNumber(r *http.Request) (reply, error) {
	id := s.dialect.hex("PN", r.PathValue("id"))
	if isIgnored(r.Context()) {
		return s.getNumber(r)
	}
	n, err := s.state.changeNumber(r.Context(), id, func(n *number) error {
		if n.Account != s.below(r) {
			return sql.ErrNoRows
		}
		return s.update(n, r.Form)
	})
	if err != nil {
		return reply{}, missing(r, err)
	}
	return ok(s.numberBody(n)), nil
}

// update sets what a form says, and keeps how the number was.
func (s *Sandbox) update(n *number, form url.Values) error {
	was := *n
	was.Was, was.Set = nil, maps.Clone(n.Set)
	if err := s.set(n, form); err != nil {
		return err
	}
	switch to := form.Get("AccountSid"); to { // a number moves between an account and those below
	case "", s.dialect.account.Subaccount:
		n.Account = cmp.Or(to, n.Account)
	case s.dialect.account.Account:
		n.Account = ""
	default:
		return s.refuse(21470, "AccountSid %s is not yours", to)
	}
	s.options.Quirks.updated(n, form.Get("VoiceReceiveMode") != "")
	n.Was, n.Changed, n.Updated = &was, s.options.Now().UnixMilli(), s.now()
	return nil
}

// sellAgain answers a purchase of a number that is owned: with an update.
func (s *Sandbox) sellAgain(r *http.Request, phone string) (reply, error) {
	n, err := s.state.numberOf(r.Context(), phone)
	if err != nil {
		return reply{}, missing(r, err)
	}
	n, err = s.state.changeNumber(r.Context(), n.ID, func(n *number) error { return s.update(n, r.Form) })
	return reply{status: http.StatusCreated, body: s.numberBody(n)}, err
}

// numberAt is the number that a request's path names, as it reads by now.
func (s *Sandbox) numberAt(r *http.Request) (number, error) {
	n, err := s.state.number(r.Context(), s.dialect.hex("PN", r.PathValue("id")))
	switch {
	case err != nil:
		return n, missing(r, err)
	case n.Account != s.below(r):
		return n, notFound(r)
	case !s.visible(n.Bought, s.options.Quirks.LateNumber):
		return n, notFound(r)
	}
	return s.shown(n), nil
}

// listedUntil is when numbers were bought that lists show by now.
func (s *Sandbox) listedUntil() int64 {
	return s.options.Now().Add(-s.options.Quirks.LateList).UnixMilli()
}

// below is the subaccount that a request is about; empty: the account itself.
func (s *Sandbox) below(r *http.Request) string {
	if account := r.PathValue("account"); account != s.dialect.account.Account {
		return account
	}
	return ""
}

func (s *Sandbox) releaseNumber(r *http.Request) (reply, error) {
	if n, err := s.state.number(r.Context(), s.dialect.hex("PN", r.PathValue("id"))); err != nil {
		return reply{}, missing(r, err)
	} else if n.Account != s.below(r) {
		return reply{}, notFound(r)
	}
	gone, err := s.state.dropNumber(r.Context(), s.dialect.hex("PN", r.PathValue("id")))
	if err != nil {
		return reply{}, err
	}
	if !gone {
		return reply{}, notFound(r)
	}
	return reply{status: http.StatusNoContent}, nil
}

// missing turns "no such row" into the provider's 404.
func missing(r *http.Request, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(r)
	}
	return err
}

// Numbers the provider documents for trying a purchase out.
const (
	magicTaken   = "+15005550000"
	magicInvalid = "+15005550001"
	magicFine    = "+15005550006"
)

func (s *Sandbox) buyNumber(r *http.Request) (reply, error) {
	o, err := s.ordered(r)
	if err != nil {
		return reply{}, err
	}
	if err := s.checkPapers(r, o); err != nil {
		return reply{}, err
	}
	n := newNumber(o, s.now())
	n.Account = s.below(r)
	n.Bought = s.options.Now().UnixMilli()
	if err := s.set(&n, r.Form); err != nil {
		return reply{}, err
	}
	n.Mode = "voice" // the mode is accepted with a purchase and does not stick
	if err := s.state.addNumbers(r.Context(), n); err != nil {
		if errors.Is(err, errTaken) && s.options.Quirks.SoldAgain {
			return s.sellAgain(r, n.Phone)
		}
		if errors.Is(err, errTaken) {
			return reply{}, s.notAvailable(n.Phone)
		}
		return reply{}, err
	}
	return reply{status: http.StatusCreated, body: s.numberBody(n)}, nil
}

// newNumber is a number just bought: in voice mode and not set up.
func newNumber(o offer, bought time.Time) number {
	return number{
		ID: newID(), Phone: o.phone, Country: o.area.country, Type: o.area.kind.name, Name: friendly(o.phone),
		Address: o.area.kind.address, Beta: o.beta, Can: o.can,
		Mode: "voice", Created: bought, Updated: bought, Set: map[string]string{},
	}
}

func (s *Sandbox) notAvailable(phone string) error {
	return s.refuse(21422, "%s is not available", phone)
}

// ordered is the number a purchase is for.
func (s *Sandbox) ordered(r *http.Request) (offer, error) {
	phone, areaCode := r.Form.Get("PhoneNumber"), r.Form.Get("AreaCode")
	switch {
	case phone == magicTaken:
		return offer{}, s.notAvailable(phone)
	case phone == magicFine:
		america := &area{country: "US", dial: "1", kind: numberType{name: "Local", address: "none"}}
		return offer{area: america, phone: phone, can: capabilities{Voice: true, SMS: true, MMS: true, Fax: true}}, nil
	case phone == magicInvalid, phone != "" && !isE164(phone):
		return offer{}, s.refuse(21421, "%s is not a valid phone number", phone)
	case phone != "":
		o, found := s.stock.find(phone)
		if !found {
			return offer{}, s.notAvailable(phone)
		}
		return o, nil
	case areaCode == "" || !s.dialect.areaCodeBuy:
		return offer{}, s.refuse(21421, "PhoneNumber is required")
	}
	return s.anyOf(r.Context(), areaCode)
}

// anyOf picks a number in an area code.
func (s *Sandbox) anyOf(ctx context.Context, areaCode string) (offer, error) {
	if !isAreaCode(areaCode) {
		return offer{}, s.refuse(21451, "Invalid area code: %s", areaCode)
	}
	found, err := s.forSale(ctx, 1,
		func(a *area) bool { return a.dial == "1" && a.kind.name == "Local" && a.prefix == areaCode },
		func(o offer) bool { return !o.beta })
	if err != nil {
		return offer{}, err
	}
	if len(found) == 0 {
		return offer{}, s.refuse(21452, "No phone numbers found in area code %s", areaCode)
	}
	return found[0], nil
}

// checkPapers asks for the address and the bundle that a country wants.
func (s *Sandbox) checkPapers(r *http.Request, o offer) error {
	kind := o.area.kind
	address, bundle := r.Form.Get("AddressSid"), r.Form.Get("BundleSid")
	switch {
	case kind.bundle && bundle == "":
		return s.refuse(21649, "Phone Number Requires a Bundle: %s numbers in %s need BundleSid", kind.name, o.area.country)
	case kind.address == "none" || address != "" || bundle != "":
		return nil
	case kind.address == "local":
		return s.refuse(21615, "Phone Number Requires a Local Address: %s numbers in %s need AddressSid", kind.name, o.area.country)
	}
	return s.refuse(21631, "Phone Number Requires an Address: %s numbers in %s need AddressSid", kind.name, o.area.country)
}

func (s *Sandbox) numberBody(n number) map[string]any {
	id := s.dialect.id("PN", n.ID)
	body := map[string]any{
		"sid":                    id,
		"account_sid":            cmp.Or(n.Account, s.dialect.account.Account),
		"phone_number":           n.Phone,
		"friendly_name":          n.Name,
		"capabilities":           map[string]bool{"voice": n.Can.Voice, "sms": n.Can.SMS, "mms": n.Can.MMS, "fax": n.Can.Fax},
		"address_requirements":   n.Address,
		"api_version":            "2010-04-01",
		"beta":                   n.Beta,
		"origin":                 string(s.dialect.name),
		"status":                 cmp.Or(s.options.Quirks.Status, "in-use"),
		"type":                   strings.ReplaceAll(snake(n.Type), "_", "-"),
		"voice_caller_id_lookup": false,
		"date_created":           rfc2822(n.Created),
		"date_updated":           rfc2822(n.Updated),
		"uri":                    s.accountURI("/IncomingPhoneNumbers/" + id),
	}
	for _, f := range s.settings {
		body[f.field] = f.missing
		if value := n.Set[f.param]; value != "" {
			body[f.field] = value
		}
	}
	if s.dialect.showsMode {
		body["voice_receive_mode"] = n.Mode
	} else {
		body["country_code"] = n.Country
	}
	return body
}
