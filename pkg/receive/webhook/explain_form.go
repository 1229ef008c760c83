package webhook

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Limits of the search for what was taken away from parameters.
const (
	maxGuessed = 16 << 10 // bytes; nothing is given back to longer parameters
	maxTrimmed = 8        // values that may have had blanks around them
	stationLen = 20       // characters of a station id, which machines fill up with blanks (ITU-T T.30)
)

// formCandidates are all that may be meant with the parameters, as the text that
// is signed behind the URL.
func formCandidates(form url.Values, query string) []candidate {
	all := []candidate{{text: formText(form, once)}, {text: formText(form, asSent)}}
	if len(form) == 0 {
		return distinct(all)
	}
	add := func(cost int, reason string, changed url.Values) {
		for _, signed := range []func([]string) []string{once, asSent} {
			all = append(all, candidate{formText(changed, signed), []string{reason}, cost})
		}
	}
	addRewritten(form, add)
	add(2, "the parameters do not belong to the signature: the request was no form post", nil)
	addFewer(form, query, add)
	if len(all[0].text) <= maxGuessed {
		addDropped(form, add)
		addTrimmed(form, add)
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return a.cost - b.cost })
	return distinct(all)
}

// adder takes parameters that may have been signed.
type adder func(cost int, reason string, changed url.Values)

// addRewritten adds what frameworks and captures make of all values.
func addRewritten(form url.Values, add adder) {
	rewrite := func(reason string, f func(string) string) {
		changed := url.Values{}
		for name, values := range form {
			for _, v := range values {
				changed.Add(name, f(v))
			}
		}
		add(2, reason, changed)
	}
	rewrite("a value began with +, which was read as a space: + must be written %2B in a form", func(v string) string {
		if rest, space := strings.CutPrefix(v, " "); space {
			return "+" + rest
		}
		return v
	})
	rewrite("every + of a value was read as a space: + must be written %2B in a form, and values are decoded once",
		func(v string) string { return strings.ReplaceAll(v, " ", "+") })
	rewrite("spaces were left as +: decode the values as a form, where + is a space",
		func(v string) string { return strings.ReplaceAll(v, "+", " ") })
	rewrite("line breaks were made LF: they were signed as CR LF", func(v string) string {
		return strings.ReplaceAll(strings.ReplaceAll(v, "\r\n", "\n"), "\n", "\r\n")
	})
	rewrite("line breaks were made CR LF: they were signed as LF", func(v string) string { return strings.ReplaceAll(v, "\r\n", "\n") })
	rewrite("spaces around the values were added: sign the values as they came", strings.TrimSpace)
	rewrite("values are percent-encoded still: decode them before signing", plain)
	rewrite("values are encoded still: decode them, and + as a space, before signing", unescape)
}

// addFewer adds the parameters without those that others than the provider added.
func addFewer(form url.Values, query string, add adder) {
	own, full, first, last := url.Values{}, url.Values{}, url.Values{}, url.Values{}
	inQuery, _ := url.ParseQuery(query) // what can be read of it
	for name, values := range form {
		if _, both := inQuery[name]; !both {
			own[name] = values
		}
		if strings.Join(values, "") != "" {
			full[name] = values
		}
		first[name], last[name] = values[:1], values[len(values)-1:]
	}
	add(2, "parameters of the query were counted as parameters of the body too", own)
	add(2, "empty parameters were not signed: leave them out", full)
	names := strings.Join(repeated(form), ", ")
	add(2, "only the first value of "+names+" was signed: the others are not the provider's", first)
	add(2, "only the last value of "+names+" was signed: the others are not the provider's", last)
}

// repeated are the names with several values.
func repeated(form url.Values) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(form)), func(name string) bool { return len(form[name]) < 2 })
}

// emptyFields are the parameters of an event that a provider may send empty.
// Source: Twilio, "Fax TwiML: Receive"; SignalWire, "Compatibility XML: Receive".
func emptyFields() []string {
	return []string{"ErrorCode", "ErrorMessage", "MediaUrl", "NumPages", "RemoteStationId", "OriginalMediaUrl", "MediaSid", "Timestamp"}
}

// eventFields are the parameters of an event.
func eventFields() []string {
	return append(emptyFields(), "FaxSid", "AccountSid", "From", "To", "ApiVersion", "FaxStatus")
}

// addDropped adds the empty parameters that are missing, in each combination.
func addDropped(form url.Values, add adder) {
	missing := slices.DeleteFunc(emptyFields(), form.Has)
	for set := 1; set < 1<<len(missing); set++ {
		changed, names := maps.Clone(form), []string{}
		for i, name := range missing {
			if set&(1<<i) != 0 {
				changed[name] = []string{""}
				names = append(names, name)
			}
		}
		cost := 4
		if len(names) == 1 || len(names) == len(missing) {
			cost = 3
		}
		add(cost, "empty parameters were dropped: "+strings.Join(names, ", ")+" came empty, and is signed so", changed)
	}
}

// addTrimmed adds values with the blanks around them that may have been trimmed
// away: of each value that is free text, and of all.
func addTrimmed(form url.Values, add adder) {
	names := []string{"RemoteStationId", "ErrorMessage"}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if !slices.Contains(eventFields(), name) && !strings.HasSuffix(name, "Sid") {
			names = append(names, name)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !form.Has(name) })
	names = names[:min(len(names), maxTrimmed)]
	pad := func(cost int, before, after string, padded ...string) {
		changed := maps.Clone(form)
		for _, name := range padded {
			changed[name] = nil
			for _, v := range form[name] {
				changed[name] = append(changed[name], before+v+after)
			}
		}
		add(cost, fmt.Sprintf("values were trimmed: %s was signed with %q before and %q behind", strings.Join(padded, ", "), before, after), changed)
	}
	for _, ends := range [][2]string{{" ", ""}, {"", " "}, {" ", " "}, {"", "\n"}, {"", "\r\n"}} {
		pad(3, ends[0], ends[1], names...)
		for _, name := range names {
			pad(3, ends[0], ends[1], name)
		}
	}
	for _, name := range names {
		for n := 2; n <= stationLen-len(form.Get(name)); n++ {
			pad(4, strings.Repeat(" ", n), "", name)
			pad(4, "", strings.Repeat(" ", n), name)
		}
	}
}
