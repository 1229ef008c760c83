package twilio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// offerRecord is a number for sale.
// Source: https://www.twilio.com/docs/phone-numbers/api/availablephonenumber-resource
type offerRecord struct {
	PhoneNumber         scalar       `json:"phone_number"`
	Lata                scalar       `json:"lata"`
	Locality            scalar       `json:"locality"`
	RateCenter          scalar       `json:"rate_center"`
	Latitude            scalar       `json:"latitude"`
	Longitude           scalar       `json:"longitude"`
	Region              scalar       `json:"region"`
	PostalCode          scalar       `json:"postal_code"`
	ISOCountry          scalar       `json:"iso_country"`
	AddressRequirements scalar       `json:"address_requirements"`
	Beta                scalar       `json:"beta"`
	Capabilities        capabilities `json:"capabilities"`
}

func (w offerRecord) offer(q fax.Query, raw json.RawMessage) fax.Offer {
	return fax.Offer{
		Phone:        string(w.PhoneNumber),
		Country:      cmp.Or(string(w.ISOCountry), q.Country),
		Type:         q.Type,
		Region:       string(w.Region),
		Locality:     string(w.Locality),
		RateCenter:   string(w.RateCenter),
		Lata:         string(w.Lata),
		PostalCode:   string(w.PostalCode),
		Latitude:     string(w.Latitude),
		Longitude:    string(w.Longitude),
		Capabilities: fax.Capabilities(w.Capabilities),
		Address:      string(w.AddressRequirements),
		Beta:         w.Beta == "true",
		Raw:          raw,
	}
}

func (w relayOffer) offer(q fax.Query, raw json.RawMessage) fax.Offer {
	return fax.Offer{
		Phone:        string(cmp.Or(w.Number, w.E164)),
		Country:      q.Country,
		Type:         q.Type,
		Region:       string(w.Region),
		Locality:     string(w.City),
		RateCenter:   string(w.RateCenter),
		Capabilities: fax.Capabilities(w.Capabilities),
		Raw:          raw,
	}
}

// Search yields the numbers for sale that answer one question: one request, as many
// as [numbers.Limits] says, no further page. SignalWire is asked in its relay API when
// fax is required, since its other search does not say who does fax; a question
// the relay search has no words for is put to the other, and the offers come
// with fax unknown.
func (a numbers) Search(ctx context.Context, q fax.Query) iter.Seq2[fax.Offer, error] {
	return func(yield func(fax.Offer, error) bool) {
		offers, err := a.search(ctx, q)
		if err != nil {
			yield(fax.Offer{}, err)
			return
		}
		for _, o := range offers {
			if !yield(o, nil) {
				return
			}
		}
	}
}

// Limits are those of the search that q is put to.
func (a numbers) Limits(q fax.Query) fax.SearchLimits {
	if _, fits := relayQuery(q); a.dialect.relay != "" && q.Fax && fits {
		return fax.SearchLimits(a.dialect.FaxSearch)
	}
	return fax.SearchLimits(a.dialect.Search)
}

func (a numbers) search(ctx context.Context, q fax.Query) ([]fax.Offer, error) {
	if err := a.checkQuery(q); err != nil {
		return nil, err
	}
	if a.dialect.relay != "" && q.Fax {
		query, fits := relayQuery(q)
		if fits {
			return a.searchRelay(ctx, q, query)
		}
		if q.Sure {
			return nil, unsupported("the fax capability with these filters")
		}
	}
	params, err := searchParams(q)
	if err != nil {
		return nil, err
	}
	var w struct {
		List *records `json:"available_phone_numbers"`
	}
	err = a.ask(ctx, &w, func(api *openapi.ApiService) error {
		return pageAvailable(api, q, params)
	})
	if errors.Is(err, problem.ErrNotFound) {
		return nil, problem.With(
			fmt.Errorf("%w: %s has no %s numbers in %s", problem.ErrUnsupported, a.dialect.Name, q.Type, q.Country),
			problem.Say("ask for another type or country: %s", problem.Command("numbers", "search").Set("type", "local").Set("country", "US")))
	}
	if err != nil {
		return nil, err
	}
	return numbered(each(w.List, func(w offerRecord, raw json.RawMessage) fax.Offer { return w.offer(q, raw) }))
}

// numbered are offers of which one at least has its number: an answer without any
// is not what the API sends.
func numbered(offers []fax.Offer, err error) ([]fax.Offer, error) {
	if err == nil && len(offers) > 0 && !slices.ContainsFunc(offers, func(o fax.Offer) bool { return o.Phone != "" }) {
		return nil, notRecord(errors.New("no offer has a number"))
	}
	return offers, err
}

func (a numbers) searchRelay(ctx context.Context, q fax.Query, query url.Values) ([]fax.Offer, error) {
	var w struct {
		List records `json:"data"` // null when there are none
	}
	if err := a.get(ctx, &w, a.dialect.relay+"/search", query); err != nil {
		return nil, err
	}
	return numbered(each(&w.List, func(w relayOffer, raw json.RawMessage) fax.Offer { return w.offer(q, raw) }))
}

