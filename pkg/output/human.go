package output

import (
	"fmt"
	"time"
)

// Ago is how long before now t was, in the largest unit that fits: "3 h ago",
// "in 2 d", "just now". A time further than a year away is its date, and no
// time at all is "".
func (h Human) Ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := h.Now.Sub(t)
	form := "%d %s ago"
	if d < 0 {
		d, form = -d, "in %d %s"
	}
	const day = 24 * time.Hour
	switch {
	case d < 45*time.Second:
		return "just now"
	case d >= 365*day:
		return t.In(h.Now.Location()).Format(time.DateOnly)
	case d >= 2*day:
		return fmt.Sprintf(form, d/day, "d")
	case d >= time.Hour:
		return fmt.Sprintf(form, d/time.Hour, "h")
	}
	return fmt.Sprintf(form, max(d/time.Minute, 1), "min")
}

// Time is t as a machine reads it, in RFC 3339 and UTC; "" for no time.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
