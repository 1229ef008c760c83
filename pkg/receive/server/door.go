package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Slowest is how many bytes a second a sender that is not known sends at
	// least, once it has had its time to begin.
	Slowest = 16 << 10

	// mercy is how far a connection may be behind that when others have no room.
	mercy = 250 * time.Millisecond
)

// pace is how fast something comes: bytes since a time, the last of them at another.
type pace struct {
	mu    sync.Mutex
	since time.Time // zero: it is not waited for
	last  time.Time
	bytes int64
}

// begin has it waited for from now on.
func (p *pace) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since, p.bytes = time.Now(), 0
	p.last = p.since
}

// trust has it not waited for: it may take its time.
func (p *pace) trust() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = time.Time{}
}

func (p *pace) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > 0 {
		p.last = time.Now()
	}
	p.bytes += int64(n)
}

// due is until when it was not slow: when all that has come would have come at the
// slowest rate, or when it stalled. ok tells whether it is waited for at all.
func (p *pace) due() (_ time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	due := p.since.Add(time.Duration(float64(p.bytes) / Slowest * float64(time.Second)))
	if p.last.Before(due) {
		due = p.last
	}
	return due, !p.since.IsZero()
}

// door is a listener that lets in no more than most connections at once. When
// somebody is before it and all places are taken, the slowest of those who are not
// known is put out, as soon as it is slow; else the next one waits.
type door struct {
	net.Listener
	most  int
	onOut func() // somebody was put out

	mu     sync.Mutex
	guests map[*guest]struct{}
	left   chan struct{} // there may be a place
	closed chan struct{}
	close  func()
}

func newDoor(l net.Listener, most int, onOut func()) *door {
	closed := make(chan struct{})
	return &door{
		Listener: l, most: most, onOut: onOut, guests: map[*guest]struct{}{},
		left: make(chan struct{}, 1), closed: closed, close: sync.OnceFunc(func() { close(closed) }),
	}
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	g := &guest{Conn: c, door: d}
	g.begin()
	for {
		out, wait := d.enter(g)
		if out == nil && wait == 0 {
			return g, nil
		}
		if wait <= 0 {
			d.onOut()
			out.out.Store(true)
			_ = out.Close()
			continue
		}
		again := time.NewTimer(wait)
		select {
		case <-d.left:
		case <-again.C:
		case <-d.closed:
			_ = c.Close()
			err = net.ErrClosed
		}
		again.Stop()
		if err != nil {
			return nil, err
		}
	}
}

// enter gives a guest a place. When there is none it is who should leave, and how
// long that one still has.
func (d *door) enter(g *guest) (out *guest, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.guests) < d.most {
		d.guests[g] = struct{}{}
		g.begin()
		return nil, 0
	}
	var first time.Time
	for other := range d.guests {
		if due, ok := other.due(); ok && (out == nil || due.Before(first)) {
			out, first = other, due
		}
	}
	if out == nil {
		return nil, time.Minute // all are known: one will end
	}
	return out, time.Until(first.Add(mercy))
}

// Close implements net.Listener.
func (d *door) Close() error {
	d.close()
	return d.Listener.Close()
}

// guest is a connection that was let in.
type guest struct {
	net.Conn
	pace
	door *door
	out  atomic.Bool
}

// Read implements net.Conn.
func (g *guest) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	g.add(n)
	return n, err
}

// CloseWrite is what net/http looks for to end an answer before the request has
// ended; else the connection is reset, and the answer may be lost.
func (g *guest) CloseWrite() error {
	if half, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close implements net.Conn.
func (g *guest) Close() error {
	err := g.Conn.Close()
	g.door.mu.Lock()
	delete(g.door.guests, g)
	g.door.mu.Unlock()
	select {
	case g.door.left <- struct{}{}:
	default:
	}
	return err
}

// guestOf is the guest behind a connection of the server; nil: there is no door.
func guestOf(c net.Conn) *guest {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	g, _ := c.(*guest)
	return g
}

type guestKey struct{}

// withGuest has requests know their connection.
func withGuest(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, guestKey{}, guestOf(c))
}

// rest has a connection that waits for its next request be a stranger's again.
func rest(c net.Conn, state http.ConnState) {
	if g := guestOf(c); g != nil && state == http.StateIdle {
		g.begin()
	}
}

// Trust has the connection of a request not be put out: its sender is our provider.
func Trust(req *http.Request) { guestOfRequest(req).trust() }

// guestOfRequest is the connection of a request; where there is no door, as in
// somebody else's server, it is nobody's.
func guestOfRequest(req *http.Request) *guest {
	if g, _ := req.Context().Value(guestKey{}).(*guest); g != nil {
		return g
	}
	return new(guest)
}
