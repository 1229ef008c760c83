package transport

import (
	"errors"
	"fmt"
	"net/http"
)

// ErrReadOnly is the error of a request that would change something, under
// [ReadOnly].
var ErrReadOnly = errors.New("this profile is read-only")

// ReadOnly is a [Layer] that lets GET and HEAD pass and refuses everything
// else with [ErrReadOnly], before it is sent.
func ReadOnly(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		switch req.Method {
		case http.MethodGet, http.MethodHead, "":
			return next.RoundTrip(req)
		}
		return refuse(req, fmt.Errorf("%w: %s is not sent", ErrReadOnly, req.Method))
	})
}
