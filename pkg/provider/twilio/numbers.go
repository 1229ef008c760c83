package twilio

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// numbers is the account's phone numbers, and those for sale.
// Source: https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
type numbers struct{ *account }

// numberRecord is an IncomingPhoneNumber as far as faxctl cares.
type numberRecord struct {
	SID                 scalar       `json:"sid"`
	AccountSID          scalar       `json:"account_sid"`
	PhoneNumber         scalar       `json:"phone_number"`
	FriendlyName        scalar       `json:"friendly_name"`
	Type                scalar       `json:"type"`
	Capabilities        capabilities `json:"capabilities"`
	VoiceReceiveMode    scalar       `json:"voice_receive_mode"`
	VoiceURL            scalar       `json:"voice_url"`
	VoiceMethod         scalar       `json:"voice_method"`
	VoiceFallbackURL    scalar       `json:"voice_fallback_url"`
	VoiceFallbackMethod scalar       `json:"voice_fallback_method"`
	StatusCallback      scalar       `json:"status_callback"`
	TrunkSID            scalar       `json:"trunk_sid"`
	VoiceApplicationSID scalar       `json:"voice_application_sid"`
	Status              scalar       `json:"status"`
	AddressRequirements scalar       `json:"address_requirements"`
	Beta                scalar       `json:"beta"`
	DateCreated         scalar       `json:"date_created"`
	DateUpdated         scalar       `json:"date_updated"`
}

// number turns a record into the vocabulary. An absent mode is unknown: the
// SignalWire dialect never sends one.
func (w numberRecord) number(raw json.RawMessage) fax.Number {
	n := fax.Number{
		ID:             string(w.SID),
		Phone:          string(w.PhoneNumber),
		Name:           string(w.FriendlyName),
		Type:           w.Type.numberType(),
		Capabilities:   fax.Capabilities(w.Capabilities),
		Mode:           modeOf(w.VoiceReceiveMode),
		Method:         string(w.VoiceMethod),
		FallbackURL:    string(w.VoiceFallbackURL),
		FallbackMethod: string(w.VoiceFallbackMethod),
		StatusCallback: string(w.StatusCallback),
		TrunkID:        string(w.TrunkSID),
		ApplicationID:  string(w.VoiceApplicationSID),
		Created:        timeOf(string(w.DateCreated)),
		Updated:        timeOf(string(w.DateUpdated)),
		Raw:            raw,
	}
	if w.AddressRequirements != "none" {
		n.Address = string(w.AddressRequirements)
	}
	n.Beta = w.Beta == "true"
	if w.Status != "in-use" {
		n.Status = string(w.Status)
	}
	n.SetURL(string(w.VoiceURL))
	return n
}

// modeOf is a provider's word for a receive mode.
func modeOf(word scalar) fax.Mode {
	switch m := fax.Mode(strings.ToLower(string(word))); m {
	case fax.ModeFax, fax.ModeVoice:
		return m
	}
	return fax.ModeUnknown
}

// List yields the numbers the account owns.
func (a numbers) List(ctx context.Context, f fax.NumberFilter) iter.Seq2[fax.Number, error] {
	params := &openapi.ListIncomingPhoneNumberParams{}
	params.SetPageSize(a.pageSize(f))
	if digits := cmp.Or(f.Phone, f.Contains); digits != "" {
		params.SetPhoneNumber(digits)
	}
	if f.Name != "" {
		params.SetFriendlyName(f.Name)
	}
	return func(yield func(fax.Number, error) bool) {
		readModes := a.modeReader(f)
		fax.Pages(ctx, func(n fax.Number) string { return n.ID }, func(ctx context.Context, cursor string) (fax.Page[fax.Number], error) {
			page, err := a.page(ctx, params, cursor)
			if err != nil {
				return page, err
			}
			all := len(page.Items)
			page.Items = slices.DeleteFunc(page.Items, func(n fax.Number) bool { return !selects(f, n) })
			page.Sifted = len(page.Items) < all
			return page, readModes(ctx, page.Items)
		})(yield)
	}
}

// pageSize is as many as the reader will take, in one page if that can be.
func (a numbers) pageSize(f fax.NumberFilter) int {
	if f.Most > 0 {
		return min(f.Most, a.dialect.PageSize)
	}
	return a.dialect.PageSize
}

// page fetches one page of the account's numbers.
func (a numbers) page(ctx context.Context, params *openapi.ListIncomingPhoneNumberParams, cursor string) (fax.Page[fax.Number], error) {
	var none fax.Page[fax.Number]
	number, token, err := pageOf(cursor)
	if err != nil {
		return none, err
	}
	var w struct {
		links
		List *records `json:"incoming_phone_numbers"`
	}
	err = a.ask(ctx, &w, func(api *openapi.ApiService) error {
		_, err := api.PageIncomingPhoneNumber(params, token, number)
		return err
	})
	if err != nil {
		return none, err
	}
	var strange error
	items, err := each(w.List, func(w numberRecord, raw json.RawMessage) fax.Number {
		if owner := string(w.AccountSID); !a.ours(owner) {
			strange = aboutAnother("account", owner)
		}
		return w.number(raw)
	})
	if err = cmp.Or(err, strange); err != nil {
		return none, err
	}
	next, err := w.next()
	return fax.Page[fax.Number]{Items: items, Next: next}, err
}

// selects applies a filter once more: providers match parts of a number and of
// a name, and SignalWire ignores what it does not know.
func selects(f fax.NumberFilter, n fax.Number) bool {
	return (f.Phone == "" || n.Phone == f.Phone) &&
		(f.Name == "" || n.Name == f.Name) &&
		(f.Contains == "" || containsDigits(n.Phone, f.Contains))
}

