package providertest

import (
	"context"
	"iter"
	"net/http"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/market"
)

func (s Subject) search(t *testing.T) {
	n := s.Open(t).Numbers
	offers := sequence(t, func(ctx context.Context) iter.Seq2[fax.Offer, error] { return n.Search(ctx, s.Offered) },
		func(o fax.Offer) string { return o.Phone })
	if len(offers) < 2 {
		t.Fatalf("%d offers", len(offers))
	}
	for _, o := range offers {
		if clean, err := fax.ParsePhone(o.Phone); err != nil || clean != o.Phone {
			t.Errorf("%q is not E.164", o.Phone)
		}
		if o.Country != s.Offered.Country || o.Type != s.Offered.Type {
			t.Errorf("%s is %s in %s, want %s in %s", o.Phone, o.Type, o.Country, s.Offered.Type, s.Offered.Country)
		}
		if len(o.Raw) == 0 {
			t.Errorf("%s has no raw record", o.Phone)
		}
	}
	if limits := n.Limits(s.Offered); len(offers) > limits.Rows {
		t.Errorf("%d offers in an answer, and the limit is %d", len(offers), limits.Rows)
	}

	odd := s.Offered
	odd.Type = "golden"
	_, err := fax.Collect(n.Search(t.Context(), odd))
	want(t, "a type that is none", err, problem.ErrUnsupported)
	odd = s.Offered
	odd.Country = "united states"
	_, err = fax.Collect(n.Search(t.Context(), odd))
	want(t, "a country that is none", err, problem.ErrInvalid)
}

