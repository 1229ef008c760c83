package sandbox

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Quirks are ways of real providers and accounts that clients do not expect. A
// [Fault] strikes requests; a quirk is how the provider always is. The zero value
// has none.
type Quirks struct {
	Names  string // how a friendly name is kept: entities, blanks, ascii or nfc
	Update string // what each update does besides: mode, trunk or application
	Offers string // what offers leave out: number (of every other one), numbers or fax
	Prices string // instead of a price list: 403, 404 or none
	Status string // of a number: pending
	Routes string // what takes calls to each number at SignalWire: a call handler, or resource
	Shapes string // of SignalWire's answers: wild, as seen, not as documented

	Media string // of a fax: two, the second of which no record names; listed, of which none names any

	Date  string // of an answer: none, or cached
	Dates string // of faxes: offset, words, failed (which have none), impossible (the same) or none

	ClockAhead  time.Duration // so much later than it is, says the Date of an answer
	ClockBehind time.Duration // so much earlier

	LateList   time.Duration // so long a number bought is in no list
	LateNumber time.Duration // so long it is not found by its id
	LateUpdate time.Duration // so long a number reads as it was before an update

	// SoldAgain: numbers that are owned stay for sale, and a purchase of one is
	// answered 201 and updates it.
	SoldAgain bool
}

// Quirk is one of them, for help and completion.
type Quirk struct {
	Name   string
	Values []string // "DURATION": any; none: it takes no value
	Does   string

	word     func(*Quirks) *string
	duration func(*Quirks) *time.Duration
	flag     func(*Quirks) *bool
}

// AllQuirks lists them.
func AllQuirks() []Quirk {
	duration := []string{"DURATION"}
	return []Quirk{
		{Name: "names", Values: []string{"entities", "blanks", "ascii", "nfc"}, Does: "friendly names are kept with & < > as entities, with blanks squeezed, with ? for what is not ASCII, or composed (NFC)", word: func(q *Quirks) *string { return &q.Names }},
		{Name: "late-list", Values: duration, Does: "a number bought is in no list for so long", duration: func(q *Quirks) *time.Duration { return &q.LateList }},
		{Name: "late-number", Values: duration, Does: "a number bought is not found by its id for so long", duration: func(q *Quirks) *time.Duration { return &q.LateNumber }},
		{Name: "late-update", Values: duration, Does: "a number reads as before an update for so long", duration: func(q *Quirks) *time.Duration { return &q.LateUpdate }},
		{Name: "sold-again", Does: "numbers owned stay for sale; buying one is answered 201 and updates it", flag: func(q *Quirks) *bool { return &q.SoldAgain }},
		{Name: "update", Values: []string{"mode", "trunk", "application"}, Does: "each update puts the mode back to voice unless it sets it, or attaches a trunk or an application", word: func(q *Quirks) *string { return &q.Update }},
		{Name: "offers", Values: []string{"number", "numbers", "fax"}, Does: "every other offer comes without its number, or all do, or none says whether it does fax", word: func(q *Quirks) *string { return &q.Offers }},
		{Name: "prices", Values: []string{"403", "404", "none"}, Does: "the price list is refused, is not there, or is empty", word: func(q *Quirks) *string { return &q.Prices }},
		{Name: "status", Values: []string{"pending"}, Does: "numbers are not in use yet", word: func(q *Quirks) *string { return &q.Status }},
		{Name: "routes", Values: []string{"relay_application", "ai_agent", "call_flow", "resource"}, Does: "SignalWire: every number has this call handler, or a Resource answers it", word: func(q *Quirks) *string { return &q.Routes }},
		{Name: "media", Values: []string{"two", "listed"}, Does: "each fax has a second document, which only the list of its documents shows; or only that list shows any", word: func(q *Quirks) *string { return &q.Media }},
		{Name: "date", Values: []string{"none", "cached"}, Does: "answers have no Date, or come out of a cache", word: func(q *Quirks) *string { return &q.Date }},
		{Name: "clock-ahead", Values: duration, Does: "the Date of an answer is so much later than it is", duration: func(q *Quirks) *time.Duration { return &q.ClockAhead }},
		{Name: "clock-behind", Values: duration, Does: "the Date of an answer is so much earlier, as if this machine were ahead", duration: func(q *Quirks) *time.Duration { return &q.ClockBehind }},
		{Name: "dates", Values: []string{"offset", "words", "failed", "impossible", "none"}, Does: "faxes are dated with +0000, or as 25 Sept 2018; those that failed have no date, or one of the year 0; or none has one", word: func(q *Quirks) *string { return &q.Dates }},
		{Name: "shapes", Values: []string{"wild"}, Does: "SignalWire: answers as they were seen, where the documented schema has others", word: func(q *Quirks) *string { return &q.Shapes }},
	}
}