// containsDigits reports whether pattern, in which * is any one digit, is
// somewhere in phone.
func containsDigits(phone, pattern string) bool {
	for start := 0; start+len(pattern) <= len(phone); start++ {
		at := 0
		for at < len(pattern) && (pattern[at] == phone[start+at] || pattern[at] == '*' && phone[start+at] != '+') {
			at++
		}
		if at == len(pattern) {
			return true
		}
	}
	return false
}

// Get fetches one owned number, receive mode included.
func (a numbers) Get(ctx context.Context, id string) (fax.Number, error) {
	return a.known(ctx, id, func(api *openapi.ApiService) error {
		_, err := api.FetchIncomingPhoneNumber(id, nil)
		return err
	})
}

// known makes a request that is answered with the number of that id.
func (a numbers) known(ctx context.Context, id string, request func(*openapi.ApiService) error) (fax.Number, error) {
	if err := checkID("number", id); err != nil {
		return fax.Number{}, err
	}
	n, owner, err := a.one(ctx, request)
	switch {
	case err != nil:
		return n, err
	case n.ID != id:
		return fax.Number{}, aboutAnother("number", fax.MaskPhone(n.Phone))
	}
	if err := a.checkMoved(n, owner); err != nil {
		return n, err
	}
	return a.withMode(ctx, n)
}

// one makes a request that is answered with one number, and tells whose it is.
func (a numbers) one(ctx context.Context, request func(*openapi.ApiService) error) (n fax.Number, owner string, err error) {
	var raw json.RawMessage
	if err := a.ask(ctx, &raw, request); err != nil {
		return fax.Number{}, "", err
	}
	var w numberRecord
	if err := json.Unmarshal(raw, &w); err != nil {
		return fax.Number{}, "", notRecord(err)
	}
	if w.SID == "" {
		return fax.Number{}, "", notRecord(fmt.Errorf("a number without a sid"))
	}
	return w.number(raw), string(w.AccountSID), nil
}

// Buy sends one purchase, once. The receive mode is not sent: providers accept
// it here and do not keep it.
func (a numbers) Buy(ctx context.Context, o fax.Order) (fax.Number, error) {
	params := &openapi.CreateIncomingPhoneNumberParams{}
	switch {
	case (o.Phone == "") == (o.AreaCode == ""):
		return fax.Number{}, fmt.Errorf("%w order: give either a number or an area code", problem.ErrInvalid)
	case o.Phone != "":
		params.SetPhoneNumber(o.Phone)
	case a.dialect.Name == info.SignalWire:
		return fax.Number{}, problem.With(fmt.Errorf("%w: buying by area code at SignalWire", problem.ErrUnsupported), problem.Say("find a number first: %s", problem.Command("numbers", "search").Set("area-code", o.AreaCode)))
	case o.Country != "" && o.Country != "US" && o.Country != "CA":
		return fax.Number{}, problem.With(fmt.Errorf("%w: buying by area code outside the US and Canada", problem.ErrUnsupported), problem.Say("find a number first: %s", problem.Command("numbers", "search").Set("country", o.Country)))
	default:
		params.SetAreaCode(o.AreaCode)
	}
	if a.dialect.Name == info.SignalWire && (o.AddressID != "" || o.BundleID != "") {
		return fax.Number{}, fmt.Errorf("%w: addresses and bundles at SignalWire", problem.ErrUnsupported)
	}
	if o.Name != "" {
		params.SetFriendlyName(o.Name)
	}
	if o.AddressID != "" {
		params.SetAddressSid(o.AddressID)
	}
	if o.BundleID != "" {
		params.SetBundleSid(o.BundleID)
	}
	n, owner, err := a.one(ctx, func(api *openapi.ApiService) error {
		_, err := api.CreateIncomingPhoneNumber(params)
		return err
	})
	switch {
	case err != nil:
		return n, err
	case o.Phone != "" && n.Phone != o.Phone:
		return fax.Number{}, aboutAnother("number", fax.MaskPhone(n.Phone))
	case !a.ours(owner):
		return fax.Number{}, aboutAnother("account", owner)
	}
	return n, nil
}

// Configure changes what c gives and returns what the provider answered.
func (a numbers) Configure(ctx context.Context, id string, c fax.Change) (fax.Number, error) {
	if c.Empty() {
		return a.Get(ctx, id)
	}
	params := &openapi.UpdateIncomingPhoneNumberParams{
		FriendlyName:        c.Name,
		VoiceUrl:            c.URL,
		VoiceMethod:         c.Method,
		VoiceFallbackUrl:    c.FallbackURL,
		VoiceFallbackMethod: c.FallbackMethod,
		StatusCallback:      c.StatusCallback,
		TrunkSid:            c.TrunkID,
		VoiceApplicationSid: c.ApplicationID,
	}
	if c.Mode != nil {
		if modeOf(scalar(*c.Mode)) == fax.ModeUnknown {
			return fax.Number{}, fmt.Errorf("%w receive mode %q", problem.ErrInvalid, *c.Mode)
		}
		params.SetVoiceReceiveMode(string(*c.Mode))
	}
	return a.known(ctx, id, func(api *openapi.ApiService) error {
		_, err := api.UpdateIncomingPhoneNumber(id, params)
		return err
	})
}

// Release gives a number up.
func (a numbers) Release(ctx context.Context, id string) error {
	if err := checkID("number", id); err != nil {
		return err
	}
	return a.ask(ctx, nil, func(api *openapi.ApiService) error {
		return api.DeleteIncomingPhoneNumber(id, nil)
	})
}
