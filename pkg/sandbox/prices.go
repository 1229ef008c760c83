package sandbox

import (
	"net/http"
	"strings"
)

// priceRoutes are the pricing service, which only Twilio has.
func (s *Sandbox) priceRoutes() []route {
	if s.dialect.name != Twilio {
		return nil
	}
	return []route{
		{pattern: "GET " + pricesRoot, handle: s.listPriced},
		{pattern: "GET " + pricesRoot + "/{country}", handle: s.getPrices},
	}
}

const pricesRoot = "/v1/PhoneNumbers/Countries"

// listPriced lists the countries that have prices, on one page.
func (s *Sandbox) listPriced(r *http.Request) (reply, error) {
	if err := s.options.Quirks.priced(r); err != nil {
		return reply{}, err
	}
	countries := []any{}
	for _, c := range s.stock.countries {
		countries = append(countries, map[string]any{"country": c.name, "iso_country": c.code, "url": origin(r) + pricesRoot + "/" + c.code})
	}
	first := origin(r) + pricesRoot + "?PageSize=50&Page=0"
	return ok(map[string]any{
		"countries": countries,
		"meta": map[string]any{
			"page": 0, "page_size": 50, "key": "countries",
			"first_page_url": first, "url": first, "previous_page_url": nil, "next_page_url": nil,
		},
	}), nil
}

func (s *Sandbox) getPrices(r *http.Request) (reply, error) {
	if err := s.options.Quirks.priced(r); err != nil {
		return reply{}, err
	}
	c, sold := s.stock.country(r.PathValue("country"))
	if !sold {
		return reply{}, notFound(r)
	}
	prices := []any{}
	if s.options.Quirks.Prices == "none" {
		c.types = nil
	}
	for _, t := range c.types {
		prices = append(prices, map[string]any{
			"number_type":   strings.ReplaceAll(snake(t.name), "_", " "),
			"base_price":    t.price,
			"current_price": t.price,
		})
	}
	return ok(map[string]any{
		"country":             c.name,
		"iso_country":         c.code,
		"price_unit":          "USD",
		"phone_number_prices": prices,
		"url":                 origin(r) + pricesRoot + "/" + c.code,
	}), nil
}
