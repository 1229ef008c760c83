package receiver_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/receive/webhook"
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

// dialWithin gives up when nobody is let in for so long.
func (p pipes) dialWithin(limit time.Duration) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-time.After(limit):
		return nil, errors.Join(os.ErrDeadlineExceeded, here.Close(), there.Close())
	}
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

// serveOn serves until stop is called.
func (s *station) serveOn(l net.Listener, config *tls.Config) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, l, config) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	}
}

// TestSlowClients: who takes too long is cut off, and how long that is.
func TestSlowClients(t *testing.T) {
	signature := webhook.Twilio.Header() + ": " + strings.Repeat("A", 27) + "=\r\n"
	form := "POST /fax HTTP/1.1\r\nHost: x\r\n" + signature + "Content-Length: 60000\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n"
	upload := "POST /fax/done HTTP/1.1\r\nHost: x\r\n" + signature + "Content-Length: 60000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"Media\"; filename=\"f\"\r\n\r\n%PDF-"
	much := strings.Replace(upload, "60000", "60000000", 1) + strings.Repeat("y", 11*16<<10) // one sixteenth of it before its turn
	for _, tt := range []struct {
		name  string
		send  string // at once
		more  byte   // and then one of these each second
		reads bool   // the answer
		want  time.Duration
	}{
		{"says nothing", "", 0, true, 5 * time.Second},
		{"a header byte by byte", "GET /healthz HTTP/1.1\r\nX-Slow: ", 'y', true, 5 * time.Second},
		{"a form byte by byte", form, 'z', true, 10 * time.Second},
		{"a document byte by byte", upload, 'z', true, 10 * time.Second},
		{"much of a document, and then byte by byte", much, 'z', true, 20 * time.Second},
		{"much of a document, and then nothing", much, 0, true, 10 * time.Second},
		{"asks for nothing more", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 0, true, time.Minute},
		{"does not read the answer", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 0, false, 2*time.Minute + 30*time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStation(t, nil)
				l := newPipes()
				served := make(chan error)
				go func() { served <- s.ServeAlone(l) }()
				conn := l.dial()
				begin := time.Now()
				_, _ = io.WriteString(conn, tt.send)
				var sending sync.WaitGroup
				sending.Go(func() {
					for tt.more != 0 {
						if _, err := conn.Write([]byte{tt.more}); err != nil {
							return
						}
						time.Sleep(time.Second)
					}
				})
				if !tt.reads {
					time.Sleep(tt.want + time.Second)
					begin = begin.Add(time.Second)
				}
				_, _ = io.Copy(io.Discard, conn) // until the other side closes it, half a second after its answer
				if got := time.Since(begin).Truncate(time.Second); got != tt.want {
					t.Errorf("cut off after %s, want %s", got, tt.want)
				}
				conn.Close()
				sending.Wait()
				l.Close()
				if err := <-served; !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
				s.nothingStored()
			})
		})
	}
}

// TestOneRequestAtATime: HTTP/2 would carry many on a connection, and the limit
// is on connections.
func TestOneRequestAtATime(t *testing.T) {
	other := httptest.NewTLSServer(nil) // for its certificate
	defer other.Close()
	s := newStation(t, nil)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.serveOn(l, &tls.Config{Certificates: other.TLS.Certificates})()
	roots := other.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, NextProtos: []string{"h2", "http/1.1"}}}
	conn, err := dialer.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.(*tls.Conn).ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("it speaks %q", got)
	}
}

// TestNotify: systemd is told when the receiver is ready, and when it stops.
func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Skipf("systemd is where there are unix sockets for messages: %v", err)
	}
	defer systemd.Close()
	hears := func(want string) {
		t.Helper()
		systemd.SetReadDeadline(time.Now().Add(time.Minute))
		b := make([]byte, 100)
		n, err := systemd.Read(b)
		if got := string(b[:n]); err != nil || got != want {
			t.Errorf("systemd hears %q, %v, want %q", got, err, want)
		}
	}
	t.Setenv("NOTIFY_SOCKET", path)
	s := newStation(t, nil)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := s.serveOn(l, nil)
	hears("READY=1")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatalf("it is not ready: %v", err)
	}
	resp.Body.Close()
	stop()
	hears("STOPPING=1")
}
