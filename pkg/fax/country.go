package fax

import (
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// CheckCountry refuses what is no country: two capital letters (ISO 3166-1). For
// what people write in place of a code the hint has the code.
func CheckCountry(code string) error {
	letters := problem.Say("give two letters (ISO 3166-1), as in %s", problem.Field("country", "US"))
	switch meant := mistakenCountries()[code]; {
	case meant != "":
		return problem.Invalid(problem.Say("write %s: countries have two letters (ISO 3166-1), as in %s", problem.Text(meant), problem.Field("country", meant)), "country %q", code)
	case len(code) != 2 || !text.MadeOf(code, text.Upper):
		return problem.Invalid(letters, "country %q", code)
	case !slices.Contains(strings.Fields(countryCodes), code):
		return problem.Invalid(letters.Then(problem.Say("there is no country with this code")), "country %q", code)
	}
	return nil
}

// mistakenCountries are what is written in place of a country's code: its code in
// other lists, in three letters, or that of its language.
func mistakenCountries() map[string]string {
	return map[string]string{
		"UK": "GB", "EN": "GB", "GBR": "GB", "UNITED KINGDOM": "GB", "ENGLAND": "GB", "USA": "US", "UNITED STATES": "US",
		"CAN": "CA", "CANADA": "CA", "AUS": "AU", "AUSTRALIA": "AU", "DEU": "DE", "GER": "DE", "GERMANY": "DE", "AUT": "AT",
		"AUSTRIA": "AT", "CHE": "CH", "SWITZERLAND": "CH", "NLD": "NL", "NETHERLANDS": "NL", "FRA": "FR", "FRANCE": "FR",
		"ESP": "ES", "SPAIN": "ES", "ITA": "IT", "ITALY": "IT", "IRL": "IE", "IRELAND": "IE", "EL": "GR", "GREECE": "GR",
		"DA": "DK", "CS": "CZ", "JA": "JP", "JPN": "JP", "JAPAN": "JP", "KO": "KR", "SWEDEN": "SE",
		"MEX": "MX", "MEXICO": "MX", "BRA": "BR", "BRAZIL": "BR",
	}
}

// countryCodes are the officially assigned codes. Source: ISO 3166-1 alpha-2.
const countryCodes = `
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT
JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY
MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM
PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW`
