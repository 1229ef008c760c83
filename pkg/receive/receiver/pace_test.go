package receiver_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// pace is how somebody sends: so many bytes at once, and then so many each tenth of a
// second.
type pace struct{ first, more int }

var (
	steady = pace{0, 3 << 10}
	drips  = pace{20_000, 1} // in time for 1.22 s
	stops  = pace{160_000, 0}
)

// send sends until the connection ends.
func (p pace) send(c net.Conn) {
	var err error
	if p.first > 0 {
		_, err = c.Write(make([]byte, p.first))
	}
	for err == nil && p.more > 0 {
		time.Sleep(100 * time.Millisecond)
		_, err = c.Write(make([]byte, p.more))
	}
}

// TestTurns: when all turns are taken, the slowest of those who have one is put out
// for the next, as soon as it is slow, and nobody else is.
func TestTurns(t *testing.T) {
	form, doc := stalls["form"], stalls["half a document"]
	for name, tt := range map[string]struct {
		conns    int // at once
		turns    int // of them
		begin    string
		slow     pace
		from, to time.Duration // when another one, that comes after one second, has its answer
	}{
		"a form that drips after 20 kB":      {20, 15, form, drips, 1300 * time.Millisecond, 1500 * time.Millisecond},
		"a form that stops after 60 kB":      {20, 15, form, pace{59_000, 0}, time.Second, 1100 * time.Millisecond},
		"a document that drips after 20 kB":  {0, 16, doc, drips, 3000 * time.Millisecond, 4000 * time.Millisecond},
		"a document that stops after 160 kB": {0, 16, doc, stops, 2 * time.Second, 2100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStation(t, func(c *receiver.Config) { c.MaxConns = tt.conns })
				l := newPipes()
				served := make(chan error)
				go func() { served <- s.ServeAlone(l) }()
				begin := time.Now()
				var all sync.WaitGroup
				var conns []net.Conn
				ended := make([]string, tt.turns)
				for i := range tt.turns {
					c, how := l.dial(), steady
					if i == 0 {
						how = tt.slow
					}
					conns = append(conns, c)
					all.Go(func() {
						_, _ = io.WriteString(c, strings.Replace(tt.begin, "60000", "60000000", 1))
						how.send(c)
					})
					all.Go(func() { ended[i], _ = bufio.NewReader(c).ReadString('\n') })
				}
				time.Sleep(time.Second)
				late := l.dial()
				conns = append(conns, late)
				go func() { _ = documentFirst(callbackForm(faxID(1)), document("1")).Write(late) }()
				answer, err := http.ReadResponse(bufio.NewReader(late), nil)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); answer.StatusCode != http.StatusNoContent || took < tt.from || took > tt.to {
					t.Errorf("answered %d after %s, want 204 from %s to %s", answer.StatusCode, took, tt.from, tt.to)
				}
				synctest.Wait()
				if !strings.Contains(ended[0], " 503 ") || slices.ContainsFunc(ended[1:], func(s string) bool { return s != "" }) {
					t.Errorf("answers of those who had a turn: %q, want 503 for the first alone", ended)
				}
				for _, c := range conns {
					c.Close()
				}
				all.Wait()
				time.Sleep(time.Second) // an answer is ended for half of one
				l.Close()
				if err := <-served; !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
			})
		})
	}
}
