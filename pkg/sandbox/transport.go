package sandbox

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// Transport reaches a sandbox inside the process, whatever host a request
// names. It is a real HTTP client on a real server over in-memory connections:
// broken connections, cut bodies and silence look as they do on a network.
type Transport struct {
	client *http.Transport
	server *http.Server
	done   chan struct{}  // Serve has returned
	conns  sync.WaitGroup // connections still served
}

// Transport starts the in-process server on first use; [Sandbox.Close] ends it.
func (s *Sandbox) Transport() *Transport {
	s.transport.Lock()
	defer s.transport.Unlock()
	if s.transport.Transport == nil {
		s.transport.Transport = newTransport(s.handler)
	}
	return s.transport.Transport
}

var _ http.RoundTripper = (*Transport)(nil)

func newTransport(handler http.Handler) *Transport {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	t := &Transport{done: make(chan struct{})}
	t.client = &http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return l.dial(ctx) },
		MaxIdleConnsPerHost: 64,
		DisableCompression:  true,
	}
	t.server = &http.Server{
		Handler: handler,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				t.conns.Add(1)
			case http.StateClosed, http.StateHijacked:
				t.conns.Done()
			}
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() {
		defer close(t.done)
		_ = t.server.Serve(l) // ends with ErrServerClosed
	}()
	return t
}

// RoundTrip sends a request to the sandbox. The response names the request as
// it was made.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	inner := r.Clone(r.Context())
	inner.Header.Set("X-Forwarded-Proto", r.URL.Scheme)
	inner.URL.Scheme = "http"
	res, err := t.client.RoundTrip(inner)
	if err != nil {
		return nil, err
	}
	res.Request = r
	return res, nil
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (t *Transport) CloseIdleConnections() { t.client.CloseIdleConnections() }

func (t *Transport) close() {
	_ = t.server.Close() // the listener is ours and closes without error
	t.client.CloseIdleConnections()
	<-t.done
	t.conns.Wait()
}

// pipeListener hands out the far ends of in-memory connections.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "sandbox" }
