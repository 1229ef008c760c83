package plan

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
)

// settings are what an entry and the defaults both say of a number.
type settings struct {
	want                          Want
	keepRouting, force, allowHTTP *bool
}

func (s *settings) fields() []yamlfile.Field {
	return []yamlfile.Field{
		{Key: "mode", At: &s.want.Mode},
		{Key: "fax-url", At: &s.want.FaxURL}, {Key: "fax-method", At: &s.want.Method},
		{Key: "fallback-url", At: &s.want.FallbackURL}, {Key: "fallback-method", At: &s.want.FallbackMethod},
		{Key: "status-callback", At: &s.want.StatusCallback},
		{Key: "keep-routing", At: &s.keepRouting}, {Key: "force", At: &s.force}, {Key: "allow-http", At: &s.allowHTTP},
	}
}

func (e *entryNode) fields(buy func(*yaml.Node)) []yamlfile.Field {
	return append([]yamlfile.Field{
		{Key: "number", At: &e.phone, Filled: true}, {Key: "buy", At: buy}, {Key: "name", At: &e.want.Name},
	}, e.settings.fields()...)
}

// fields are the keys of a number to buy. One without a value is a mistake, and
// not the wish for any number at any price.
func (s *shoppingText) fields() []yamlfile.Field {
	fields := []yamlfile.Field{
		{Key: "country", At: &s.Search.Country}, {Key: "type", At: &s.kind},
		{Key: "area-code", At: &s.area}, {Key: "contains", At: &s.contains},
		{Key: "region", At: &s.Search.Region}, {Key: "locality", At: &s.Search.Locality},
		{Key: "no-address-required", At: &s.Search.NoAddress}, {Key: "beta", At: &s.Search.Beta},
		{Key: "max-price", At: &s.maxPrice},
		{Key: "address-sid", At: &s.AddressID}, {Key: "bundle-sid", At: &s.BundleID},
		{Key: "allow-unsure-fax", At: &s.allowUnsureFax},
	}
	for i := range fields {
		fields[i].Filled = true
	}
	return fields
}

type shoppingText struct {
	Shopping
	kind                     fax.NumberType
	area, contains, maxPrice string
	allowUnsureFax           *bool
}

// entryNode is an entry as it is written.
type entryNode struct {
	settings
	phone *string
	buy   *Shopping
	at    map[string]*yaml.Node // where its keys are
	node  *yaml.Node
	wrong bool // something was said about it
}

// settings reads a mapping and checks what can be said of each value alone.
func (r fileReader) settings(n *yaml.Node, what string, fields []yamlfile.Field, s *settings) map[string]*yaml.Node {
	at := r.Fields(n, what, fields)
	w := &s.want
	for _, method := range []*string{w.Method, w.FallbackMethod} {
		if method != nil {
			*method = strings.ToUpper(*method)
		}
	}
	// Whether http will do is known when the defaults are.
	for _, alone := range []struct {
		key  string
		want Want
	}{
		{"name", Want{Name: w.Name}},
		{"fax-url", Want{FaxURL: w.FaxURL, AllowHTTP: true}}, {"fallback-url", Want{FallbackURL: w.FallbackURL, AllowHTTP: true}},
		{"status-callback", Want{StatusCallback: w.StatusCallback, AllowHTTP: true}},
	} {
		r.refuse(at[alone.key], alone.want.Check())
	}
	if w.Mode != nil {
		r.refuse(at["mode"], suggest(Want{Mode: w.Mode}.Check(), *w.Mode, []fax.Mode{fax.ModeFax, fax.ModeVoice}))
	}
	if w.Method != nil {
		r.refuse(at["fax-method"], suggest(Want{Method: w.Method}.Check(), *w.Method, methods()))
	}
	if w.FallbackMethod != nil {
		r.refuse(at["fallback-method"], suggest(Want{FallbackMethod: w.FallbackMethod}.Check(), *w.FallbackMethod, methods()))
	}
	s.want.KeepRouting, s.want.Force, s.want.AllowHTTP = isTrue(s.keepRouting), isTrue(s.force), isTrue(s.allowHTTP)
	return at
}

func isTrue(b *bool) bool { return b != nil && *b }