// Set adds a quirk as it is written on a command line: NAME or NAME=VALUE.
func (q *Quirks) Set(text string) error {
	name, value, _ := strings.Cut(text, "=")
	for _, k := range AllQuirks() {
		if k.Name != name {
			continue
		}
		switch {
		case k.flag != nil && value == "":
			*k.flag(q) = true
			return nil
		case k.duration != nil:
			d, err := time.ParseDuration(value)
			if err != nil || d <= 0 {
				return fmt.Errorf("quirk %q: want a duration, as in %s=1s", text, name)
			}
			*k.duration(q) = d
			return nil
		case slices.Contains(k.Values, value):
			*k.word(q) = value
			return nil
		}
		return fmt.Errorf("quirk %q: want %s", text, k)
	}
	var names []string
	for _, k := range AllQuirks() {
		names = append(names, k.Name)
	}
	return fmt.Errorf("quirk %q: want one of %s", text, strings.Join(names, ", "))
}

// String is how the quirk is written: "names=entities|blanks".
func (k Quirk) String() string {
	if len(k.Values) == 0 {
		return k.Name
	}
	return k.Name + "=" + strings.Join(k.Values, "|")
}

// named is a friendly name as the provider keeps it.
func (q Quirks) named(name string) string {
	switch q.Names {
	case "entities":
		return html.EscapeString(name)
	case "blanks":
		return strings.Join(strings.Fields(name), " ")
	case "ascii":
		return strings.Map(func(r rune) rune {
			if r > 127 {
				return '?'
			}
			return r
		}, name)
	case "nfc":
		return norm.NFC.String(name)
	}
	return name
}

// updated is what an update does to a number besides what it says.
func (q Quirks) updated(n *number, setsMode bool) {
	switch q.Update {
	case "mode":
		if !setsMode {
			n.Mode = "voice"
		}
	case "trunk":
		n.Set["TrunkSid"] = cmp.Or(n.Set["TrunkSid"], "TK"+newID())
	case "application":
		n.Set["VoiceApplicationSid"] = cmp.Or(n.Set["VoiceApplicationSid"], "AP"+newID())
	}
}

// visible tells whether what happened then, in milliseconds since 1970, shows by
// now.
func (s *Sandbox) visible(at int64, late time.Duration) bool {
	return at <= s.options.Now().Add(-late).UnixMilli()
}

// shown is a number as it reads by now.
func (s *Sandbox) shown(n number) number {
	if n.Was != nil && !s.visible(n.Changed, s.options.Quirks.LateUpdate) {
		was := *n.Was
		was.seq = n.seq
		return was
	}
	return n
}

// offered is the number of the i-th offer, or "" when it comes without.
func (q Quirks) offered(i int, phone string) string {
	if q.Offers == "numbers" || q.Offers == "number" && i%2 == 0 {
		return ""
	}
	return phone
}

// priced refuses a price list that this account does not have.
func (q Quirks) priced(r *http.Request) error {
	switch q.Prices {
	case "403":
		return failure{http.StatusForbidden, 20403, "Forbidden"}
	case "404":
		return notFound(r)
	}
	return nil
}

// handler is what takes the calls to a number, and the Resource that does.
func (q Quirks) handler(n number) (handler string, resource any) {
	switch {
	case q.Routes == "resource":
		return "laml_webhooks", "f0e1d2c3-0000-4000-8000-000000000001"
	case q.Routes != "":
		return q.Routes, nil
	case n.Set["VoiceApplicationSid"] != "":
		return "laml_application", nil
	}
	return "laml_webhooks", nil
}

// wild reports whether answers have the shapes that were seen, and not those
// that are documented.
func (q Quirks) wild() bool { return q.Shapes == "wild" }
