package transport

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

var (
	// ErrRedirect is the error of an answer that points where a request must
	// not follow.
	ErrRedirect = errors.New("redirect not followed")
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

// few ends a chain of redirects that goes on and on.
func few(via []*http.Request) error {
	if len(via) >= 5 {
		return fmt.Errorf("%w: more than %d in a row", ErrRedirect, len(via)-1)
	}
	return nil
}
