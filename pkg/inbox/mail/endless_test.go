package mail_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
)

// A server, or whoever answers in its place before TLS, that says something without end
// is left when it has said more than any mail server does: before the limit, and before
// what it said fills the memory.
func TestEndless(t *testing.T) {
	const enough = 64 << 20 // bytes, after which it gives up: nobody left it
	for name, c := range map[string]struct{ first, again string }{
		"a greeting in one line":   {"220 ", "x"},
		"a greeting in many lines": {"", "220-\r\n"},
		"a refusal in one line":    {"554 ", "x"},
		"a refusal in many lines":  {"", "554-no\r\n"},
		"an answer in one line":    {"220 here\r\n250 ", "x"},
		"an answer in many lines":  {"220 here\r\n", "250-SIZE\r\n"},
		"STARTTLS in many lines":   {"220 here\r\n250-here\r\n250 STARTTLS\r\n", "220-\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var said atomic.Int64
			done := make(chan struct{})
			go func() {
				defer close(done)
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer func() { _ = conn.Close() }()
				n, err := io.WriteString(conn, c.first)
				for chunk := bytes.Repeat([]byte(c.again), (32<<10)/len(c.again)); err == nil && said.Add(int64(n)) < enough; {
					n, err = conn.Write(chunk)
				}
			}()
			t.Cleanup(func() {
				_ = l.Close()
				<-done
			})
			server := mail.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Limit: 5 * time.Minute}
			_, err = server.Send(t.Context(), notice(t))
			if !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), "says more than a mail server does") {
				t.Errorf("%v", err)
			}
			<-done
			if said.Load() >= enough {
				t.Errorf("it was listened to for %d bytes", said.Load())
			}
		})
	}
}