func (r fileReader) entry(n *yaml.Node) entryNode {
	e := entryNode{node: n}
	before := r.Problems()
	e.at = r.settings(n, "an entry of numbers", e.fields(func(v *yaml.Node) { e.buy = r.shopping(v) }), &e.settings)
	if e.phone != nil {
		phone, err := fax.ParsePhone(*e.phone)
		if r.refuse(e.at["number"], err); err == nil {
			e.phone = &phone
		}
	}
	switch {
	case r.Problems() > before: // what is missing may be what is misspelt
	case (e.phone == nil) == (e.buy == nil):
		r.Problem(n, problem.Say(`as in number: "+14155550123", or buy: {country: US, area-code: 415}`), "an entry has either a number, or buy")
	case e.buy != nil && !given(e.want.Name):
		r.Problem(n, problem.Say("add name: it is how a number that was bought is known again, so that it is never bought twice"), "an entry with buy has no name")
	}
	e.wrong = r.Problems() > before
	return e
}

func (r fileReader) shopping(n *yaml.Node) *Shopping {
	if n.ShortTag() == "!!null" {
		r.Problem(n, problem.Say("say what, as in buy: {country: US, area-code: 415}"), "buy has no value")
	}
	var s shoppingText
	at := r.Fields(n, "buy", s.fields())
	if s.maxPrice != "" {
		limit, err := fax.ParseMoney(s.maxPrice)
		r.refuse(at["max-price"], err)
		s.MaxPrice = &limit
	}
	s.AllowUnsureFax = isTrue(s.allowUnsureFax)
	list := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	s.Search.AreaCodes, s.Search.Patterns = list(s.area), list(s.contains)
	if s.kind != "" {
		s.Search.Types = []fax.NumberType{s.kind}
	}
	country := fax.Query{Country: s.Search.Country}
	if err := mistake(market.Search{Query: country}); err != nil {
		r.refuse(at["country"], err)
		country = fax.Query{} // the others are told what is wrong with them alone
	}
	r.refuse(at["type"], suggest(mistake(market.Search{Types: s.Search.Types}), s.kind, fax.NumberTypes()))
	r.refuse(at["area-code"], mistake(market.Search{Query: country, AreaCodes: s.Search.AreaCodes}))
	r.refuse(at["contains"], mistake(market.Search{Patterns: s.Search.Patterns}))
	r.refuse(at["no-address-required"], mistake(market.Search{Query: fax.Query{Country: country.Country, NoAddress: s.Search.NoAddress}}))
	if s.Search.Beta != nil && *s.Search.Beta {
		s.Search.Beta = nil // true is what a provider does anyway
	}
	country.Region = s.Search.Region
	r.refuse(at["region"], mistake(market.Search{Query: country}))
	return &s.Shopping
}

// mistake is what keeps a search from being asked.
func mistake(s market.Search) error {
	_, err := s.Queries()
	return err
}

// finish puts the defaults into an entry, and checks what it comes to.
func (r fileReader) finish(e entryNode, defaults settings) Entry {
	out := Entry{Line: e.node.Line, Buy: e.buy, Want: e.over(defaults)}
	if e.phone != nil {
		out.Phone = *e.phone
	}
	if e.buy != nil {
		e.buy.Search.Fax = out.Want.fax() && !out.Want.Force
	}
	if err := out.Want.Check(); err != nil && !e.wrong {
		r.Problem(e.node, problem.AdviceOf(err), "%s: %v", out, err)
	}
	return out
}

// over is the entry with the defaults where it says nothing. The defaults are
// about receiving faxes: an entry in mode voice takes none of them.
func (e entryNode) over(defaults settings) Want {
	w, d := e.want, defaults.want
	if w.Mode != nil && *w.Mode == fax.ModeVoice {
		return w
	}
	for _, f := range []struct{ to, from **string }{
		{&w.FaxURL, &d.FaxURL}, {&w.FallbackURL, &d.FallbackURL}, {&w.StatusCallback, &d.StatusCallback},
	} {
		if *f.to == nil {
			*f.to = *f.from
		}
	}
	// A method without its URL means nothing.
	if w.Method == nil && given(w.FaxURL) {
		w.Method = d.Method
	}
	if w.FallbackMethod == nil && given(w.FallbackURL) {
		w.FallbackMethod = d.FallbackMethod
	}
	if w.Mode == nil {
		w.Mode = d.Mode
	}
	for _, b := range []struct {
		to         *bool
		own, other *bool
	}{{&w.KeepRouting, e.keepRouting, defaults.keepRouting}, {&w.Force, e.force, defaults.force}, {&w.AllowHTTP, e.allowHTTP, defaults.allowHTTP}} {
		if b.own == nil {
			*b.to = isTrue(b.other)
		}
	}
	return w
}