func (s Subject) numbers(t *testing.T) {
	n := s.Open(t).Numbers
	all := sequence(t, func(ctx context.Context) iter.Seq2[fax.Number, error] { return n.List(ctx, fax.NumberFilter{}) },
		func(n fax.Number) string { return n.ID })
	if len(all) < s.Numbers {
		t.Errorf("%d numbers, want at least %d", len(all), s.Numbers)
	}
	if len(all) == 0 {
		return
	}
	for name, pick := range map[string]func(fax.Number) (fax.NumberFilter, func(fax.Number) bool){
		"by number": func(n fax.Number) (fax.NumberFilter, func(fax.Number) bool) {
			return fax.NumberFilter{Phone: n.Phone}, func(o fax.Number) bool { return o.Phone == n.Phone }
		},
		"by name": func(n fax.Number) (fax.NumberFilter, func(fax.Number) bool) {
			return fax.NumberFilter{Name: n.Name}, func(o fax.Number) bool { return o.Name == n.Name }
		},
	} {
		last := all[len(all)-1]
		filter, matches := pick(last)
		expected := 0
		for _, o := range all {
			if matches(o) {
				expected++
			}
		}
		got, err := fax.Collect(n.List(t.Context(), filter))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != expected {
			t.Errorf("%s: %d numbers, want %d", name, len(got), expected)
		}
		for _, o := range got {
			if !matches(o) {
				t.Errorf("%s: %s %q was not asked for", name, o.Phone, o.Name)
			}
		}
	}

	// One number and the same in a list agree, receive mode included.
	one, err := n.Get(t.Context(), all[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := fax.Collect(n.List(t.Context(), fax.NumberFilter{Phone: one.Phone, WithMode: true}))
	if err != nil || len(listed) != 1 {
		t.Fatalf("%d numbers, %v", len(listed), err)
	}
	if listed[0].Mode != one.Mode || listed[0].URL() != one.URL() || listed[0].ID != one.ID {
		t.Errorf("listed %+v, fetched %+v", listed[0], one)
	}

	modes := sequence(t, func(ctx context.Context) iter.Seq2[fax.Number, error] {
		return n.List(ctx, fax.NumberFilter{WithMode: true})
	}, func(n fax.Number) string { return n.ID })
	if len(modes) != len(all) {
		t.Errorf("with modes: %d numbers, want %d", len(modes), len(all))
	}
	for _, o := range modes {
		if o.Mode == fax.ModeUnknown {
			t.Errorf("%s: the mode is unknown", o.Phone)
		}
	}

	for name, call := range map[string]func(string) error{
		"get":       func(id string) error { _, err := n.Get(t.Context(), id); return err },
		"configure": func(id string) error { _, err := n.Configure(t.Context(), id, fax.Change{Name: new("x")}); return err },
		"release":   func(id string) error { return n.Release(t.Context(), id) },
	} {
		want(t, name+" of an unknown id", call(s.UnknownID), problem.ErrNotFound)
		want(t, name+" of no id", call("../"+s.UnknownID), problem.ErrInvalid)
	}
}

// life is a number bought, set up, read back, turned round and released.
func (s Subject) life(t *testing.T) {
	ctx, n := t.Context(), s.Open(t).Numbers
	var offer fax.Offer
	for o, err := range market.SearchAll(ctx, n, []fax.Query{s.Offered}, market.Options{Limit: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		offer = o
		break
	}
	_, err := n.Buy(ctx, fax.Order{})
	want(t, "an empty order", err, problem.ErrInvalid)

	bought, err := n.Buy(ctx, fax.Order{Phone: offer.Phone, Name: "contract test"})
	if err != nil {
		t.Fatal(err)
	}
	released := false
	defer func() {
		if !released {
			_ = n.Release(context.WithoutCancel(ctx), bought.ID)
		}
	}()
	if bought.Phone != offer.Phone || bought.ID == "" || bought.Name != "contract test" {
		t.Errorf("bought %+v", bought)
	}
	_, err = n.Buy(ctx, fax.Order{Phone: offer.Phone})
	want(t, "buying it again", err, problem.ErrConflict)

	read := func(what string) fax.Number {
		t.Helper()
		got, err := n.Get(ctx, bought.ID)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return got
	}
	change := func(what string, c fax.Change) fax.Number {
		t.Helper()
		if _, err := n.Configure(ctx, bought.ID, c); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return read(what)
	}
	if got := read("after the purchase"); got.Mode == fax.ModeFax || got.URL() != "" {
		t.Errorf("after the purchase: mode %s, URL %q: an order carries neither", got.Mode, got.URL())
	}
	const address, other = "https://fax.example.com/in", "https://fax.example.com/elsewhere"
	if got := change("to fax", fax.Change{Mode: new(fax.ModeFax), URL: new(address), Method: new(http.MethodPost)}); got.Mode != fax.ModeFax || got.FaxURL != address || got.VoiceURL != "" || got.Method != http.MethodPost {
		t.Errorf("to fax: %+v", got)
	}
	if got := change("a name alone", fax.Change{Name: new("another name")}); got.Name != "another name" || got.FaxURL != address || got.Mode != fax.ModeFax {
		t.Errorf("a name alone changes more: %+v", got)
	}
	if got := change("an empty URL", fax.Change{URL: new("")}); got.URL() != "" || got.Mode != fax.ModeFax {
		t.Errorf("an empty URL does not clear it: %+v", got)
	}
	if got := change("back to voice", fax.Change{Mode: new(fax.ModeVoice), URL: new(other)}); got.Mode != fax.ModeVoice || got.VoiceURL != other || got.FaxURL != "" {
		t.Errorf("back to voice: %+v", got)
	}
	if got := change("nothing", fax.Change{}); got.VoiceURL != other {
		t.Errorf("nothing changes something: %+v", got)
	}

	if err := n.Release(ctx, bought.ID); err != nil {
		t.Fatal(err)
	}
	released = true
	want(t, "releasing it again", n.Release(ctx, bought.ID), problem.ErrNotFound)
	_, err = n.Get(ctx, bought.ID)
	want(t, "getting what was released", err, problem.ErrNotFound)
	if left, err := fax.Collect(n.List(ctx, fax.NumberFilter{Phone: offer.Phone})); err != nil || len(left) != 0 {
		t.Errorf("%d numbers left, %v", len(left), err)
	}
}
