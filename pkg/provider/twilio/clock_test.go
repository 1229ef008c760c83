package twilio_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
)

// The time is believed of the provider's own answer to this question alone.
func TestClock(t *testing.T) {
	const list, when = `{"faxes":[],"meta":{}}`, "Mon, 23 Nov 2026 12:00:00 GMT"
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		status int
		body   string
		header map[string]string // beside the Date; an empty one is left out
		want   time.Time
		err    error
	}{
		"the API's answer":    {200, list, nil, at, nil},
		"without a date":      {200, list, map[string]string{"Date": ""}, time.Time{}, nil},
		"with an odd date":    {200, list, map[string]string{"Date": "noon"}, time.Time{}, nil},
		"from a cache":        {200, list, map[string]string{"Age": "3600"}, time.Time{}, nil},
		"just from a cache":   {200, list, map[string]string{"Age": "0"}, time.Time{}, nil},
		"a web page":          {200, "<!doctype html><p>Sign in", nil, time.Time{}, problem.ErrUnavailable},
		"another server":      {200, `{"status":"ok"}`, nil, time.Time{}, problem.ErrUnavailable},
		"a list of no faxes":  {200, `{"faxes":null}`, nil, time.Time{}, problem.ErrUnavailable},
		"nothing":             {200, "", nil, time.Time{}, problem.ErrUnavailable},
		"wrong credentials":   {401, `{"code":20003,"message":"Authenticate","status":401}`, nil, time.Time{}, problem.ErrAuth},
		"a gateway's refusal": {503, "busy", nil, time.Time{}, problem.ErrUnavailable},
		"the end of faxes":    {404, `{"code":20404,"message":"The requested resource /Faxes was not found","status":404}`, nil, time.Time{}, problem.ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t)
			asked := ""
			d.mux.HandleFunc("GET /v1/Faxes", func(w http.ResponseWriter, r *http.Request) {
				asked = r.Header.Get("Cache-Control")
				w.Header()["Date"] = []string{when}
				for key, value := range tc.header {
					w.Header()[key] = nil
					if value != "" {
						w.Header().Set(key, value)
					}
				}
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			})
			got, err := d.open(t, twilio.Config{}).Clock.Now(t.Context())
			if !got.Equal(tc.want) || got.IsZero() != tc.want.IsZero() || !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
				t.Errorf("%v, %v; want %v, %v", got, err, tc.want, tc.err)
			}
			if asked != "no-cache" {
				t.Errorf("a cache was asked with %q", asked)
			}
		})
	}
}
