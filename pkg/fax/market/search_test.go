package market_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
)

func TestSearchQueries(t *testing.T) {
	got, err := market.Search{
		Query:     fax.Query{Country: "us", Fax: true, Type: "ignored", AreaCode: "ignored", Contains: "ignored"},
		Types:     []fax.NumberType{fax.TollFree, fax.Local},
		AreaCodes: []string{"628", "415", "628"},
		Patterns:  []string{"fax", "*00$"},
	}.Queries()
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, q := range got {
		if q.Country != "US" || !q.Fax {
			t.Errorf("the common fields are lost in %+v", q)
		}
		asked = append(asked, string(q.Type)+" "+q.AreaCode+" "+q.Contains)
	}
	want := []string{
		"toll-free 628 FAX", "toll-free 628 *00$", "toll-free 415 FAX", "toll-free 415 *00$",
		"local 628 FAX", "local 628 *00$", "local 415 FAX", "local 415 *00$",
	}
	if d := cmp.Diff(want, asked); d != "" {
		t.Errorf("questions (-want +got):\n%s", d)
	}
	if one, err := (market.Search{}).Queries(); err != nil || !cmp.Equal(one, []fax.Query{{Country: "US", Type: fax.Local}}) {
		t.Errorf("a search for nothing in particular: %+v, %v, want local numbers in the US", one, err)
	}
}

func TestSearchRefuses(t *testing.T) {
	many := make([]string, 501)
	for i := range many {
		many[i] = fmt.Sprintf("%03d", i)
	}
	for name, s := range map[string]market.Search{
		"country":                {Query: fax.Query{Country: "USA"}},
		"type":                   {Types: []fax.NumberType{"landline"}},
		"area code letters":      {AreaCodes: []string{"41a"}},
		"area code too long":     {AreaCodes: []string{"4155"}},
		"area code from 0":       {AreaCodes: []string{"015"}},
		"area code elsewhere":    {Query: fax.Query{Country: "GB"}, AreaCodes: []string{"415"}},
		"pattern too short":      {Patterns: []string{"4"}},
		"pattern too long":       {Patterns: []string{"12345678901234567"}},
		"pattern characters":     {Patterns: []string{"415-555"}},
		"plus inside":            {Patterns: []string{"4+15"}},
		"dollar inside":          {Patterns: []string{"4$15"}},
		"anchors alone":          {Patterns: []string{"+$"}},
		"distance from nowhere":  {Query: fax.Query{Distance: 10}},
		"distance too far":       {Query: fax.Query{Distance: 501, NearNumber: "+14155550123"}},
		"distance negative":      {Query: fax.Query{Distance: -1, NearNumber: "+14155550123"}},
		"near two places":        {Query: fax.Query{NearLatLong: "37.84,-122.26", NearNumber: "+14155550123"}},
		"rate center alone":      {Query: fax.Query{RateCenter: "OAKLAND"}},
		"address requirement":    {Query: fax.Query{NoAddress: "none"}},
		"region elsewhere":       {Query: fax.Query{Country: "DE", Region: "BE"}},
		"postal code elsewhere":  {Query: fax.Query{Country: "DE", PostalCode: "10115"}},
		"near elsewhere":         {Query: fax.Query{Country: "DE", NearLatLong: "52.5,13.4"}},
		"more than anyone means": {Patterns: many},
	} {
		if got, err := s.Queries(); !errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).String() == "" {
			t.Errorf("%s: %d questions, error %v, want problem.ErrInvalid with a hint", name, len(got), err)
		}
	}
}

func TestSetNear(t *testing.T) {
	for in, want := range map[string]fax.Query{
		"+1 415 555 0123":  {NearNumber: "+14155550123"},
		"37.84,-122.26":    {NearLatLong: "37.84,-122.26"},
		" 37.84 , -122.26": {NearLatLong: "37.84,-122.26"},
		"-90,180":          {NearLatLong: "-90,180"},
	} {
		q := fax.Query{NearNumber: "old", NearLatLong: "old"}
		if err := q.SetNear(in); err != nil || q != want {
			t.Errorf("SetNear(%q): %+v, %v, want %+v", in, q, err, want)
		}
	}
	for _, in := range []string{"", "Oakland", "4155550123", "91,0", "0,181", "NaN,0", "1,2,3", "0x1,0", "1_0,0", ",", "1e1,0"} {
		if err := new(fax.Query).SetNear(in); !errors.Is(err, problem.ErrInvalid) || problem.AdviceOf(err).String() == "" {
			t.Errorf("SetNear(%q): %v, want problem.ErrInvalid with a hint", in, err)
		}
	}
}

// A country is known by its code; what people write in its place is not asked of
// a provider, and the hint has the code.
func TestCheckCountry(t *testing.T) {
	for _, code := range []string{"US", "GB", "ZW"} {
		if err := fax.CheckCountry(code); err != nil {
			t.Errorf("CheckCountry(%s): %v", code, err)
		}
	}
	for code, hint := range map[string]string{"UK": "write GB", "USA": "write US", "GERMANY": "write DE", "XX": "no country with this code", "u": "two letters"} {
		if err := fax.CheckCountry(code); !errors.Is(err, problem.ErrInvalid) || !strings.Contains(problem.AdviceOf(err).String(), hint) {
			t.Errorf("CheckCountry(%s): %v, hint %q, want %q", code, err, problem.AdviceOf(err).String(), hint)
		}
	}
}
