package transport

import (
	"net"
	"net/http"
	"time"
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
