package transport_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/faxctl/faxctl/pkg/provider/transport"
)

func TestPublicOnly(t *testing.T) {
	for address, public := range map[string]bool{
		"1.1.1.1:443":                 true,
		"93.184.215.14:80":            true,
		"100.63.255.255:1":            true,
		"100.128.0.0:1":               true,
		"172.15.255.255:1":            true,
		"172.32.0.0:1":                true,
		"[2606:4700::1111]:443":       true,
		"[::ffff:1.1.1.1]:443":        true,
		"127.0.0.1:80":                false,
		"127.255.0.1:80":              false,
		"0.0.0.0:80":                  false,
		"0.1.2.3:80":                  false,
		"10.1.2.3:80":                 false,
		"172.16.0.1:80":               false,
		"172.31.255.255:80":           false,
		"192.168.0.1:80":              false,
		"169.254.169.254:80":          false,
		"100.64.0.1:80":               false,
		"100.127.255.255:80":          false,
		"192.0.0.8:80":                false,
		"198.18.0.1:80":               false,
		"203.0.113.9:80":              false,
		"224.0.0.1:80":                false,
		"240.0.0.1:80":                false,
		"255.255.255.255:80":          false,
		"[::]:80":                     false,
		"[::1]:80":                    false,
		"[fe80::1]:80":                false,
		"[fe80::1%eth0]:80":           false,
		"[fc00::1]:80":                false,
		"[fd12::1]:80":                false,
		"[fec0::1]:80":                false,
		"[ff02::1]:80":                false,
		"[::ffff:127.0.0.1]:80":       false,
		"[::ffff:10.0.0.1]:80":        false,
		"[::ffff:169.254.169.254]:80": false,
		"[::ffff:100.64.0.1]:80":      false,
		"[::127.0.0.1]:80":            false,
		"[64:ff9b::7f00:1]:80":        false,
		"[2002:7f00:1::]:80":          false,
		"[2001:0:4136:e378::1]:80":    false,
		"[2001:db8::1]:80":            false,
		"localhost:80":                false,
		"":                            false,
	} {
		err := transport.PublicOnly("tcp", address, nil)
		if (err == nil) != public || err != nil && !errors.Is(err, transport.ErrPrivateAddress) {
			t.Errorf("%s: %v, want public %v", address, err, public)
		}
	}
	if err := transport.PublicOnly("udp4", "1.1.1.1:53", nil); !errors.Is(err, transport.ErrPrivateAddress) {
		t.Errorf("udp: %v", err)
	}
}

// TestPublic dials this machine by address and by name, and is refused before
// a byte is sent.
func TestPublic(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the server was reached")
	}))
	defer server.Close()
	rt := transport.Public()
	origin, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]"} {
		_, err := rt.RoundTrip(request(t, http.MethodGet, "http://"+host+":"+origin.Port()+"/", nil))
		if !errors.Is(err, transport.ErrPrivateAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
}
