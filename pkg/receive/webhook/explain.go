package webhook

import (
	"crypto/hmac"
	"net"
	"net/url"
	"slices"
	"strings"
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
}

// variant is one way a part of the request may have been signed. The first
// variant of each part is the suspect's own, without a reason.
type variant[T any] struct {
	value  T
	reason string
}

// Explain looks for the URL, the parameters and the key that give the
// signature, and returns the explanation with the fewest differences, or false
// when nothing does. It tries other keys, hosts, schemes, default ports, trailing
// slashes, ways to write the query, and mistakes in decoding parameters, each
// with each. All are tried and compared in constant time, so that the time it
// takes tells nothing.
func Explain(s Suspect) (Explanation, bool) {
	s.URL, _, _ = strings.Cut(s.URL, "#") // connection overrides are not signed
	var best *Explanation
	urls, forms := urlVariants(s), formVariants(s)
	for i, key := range s.Keys {
		for _, u := range urls {
			for _, f := range forms {
				if !hmac.Equal([]byte(Sign(key.Key, u.value, f.value)), []byte(s.Signature)) || key.Key == "" {
					continue
				}
				if best != nil {
					continue // the same, told in more words
				}
				best = &Explanation{URL: u.value, Key: key.Name}
				if i > 0 {
					best.Reasons = append(best.Reasons, "it was signed with the "+key.Name+", not with the "+s.Keys[0].Name)
				}
				best.Reasons = append(best.Reasons, u.reasons...)
				if f.reason != "" {
					best.Reasons = append(best.Reasons, f.reason)
				}
			}
		}
	}
	if best == nil {
		return Explanation{}, false
	}
	return *best, true
}

type urlVariant struct {
	value   string
	reasons []string
}

// urlVariants are all URLs that may be meant, each once, those with fewer
// differences first.
func urlVariants(s Suspect) []urlVariant {
	all := []urlVariant{{value: s.URL}}
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" {
		return all
	}
	// What is around the parts stays byte for byte: it was signed that way.
	beforeQuery, query, hasQuery := strings.Cut(s.URL, "?")
	path := "" // as written
	if _, rest, found := strings.Cut(beforeQuery, "//"); found {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			path = rest[i:]
		}
	}
	user := ""
	if u.User != nil {
		user = "user name and password were not in the URL that was signed"
	}
	for _, scheme := range schemes(u.Scheme) {
		for _, host := range hosts(u, s.Hosts) {
			for _, port := range portVariants(scheme.value, host.value, u.Port()) {
				for _, p := range paths(path) {
					for _, q := range queries(query, hasQuery) {
						v := urlVariant{value: scheme.value + "://" + port.value + p.value + q.value}
						for _, reason := range []string{user, scheme.reason, host.reason, port.reason, p.reason, q.reason} {
							if reason != "" {
								v.reasons = append(v.reasons, reason)
							}
						}
						all = append(all, v)
					}
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b urlVariant) int { return len(a.reasons) - len(b.reasons) })
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(v urlVariant) bool {
		again := seen[v.value]
		seen[v.value] = true
		return again
	})
}

func schemes(own string) []variant[string] {
	all := []variant[string]{{value: own}}
	for _, other := range []string{"https", "http"} {
		if other != own {
			all = append(all, variant[string]{other, "the scheme was " + other + ", not " + own + ": something in front of the application ends TLS"})
		}
	}
	return all
}

// hosts are bare names, or host and port where a candidate has one.
func hosts(u *url.URL, others []string) []variant[string] {
	own := u.Hostname()
	if strings.Contains(own, ":") {
		own = "[" + own + "]"
	}
	all := []variant[string]{{value: own}}
	if lower := strings.ToLower(own); lower != own {
		all = append(all, variant[string]{lower, "the host was written in lower case"})
	}
	for _, other := range others {
		if other != own {
			all = append(all, variant[string]{other, "the host was " + other + ", not " + own + ": the provider was given that URL"})
		}
	}
	return all
}