// checkQuery refuses what the provider would not understand, or would ignore
// without a word.
func (a numbers) checkQuery(q fax.Query) error {
	if err := fax.CheckCountry(q.Country); err != nil {
		return err
	}
	if a.dialect.Name != info.SignalWire {
		return nil
	}
	if q.Type != fax.Local && q.Type != fax.TollFree {
		return unsupported("numbers of type " + string(q.Type))
	}
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"postal-code", q.PostalCode != ""},
		{"near", q.NearNumber != "" || q.NearLatLong != ""},
		{"distance", q.Distance != 0},
		{"rate-center", q.RateCenter != ""},
		{"lata", q.Lata != ""},
		{"no-address-required", q.NoAddress != ""},
		{"locality without region", q.Locality != "" && q.Region == ""},
	} {
		if f.given {
			return unsupported(f.name)
		}
	}
	return nil
}

func unsupported(what string) error {
	return problem.With(fmt.Errorf("%w: %s in a search at SignalWire", problem.ErrUnsupported, what),
		problem.Say("SignalWire searches by %s or toll-free, %s, %s, %s with %s", problem.Field("type", "local"), problem.Field("area-code"), problem.Field("contains"), problem.Field("region"), problem.Field("locality")))
}

// searchParams says q in the words of the search.
func searchParams(q fax.Query) (*openapi.ListAvailablePhoneNumberLocalParams, error) {
	p := &openapi.ListAvailablePhoneNumberLocalParams{
		Contains:     given(q.Contains),
		NearNumber:   given(q.NearNumber),
		NearLatLong:  given(q.NearLatLong),
		InPostalCode: given(q.PostalCode),
		InRegion:     given(q.Region),
		InRateCenter: given(q.RateCenter),
		InLata:       given(q.Lata),
		InLocality:   given(q.Locality),
		FaxEnabled:   given(q.Fax),
		VoiceEnabled: given(q.Voice),
		SmsEnabled:   given(q.SMS),
		MmsEnabled:   given(q.MMS),
		Distance:     given(q.Distance),
		Beta:         q.Beta,
	}
	if q.AreaCode != "" {
		if err := fax.CheckAreaCode(q.AreaCode); err != nil {
			return nil, err
		}
		n, err := strconv.Atoi(q.AreaCode)
		if err != nil {
			return nil, err
		}
		p.AreaCode = &n
	}
	switch q.NoAddress {
	case "":
	case "any":
		p.SetExcludeAllAddressRequired(true)
	case "local":
		p.SetExcludeLocalAddressRequired(true)
	case "foreign":
		p.SetExcludeForeignAddressRequired(true)
	default:
		return nil, fmt.Errorf("%w address requirement %q: any, local or foreign", problem.ErrInvalid, q.NoAddress)
	}
	return p, nil
}

// given is a pointer to v, nil when v is the zero value: not asked for.
func given[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// pageAvailable asks for one type of number. The seven generated calls differ in
// a word of the path; their parameters are the same fields under seven names.
func pageAvailable(api *openapi.ApiService, q fax.Query, p *openapi.ListAvailablePhoneNumberLocalParams) (err error) {
	switch q.Type {
	case fax.Local:
		_, err = api.PageAvailablePhoneNumberLocal(q.Country, p, "", "")
	case fax.TollFree:
		_, err = api.PageAvailablePhoneNumberTollFree(q.Country, (*openapi.ListAvailablePhoneNumberTollFreeParams)(p), "", "")
	case fax.Mobile:
		_, err = api.PageAvailablePhoneNumberMobile(q.Country, (*openapi.ListAvailablePhoneNumberMobileParams)(p), "", "")
	case fax.National:
		_, err = api.PageAvailablePhoneNumberNational(q.Country, (*openapi.ListAvailablePhoneNumberNationalParams)(p), "", "")
	case fax.Voip:
		_, err = api.PageAvailablePhoneNumberVoip(q.Country, (*openapi.ListAvailablePhoneNumberVoipParams)(p), "", "")
	case fax.SharedCost:
		_, err = api.PageAvailablePhoneNumberSharedCost(q.Country, (*openapi.ListAvailablePhoneNumberSharedCostParams)(p), "", "")
	case fax.MachineToMachine:
		_, err = api.PageAvailablePhoneNumberMachineToMachine(q.Country, (*openapi.ListAvailablePhoneNumberMachineToMachineParams)(p), "", "")
	default:
		err = fmt.Errorf("%w: numbers of type %q", problem.ErrUnsupported, q.Type)
	}
	return err
}

// Prices tells what a number of each type costs this account a month.
// Source: https://www.twilio.com/docs/phone-numbers/pricing
func (a numbers) Prices(ctx context.Context, country string) (map[fax.NumberType]fax.Money, error) {
	if a.dialect.prices == "" {
		return nil, fmt.Errorf("%w: %s has no price list", problem.ErrUnsupported, a.dialect.Name)
	}
	if err := fax.CheckCountry(country); err != nil {
		return nil, err
	}
	var w struct {
		Country scalar `json:"iso_country"`
		Unit    scalar `json:"price_unit"`
		List    []struct {
			Type    scalar `json:"number_type"`
			Base    scalar `json:"base_price"`
			Current scalar `json:"current_price"`
		} `json:"phone_number_prices"`
	}
	if err := a.get(ctx, &w, a.dialect.prices+country, nil); err != nil {
		return nil, err
	}
	if got := strings.ToUpper(string(w.Country)); got != "" && got != country {
		return nil, aboutAnother("country", got)
	}
	prices := make(map[fax.NumberType]fax.Money, len(w.List))
	for _, p := range w.List {
		if m := moneyOf(cmp.Or(string(p.Current), string(p.Base)), string(w.Unit)); m != nil {
			prices[p.Type.numberType()] = *m
		}
	}
	return prices, nil
}
