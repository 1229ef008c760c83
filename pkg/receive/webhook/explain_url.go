package webhook

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// addresses are all that may be meant with a URL up to its query.
func addresses(raw string, others []string, hasQuery bool) []candidate {
	all := []candidate{{text: raw}}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return all
	}
	// What is around the parts stays byte for byte: it was signed that way.
	path := "" // as written
	if _, rest, found := strings.Cut(raw, "//"); found {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			path = rest[i:]
		}
	}
	user := candidate{}
	if u.User != nil {
		user = other("", "user name and password were not in the URL that was signed")
	}
	for _, scheme := range schemes(u.Scheme) {
		for _, host := range hosts(u, others) {
			for _, port := range portCandidates(scheme.text, host.text, u.Port()) {
				for _, p := range paths(path, hasQuery) {
					c := candidate{text: scheme.text + "://" + port.text + p.text}
					for _, part := range []candidate{user, scheme, host, port, p} {
						c.reasons = append(c.reasons, part.reasons...)
						c.cost += part.cost
					}
					all = append(all, c)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return a.cost - b.cost })
	return distinct(all)
}

// other is a candidate that differs in one common way.
func other(text, reason string) candidate { return candidate{text, []string{reason}, 1} }

func schemes(own string) []candidate {
	all := []candidate{{text: own}}
	for _, scheme := range []string{"https", "http"} {
		if scheme != own {
			all = append(all, other(scheme, "the scheme was "+scheme+", not "+own+": something in front of the application ends TLS"))
		}
	}
	return all
}

// hosts are bare names, or host and port where a candidate has one.
func hosts(u *url.URL, others []string) []candidate {
	own := u.Hostname()
	if strings.Contains(own, ":") {
		own = "[" + own + "]"
	}
	all := []candidate{{text: own}}
	if lower := strings.ToLower(own); lower != own {
		all = append(all, other(lower, "the host was written in lower case"))
	}
	for _, host := range others {
		if host != own {
			all = append(all, other(host, "the host was "+host+", not "+own+": the provider was given that URL"))
		}
	}
	return all
}

func portCandidates(scheme, host, own string) []candidate {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return []candidate{{text: host}} // a candidate with its port
	}
	standard := map[string]string{"https": "443", "http": "80"}[scheme]
	without := candidate{text: host}
	if own == "" {
		return []candidate{without, {text: host + ":" + standard}} // the same, as all validators have it
	}
	if own == standard {
		return []candidate{{text: host + ":" + own}, without}
	}
	return []candidate{
		{text: host + ":" + own},
		other(host, "port "+own+" was not in the URL"),
		other(host+":"+standard, "the port was "+standard+", not "+own),
	}
}

func paths(path string, hasQuery bool) []candidate {
	all := []candidate{{text: path}}
	if without := strings.TrimSuffix(path, "/"); without != path {
		all = append(all, other(without, "there was no slash at the end of the path"))
	} else {
		all = append(all, other(path+"/", "there was a slash at the end of the path"))
	}
	if mark := strings.Index(strings.ToUpper(path), "%3F"); mark >= 0 && !hasQuery {
		all = append(all, other(path[:mark]+"?"+path[mark+len("%3F"):], "the ? before the query became %3F: the query was put into the path and escaped with it"))
	}
	return all
}
