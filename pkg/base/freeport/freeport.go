// Package freeport finds a port of this machine for a program that a test starts.
//
// Use it where the program has to be told its port. Whoever listens itself asks the
// system for port 0, and has it at once.
package freeport

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
)

// The ports to choose from. They are below those that systems give to connections, and to
// whoever asks for port 0 (on Linux from 32768 on, elsewhere from 49152): nothing of that
// kind takes one before the program does, nor while it is being started again.
const (
	first = 20_000
	count = 12_000
)

// given counts the ports that this process gave away, of which each is given once. Others
// that do the same begin elsewhere.
var given atomic.Uint32 //nolint:gochecknoglobals // the ports are those of the process

// Port is a port of 127.0.0.1 at which nobody listens.
func Port() (int, error) {
	var taken error
	for range 1000 {
		port := first + int((uint32(os.Getpid())*97+given.Add(1))%count)               //nolint:gosec // what is left out of a process's number does not matter
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))) //nolint:noctx // it is closed at once
		if err == nil {
			return port, l.Close()
		}
		taken = err
	}
	return 0, fmt.Errorf("no port is free: %w", taken)
}

// Address is 127.0.0.1 with such a port.
func Address() (string, error) {
	port, err := Port()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), err
}
