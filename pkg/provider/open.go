// Package provider opens the provider of a profile: the one place that knows
// which package speaks to which provider, and what lies between it and the
// network.
//
// Use it to turn a profile and its secret into a [fax.Provider]. Everything
// after that is written against package fax.
package provider

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/provider/transport"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
)

// Options are what a process brings to every provider. The zero value talks to
// the network, one call at a time, without retry.
type Options struct {
	Base     http.RoundTripper // carries the requests; nil: the network
	Jobs     int               // most calls at a time; below it the rate adapts
	RetryFor time.Duration     // how long to go on when a failure may pass
	Timeout  time.Duration     // of one attempt; 0: none
	Log      *slog.Logger      // a line for each attempt, at level debug; nil: none
	Version  string            // of faxctl, for the User-Agent
	Config   string            // the file that the profile is in, for a hint; may be empty

	// OnRetry hears before each wait; see [transport.Retry]. It may be nil.
	OnRetry func(attempt int, wait time.Duration, why string)
}

// Open opens the provider of p. It makes no request. fax.ErrInvalid: the
// profile cannot work.
func Open(p profile.Profile, secret profile.Secret, o Options) (fax.Provider, error) {
	origin, err := apiOrigin(p)
	if err != nil {
		return fax.Provider{}, err
	}
	switch p.Provider {
	case profile.Twilio, profile.SignalWire:
		return twilio.Open(twilio.Config{
			Dialect:   twilio.Dialect(p.Provider),
			AccountID: p.AccountID,
			User:      p.Username(),
			Owner:     p.Parent,
			Secret:    secret.Reveal,
			Edge:      p.Edge,
			Region:    p.Region,
			Space:     p.Space,
			API:       o.api(p),
			Documents: o.documents(),
			APIOrigin: origin,
			Patience:  o.patience(),
		})
	}
	return fax.Provider{}, problem.Invalid(problem.Say("write twilio or signalwire"), "provider %q", p.Provider)
}

// patience is for a gateway that says "not found" while what is behind it comes
// back: no longer than a failure is retried for.
func (o Options) patience() []time.Duration {
	pauses := []time.Duration{250 * time.Millisecond, 750 * time.Millisecond, 2 * time.Second}
	left := o.RetryFor
	for i, pause := range pauses {
		if left -= pause; left < 0 {
			return pauses[:i]
		}
	}
	return pauses
}

// apiOrigin is where calls go instead of the provider's hosts; nil: nowhere
// else.
func apiOrigin(p profile.Profile) (*url.URL, error) {
	if p.APIURL == "" {
		return nil, nil
	}
	origin, err := profile.ParseAPIURL(p.APIURL)
	if err != nil {
		return nil, problem.Invalid(problem.Say("give an origin, as in https://api.example.com or http://127.0.0.1:8080"), "profile: %w", err)
	}
	return origin, nil
}

// api is the client for calls that carry the credentials. Package twilio follows
// no redirect with it.
func (o Options) api(p profile.Profile) *http.Client {
	layers := []transport.Layer{
		transport.UserAgent(o.Version),
		transport.Retry(o.RetryFor, o.OnRetry),
		transport.Limit(max(o.Jobs, 1)),
		transport.Whole,
		transport.Timeout(o.Timeout),
		transport.TraceAPI(o.Log),
	}
	if p.ReadOnly {
		layers = slices.Insert(layers, 0, transport.ReadOnly(ReadOnly(p, o.Config)))
	}
	return &http.Client{Transport: transport.Stack(o.base(), layers...)}
}

// ReadOnly is the refusal of a change with a read-only profile, which is in the
// given file, for work that is refused as a whole as well: its kind is
// fax.ErrInvalid.
func ReadOnly(p profile.Profile, config string) error {
	return &fax.APIError{
		Kind:    problem.ErrInvalid,
		Message: "the profile is read-only, nothing was sent",
		Advice:  problem.Say(fmt.Sprintf("use another profile, or take read-only out of profile %s in %s", p.Name, cmp.Or(config, "the config file"))),
	}
}

// documents is the client for links to documents. It carries no credentials
// and its requests do not count as calls; package twilio decides where it may
// go. A link is a key, so the trace shows the host alone.
func (o Options) documents() *http.Client {
	return &http.Client{Transport: transport.Stack(o.base(),
		transport.UserAgent(o.Version),
		transport.Retry(o.RetryFor, o.OnRetry),
		transport.Timeout(o.Timeout),
		transport.Trace(o.Log),
	)}
}

func (o Options) base() http.RoundTripper {
	if o.Base != nil {
		return o.Base
	}
	return transport.Base(max(o.Jobs, 1))
}