func portVariants(scheme, host, own string) []variant[string] {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return []variant[string]{{value: host}} // a candidate with its port
	}
	standard := map[string]string{"https": "443", "http": "80"}[scheme]
	without := variant[string]{value: host}
	if own == "" {
		return []variant[string]{without, {value: host + ":" + standard}} // the same, as all validators have it
	}
	if own != standard {
		without.reason = "port " + own + " was not in the URL"
	}
	all := []variant[string]{{value: host + ":" + own}, without}
	if own != standard {
		all = append(all, variant[string]{host + ":" + standard, "the port was " + standard + ", not " + own})
	}
	return all
}

func paths(path string) []variant[string] {
	all := []variant[string]{{value: path}}
	if without := strings.TrimSuffix(path, "/"); without != path {
		all = append(all, variant[string]{without, "there was no slash at the end of the path"})
	} else {
		all = append(all, variant[string]{path + "/", "there was a slash at the end of the path"})
	}
	return all
}

// queries are with their question mark.
func queries(query string, has bool) []variant[string] {
	if !has {
		return []variant[string]{{}}
	}
	all := []variant[string]{{value: "?" + query}, {"", "the query was left out"}}
	add := func(q, reason string) {
		if q != query {
			all = append(all, variant[string]{"?" + q, reason})
		}
	}
	for _, u := range bare("?" + query)[1:] {
		add(u[1:], "a colon, an at sign or an apostrophe of the query was signed bare and sent escaped")
	}
	add(strings.ReplaceAll(query, "'", "%27"), "an apostrophe of the query was signed as %27")
	add(strings.ReplaceAll(query, "+", "%20"), "spaces of the query were written %20, not +")
	add(strings.ReplaceAll(query, "%20", "+"), "spaces of the query were written +, not %20")
	if plain, err := url.PathUnescape(query); err == nil {
		add(plain, "the query was not percent-encoded")
	}
	if values, err := url.ParseQuery(query); err == nil {
		add(values.Encode(), "the query was percent-encoded and sorted by name")
		add(strings.ReplaceAll(values.Encode(), "+", "%20"), "the query was percent-encoded with %20 and sorted by name")
		var pairs []string
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			n, err1 := url.QueryUnescape(name)
			v, err2 := url.QueryUnescape(value)
			if err1 == nil && err2 == nil {
				pairs = append(pairs, url.QueryEscape(n)+"="+url.QueryEscape(v))
			}
		}
		add(strings.Join(pairs, "&"), "the query was percent-encoded")
	}
	return all
}

func formVariants(s Suspect) []variant[url.Values] {
	all := []variant[url.Values]{{value: s.Form}}
	if len(s.Form) == 0 {
		return all
	}
	change := func(reason string, f func(string) string) {
		changed, differs := url.Values{}, false
		for name, values := range s.Form {
			for _, v := range values {
				differs = differs || f(v) != v
				changed[name] = append(changed[name], f(v))
			}
		}
		if differs {
			all = append(all, variant[url.Values]{changed, reason})
		}
	}
	change("a value began with +, which was read as a space: + must be written %2B in a form",
		func(v string) string {
			if rest, space := strings.CutPrefix(v, " "); space {
				return "+" + rest
			}
			return v
		})
	change("line breaks were made LF: they were signed as CR LF", func(v string) string {
		return strings.ReplaceAll(strings.ReplaceAll(v, "\r\n", "\n"), "\n", "\r\n")
	})
	change("line breaks were made CR LF: they were signed as LF", func(v string) string { return strings.ReplaceAll(v, "\r\n", "\n") })
	change("spaces around the values were lost, or added", strings.TrimSpace)
	change("values are percent-encoded still: decode them before signing", func(v string) string {
		if plain, err := url.PathUnescape(v); err == nil {
			return plain
		}
		return v
	})
	all = append(all, variant[url.Values]{nil, "the parameters do not belong to the signature: the request was no form post"})
	if u, err := url.Parse(s.URL); err == nil && u.RawQuery != "" {
		own := url.Values{}
		query := u.Query()
		for name, values := range s.Form {
			if _, both := query[name]; !both {
				own[name] = values
			}
		}
		if len(own) < len(s.Form) {
			all = append(all, variant[url.Values]{own, "parameters of the query were counted as parameters of the body too"})
		}
	}
	return all
}
