package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Retry repeats a request that failed for a reason that may pass, as long as
// repeating it does no harm:
//
//   - GET, HEAD, PUT and DELETE after a network error, 408, 429 and 5xx, but
//     not after 501 and 505, which will be said again;
//   - every other method (POST spends money) only after a 429 in JSON, by which an
//     API says that nothing was done, and when the connection could not be made, so that the
//     request never left.
//
// A request whose body cannot be had again (no GetBody) is never repeated, and
// neither is one that failed for a reason that stays: a certificate, a host
// name that does not exist, a layer below that refused.
//
// It waits as long as Retry-After says (RFC 9110, 10.2.3), else for a random
// time below a bound that doubles: from 50 ms after a 429, which is often only
// a sign to go a little slower, from 500 ms otherwise, up to 15 s. It goes on
// for the given time after the first failure, the last attempt being made when
// that time is over; when Retry-After asks for more than what is left, it
// gives up at once. Zero or less means no retry. What comes back is the last
// response or error as it is. The end of the request's context ends any wait
// at once with the context's error.
//
// notify, which may be nil, hears before each wait which attempt failed (the
// first is 1), how long the wait will be, and why: "HTTP 429" or an error, with
// no more of a URL than scheme and host. It is called from the goroutine of the request.
func Retry(within time.Duration, notify func(attempt int, wait time.Duration, why string)) Layer {
	if notify == nil {
		notify = func(int, time.Duration, string) {}
	}
	return func(next http.RoundTripper) http.RoundTripper {
		if within <= 0 {
			return next
		}
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			var giveUp time.Time
			for attempt, again := 1, req; ; attempt++ {
				res, err := next.RoundTrip(again)
				if !rewindable(req) || !passing(res, err) || !harmless(req.Method, res, err) || req.Context().Err() != nil {
					return res, err
				}
				if attempt == 1 {
					giveUp = time.Now().Add(within)
				}
				wait, ok := pause(attempt, time.Until(giveUp), res)
				if !ok {
					return res, err
				}
				notify(attempt, wait, reason(res, err))
				if res != nil {
					discard(res.Body)
				}
				if err := sleep(req.Context(), wait); err != nil {
					return nil, err
				}
				if again, err = rewind(req); err != nil {
					return nil, err
				}
			}
		})
	}
}

// passing reports whether the failure, if it is one, may pass.
func passing(res *http.Response, err error) bool {
	if err != nil {
		return !lasting(err)
	}
	switch code := res.StatusCode; code {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	default:
		return code >= 500
	}
}

// lasting reports whether err will be the same next time.
func lasting(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		dns         *net.DNSError
		op          *net.OpError
	)
	switch {
	case errors.Is(err, ErrPrivateAddress), errors.Is(err, http.ErrSchemeMismatch),
		errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert):
		return true
	case errors.As(err, &dns):
		return dns.IsNotFound
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return errors.Is(err, syscall.ECONNREFUSED) // no proxy where the variables say
	}
	return false
}

// harmless reports whether a request that failed like this may be sent again
// without doing anything twice.
func harmless(method string, res *http.Response, err error) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, "":
		return true
	}
	if err != nil {
		return neverLeft(err)
	}
	return res.StatusCode == http.StatusTooManyRequests && isJSON(res)
}

// isJSON reports whether a response is an API's, and no page of something before
// it, which may have passed the request on.
func isJSON(res *http.Response) bool {
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// neverLeft reports whether err proves that no byte of the request was sent:
// the connection to the server, or to the proxy, was not made.
func neverLeft(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// pause is how long to wait after the given attempt when left is what remains,
// and whether waiting is worth it.
func pause(attempt int, left time.Duration, res *http.Response) (time.Duration, bool) {
	if left <= 0 {
		return 0, false
	}
	if res != nil {
		if after := retryAfter(res.Header.Get("Retry-After")); after > 0 {
			return after, after <= left
		}
	}
	const most = 15 * time.Second
	bound := 500 * time.Millisecond
	if res != nil && res.StatusCode == http.StatusTooManyRequests {
		bound = 50 * time.Millisecond
	}
	bound = min(bound<<min(attempt-1, 10), most)
	return min(1+rand.N(bound), left), true
}

// retryAfter reads seconds or a date. Anything else, and the past, is no
// advice: 0.
func retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		const year = 365 * 24 * 3600 // more would overflow
		return time.Duration(min(max(n, 0), year)) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(time.Until(t), 0)
	}
	return 0
}

// reason says in a few words what went wrong.
func reason(res *http.Response, err error) string {
	if err != nil {
		return redact(err).Error()
	}
	return "HTTP " + strconv.Itoa(res.StatusCode)
}

// sleep waits for d, or returns the error of ctx as soon as it ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// rewindable reports whether the body, if there is one, can be sent again.
func rewindable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// rewind is req with its body at the beginning.
func rewind(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	req = req.WithContext(req.Context())
	req.Body = body
	return req, nil
}

// discard ends a response nobody wants. A short rest is read, so that the
// connection can be used again; a long one costs more than a new connection.
func discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	_ = body.Close()
}
