package plan

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Quote finds one phone number among the numbers for sale in a country, with
// its price where the provider has a price list. The types it may be of are
// asked side by side; what the provider does not sell is passed over.
//
// fax.ErrNotFound: it is not for sale, which includes that it is sold already.
func Quote(ctx context.Context, numbers fax.Numbers, phone, country string) (fax.Offer, error) {
	phone, err := fax.ParsePhone(phone)
	if err != nil {
		return fax.Offer{}, err
	}
	queries, err := fax.Search{Query: fax.Query{Country: country}, Types: typesOf(phone), Patterns: []string{phone}}.Queries()
	if err != nil {
		return fax.Offer{}, err
	}
	for o, err := range fax.SearchAll(ctx, selling{numbers}, queries, fax.SearchOptions{Cap: 1 << 30}) {
		if err != nil {
			return fax.Offer{}, err
		}
		if o.Phone != phone {
			continue
		}
		prices, err := numbers.Prices(ctx, o.Country)
		if m, ok := prices[o.Type]; ok {
			o.Price = &m
		}
		if err != nil && !errors.Is(err, fax.ErrUnsupported) {
			return o, fmt.Errorf("price of a number in %s: %w", o.Country, err)
		}
		return o, nil
	}
	return fax.Offer{}, fax.WithHint(fmt.Errorf("%s: %w among the numbers for sale in %s", phone, fax.ErrNotFound, queries[0].Country), "see what there is: faxctl numbers search --fax --country "+queries[0].Country)
}

// typesOf is what a number can be, judged by its first digits. In the North
// American plan local numbers cannot be told from mobile ones and are sold as
// local.
func typesOf(phone string) []fax.NumberType {
	if !strings.HasPrefix(phone, "+1") {
		return []fax.NumberType{fax.Local, fax.Mobile, fax.TollFree, fax.National}
	}
	for _, free := range []string{"800", "833", "844", "855", "866", "877", "888"} {
		if strings.HasPrefix(phone, "+1"+free) {
			return []fax.NumberType{fax.TollFree}
		}
	}
	return []fax.NumberType{fax.Local}
}

// selling passes over what a provider does not sell: a type it does not have
// has no numbers.
type selling struct{ fax.Numbers }

func (s selling) Search(ctx context.Context, q fax.Query) iter.Seq2[fax.Offer, error] {
	return func(yield func(fax.Offer, error) bool) {
		for o, err := range s.Numbers.Search(ctx, q) {
			if errors.Is(err, fax.ErrUnsupported) || errors.Is(err, fax.ErrNotFound) {
				return
			}
			if !yield(o, err) {
				return
			}
		}
	}
}
