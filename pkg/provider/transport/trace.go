package transport

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Trace writes one line per attempt to log, at debug level: method, scheme and
// host, status or error, how long the header of the response took, and the
// server's id of the request. It never writes a header, a body or a secret. Of a
// URL no more is shown because its path may be one: a link to a document is the
// key to it, and an application's URL may hold a token. A nil log is none.
func Trace(log *slog.Logger) Layer { return trace(log, origin) }

// TraceAPI is Trace for the API of a provider, whose paths and queries tell what
// was asked: they are shown, with phone numbers masked and the values of keys
// that are not known to be harmless left out.
func TraceAPI(log *slog.Logger) Layer { return trace(log, address) }

// TraceFiles is Trace for a server of files: their names are shown, and which part of
// one was asked for, as in ?legal-hold, but no value of a query.
func TraceFiles(log *slog.Logger) Layer { return trace(log, file) }

func trace(log *slog.Logger, show func(*url.URL) string) Layer {
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
				slog.String("url", show(req.URL)),
			}
			if err != nil {
				facts = append(facts, slog.String("error", redact(err).Error()))
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

func requestID(h http.Header) string {
	for _, key := range []string{"Twilio-Request-Id", "X-Request-Id", "X-Amz-Request-Id"} {
		if id := h.Get(key); id != "" {
			return id
		}
	}
	return ""
}
