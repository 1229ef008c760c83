package fax

import (
	"errors"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

func TestReadPhone(t *testing.T) {
	for _, c := range []struct{ country, text, want string }{
		{"", "(415) 555-0123", "+14155550123"},
		{"", "415-555-0123", "+14155550123"},
		{"US", "415.555.0123", "+14155550123"},
		{"CA", "1 415 555 0123", "+14155550123"},
		{"US", "1-800-356-9377", "+18003569377"},
		{"US", "001 415 555 0123", "+14155550123"},
		{"US", "011 49 30 12345678", "+493012345678"},
		{"US", "00493012345678", "+493012345678"},
		{"US", "+49 30 12345678", "+493012345678"},
		{"US", "555-0123", ""},       // of which town?
		{"US", "115 555 0123", ""},   // no area code begins with 1
		{"US", "415 055 0123", ""},   // nor what follows it with 0
		{"US", "14155550123 4", ""},  // one digit too many
		{"US", "+1415555012", ""},    // it says where it is, and is too short
		{"US", "front desk 123", ""}, // a name
		{"US", "611", ""},
		{"US", "", ""},
		{"DE", "030 12345678", "+493012345678"},
		{"DE", "(030) 123 45 678", "+493012345678"},
		{"DE", "0049 30 12345678", "+493012345678"},
		{"DE", "49 30 12345678", "+493012345678"},
		{"DE", "001 415 555 0123", "+14155550123"},
		{"DE", "12345678", ""}, // of which town?
		{"GB", "020 7946 0123", "+442079460123"},
		{"AU", "02 5550 1234", "+61255501234"},
		{"AU", "0011 1 415 555 0123", "+14155550123"},
		{"JP", "010 1 415 555 0123", "+14155550123"},
		{"HU", "06 1 234 5678", "+3612345678"},
		{"RU", "8 495 123-45-67", "+74951234567"},
		{"RU", "8 10 1 415 555 0123", "+14155550123"},
		{"ES", "912 345 678", "+34912345678"},
		{"ES", "34 912 345 678", "+34912345678"},
		{"DK", "45 12 34 56", "+4545123456"}, // 45 is how it begins
		{"DK", "45 33 12 34 56", "+4533123456"},
		{"IT", "06 1234 5678", "+390612345678"}, // the 0 belongs to the number
		{"IT", "392 123 4567", "+393921234567"},
		{"IT", "39 06 1234 5678", "+390612345678"},
		{"ZZ", "030 12345678", ""}, // nobody knows
		{"ZZ", "0049 30 12345678", "+493012345678"},
	} {
		got, err := ReadPhone(c.text, c.country)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q is %q, %v, want %q", c.country, c.text, got, err, c.want)
		}
		if err != nil && (!errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).Empty()) {
			t.Errorf("%s: %q: %v without its kind or advice", c.country, c.text, err)
		}
	}
}

// Every country has a calling code, and once.
func TestEveryCountryCanBeDialed(t *testing.T) {
	for _, country := range strings.Fields(countryCodes) {
		if d := dialingIn(country); d.code == "" || d.code[0] == '0' || len(d.code) > 3 || d.exit == "" {
			t.Errorf("%s is dialed as %+v", country, d)
		}
	}
	seen := map[string]bool{}
	for entry := range strings.FieldsSeq(countryDialing) {
		names, _, _ := strings.Cut(entry, "=")
		for name := range strings.SplitSeq(names, ",") {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
	}
}

// What is no number says what is amiss with it.
func TestReadPhoneSaysWhy(t *testing.T) {
	for text, why := range map[string]string{
		"555-0198":         "it is too short for US: it has 7 digits, and one with its area code has 10",
		"415 555 01234":    "it is too long for US: it has 11 digits, and one with its area code has 10",
		"115 555 0123":     "it is too short for US: it has 9 digits, and one with its area code has 10",
		"(015) 555 0123":   "in US the area code, and the number after it, begin with 2 to 9",
		"1 (415) 055-0123": "in US the area code, and the number after it, begin with 2 to 9",
	} {
		if _, err := ReadPhone(text, "US"); err == nil || !strings.HasSuffix(err.Error(), ": "+why) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
