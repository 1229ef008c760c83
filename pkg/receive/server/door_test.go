package server

import (
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener within this process: on its connections the clock of a
// test runs.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipes() pipes {
	closed := make(chan struct{})
	return pipes{make(chan net.Conn), closed, sync.OnceFunc(func() { close(closed) })}
}

func (p pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.conns <- there
	return here
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	p.close()
	return nil
}

func (pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// sender is how somebody sends: so many bytes at once, and then so many each tenth of a
// second.
type sender struct{ first, more int }

var (
	steady  = sender{0, 3 << 10}
	drips   = sender{20_000, 1} // in time for 1.22 s
	stops   = sender{160_000, 0}
	nothing = sender{}
)

// send sends until the connection ends.
func (p sender) send(c net.Conn) {
	var err error
	if p.first > 0 {
		_, err = c.Write(make([]byte, p.first))
	}
	for err == nil && p.more > 0 {
		time.Sleep(100 * time.Millisecond)
		_, err = c.Write(make([]byte, p.more))
	}
}

// TestDoor: when all places are taken, the slowest of those who are not known is put
// out for the next, as soon as it is slow, and nobody else is.
func TestDoor(t *testing.T) {
	const nobody = -1
	for name, tt := range map[string]struct {
		guests []sender
		known  int           // the one that is
		leaves time.Duration // when the first one does; 0: it stays
		asks   time.Duration // when another one comes
		out    int           // who is put out for it
		in     time.Duration // when it is let in
	}{
		"there is a place":           {[]sender{nothing}, nobody, 0, time.Second, nobody, time.Second},
		"one says nothing":           {[]sender{steady, nothing}, nobody, 0, time.Second, 1, time.Second},
		"one has only come":          {[]sender{steady, nothing}, nobody, 0, 0, 1, 250 * time.Millisecond},
		"one stops after much":       {[]sender{steady, stops}, nobody, 0, time.Second, 1, time.Second},
		"one drips after 20 kB":      {[]sender{steady, drips}, nobody, 0, time.Second, 1, 1470 * time.Millisecond},
		"one has dripped for long":   {[]sender{steady, drips}, nobody, 0, 5 * time.Second, 1, 5 * time.Second},
		"the slower of two":          {[]sender{nothing, drips}, nobody, 0, 5 * time.Second, 0, 5 * time.Second},
		"who is known may be slow":   {[]sender{nothing, drips}, 0, 0, 5 * time.Second, 1, 5 * time.Second},
		"nobody is slow, one leaves": {[]sender{steady, steady}, nobody, 3 * time.Second, time.Second, nobody, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newPipes()
				times := 0
				door := newDoor(l, 2, func() { times++ })
				var all sync.WaitGroup
				enter := func(known bool) net.Conn {
					t.Helper()
					dialed := make(chan net.Conn, 1)
					go func() { dialed <- l.dial() }()
					c, err := door.Accept()
					if err != nil {
						t.Fatal(err)
					}
					if known {
						guestOf(c).trust()
					}
					all.Go(func() {
						_, _ = io.Copy(io.Discard, c)
						c.Close()
					})
					return <-dialed
				}
				begin := time.Now()
				forever := time.AfterFunc(time.Minute, func() { door.Close() })
				var guests []net.Conn
				ended := make([]time.Duration, len(tt.guests))
				for i, p := range tt.guests {
					c := enter(i == tt.known)
					guests = append(guests, c)
					all.Go(func() { p.send(c) })
					all.Go(func() {
						_, _ = c.Read(make([]byte, 1))
						ended[i] = time.Since(begin)
					})
				}
				if tt.leaves > 0 {
					time.AfterFunc(tt.leaves, func() { guests[0].Close() })
				}
				time.Sleep(tt.asks)
				guests = append(guests, enter(false))
				if in := time.Since(begin).Round(10 * time.Millisecond); in != tt.in {
					t.Errorf("let in after %s, want %s", in, tt.in)
				}
				synctest.Wait()
				for i, at := range ended {
					if gone, want := at > 0, i == tt.out || i == 0 && tt.leaves > 0; gone != want {
						t.Errorf("guest %d is put out: %v, want %v", i, gone, want)
					}
				}
				if want := map[bool]int{true: 1}[tt.out != nobody]; times != want {
					t.Errorf("told of %d that were put out, want %d", times, want)
				}
				forever.Stop()
				for _, c := range guests {
					c.Close()
				}
				all.Wait()
			})
		})
	}
}
