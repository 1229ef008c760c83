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
	return []route{{pattern: "GET /v1/PhoneNumbers/Countries/{country}", handle: s.getPrices}}
}

func (s *Sandbox) getPrices(r *http.Request) (reply, error) {
	c, sold := s.stock.country(r.PathValue("country"))
	if !sold {
		return reply{}, notFound(r)
	}
	prices := []any{}
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
		"url":                 origin(r) + "/v1/PhoneNumbers/Countries/" + c.code,
	}), nil
}
