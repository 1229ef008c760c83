package sandbox

import (
	"net/http"
	"strconv"
	"time"
)

// inCache is how long an answer that comes out of a cache has been there.
const inCache = time.Hour

// dated gives every answer the date that the quirks say.
func (s *Sandbox) dated(next http.Handler) http.Handler {
	q := s.options.Quirks
	apart := q.ClockAhead - q.ClockBehind
	if q.Date == "" && apart == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := s.options.Now().Add(apart)
		switch q.Date {
		case "none":
			w.Header()["Date"] = nil // else the server writes one
			next.ServeHTTP(w, r)
			return
		case "cached":
			at = at.Add(-inCache)
			w.Header().Set("Age", strconv.Itoa(int(inCache.Seconds())))
		}
		w.Header().Set("Date", at.UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}

// written is a date of a fax as the provider writes it; empty: it tells none.
func (q Quirks) written(f Fax, t time.Time) string {
	t = t.UTC()
	switch {
	case q.Dates == "offset":
		return t.Format("2006-01-02T15:04:05-0700")
	case q.Dates == "words" && t.Month() == time.September:
		return t.Format("Mon, 2 Sept 2006 15:04:05 -0700")
	case q.Dates == "words":
		return t.Format("Mon, 2 Jan 2006 15:04:05 -0700")
	case q.Dates == "none", q.Dates == "failed" && f.Status == "failed":
		return ""
	case q.Dates == "impossible" && f.Status == "failed":
		return "0000-01-01T00:00:00+01:00" // which is of the year before, in UTC
	}
	return iso8601(t)
}
