package receiver_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// nobodys is a signature that could be one.
var nobodys = webhook.Twilio.Header() + ": " + strings.Repeat("A", 27) + "=\r\n"

// The beginnings of requests that are never ended.
var stalls = map[string]string{
	"connection": "",
	"header":     "POST /fax/done HTTP/1.1\r\nHost: x\r\n",
	"form": "POST /fax HTTP/1.1\r\nHost: x\r\n" + nobodys +
		"Content-Length: 60000\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nFaxSid=",
	"fields": "POST /fax/done HTTP/1.1\r\nHost: x\r\n" + nobodys +
		"Content-Length: 60000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"FaxSid\"\r\n\r\nFX",
	"document": "POST /fax/done HTTP/1.1\r\nHost: x\r\n" + nobodys +
		"Content-Length: 60000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"Media\"; filename=\"f\"\r\n\r\n%PDF-1.7\n",
	"half a document": "POST /fax/done HTTP/1.1\r\nHost: x\r\n" + nobodys +
		"Content-Length: 60000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"Media\"; filename=\"f\"\r\n\r\n%PDF-1.7\n" +
		strings.Repeat("x", 20<<10),
}

// dialer makes connections to a receiver.
type dialer func() (net.Conn, error)

// crowd opens n connections that begin with a request and then say nothing more,
// and come back when they are put out. It lasts until stop is called. They have
// stalled when it returns.
func crowd(dial dialer, begin string, n int) (stop func()) {
	var all sync.WaitGroup
	ends := make(chan struct{})
	for range n {
		all.Go(func() {
			for {
				c, err := dial()
				if err != nil {
					return
				}
				gone := make(chan struct{})
				go func() {
					_, _ = io.WriteString(c, begin)
					_, _ = io.Copy(io.Discard, c) // until the other side closes it
					close(gone)
				}()
				select {
				case <-gone:
					c.Close()
				case <-ends:
					c.Close()
					<-gone
					return
				}
				select {
				case <-time.After(3 * time.Second):
				case <-ends:
					return
				}
			}
		})
	}
	time.Sleep(time.Second) // so that they have stalled; no test passes for it
	return func() {
		close(ends)
		all.Wait()
	}
}

// ask sends a request on a connection of its own, and returns its status and how
// long the answer took.
func ask(dial dialer, req *http.Request) (status int, took time.Duration, err error) {
	var wire bytes.Buffer
	if err := req.Write(&wire); err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	c, err := dial()
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	_ = c.SetDeadline(begin.Add(time.Minute))
	if _, err = c.Write(wire.Bytes()); err == nil {
		var answer *http.Response
		if answer, err = http.ReadResponse(bufio.NewReader(c), req); err == nil {
			status = answer.StatusCode
			answer.Body.Close()
		}
	}
	return status, time.Since(begin), err
}

var strangers = flag.Int("strangers", 500, "how many come in TestStalledStrangers, to half as many places")

// TestStalledStrangers: twice as many as there are places, who begin with a request
// and never end it, and come back when they are put out, keep nobody waiting for long.
// Without the limits it would be two minutes. It goes by the clock of the test, so that
// what the machine is busy with does not count. For as many places as there are
// where nobody says how many:
//
//	go test ./pkg/receive/receiver -run TestStalledStrangers -strangers 2048
func TestStalledStrangers(t *testing.T) {
	for name, begin := range stalls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStation(t, func(c *receiver.Config) { c.MaxConns = *strangers / 2 })
				l := newPipes()
				served := make(chan error)
				go func() { served <- s.ServeAlone(l) }()
				dial := func() (net.Conn, error) { return l.dialWithin(time.Minute) }
				stop := crowd(dial, begin, *strangers)
				for i, tt := range []struct {
					name string
					req  func(id string) *http.Request
					want int
					most time.Duration
				}{
					{"health", func(string) *http.Request { return httptest.NewRequest(http.MethodGet, "/healthz", nil) }, 200, time.Second},
					{"callback", func(id string) *http.Request { return post("/fax/done", callbackForm(id)) }, 204, time.Second},
					{"fields first", func(id string) *http.Request {
						return multi(callbackForm(id), part{"Media", "fax.pdf", document(id)})
					}, 204, time.Second},
					{"document first", func(id string) *http.Request { return documentFirst(callbackForm(id), document(id)) }, 204, 5 * time.Second},
				} {
					status, took, err := ask(dial, tt.req(faxID(i)))
					if t.Logf("%s: answered %d, %v after %s", tt.name, status, err, took); status != tt.want || took > tt.most {
						t.Errorf("%s: answered %d, %v after %s; want %d within %s", tt.name, status, err, took, tt.want, tt.most)
					}
				}
				if log := s.log.String(); strings.Count(log, "\n") > 50 {
					t.Errorf("the log has %d lines", strings.Count(log, "\n"))
				}
				stop()
				time.Sleep(time.Second) // an answer is ended for half of one
				l.Close()
				if err := <-served; !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
			})
		})
	}
}

