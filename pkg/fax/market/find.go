package market

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Find looks for one number among those for sale, to learn its price and
// what it can do before buying it. The country comes from the number itself,
// so a few questions are asked side by side, one for each type; about the rare types
// when the others do not have it. offered is fax.No when every question was answered
// in full by a search that finds exactly what it is asked for, and fax.Unknown when
// the number may be for sale all the same. Errors: those of Numbers.Search, when no
// question was answered.
func Find(ctx context.Context, numbers fax.Numbers, phone string) (offer fax.Offer, offered fax.Support, err error) {
	common := []fax.NumberType{fax.Local, fax.TollFree, fax.Mobile, fax.National}
	rare := slices.DeleteFunc(fax.NumberTypes(), func(t fax.NumberType) bool { return slices.Contains(common, t) })
	answered, whole := false, true
	for _, types := range [][]fax.NumberType{common, rare} {
		var round []question
		for _, country := range countries(phone) {
			for _, t := range types {
				round = append(round, question{Query: fax.Query{Country: country, Type: t, Contains: strings.TrimPrefix(phone, "+")}})
			}
		}
		for a := range seq.InOrder(ctx, max(len(round), 1), round, ask(numbers)) {
			for _, o := range a.offers {
				if o.Phone == phone {
					return o, fax.Yes, nil
				}
			}
			limits := numbers.Limits(a.Query)
			whole = whole && limits.Exact && len(a.offers) < limits.Rows
			switch {
			case a.err == nil:
				answered = true
			case errors.Is(a.err, problem.ErrUnsupported), errors.Is(a.err, problem.ErrNotFound), errors.Is(a.err, problem.ErrInvalid):
				// No such type in that country.
			default:
				whole = false
				err = cmp.Or(err, a.err)
			}
		}
		if !answered || !whole {
			break
		}
	}
	switch {
	case answered && whole && !elsewhere(phone):
		return fax.Offer{}, fax.No, nil
	case answered:
		err = nil
	}
	return fax.Offer{}, fax.Unknown, err
}

// elsewhere reports whether a number that looks American is of another country, of
// which nobody was asked, or one for tests, which are in no search (500). Sources:
// NANPA, area codes outside the United States and Canada, without those of Puerto Rico;
// Twilio, "Test Credentials".
func elsewhere(phone string) bool {
	const others = "500 242 246 264 268 284 340 345 441 473 649 658 664 670 671 684 721 758 767 784 809 829 849 868 869 876"
	return len(phone) > 5 && strings.HasPrefix(phone, "+1") && slices.Contains(strings.Fields(others), phone[2:5])
}

// countries are the countries, ISO 3166-1, that a number in E.164 can be in by
// its country code, the likeliest first; nil for codes that are not known
// here. Source: ITU-T E.164, list of assigned country codes, for the countries
// where providers sell numbers.
func countries(phone string) []string {
	digits := strings.TrimPrefix(phone, "+")
	for n := 3; n >= 1; n-- {
		if len(digits) > n {
			if c := callingCodes()[digits[:n]]; c != nil {
				return c
			}
		}
	}
	return nil
}

func callingCodes() map[string][]string {
	return map[string][]string{
		"1": {"US", "CA", "PR"}, "7": {"KZ"},
		"20": {"EG"}, "27": {"ZA"}, "30": {"GR"}, "31": {"NL"}, "32": {"BE"}, "33": {"FR"}, "34": {"ES"},
		"36": {"HU"}, "39": {"IT"}, "40": {"RO"}, "41": {"CH"}, "43": {"AT"}, "44": {"GB"}, "45": {"DK"},
		"46": {"SE"}, "47": {"NO"}, "48": {"PL"}, "49": {"DE"}, "51": {"PE"}, "52": {"MX"}, "54": {"AR"},
		"55": {"BR"}, "56": {"CL"}, "57": {"CO"}, "60": {"MY"}, "61": {"AU"}, "62": {"ID"}, "63": {"PH"},
		"64": {"NZ"}, "65": {"SG"}, "66": {"TH"}, "81": {"JP"}, "82": {"KR"}, "84": {"VN"}, "86": {"CN"},
		"90": {"TR"}, "91": {"IN"}, "94": {"LK"},
		"351": {"PT"}, "352": {"LU"}, "353": {"IE"}, "354": {"IS"}, "356": {"MT"}, "357": {"CY"}, "358": {"FI"},
		"359": {"BG"}, "370": {"LT"}, "371": {"LV"}, "372": {"EE"}, "380": {"UA"}, "385": {"HR"}, "386": {"SI"},
		"420": {"CZ"}, "421": {"SK"}, "506": {"CR"}, "507": {"PA"}, "852": {"HK"}, "886": {"TW"}, "972": {"IL"},
	}
}
