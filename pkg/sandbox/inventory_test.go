package sandbox

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every number of the stock is a phone number, there once, and found by itself.
func TestStock(t *testing.T) {
	s := newStock()
	seen := map[string]bool{}
	types := map[string]map[string]int{}
	fax, beta := 0, 0
	for o := range s.offers(func(*area) bool { return true }) {
		if !isE164(o.phone) || seen[o.phone] {
			t.Errorf("%s is no phone number or there twice", o.phone)
		}
		seen[o.phone] = true
		if types[o.area.country] == nil {
			types[o.area.country] = map[string]int{}
		}
		types[o.area.country][o.area.kind.name]++
		if o.can.Fax {
			fax++
		}
		if o.beta {
			beta++
		}
		if (o.area.kind.name == "Local") != (o.place != nil) {
			t.Errorf("%s (%s): place %v", o.phone, o.area.kind.name, o.place)
		}
	}
	for i := range s.areas {
		o := s.areas[i].offer(s.areas[i].count - 1)
		if found, yes := s.find(o.phone); !yes || found != o {
			t.Errorf("%s is not found by its number", o.phone)
		}
	}
	for _, c := range s.countries {
		for _, kind := range c.types {
			if types[c.code][kind.name] == 0 {
				t.Errorf("%s sells no %s numbers although it has a price", c.code, kind.name)
			}
		}
		if len(c.types) != len(types[c.code]) {
			t.Errorf("%s sells %v, prices are for %v", c.code, slices.Sorted(maps.Keys(types[c.code])), c.types)
		}
	}
	if len(seen) < 20000 {
		t.Errorf("only %d numbers", len(seen))
	}
	if share := fax * 100 / len(seen); share < 50 || share > 90 {
		t.Errorf("%d%% do fax", share)
	}
	if beta == 0 || beta > len(seen)/10 {
		t.Errorf("%d of %d are beta", beta, len(seen))
	}
}

// The stock is part of the documentation: a number that a manual buys must be
// for sale everywhere and for good.
func TestStockIsTheSameEverywhere(t *testing.T) {
	s := newStock()
	var first []string
	for o := range s.offers(func(a *area) bool { return a.prefix == "415" }) {
		if first = append(first, o.phone); len(first) == 3 {
			break
		}
	}
	if got, want := strings.Join(first, " "), "+14155567720 +14153618957 +14156430194"; got != want {
		t.Errorf("first numbers in 415: %s, want %s", got, want)
	}
}

func TestDistance(t *testing.T) {
	// San Francisco to Oakland, and to New York: about 8.4 and 2566 miles.
	if d := distance(37.7749, -122.4194, 37.8044, -122.2712); d < 8 || d > 9 {
		t.Errorf("to Oakland: %f", d)
	}
	if d := distance(37.7749, -122.4194, 40.7128, -74.0060); d < 2540 || d > 2590 {
		t.Errorf("to New York: %f", d)
	}
}

func TestPageTokens(t *testing.T) {
	p := page{path: "/list", number: 3}
	token := p.token("PA", 3, 1<<40)
	if cursor, back, known := p.open(token); cursor != 1<<40 || back || !known {
		t.Errorf("opened as %d, %v, %v", cursor, back, known)
	}
	if _, back, known := p.open(p.token("PB", 3, 7)); !back || !known {
		t.Error("the way back is lost")
	}
	for name, stranger := range map[string]page{
		"another page": {path: "/list", number: 4},
		"another list": {path: "/other", number: 3},
	} {
		if _, _, known := stranger.open(token); known {
			t.Errorf("a token of another kind opens %s", name)
		}
	}
}

func FuzzPageToken(f *testing.F) {
	p := page{path: "/list", number: 1}
	good := p.token("PA", 1, 42)
	f.Add(good)
	f.Add("PA")
	f.Add(strings.Replace(good, "PA", "PB", 1))
	f.Add(good + "0")
	f.Fuzz(func(t *testing.T, token string) {
		cursor, back, known := p.open(token)
		if !known {
			return
		}
		way := "PA"
		if back {
			way = "PB"
		}
		if p.token(way, 1, cursor) != token {
			t.Errorf("%q opens but was never issued", token)
		}
	})
}

func TestIDs(t *testing.T) {
	hex := newID()
	for _, d := range []dialect{twilio(), signalWire()} {
		id := d.id("PN", hex)
		if d.hex("PN", id) != hex {
			t.Errorf("%s: %s does not read back", d.name, id)
		}
		for _, other := range []string{"", "PN", hex, id + "0", "FX" + hex, id[1:]} {
			if got := d.hex("PN", other); got != "" {
				t.Errorf("%s: %q reads as %q", d.name, other, got)
			}
		}
	}
}

func TestDates(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if got, want := rfc2822(at), "Fri, 02 Jan 2026 03:04:05 +0000"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
