package s3test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"
	"time"
)

// Fault is what a proxy does to a request.
type Fault int

// The faults. Those "after" have passed the request on: the server has done it.
const (
	None        Fault = iota
	Drop              // the connection, without an answer
	DropAfter         // the same
	Busy              // 503
	BusyAfter         // the same
	Refuse            // 412
	RefuseAfter       // the same
	Contend           // 409, as of a request that met another
	Truncate          // half of the body of the answer
	Slow              // ten milliseconds
	Stall             // until the client has gone
	Damage            // one bit of the body that is sent
	Page              // 200, and a page for people
	Missing           // 404, and a page for people
)

// Proxy is the server behind a proxy that does to each request what choose says.
func (s *Server) Proxy(t testing.TB, choose func(*http.Request) Fault) *Server {
	t.Helper()
	to, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	if s.CA != "" {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // it is on this machine
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // which is signed
		},
		Transport:    transport,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { suffer(w, r, proxy, choose(r)) }))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		transport.CloseIdleConnections()
	})
	front := *s
	front.Endpoint, front.CA = srv.URL, ""
	return &front
}

func suffer(w http.ResponseWriter, r *http.Request, proxy http.Handler, f Fault) {
	switch f {
	case None:
		proxy.ServeHTTP(w, r)
	case Drop:
		panic(http.ErrAbortHandler)
	case Busy, Refuse, Contend, Page, Missing:
		_, _ = io.Copy(io.Discard, r.Body)
		say(w, f)
	case DropAfter, BusyAfter, RefuseAfter, Truncate:
		got := httptest.NewRecorder()
		proxy.ServeHTTP(got, r)
		switch {
		case f == DropAfter:
			panic(http.ErrAbortHandler)
		case f == Truncate:
			truncate(w, got)
		case f == RefuseAfter && got.Code != http.StatusOK: // it lies of what it has done alone
			pass(w, got)
		default:
			say(w, f)
		}
	case Slow:
		time.Sleep(10 * time.Millisecond)
		proxy.ServeHTTP(w, r)
	case Stall:
		_, _ = io.Copy(io.Discard, r.Body) // then it notices that the client goes
		<-r.Context().Done()
	case Damage:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if len(body) > 0 {
			body[len(body)/2] ^= 1
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}
}

func say(w http.ResponseWriter, f Fault) {
	status, code := http.StatusServiceUnavailable, "SlowDown"
	switch f {
	case Refuse, RefuseAfter:
		status, code = http.StatusPreconditionFailed, "PreconditionFailed"
	case Contend:
		status, code = http.StatusConflict, "ConditionalRequestConflict"
	case Page, Missing:
		w.Header().Set("Content-Type", "text/html")
		if f == Missing {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, "<html><body>Please sign in to the network.</body></html>")
		return
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>so says the proxy</Message></Error>")
}

func pass(w http.ResponseWriter, got *httptest.ResponseRecorder) {
	for name, values := range got.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(got.Code)
	_, _ = w.Write(got.Body.Bytes())
}

// truncate sends half of what it says that it sends.
func truncate(w http.ResponseWriter, got *httptest.ResponseRecorder) {
	all := got.Body.Bytes()
	if len(all) > 0 {
		got.Header().Set("Content-Length", strconv.Itoa(len(all)))
		got.Body = bytes.NewBuffer(all[:len(all)/2])
	}
	pass(w, got)
	if len(all) > 0 {
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
}
