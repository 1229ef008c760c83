package output

import (
	"fmt"
	"time"
)

// Ago is how long before now t was, in the largest unit that fits: "3 h ago",
// "in 2 d", "just now". A time further than 60 days away is its date, and no
// time at all is "". Where there is room, the exact time is told as well.
func (h Human) Ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(h.Now.Location())
	d := h.Now.Sub(t)
	form := "%d %s ago"
	if d < 0 {
		d, form = -d, "in %d %s"
	}
	const day = 24 * time.Hour
	var words string
	switch {
	case d < 45*time.Second:
		words = "just now"
	case d >= 2*day:
		words = fmt.Sprintf(form, d/day, "d")
	case d >= time.Hour:
		words = fmt.Sprintf(form, d/time.Hour, "h")
	default:
		words = fmt.Sprintf(form, max(d/time.Minute, 1), "min")
	}
	switch {
	case h.Exact:
		return t.Format(time.DateTime+" MST") + " (" + words + ")"
	case d >= 60*day:
		return t.Format(time.DateOnly)
	}
	return words
}

// Age is how long before or after now t is, in four cells at most: "now", "3h",
// "175d", "7y", and "" for no time. The head of its column says which.
func (h Human) Age(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	const day = 24 * time.Hour
	switch d := h.Now.Sub(t).Abs(); {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d < 1000*day:
		return fmt.Sprintf("%dd", d/day)
	default:
		return fmt.Sprintf("%dy", d/(365*day))
	}
}

// Time is t as a machine reads it, in RFC 3339 and UTC; "" for no time.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
