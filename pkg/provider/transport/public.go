package transport

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// ErrPrivateAddress is the error of a connection that would have gone inside:
// to this machine, to a private network, or to no single public host.
var ErrPrivateAddress = errors.New("not a public address")

// publicOnly is the Control of a [net.Dialer] that reaches public addresses
// only. It is asked with the address a name was resolved to, at the moment of
// connecting, so that no name and no redirect leads inside. Everything else is
// refused with [ErrPrivateAddress].
func publicOnly(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") || !public(to.Addr()) {
		return fmt.Errorf("%w: %s", ErrPrivateAddress, address)
	}
	return nil
}

// Public is a [Base] for URLs that other people wrote: it reaches public
// addresses only. It uses no proxy, which would connect in its stead, and
// keeps no connection.
func Public() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: publicOnly}
	t := Base(1)
	t.Proxy = nil
	t.DialContext = dialer.DialContext
	t.DisableKeepAlives = true
	return t
}

// public reports whether ip is an address of one host on the public Internet.
// Source: the IANA special-purpose address registries for IPv4 and IPv6.
func public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false // loopback, link-local, multicast, unspecified, broadcast; RFC 1918 and unique local
	}
	for _, special := range []string{
		"0.0.0.0/8",       // this network
		"100.64.0.0/10",   // behind a carrier's NAT
		"192.0.0.0/24",    // protocol assignments
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // 6to4 relays
		"198.18.0.0/15",   // benchmarks
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"240.0.0.0/4",     // reserved
		"::/96",           // IPv4-compatible, leads to an IPv4 address
		"64:ff9b::/96",    // NAT64, the same
		"64:ff9b:1::/48",  // NAT64, the same
		"100::/64",        // discard
		"2001::/23",       // protocol assignments, Teredo
		"2001:db8::/32",   // documentation
		"2002::/16",       // 6to4, leads to an IPv4 address
		"3fff::/20",       // documentation
		"5f00::/16",       // segment routing
		"fec0::/10",       // site-local
	} {
		if netip.MustParsePrefix(special).Contains(ip) {
			return false
		}
	}
	return true
}
