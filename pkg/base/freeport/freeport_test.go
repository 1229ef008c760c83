package freeport_test

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/freeport"
)

// Each port is free, given once though nobody listens yet, and none of those that the
// system gives to others.
func TestAddress(t *testing.T) {
	systems := 49152 // the first of them
	if data, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if systems, err = strconv.Atoi(strings.Fields(string(data))[0]); err != nil {
			t.Fatal(err)
		}
	}
	if systems < 32_000 {
		t.Skipf("here the system gives ports from %d on", systems)
	}
	seen := map[string]bool{}
	for range 300 {
		address, err := freeport.Address()
		if err != nil {
			t.Fatal(err)
		}
		if seen[address] {
			t.Errorf("%s is given twice", address)
		}
		seen[address] = true
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if port := l.Addr().(*net.TCPAddr).Port; port >= systems {
			t.Errorf("%s may be given to a connection", address)
		}
		_ = l.Close()
	}
}