// TestStalledOnANetwork: the same on connections of this machine, of which fewer
// are enough to take every place and every turn. So few places are taken by newcomers
// in no time when the machine is slow: who is put out for one of them comes in when it
// asks again, within a minute.
func TestStalledOnANetwork(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { c.MaxConns = 40 })
	dial := dialing(t, s.serve())
	defer crowd(dial, stalls["half a document"], 80)()
	for name, req := range map[string]func() *http.Request{
		"news":             func() *http.Request { return post("/fax/done", callbackForm(faxID(1))) },
		"a document first": func() *http.Request { return documentFirst(callbackForm(faxID(2)), document("2")) },
	} {
		s.until(name, func() bool { status, _, _ := ask(dial, req()); return status == http.StatusNoContent })
	}
}

// dialing connects to a port of this machine.
func dialing(t *testing.T, address string) dialer {
	return func() (net.Conn, error) { return new(net.Dialer).DialContext(t.Context(), "tcp", address) }
}

// TestKnownIsNotPutOut: who is known to be our provider keeps its place, however
// slow it is and many come.
func TestKnownIsNotPutOut(t *testing.T) {
	s := newStation(t, func(c *receiver.Config) { c.MaxConns = 4 })
	dial := dialing(t, s.serve())
	form := callbackForm(faxID(1))
	var whole bytes.Buffer
	if err := multi(form, part{"Media", "fax.pdf", document("1")}).Write(&whole); err != nil {
		t.Fatal(err)
	}
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	half := bytes.Index(whole.Bytes(), []byte("%PDF-")) + 10
	if _, err := c.Write(whole.Bytes()[:half]); err != nil {
		t.Fatal(err)
	}
	s.until("its document comes, and who sends it is known", func() bool { return len(s.incoming()) == 1 })
	defer crowd(dial, stalls["document"], 40)()
	time.Sleep(time.Second) // many times over what a stranger has
	if _, err := c.Write(whole.Bytes()[half:]); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(time.Minute))
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, " 204 ") {
		t.Errorf("answered %q, %v", line, err)
	}
	s.until("news beside it", func() bool {
		status, _, _ := ask(dial, post("/fax/done", callbackForm(faxID(2))))
		return status == http.StatusNoContent
	})
}

// TestTurnsEnd: when sixteen strangers send documents, and none is slow, another
// one waits for a while and is told to come back.
func TestTurnsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, nil)
		l := newPipes()
		served := make(chan error)
		go func() { served <- s.ServeAlone(l) }()
		begin := strings.Replace(stalls["half a document"], "60000", "60000000", 1)
		var sending sync.WaitGroup
		var conns []net.Conn
		for range 16 {
			conn := l.dial()
			conns = append(conns, conn)
			sending.Go(func() {
				_, err := io.WriteString(conn, begin)
				for err == nil {
					time.Sleep(time.Second / 2)
					_, err = conn.Write(make([]byte, 16<<10))
				}
			})
		}
		time.Sleep(3 * time.Second)
		late := l.dial()
		conns = append(conns, late)
		asked := time.Now()
		go func() { _, _ = io.WriteString(late, begin) }()
		answer, err := http.ReadResponse(bufio.NewReader(late), nil)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(asked).Round(time.Second); answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" || took != 10*time.Second {
			t.Errorf("answered %d, Retry-After %q, after %s", answer.StatusCode, answer.Header.Get("Retry-After"), took)
		}
		for _, c := range conns {
			c.Close()
		}
		sending.Wait()
		time.Sleep(time.Second) // an answer is ended for half of one
		l.Close()
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

// documentFirst is a callback whose fields follow its document.
func documentFirst(form map[string][]string, doc string) *http.Request {
	req := multi(form)
	var rest, whole bytes.Buffer
	_, _ = rest.ReadFrom(req.Body)
	between, _, _ := strings.Cut(rest.String(), "\r\n")
	fmt.Fprintf(&whole, "%s\r\nContent-Disposition: form-data; name=\"Media\"; filename=\"f.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%s\r\n", between, doc)
	whole.Write(rest.Bytes())
	req.Body, req.ContentLength = io.NopCloser(&whole), int64(whole.Len())
	return req
}
