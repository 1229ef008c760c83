// Package transport is what lies between a provider's client and the network:
// small [http.RoundTripper] layers, each of which does one thing and knows
// nothing of the others or of any provider.
//
// Use it to build the two HTTP clients a provider needs, one for its API and
// one for documents. [Stack] puts layers over a base, the outermost first, and
// there is one good order for an API:
//
//	api := transport.Stack(
//		transport.Base(jobs),
//		transport.ReadOnly(refusal),           // refuse before anything is spent
//		transport.UserAgent(version),
//		transport.Retry(retryFor, notify),     // repeats everything below
//		transport.Limit(jobs),                 // a repeated request queues again
//		transport.Whole,                       // a body cut short is a failed attempt
//		transport.Timeout(timeout),            // of one attempt
//		transport.TraceAPI(log),               // a line per attempt
//	)
//
// Documents are read by another client, with the same layers less the limit and
// Whole: it carries no credentials, its requests do not count as calls of the
// API, and its trace shows the host only, for the link is the key. Whether a
// redirect is followed is for the package that speaks to the provider to say.
//
// The error of an [http.Client] is a [*url.Error] that spells the whole URL.
// Whoever prints one prints the error inside it.
package transport

import "net/http"

// Layer puts something around a RoundTripper. As a RoundTripper must, a layer
// never alters the request it is given and closes its body even when it fails.
type Layer func(next http.RoundTripper) http.RoundTripper

// Stack puts layers over base. The first layer is the outermost: it sees a
// request first and its response last.
func Stack(base http.RoundTripper, layers ...Layer) http.RoundTripper {
	for i := len(layers) - 1; i >= 0; i-- {
		base = layers[i](base)
	}
	return base
}

// roundTripper is a RoundTripper made of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// UserAgent names the program and its version in every request:
// "faxctl/1.2.3".
func UserAgent(version string) Layer {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			req = withHeader(req)
			req.Header.Set("User-Agent", "faxctl/"+version)
			return next.RoundTrip(req)
		})
	}
}

// withHeader is a copy of req whose header may be changed.
func withHeader(req *http.Request) *http.Request {
	req = req.WithContext(req.Context())
	if req.Header = req.Header.Clone(); req.Header == nil {
		req.Header = http.Header{}
	}
	return req
}

// refuse ends a request that is not sent.
func refuse(req *http.Request, err error) (*http.Response, error) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return nil, err
}
