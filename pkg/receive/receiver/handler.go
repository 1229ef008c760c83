package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"

	"github.com/faxctl/faxctl/pkg/receive/server"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

const (
	maxForm = 64 << 10 // bytes of a form without its document
	maxArgs = 100      // fields of a form
)

// Handler answers the provider under the path of the public URL, with or without a
// slash at its end, and the operator under /healthz, /readyz and /metrics. Everything
// else is not found. Where a proxy cuts the path of the public URL off, it works too.
func (r *Receiver) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, prefix := range slicesOf(r.prefix, "") {
		for _, end := range []string{"", "/{$}"} {
			mux.HandleFunc("POST "+prefix+faxPath+end, r.answer)
			mux.HandleFunc("GET "+prefix+faxPath+end, r.answer)
			mux.HandleFunc("POST "+prefix+donePath+end, r.callback)
		}
	}
	mux.HandleFunc("GET /healthz", r.healthz)
	mux.HandleFunc("GET /readyz", r.readyz)
	mux.Handle("GET /metrics", r.metrics.handler())
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Server", webhook.Server) // by which numbers check knows us
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		req = req.WithContext(context.WithValue(req.Context(), signedKey{}, new(atomic.Bool)))
		if strings.Contains(req.URL.Path, "//") || strings.Contains(req.URL.Path, "/.") {
			r.miss(w, req, http.NotFoundHandler()) // no redirect: a provider would sign another URL
			return
		}
		if h, pattern := mux.Handler(req); pattern == "" {
			r.miss(w, req, h)
			return
		}
		mux.ServeHTTP(w, req)
	})
}

// miss tells of a request that is for nobody, and may be a provider's that was
// given another URL: a number whose URL is wrong is deaf. As anybody can cause it,
// it is told seldom.
func (r *Receiver) miss(w http.ResponseWriter, req *http.Request, h http.Handler) {
	outcome := "not found"
	rec := &statusWriter{ResponseWriter: w}
	w.Header().Set("Connection", "close") // what is left of the body is not read
	h.ServeHTTP(rec, req)
	if rec.status == http.StatusMethodNotAllowed {
		outcome = "method"
	}
	r.metrics.request("other", outcome)
	kind := "astray"
	if outcome == "method" || strings.Contains(req.URL.Path, "fax") || r.cfg.Dialect.Signature(req.Header) != "" {
		kind = "astray, and nearly ours"
	}
	r.rarely(kind, func(times int) {
		r.log.Warn("request for nothing here", "method", clean(req.Method), "path", clean(req.URL.Path), "status", rec.status,
			"remote", req.RemoteAddr, "times", times, "hint", "the fax URL is "+r.FaxURL())
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// slicesOf is the two, once if they are the same.
func slicesOf(a, b string) []string {
	if a == b {
		return []string{a}
	}
	return []string{a, b}
}

// refusal is why a request is not obeyed.
type refusal struct {
	status  int
	outcome string // for the metrics: one of a few words
	reason  string // for the log
}

// Error implements error.
func (e *refusal) Error() string { return e.reason }

// refusalError is a refusal of a kind: its reason without what the sender wrote.
type refusalError struct {
	*refusal
	kind string
}

// Unwrap is the refusal.
func (e refusalError) Unwrap() error { return e.refusal }

func refused(status int, outcome, format string, args ...any) error {
	return refusalError{&refusal{status, outcome, fmt.Sprintf(format, args...)}, format}
}

func forbidden(outcome, format string, args ...any) error {
	return refused(http.StatusForbidden, outcome, format, args...)
}

func bad(format string, args ...any) error {
	return refused(http.StatusBadRequest, "malformed", format, args...)
}

// refuse ends a request that is not obeyed. What is told to the other side does
// not say why: whoever forges requests learns nothing.
func (r *Receiver) refuse(w http.ResponseWriter, req *http.Request, what string, err error) {
	no := &refusal{http.StatusServiceUnavailable, "failed", err.Error()}
	var tooBig *http.MaxBytesError
	var others *server.Error
	switch {
	case errors.As(err, &no):
	case errors.As(err, &others):
		no.outcome, no.reason = others.Outcome, others.Reason
	case errors.As(err, &tooBig):
		no = &refusal{http.StatusRequestEntityTooLarge, "too large", err.Error()}
	case req.Context().Err() != nil:
		no.outcome = "gone"
	}
	r.metrics.request(what, no.outcome)
	tell := func(times int) {
		r.log.Warn("request refused", "request", what, "status", no.status, "reason", no.reason, "remote", req.RemoteAddr, "times", times)
	}
	if isSigned(req) {
		tell(1) // a fax may depend on it
	} else {
		var of refusalError // what is of none is the only one of its outcome
		errors.As(err, &of)
		r.rarely(what+" "+no.outcome+" "+of.kind, tell) // anybody can cause it, by the thousand
	}
	if no.status >= 500 {
		w.Header().Set("Retry-After", "5")
	}
	// What is left of the body is not read: the connection ends with it.
	w.Header().Set("Connection", "close")
	http.Error(w, http.StatusText(no.status), no.status)
}

// form reads the fields of a request that is no upload, bounded in size, number
// and time.
func (r *Receiver) form(w http.ResponseWriter, req *http.Request) (url.Values, error) {
	if req.Method == http.MethodGet {
		if req.ContentLength != 0 {
			return nil, bad("a GET with a body")
		}
		return parseForm(req.URL.RawQuery)
	}
	if kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, refused(http.StatusUnsupportedMediaType, "malformed", "content type %s", clean(req.Header.Get("Content-Type")))
	}
	from, err := r.strangers.Enter(w, req)
	if err != nil {
		return nil, err
	}
	defer from.Leave()
	body, err := io.ReadAll(http.MaxBytesReader(w, io.NopCloser(from), maxForm))
	if err != nil {
		return nil, bodyError(err)
	}
	return parseForm(string(body))
}

// bodyError is what the sender did wrong when its body could not be read. What
// the error says is not repeated: it may quote the body.
func bodyError(err error) error {
	switch {
	case errors.As(err, new(*http.MaxBytesError)), errors.As(err, new(*refusal)), errors.As(err, new(*server.Error)):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refused(http.StatusRequestTimeout, "malformed", "the body took too long")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, new(net.Error)):
		return bad("the body ends too early")
	}
	return bad("the body is malformed")
}

func parseForm(s string) (url.Values, error) {
	if n := 1 + strings.Count(s, "&"); n > maxArgs {
		return nil, bad("a form of %d fields", n)
	}
	form, err := url.ParseQuery(s)
	if err != nil {
		return nil, bad("the form: %v", err)
	}
	return form, nil
}
