package sandbox

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// route is one thing the service does.
type route struct {
	pattern string // as http.ServeMux has it, without .json
	handle  func(*http.Request) (reply, error)
	open    bool   // asks for no credentials
	needs   rights // of the caller; those of a standard key unless it is said
}

// reply is an answer: a body written as JSON (or XML), nothing when it is nil,
// or whatever it does itself when it is an http.Handler.
type reply struct {
	status int
	body   any
	done   func() // unless nil: the body was written
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

func (s *Sandbox) routes() []route {
	return slices.Concat(
		s.accountRoutes(),
		s.searchRoutes(),
		s.numberRoutes(),
		s.priceRoutes(),
		s.relayRoutes(),
		s.faxRoutes(),
	)
}

// maxForm bounds a request's body; no parameter list is longer.
const maxForm = 1 << 20

func (s *Sandbox) newHandler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range s.routes() {
		mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, rt) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.noRoute(mux, w, r) })
	routed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		mux.ServeHTTP(w, s.dialect.atRoot(withoutSuffix(r)))
	})
	return s.identified(s.dated(s.limited(s.faulty(routed))))
}

// withoutSuffix takes .json and the like off the path, so that a route is
// written once.
func withoutSuffix(r *http.Request) *http.Request {
	for _, suffix := range []string{".json", ".xml"} {
		if path, found := strings.CutSuffix(r.URL.Path, suffix); found {
			r = r.Clone(r.Context())
			r.URL.Path, r.URL.RawPath = path, ""
			return r
		}
	}
	return r
}

// requestPath is the path as it was asked for.
func requestPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	return path
}

func (s *Sandbox) answer(w http.ResponseWriter, r *http.Request, rt route) {
	var rep reply
	err := s.admit(r, rt)
	if err == nil {
		rep, err = rt.handle(r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if h, yes := rep.body.(http.Handler); yes {
		h.ServeHTTP(w, r)
		return
	}
	s.write(w, r, rep)
	if rep.done != nil {
		rep.done()
	}
}

func (s *Sandbox) admit(r *http.Request, rt route) error {
	if err := s.dialect.account.permit(r, rt); err != nil {
		return err
	}
	if account := r.PathValue("account"); account != "" && account != s.dialect.account.Account && account != s.dialect.account.Subaccount {
		return notFound(r)
	}
	if err := r.ParseForm(); err != nil {
		return failure{http.StatusBadRequest, 20001, "Invalid request: " + err.Error()}
	}
	return nil
}

func (s *Sandbox) noRoute(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	if s.dialect.account.rights(r) == nothing {
		s.fail(w, r, unauthorized())
		return
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" {
			s.fail(w, r, methodNotAllowed(r))
			return
		}
	}
	if s.dialect.noRoute != nil {
		s.dialect.noRoute(w, r)
		return
	}
	s.fail(w, r, notFound(r))
}

func (s *Sandbox) fail(w http.ResponseWriter, r *http.Request, err error) {
	var f failure
	if !errors.As(err, &f) {
		f = failure{http.StatusInternalServerError, 20500, "Internal server error: " + err.Error()}
	}
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="sandbox"`)
	}
	s.write(w, r, reply{status: f.status, body: s.dialect.errorBody(f)})
}

func (s *Sandbox) write(w http.ResponseWriter, r *http.Request, rep reply) {
	if rep.body == nil {
		w.WriteHeader(rep.status)
		return
	}
	body, err := encodeJSON(rep.body)
	contentType := "application/json"
	if err == nil && s.dialect.xml && strings.HasPrefix(r.URL.Path, s.dialect.root+"/") &&
		!strings.HasSuffix(requestPath(r), ".json") {
		body, err = toXML(body, rep.status >= 400)
		contentType = "application/xml"
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(rep.status)
	_, _ = w.Write(body)
}

func encodeJSON(v any) ([]byte, error) {
	if text, yes := v.(jsonText); yes {
		return text, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return b.Bytes(), nil
}

// identified gives every answer a request id, also the faulty ones.
func (s *Sandbox) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := newID()
		if s.dialect.name == Twilio {
			id = "RQ" + id
		}
		w.Header().Set(s.dialect.requestID, id)
		next.ServeHTTP(w, r)
	})
}

// newID is 32 hex digits that also read as a random UUID (RFC 9562, version 4).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return hex.EncodeToString(b[:])
}

// rfc2822 writes a time as the 2010 API does.
func rfc2822(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700") }
