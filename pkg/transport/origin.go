package transport

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// ParseOrigin reads the value of --api-url: scheme and host and nothing else.
// The scheme is https, or http when the host is this very machine (localhost,
// 127.0.0.0/8, ::1). A slash at the end is dropped. The error says what is
// wrong with it and does not repeat it, for it may hold a password.
func ParseOrigin(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		var bad *url.Error
		if errors.As(err, &bad) {
			err = bad.Err
		}
		return nil, err
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("an origin begins with https://")
	case u.Opaque != "" || u.Hostname() == "":
		return nil, errors.New("an origin has a host")
	case u.User != nil:
		return nil, errors.New("an origin has no user name or password")
	case strings.Trim(u.Path, "/") != "":
		return nil, errors.New("an origin has no path")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return nil, errors.New("an origin has no query and no fragment")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, errors.New("plain http is for this machine only; use https")
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

// loopback reports whether a host name can only mean this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Rebase sends every request to another origin: scheme, host and the Host
// header change, path and query stay, so that one local server can stand for
// all the hosts of a provider. A nil origin changes nothing.
func Rebase(origin *url.URL) Layer {
	return func(next http.RoundTripper) http.RoundTripper {
		if origin == nil {
			return next
		}
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			req = req.WithContext(req.Context())
			u := *req.URL
			u.Scheme, u.Host = origin.Scheme, origin.Host
			req.URL, req.Host = &u, ""
			return next.RoundTrip(req)
		})
	}
}
