package mail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
)

// TestHalf: of a mail whose sending ends half way a server takes nothing. The end of a
// message is a line of its own, and whoever says goodbye politely after half of it sends
// that line first: half a document would be taken for the whole.
func TestHalf(t *testing.T) {
	t.Parallel()
	m := long(t)
	for name, c := range map[string]struct {
		limit  time.Duration
		breaks bool // the connection
		cancel bool
		kind   error
	}{
		"a connection that breaks": {time.Minute, true, false, problem.ErrUnavailable},
		"somebody interrupts":      {time.Minute, false, true, context.Canceled},
		"the limit of time":        {15 * time.Second, false, false, problem.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			given := make(chan struct{})
			office := &postOffice{over: make(chan struct{})}
			office.begun = func() {
				if c.cancel {
					cancel()
				}
				select {
				case <-given: // Send has returned, and what it left on its way is read now
				case <-time.After(time.Minute): // or it waits for us
				}
			}
			server := office.open(t)
			server.Limit = c.limit
			if c.breaks {
				server.Port = breaking(t, server)
			}
			_, err := server.Send(ctx, m)
			close(given)
			if !errors.Is(err, c.kind) || errors.Is(err, mail.ErrRefused) {
				t.Errorf("%v, want %v", err, c.kind)
			}
			select {
			case <-office.over:
			case <-time.After(time.Minute):
				t.Fatal("no mail has begun")
			}
			office.mu.Lock()
			defer office.mu.Unlock()
			if len(office.taken) != 0 {
				t.Errorf("the server has %d bytes of a mail", len(office.taken[0].content))
			}
		})
	}
}

// long is a mail that does not fit into what a system holds of a connection.
func long(t *testing.T) *mail.Message {
	t.Helper()
	l := letter()
	l.Attach, l.MaxSize = true, 64<<20
	m, err := l.Write(t.Context(), mail.News{Fax: received(), When: mail.Received, Document: document(bytes.Repeat([]byte("fax "), 3<<20), "application/pdf")})
	if err != nil || !m.Attached {
		t.Fatalf("%+v, %v", m, err)
	}
	return m
}

// breaking is a port that leads to a server, and breaks after a part of a mail.
func breaking(t *testing.T, server mail.Server) (port int) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		from, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = from.Close() }()
		to, err := new(net.Dialer).DialContext(t.Context(), "tcp", net.JoinHostPort(server.Host, strconv.Itoa(server.Port)))
		if err != nil {
			return
		}
		defer func() { _ = to.Close() }()
		go func() { _, _ = io.Copy(from, to) }()
		_, _ = io.CopyN(to, from, 256<<10)
	}()
	return l.Addr().(*net.TCPAddr).Port
}
