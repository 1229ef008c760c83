package show

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// What lists of faxes show on a terminal: what people look for first, and the id last
// and short, since commands that read take the beginning of one. Scripts see the
// columns of faxColumns, in their order.

// idBeginning is how much of an id tells a fax from others: the two letters and 32 bits
// at Twilio, the first group of a UUID at SignalWire.
const idBeginning = 10

// leastName is how many cells of a name are worth more than the duration.
const leastName = 20

// What goes where there is no room, the last of these first. Pages and status stay.
const (
	spareNumber = 1 + iota
	spareDetail
	spareDuration
	sparePrice
)

// drawnFacts are the columns of a list that is drawn, of whatever has a fax in it.
type drawnFacts[T any] struct {
	created, other, number, pages, status, duration, price, detail, id output.Column[T]
}

// drawnOf are they; name is what a person calls a number of theirs.
func drawnOf[T any](get func(T) fax.Fax, name func(phone string) string) drawnFacts[T] {
	f := factsOf(get)
	f.duration.Whole, f.duration.Spare = true, spareDuration
	f.price.Whole, f.price.Spare = true, sparePrice
	f.detail.Least, f.detail.Spare = 20, spareDetail
	f.id.Short = func(v T, _ output.Human) string { return Beginning(get(v).ID) }
	return drawnFacts[T]{
		created: f.created,
		other: output.Column[T]{
			Name: "other_end", Value: func(v T) string { return otherEnd(get(v)) },
			Show:  func(v T, _ output.Human) string { return otherEndInWords(get(v)) },
			Least: len("from +12125550123"),
		},
		number: output.Column[T]{
			Name: "number", Value: func(v T) string { return get(v).OurNumber() },
			Show:  func(v T, _ output.Human) string { return name(get(v).OurNumber()) },
			Least: leastName, Spare: spareNumber,
		},
		pages: f.pages, status: f.status, duration: f.duration, price: f.price, detail: f.detail, id: f.id,
	}
}

// drawnFax are the columns of a list of faxes.
func drawnFax[T any](get func(T) fax.Fax, name func(phone string) string) []output.Column[T] {
	d := drawnOf(get, name)
	return []output.Column[T]{d.created, d.other, d.number, d.pages, d.status, d.duration, d.price, d.detail, d.id}
}

// AsItIs is what a number is called when nobody knows its name.
func AsItIs(phone string) string { return phone }

// Beginning is enough of an id to name its fax to commands that only look.
func Beginning(id string) string { return id[:min(len(id), idBeginning)] }

// otherEnd is the number that a fax came from or went to.
func otherEnd(f fax.Fax) string {
	if f.Direction == fax.Outbound {
		return f.To
	}
	return f.From
}

// otherEndInWords is the same with the direction, the numbers below each other.
func otherEndInWords(f fax.Fax) string {
	if f.Direction == fax.Outbound {
		return "to   " + f.To
	}
	return "from " + f.From
}

// ArrivalType describes faxes that are drawn one by one, as they come: every
// cell is as wide as it may get, so that the rows stand below each other.
func ArrivalType(name func(phone string) string) output.Type[fax.Fax] {
	t := FaxType(name)
	// Below zero: aligned to the left.
	widths := map[string]int{
		"created": -len("2006-01-02 15:04"), "other_end": -len("from ") - longestPhone, "number": -widestName, "status": -len(fax.Processing),
		"pages": len("PAGES"), "duration": len("DURATION"), "price": len("0.0000 USD"), "id": -1,
	}
	narrow := map[string]int{"created": -len("01-02 15:04"), "other_end": -len("from +12125550123"), "status": -len(fax.Delivered)}
	t.Drawn = t.Drawn[:0:0]
	for _, c := range drawnFax(func(f fax.Fax) fax.Fax { return f }, name) {
		if c.Name == "error_message" {
			continue // of any length
		}
		show, short := c.Show, c.Short
		if show == nil {
			show = func(f fax.Fax, _ output.Human) string { return c.Value(f) }
		}
		if short == nil {
			short = show
		}
		if c.Name == "created" {
			c.ShortTitle = "TIME"
			show = func(f fax.Fax, h output.Human) string { return arrived(f.Created, h.Now, time.DateOnly) }
			short = func(f fax.Fax, h output.Human) string { return arrived(f.Created, h.Now, "01-02") }
		}
		if c.Name == "number" {
			show = func(f fax.Fax, _ output.Human) string { return ansi.Truncate(name(f.OurNumber()), widestName, "…") }
			short = show
		}
		if c.Name == "other_end" {
			show, short = within(show, -widths[c.Name]), within(short, -narrow[c.Name])
		}
		room := widths[c.Name]
		less, narrower := narrow[c.Name]
		if !narrower {
			less = room
		}
		c.Whole = c.Name != "status"
		c.Show = func(f fax.Fax, h output.Human) string { return padded(show(f, h), room) }
		c.Short = func(f fax.Fax, h output.Human) string { return padded(short(f, h), less) }
		t.Drawn = append(t.Drawn, c)
	}
	return t
}

// widestName is how many cells of a name are drawn where rows come one by one.
const widestName = 16

// within cuts who is at the other end to so many cells, but never a phone number: half of
// one is worth nothing.
func within(show func(fax.Fax, output.Human) string, cells int) func(fax.Fax, output.Human) string {
	return func(f fax.Fax, h output.Human) string {
		text := show(f, h)
		if _, end, _ := strings.Cut(text, " "); strings.HasPrefix(end, "+") {
			return text
		}
		return ansi.Truncate(text, cells, "…")
	}
}

// padded fills a text up to so many cells; below zero the blanks come after it.
func padded(s string, cells int) string {
	return fmt.Sprintf("%*s%s%*s", max(cells-ansi.StringWidth(s), 0), "", s, max(-cells-ansi.StringWidth(s), 0), "")
}

// arrived is when a fax came, in the zone of now: the time of day, and the day where it
// is another.
func arrived(t, now time.Time, day string) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format(day + " 15:04")
}
