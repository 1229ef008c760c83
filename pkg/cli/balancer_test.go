package cli_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// balancer stands before several receivers: a request goes to the next of them, and to
// another one when nobody answers there. It is as unkind as the world: some news is
// repeated, and some comes late. The receivers ask for documents with the callback, and of
// nine faxes in ten the provider hears that it is to keep them.
type balancer struct {
	url      string
	backends []string // addresses
	client   http.Client

	next    atomic.Int64
	answers atomic.Int64 // of the fax URL
	repeats atomic.Int64 // news that were told again
	late    atomic.Int64 // and that came late
	refused atomic.Int64 // news that nobody took

	mu   sync.Mutex
	news []*http.Request // to repeat
	body [][]byte
}

// newBalancer listens on this machine until the test ends.
func newBalancer(tb testing.TB, backends []string) *balancer {
	tb.Helper()
	b := &balancer{backends: backends, client: http.Client{Timeout: 30 * time.Second}}
	server := httptest.NewServer(b)
	b.url = server.URL
	tb.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		b.client.CloseIdleConnections()
	})
	return b
}

// ServeHTTP implements http.Handler.
func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has gone
	}
	news := strings.HasSuffix(r.URL.Path, "/done")
	if news && rand.IntN(50) == 0 {
		b.late.Add(1)
		time.Sleep(time.Duration(rand.IntN(4000)) * time.Millisecond)
	}
	status, header, answer := b.pass(r, body)
	if news && status/100 != 2 {
		b.refused.Add(1)
	}
	if !news && b.answers.Add(1)%10 > 0 {
		answer = bytes.ReplaceAll(answer, []byte(` storeMedia="false"`), nil)
	}
	if news && status/100 == 2 {
		b.repeat(r, body)
	}
	w.Header().Set("Content-Type", header.Get("Content-Type"))
	w.WriteHeader(status)
	_, _ = w.Write(answer) // whoever does not take it has gone
}

// pass hands a request to one of the receivers: 502 when there is none.
func (b *balancer) pass(r *http.Request, body []byte) (status int, header http.Header, answer []byte) {
	for range b.backends {
		to := b.backends[int(b.next.Add(1))%len(b.backends)]
		req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+to+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			break
		}
		req.Header = r.Header.Clone()
		req.Host = r.Host // which the provider has signed
		got, err := b.client.Do(req)
		if err != nil {
			continue
		}
		answer, err = io.ReadAll(got.Body)
		_ = got.Body.Close()
		if err != nil || got.StatusCode == http.StatusServiceUnavailable {
			continue
		}
		return got.StatusCode, got.Header, answer
	}
	return http.StatusBadGateway, http.Header{}, nil
}

// repeat tells some of the news a second time, a while after.
func (b *balancer) repeat(r *http.Request, body []byte) {
	if rand.IntN(20) > 0 {
		return
	}
	b.mu.Lock()
	b.news, b.body = append(b.news, r.Clone(r.Context())), append(b.body, body)
	if len(b.news) < 20 {
		b.mu.Unlock()
		return
	}
	again, bytes := b.news[0], b.body[0]
	b.news, b.body = b.news[1:], b.body[1:]
	b.mu.Unlock()
	again = again.WithContext(r.Context())
	if status, _, _ := b.pass(again, bytes); status/100 == 2 {
		b.repeats.Add(1)
	}
}
