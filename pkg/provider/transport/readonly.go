package transport

import "net/http"

// ReadOnly lets GET and HEAD pass and refuses everything else with the given
// error, before it is sent.
func ReadOnly(refusal error) Layer {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			switch req.Method {
			case http.MethodGet, http.MethodHead, "":
				return next.RoundTrip(req)
			}
			return refuse(req, refusal)
		})
	}
}
