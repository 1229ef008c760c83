package webhook

import (
	"crypto/hmac"
	"iter"
	"net/url"
	"strings"
)

// Limits of the search, so that no input keeps it busy. What is likely is tried
// within a small part of them.
const (
	maxTries  = 20_000
	maxHashed = 64 << 20 // bytes of all tries together
	maxCost   = 16       // that of the costliest parts together
)

// NamedKey is a key that may have signed, with the name people know it by.
type NamedKey struct {
	Name string // "auth token"
	Key  Key
}

// Suspect is a request whose signature is to be explained.
type Suspect struct {
	URL       string     // as the application believes it was called
	Form      url.Values // the parameters of a form post; nil: GET, or a body that is no form
	Signature string
	Keys      []NamedKey // the first is the right one, the others may have been mistaken for it
	Hosts     []string   // other names of the application: behind a proxy, of a tunnel; with or without port
}

// Explanation is what was signed in truth.
type Explanation struct {
	URL     string   // that was signed
	Key     string   // name of the key
	Reasons []string // in what it differs from the suspect; empty: nothing is wrong
	Tried   int      // signatures that were computed, also when none fits
}

// candidate is one way a part of what is signed may have been written: the text,
// in what it differs from the suspect's own, and how unlikely that is. Of each
// part the suspect's own costs nothing and has no reason. What proxies do costs 1
// each, since it comes together; what is rewritten 2, and what is guessed, because
// it is lost, 3 and 4.
type candidate struct {
	text    string
	reasons []string
	cost    int
}

// Explain looks for the URL, the parameters and the key that give the
// signature, and returns the likeliest explanation, or false when nothing does. It
// tries other keys, hosts, schemes, default ports, trailing slashes, orders and
// spellings of the query, and what frameworks do to parameters, each with each,
// the likely ones first, as far as the limits allow. It does not stop at what
// fits, so that the time it takes tells nothing. Only what [Verify] accepts has no
// reason.
func Explain(s Suspect) (Explanation, bool) {
	s.URL, _, _ = strings.Cut(s.URL, "#") // connection overrides are not signed
	e, found, tried, hashed := Explanation{}, false, 0, 0
	for parts := range guesses(s) {
		hashed += len(parts.address.text) + len(parts.query.text) + len(parts.form.text)
		if tried == maxTries || hashed > maxHashed {
			break
		}
		tried++
		signed := parts.address.text + parts.query.text
		fits := hmac.Equal([]byte(sign(parts.key, signed+parts.form.text)), []byte(s.Signature))
		if !fits || found {
			continue // found already: the same, told in more words
		}
		found, e.URL, e.Key = true, signed, parts.name.text
		for _, c := range []candidate{parts.name, parts.address, parts.query, parts.form} {
			e.Reasons = append(e.Reasons, c.reasons...)
		}
	}
	e.Tried = tried
	return e, found
}

// guess is all that gives a signature, part by part.
type guess struct {
	key                        Key
	name, address, query, form candidate // the name is that of the key
}

// guesses are all combinations of the parts, the likely ones first.
func guesses(s Suspect) iter.Seq[guess] {
	before, query, has := strings.Cut(s.URL, "?")
	addresses, queries, forms := addresses(before, s.Hosts, has), queries(query, has), map[int][]candidate{}
	for _, f := range formCandidates(s.Form, query) {
		forms[f.cost] = append(forms[f.cost], f)
	}
	return func(yield func(guess) bool) {
		for cost := range maxCost + 1 {
			for i, key := range s.Keys {
				if key.Key == "" {
					continue
				}
				name := candidate{text: key.Name}
				if i > 0 {
					name = candidate{key.Name, []string{"it was signed with the " + key.Name + ", not with the " + s.Keys[0].Name}, 1}
				}
				for _, a := range addresses { // both are sorted by cost
					if name.cost+a.cost > cost {
						break
					}
					for _, q := range queries {
						if name.cost+a.cost+q.cost > cost {
							break
						}
						for _, f := range forms[cost-name.cost-a.cost-q.cost] {
							if !yield(guess{key.Key, name, a, q, f}) {
								return
							}
						}
					}
				}
			}
		}
	}
}

// distinct are the candidates, each text once, with the first that was said of it.
func distinct(all []candidate) []candidate {
	seen, once := map[string]bool{}, all[:0:0]
	for _, c := range all {
		if !seen[c.text] {
			seen[c.text] = true
			once = append(once, c)
		}
	}
	return once
}
