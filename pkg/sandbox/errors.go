package sandbox

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
)

// failure is an error as the provider's clients get to see it.
type failure struct {
	status  int
	code    int // the provider's own
	message string
}

func (f failure) Error() string { return fmt.Sprintf("%d/%d: %s", f.status, f.code, f.message) }

func (f failure) moreInfo() string {
	return "https://www.twilio.com/docs/errors/" + strconv.Itoa(f.code)
}

func (f failure) twilioBody() any {
	return map[string]any{
		"code": f.code, "message": f.message, "more_info": f.moreInfo(), "status": f.status,
	}
}

// wildBody is one of the shapes SignalWire is known to answer with: which one
// depends on what went wrong. Documented is that of Twilio.
func (f failure) wildBody() any {
	switch f.status {
	case http.StatusUnauthorized:
		return map[string]any{"errors": []string{f.message}}
	case http.StatusUnprocessableEntity:
		return map[string]any{"errors": []any{
			map[string]any{"code": strconv.Itoa(f.code), "message": f.message},
		}}
	}
	return map[string]any{"code": strconv.Itoa(f.code), "message": f.message, "status": f.status}
}

// signalWireNoRoute is the page a path outside the API gets there.
func signalWireNoRoute(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><title>404</title></head>"+
		"<body><h1>The page you were looking for does not exist.</h1><p>%s</p></body></html>\n",
		html.EscapeString(r.URL.Path))
}

func unauthorized() failure {
	return failure{http.StatusUnauthorized, 20003, "Authenticate"}
}

func notFound(r *http.Request) failure {
	return failure{http.StatusNotFound, 20404, "The requested resource " + requestPath(r) + " was not found"}
}

func methodNotAllowed(r *http.Request) failure {
	return failure{http.StatusMethodNotAllowed, 20004, "Method " + r.Method + " is not allowed on " + requestPath(r)}
}

func tooMany() failure {
	return failure{http.StatusTooManyRequests, 20429, "Too many concurrent requests"}
}

// refuse is an answer to a parameter that will not do.
func (s *Sandbox) refuse(code int, format string, a ...any) failure {
	return failure{s.dialect.badInput, code, fmt.Sprintf(format, a...)}
}
