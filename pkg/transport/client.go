package transport

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

var (
	// ErrRedirect is the error of an answer that points where a request must
	// not follow.
	ErrRedirect = errors.New("redirect not followed")
	// ErrHost is the error of a document link to a host that is not allowed.
	ErrHost = errors.New("host not allowed")
)

// Base is the network: proxies from the environment, HTTP/2 where offered, ten
// seconds to connect and ten for the TLS handshake, and as many connections
// kept open to a host as there are jobs. How long an answer may take is set by
// [Timeout].
func Base(jobs int) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   max(jobs, 2),
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// Client is for calls of an API, which carry credentials. It follows a
// redirect only of GET and HEAD and only within the same scheme and host: a
// redirected DELETE would arrive as a GET, and credentials go to the
// provider's own origin. Anything else fails with [ErrRedirect]. It has no
// Timeout, which would cut repetitions short; use [Timeout].
func Client(rt http.RoundTripper) *http.Client {
	return &http.Client{Transport: rt, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		from := via[0]
		switch {
		case from.Method != http.MethodGet && from.Method != http.MethodHead && from.Method != "":
			return fmt.Errorf("%w: of a %s", ErrRedirect, from.Method)
		case req.URL.Scheme != from.URL.Scheme || req.URL.Host != from.URL.Host:
			return fmt.Errorf("%w: to another host, %s", ErrRedirect, req.URL.Host)
		}
		return few(via)
	}}
}

// Documents is for links to documents, which hold their own key. It sends no
// credentials, no cookies and no Referer, whatever the request says, and goes
// only to URLs that allow accepts and that are https (or http on this very
// machine); any other fails with [ErrHost]. Redirects are followed under the
// same rule. Bodies come as they are stored, not compressed on the way, so
// that lengths and offsets are those of the document.
func Documents(base http.RoundTripper, allow func(*url.URL) bool) *http.Client {
	bare := roundTripper(func(req *http.Request) (*http.Response, error) {
		u := req.URL
		if secure := u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()); !secure || !allow(u) {
			return refuse(req, fmt.Errorf("%w: %s", ErrHost, show(u, nil)))
		}
		req = withHeader(req)
		for _, key := range []string{"Authorization", "Cookie", "Referer"} {
			req.Header.Del(key)
		}
		req.Header.Set("Accept-Encoding", "identity")
		return base.RoundTrip(req)
	})
	return &http.Client{Transport: bare, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		return few(via)
	}}
}

// few ends a chain of redirects that goes on and on.
func few(via []*http.Request) error {
	if len(via) >= 5 {
		return fmt.Errorf("%w: more than %d in a row", ErrRedirect, len(via)-1)
	}
	return nil
}
