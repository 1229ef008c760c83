package webhook

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Limits of the search for the order of a query.
const (
	maxOrdered      = 5       // parameters that are tried in each order: 120
	maxOrderedQuery = 4 << 10 // bytes; the parameters of a longer query are tried in the order of their names alone
)

// asItCame is what to do about a query that something rewrote.
const asItCame = ": sign the query as it came, before anything takes it apart"

// queries are all that may be meant with a query, with their question mark.
func queries(query string, has bool) []candidate {
	if !has {
		return []candidate{{}}
	}
	all := []candidate{{text: "?" + query}, other("", "the query was left out")}
	ways := spellings()
	for _, order := range orders(query) {
		all = append(all, candidate{"?" + order.text, order.reasons, order.cost})
		for _, way := range ways {
			all = append(all, candidate{"?" + way.spell(order.text), append(slices.Clone(order.reasons), way.reason), order.cost + 2})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return a.cost - b.cost })
	return distinct(all)
}

// orders are the query with its parameters in other orders: in each, of a few;
// otherwise the application's own in each, as far as these are few, and then those
// the provider adds to the URL of GET.
func orders(query string) []candidate {
	pairs := strings.Split(query, "&")
	all := []candidate{{text: query}}
	name := func(pair string) string { name, _, _ := strings.Cut(pair, "="); return name }
	sorted := slices.Clone(pairs)
	slices.SortStableFunc(sorted, func(a, b string) int { return strings.Compare(name(a), name(b)) })
	all = append(all, candidate{strings.Join(sorted, "&"), []string{"the parameters of the query were signed sorted by name" + asItCame}, 2})
	if len(query) > maxOrderedQuery {
		return distinct(all)
	}
	var added []string
	if len(pairs) > maxOrdered {
		isAdded := func(pair string) bool { return slices.Contains(eventFields(), name(pair)) }
		for _, pair := range pairs {
			if isAdded(pair) {
				added = append(added, pair)
			}
		}
		if pairs = slices.DeleteFunc(pairs, isAdded); len(pairs) > maxOrdered {
			return distinct(all)
		}
	}
	permute(pairs, 0, func(p []string) {
		all = append(all, candidate{strings.Join(slices.Concat(p, added), "&"), []string{"the parameters of the query were signed in another order" + asItCame}, 4})
	})
	return distinct(all)
}

// permute calls f with s in each order of what is behind its first n elements.
func permute(s []string, n int, f func([]string)) {
	if n >= len(s) {
		f(s)
		return
	}
	for i := n; i < len(s); i++ {
		s[n], s[i] = s[i], s[n]
		permute(s, n+1, f)
		s[n], s[i] = s[i], s[n]
	}
}

// spelling is how one library or another writes the parameters of a query.
type spelling struct {
	reason string // when it was signed so
	spell  func(query string) string
}

func spellings() []spelling {
	var all []spelling
	add := func(reason string, spell func(string) string) { all = append(all, spelling{reason, spell}) }
	for _, spell := range barely() {
		add("a colon, an at sign or an apostrophe of the query was signed bare and sent escaped", spell)
	}
	for _, seen := range []string{"+", "%20", "%2B", " "} {
		for _, signed := range []string{"+", "%20", "%2B"} {
			if seen != signed {
				add(named(seen)+" of the query was signed as "+signed+asItCame, replacer(seen, signed))
			}
		}
	}
	add("an apostrophe of the query was signed as %27", replacer("'", "%27"))
	add("a ? of the query was signed as %3F"+asItCame, replacer("?", "%3F"))
	add("%3F of the query was signed as a bare ?"+asItCame, replacer("%3F", "?", "%3f", "?"))
	escape := regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	add("the escapes of the query were signed in lower case"+asItCame,
		func(q string) string { return escape.ReplaceAllStringFunc(q, strings.ToLower) })
	add("the escapes of the query were signed in capitals"+asItCame,
		func(q string) string { return escape.ReplaceAllStringFunc(q, strings.ToUpper) })
	add("a parameter of the query was signed without its ="+asItCame, eachPair(func(pair string) string { return strings.TrimSuffix(pair, "=") }))
	add("a parameter of the query was signed with an = behind it"+asItCame, eachPair(func(pair string) string {
		if pair == "" || strings.Contains(pair, "=") {
			return pair
		}
		return pair + "="
	}))
	add("the query was not percent-encoded"+asItCame, plain)
	encode := eachPair(encodePair)
	encode20 := func(q string) string { return strings.ReplaceAll(encode(q), "+", "%20") }
	script := replacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")
	add("the query was percent-encoded"+asItCame, encode)
	add("the query was percent-encoded, with %20"+asItCame, encode20)
	add("the query was percent-encoded as JavaScript does it"+asItCame, func(q string) string { return script(encode20(q)) })
	escaped := regexp.MustCompile(`(?i)%(2F|3F|3A|40|21|24|27|28|29|2A|2C|3B|5B|5D|7E)`)
	add("punctuation of the query was signed bare"+asItCame, func(q string) string { return escaped.ReplaceAllStringFunc(q, plain) })
	mark := regexp.MustCompile(`[/?:@!$'()*,;\[\]~]`)
	add("punctuation of the query was signed escaped"+asItCame, func(q string) string {
		return mark.ReplaceAllStringFunc(q, func(m string) string { return fmt.Sprintf("%%%02X", m[0]) })
	})
	return all
}

func replacer(oldnew ...string) func(string) string { return strings.NewReplacer(oldnew...).Replace }

// plain is a text without its escapes, or as it is when one of them is none.
func plain(escaped string) string {
	if text, err := url.PathUnescape(escaped); err == nil {
		return text
	}
	return escaped
}

func named(blank string) string {
	if blank == " " {
		return "a blank"
	}
	return blank
}

func eachPair(f func(pair string) string) func(query string) string {
	return func(query string) string {
		pairs := strings.Split(query, "&")
		for i, pair := range pairs {
			pairs[i] = f(pair)
		}
		return strings.Join(pairs, "&")
	}
}

// encodePair is a pair of a query with its name and value encoded anew.
func encodePair(pair string) string {
	name, value, found := strings.Cut(pair, "=")
	n, v := url.QueryEscape(unescape(name)), url.QueryEscape(unescape(value))
	if !found {
		return n
	}
	return n + "=" + v
}
