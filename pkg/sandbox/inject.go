package sandbox

import (
	"bytes"
	"context"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// dice decide which requests a fault strikes, repeatably for one seed and one
// order of requests.
type dice struct {
	mu       sync.Mutex
	rand     *rand.Rand
	injected []int       // by fault
	first    []time.Time // by fault: when it struck first
}

func newDice(seed uint64, faults int) *dice {
	return &dice{rand: rand.New(rand.NewPCG(seed, 0)), injected: make([]int, faults), first: make([]time.Time, faults)}
}

func (d *dice) injects(i int, f Fault) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.Times > 0 && d.injected[i] >= f.Times || !f.lasts(d.first[i]) {
		return false
	}
	if f.Probability > 0 && d.rand.Float64() >= f.Probability {
		return false
	}
	d.injected[i]++
	if d.first[i].IsZero() {
		d.first[i] = time.Now()
	}
	return true
}

// lasts tells whether a fault that struck first at that time still strikes.
func (f Fault) lasts(first time.Time) bool {
	if f.For == 0 || first.IsZero() {
		return true
	}
	since := time.Since(first)
	if f.Every > 0 {
		since %= f.Every
	}
	return since < f.For
}

// limited keeps a request waiting and turns away those over the limit.
func (s *Sandbox) limited(next http.Handler) http.Handler {
	var places chan struct{}
	if s.options.MaxConcurrent > 0 {
		places = make(chan struct{}, s.options.MaxConcurrent)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if places != nil {
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
			default:
				s.fail(w, r, tooMany())
				return
			}
		}
		if s.options.Latency > 0 && wait(r, s.options.Latency) != nil {
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Sandbox) faulty(next http.Handler) http.Handler {
	if len(s.options.Faults) == 0 {
		return next
	}
	dice := newDice(s.options.Seed, len(s.options.Faults))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i, f := range s.options.Faults {
			if !f.matches(r) || !dice.injects(i, f) {
				continue
			}
			switch f.Kind {
			case FaultSlow:
				if wait(r, f.Delay) != nil {
					return
				}
			case FaultAs:
				r = r.Clone(r.Context())
				r.URL.Path, r.URL.RawPath = f.As, ""
			case FaultIgnore:
				if r.Method == http.MethodDelete {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				r = r.WithContext(context.WithValue(r.Context(), ignored{}, true))
			default:
				s.inject(w, r, f, next)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Sandbox) inject(w http.ResponseWriter, r *http.Request, f Fault, next http.Handler) {
	switch f.Kind {
	case FaultReset:
		breakOff(w)
	case FaultLost:
		next.ServeHTTP(newHeld(w), r)
		breakOff(w)
	case FaultTruncate:
		h := newHeld(w)
		next.ServeHTTP(h, r)
		h.sendHalf(w)
	case FaultPage:
		Fault{Status: http.StatusOK, Form: FormHTML}.answer(w)
	case FaultExpired:
		expiredLink().ServeHTTP(w, r)
	case FaultHTML:
		Fault{Status: http.StatusBadGateway, Form: FormHTML}.answer(w)
	case FaultHang:
		_ = wait(r, hangLimit)
		breakOff(w)
	default:
		if f.Form != FormAPI {
			f.answer(w)
			return
		}
		if strings.HasPrefix(r.URL.Path, mediaRoot+"/") {
			refusal{f.Status, storageWord(f.Status), f.failure().message}.ServeHTTP(w, r)
			return
		}
		s.fail(w, r, f.failure())
	}
}

// storageWord is storage's code for a status, a word: "NotFound". What it has not
// is a key.
func storageWord(status int) string {
	if status == http.StatusNotFound {
		return "NoSuchKey"
	}
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}

// answer is what something else says in the provider's place.
func (f Fault) answer(w http.ResponseWriter) {
	said := strconv.Itoa(f.Status) + " " + http.StatusText(f.Status)
	if f.Status < 400 {
		said = "Sign in to the network"
	}
	switch f.Form {
	case FormHTML:
		w.Header().Set("Content-Type", "text/html")
		said = "<html>\n<head><title>" + said + "</title></head>\n<body><center><h1>" + said + "</h1></center></body>\n</html>\n"
	case FormText:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		said += "\n"
	case FormEmpty:
		said = ""
	}
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, said)
}

func (f Fault) failure() failure {
	code := f.Code
	if code == 0 {
		code = 20000 + f.Status
	}
	return failure{f.Status, code, http.StatusText(f.Status) + " (injected fault)"}
}

// ignored marks a request whose changes are not to be kept.
type ignored struct{}

func isIgnored(ctx context.Context) bool { return ctx.Value(ignored{}) != nil }

// breakOff ends the connection under the answer; over TCP with a reset.
func breakOff(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the server's own way to break off
	}
	if tcp, yes := conn.(interface{ SetLinger(int) error }); yes {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// held keeps an answer back.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newHeld(w http.ResponseWriter) *held {
	return &held{header: w.Header().Clone(), status: http.StatusOK}
}

func (h *held) Header() http.Header         { return h.header }
func (h *held) WriteHeader(status int)      { h.status = status }
func (h *held) Write(b []byte) (int, error) { return h.body.Write(b) }

// sendHalf announces the whole body and breaks off after half of it.
func (h *held) sendHalf(w http.ResponseWriter) {
	maps.Copy(w.Header(), h.header)
	w.Header().Set("Content-Length", strconv.Itoa(h.body.Len()))
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body.Bytes()[:h.body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// wait pauses a request. The body is read first: only then does the server
// notice that the client went away.
func wait(r *http.Request, d time.Duration) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return sleep(r.Context(), d)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
