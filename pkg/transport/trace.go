package transport

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Trace writes one line per attempt to log, at debug level: method, URL,
// status or error, how long the header of the response took, and the
// provider's id of the request. It never writes a header, a body or a secret;
// see [Redact] for what remains of a URL. api says which URLs belong to an
// API; of any other, and of all when it is nil, only scheme and host are
// shown, because a link to a document is the key to it.
func Trace(log *slog.Logger, api func(*url.URL) bool) Layer {
	return func(next http.RoundTripper) http.RoundTripper {
		if log == nil {
			return next
		}
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			if !log.Enabled(req.Context(), slog.LevelDebug) {
				return next.RoundTrip(req)
			}
			start := time.Now()
			res, err := next.RoundTrip(req)
			facts := []slog.Attr{
				slog.String("method", req.Method),
				slog.String("url", show(req.URL, api)),
			}
			if err != nil {
				facts = append(facts, slog.String("error", Redact(err).Error()))
			} else {
				facts = append(facts, slog.Int("status", res.StatusCode))
			}
			facts = append(facts, slog.Duration("took", time.Since(start)))
			if res != nil {
				if id := requestID(res.Header); id != "" {
					facts = append(facts, slog.String("request", id))
				}
			}
			log.LogAttrs(req.Context(), slog.LevelDebug, "http", facts...)
			return res, err
		})
	}
}

// Any is for [Trace]: every URL belongs to the API.
func Any(*url.URL) bool { return true }

func requestID(h http.Header) string {
	for _, key := range []string{"Twilio-Request-Id", "X-Request-Id"} {
		if id := h.Get(key); id != "" {
			return id
		}
	}
	return ""
}
