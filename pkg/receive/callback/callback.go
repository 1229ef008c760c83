// Package callback asks and tells a web application about a fax as the
// provider would: signed requests, and an answer that is judged.
//
// Use [Sender.Ask] and [Sender.Tell] for one request of one's own making, and
// [Sender.Deliver] to hand on a fax the provider has already received, so that
// an application the provider cannot reach gets to hear of it all the same.
package callback

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/receive/twiml"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// Sender stands in for a provider.
type Sender struct {
	// Client makes the requests; its transport decides which hosts may be
	// reached. Its CheckRedirect is not used.
	Client *http.Client

	Dialect   webhook.Dialect
	AccountID string      // of an event that names none
	Key       webhook.Key // signs

	// Patience is how long an answer may take; 0: as long as the provider waits.
	Patience time.Duration

	Agent string // of the header User-Agent; "": the client's
}

// Answer is what an application said.
type Answer struct {
	URL    string               // that answered, after redirects
	Hops   []string             // where it was redirected to, on the way
	TLS    *tls.ConnectionState // of the connection; nil: in the clear
	Status int                  // HTTP; 0: there was none
	Verb   string               // of an answer that was asked for: receive or reject
	Took   time.Duration        // until the answer was read
	Ours   bool                 // it was a receiver made by faxctl that answered
	asked  *twiml.Receive       // with Verb receive
}

// Receive is how the application wants the fax; nil: it does not.
func (a Answer) Receive() *twiml.Receive { return a.asked }

// StatusError is an answer other than 2xx. It is fax.ErrAuth when the
// application refused the request as not authorized: 401 or 403.
type StatusError int

// Error reads "the application answers HTTP 502 Bad Gateway".
func (e StatusError) Error() string {
	if text := http.StatusText(int(e)); text != "" {
		return fmt.Sprintf("the application answers HTTP %d %s", int(e), text)
	}
	return fmt.Sprintf("the application answers HTTP %d", int(e))
}

// Is tells the kind.
func (e StatusError) Is(kind error) bool {
	return kind == problem.ErrAuth && (e == http.StatusUnauthorized || e == http.StatusForbidden)
}

// UnansweredError is why nobody answered. It is problem.ErrUnavailable, and its cause.
type UnansweredError struct {
	Cause    error         // without the URL that net/http puts before it: a query may be a secret
	Patience time.Duration // how long an answer might have taken
	late     bool          // that was too short
}

// Error reads "unavailable: connection refused".
func (e *UnansweredError) Error() string {
	if e.late {
		return fmt.Sprintf("%v: no answer within %s, the time the provider waits", problem.ErrUnavailable, e.Patience)
	}
	return fmt.Sprintf("%v: %v", problem.ErrUnavailable, e.Cause)
}

// Unwrap tells the kind and the cause. That time is up here is not the caller's.
func (e *UnansweredError) Unwrap() []error {
	if e.late {
		return []error{problem.ErrUnavailable}
	}
	return []error{problem.ErrUnavailable, e.Cause}
}

// RedirectsError is the cause of a redirect that was one too many: how many a
// provider follows.
type RedirectsError int

// Error reads "more than 3 redirects".
func (e RedirectsError) Error() string { return fmt.Sprintf("more than %d redirects", int(e)) }

// Ask asks the fax URL what to do with a fax that is coming in. The answer is
// as complete as it came, also with an error: [UnansweredError] when nobody
// answers in time, a [StatusError], or a [twiml.Error] with the code under
// which the provider would report it.
func (s Sender) Ask(ctx context.Context, method, target string, e webhook.Event) (Answer, error) {
	e.Status = ""
	return s.send(ctx, method, target, e, nil, func(a *Answer, resp *http.Response) error {
		if err := twiml.CheckContentType(resp.Header.Get("Content-Type")); err != nil {
			return err
		}
		said, err := twiml.Parse(resp.Body)
		if err != nil {
			return err
		}
		a.Verb, a.asked = "reject", said.Receive
		if said.Receive != nil {
			a.Verb = "receive"
		}
		return nil
	})
}

// Tell tells an action URL what became of a fax; with doc, the document goes
// with it. Errors: as for [Sender.Ask], but what is answered beside a status
// of 2xx does not matter.
func (s Sender) Tell(ctx context.Context, method, target string, e webhook.Event, doc *webhook.Document) (Answer, error) {
	return s.send(ctx, method, target, e, doc, func(_ *Answer, resp *http.Response) error {
		_, err := io.Copy(io.Discard, io.LimitReader(resp.Body, twiml.MaxSize))
		return err
	})
}

func (s Sender) send(ctx context.Context, method, target string, e webhook.Event, doc *webhook.Document, read func(*Answer, *http.Response) error) (Answer, error) {
	if e.AccountID == "" {
		e.AccountID = s.AccountID
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience())
	defer cancel()
	answer := Answer{URL: target}
	form := s.Dialect.Form(e)
	req, err := s.Dialect.NewRequest(ctx, s.Key, method, target, form, doc)
	if err != nil {
		return answer, problem.Of(problem.ErrInvalid, err)
	}
	if s.Agent != "" {
		req.Header.Set("User-Agent", s.Agent)
	}
	client := *s.Client
	client.Jar = nil
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if most := s.Dialect.Info().Redirects; len(via) > most {
			return RedirectsError(most)
		}
		answer.Hops = append(answer.Hops, r.URL.Redacted())
		s.Dialect.SignRequest(s.Key, r, form)
		return nil
	}
	begin := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return answer, s.unanswered(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer.TLS = resp.TLS
	answer.URL, answer.Status, answer.Ours = resp.Request.URL.String(), resp.StatusCode, resp.Header.Get("Server") == webhook.Server
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		answer.Took = time.Since(begin)
		return answer, StatusError(resp.StatusCode)
	}
	err = read(&answer, resp)
	answer.Took = time.Since(begin)
	if bad := new(twiml.Error); err != nil && !errors.As(err, &bad) {
		err = s.unanswered(ctx, err)
	}
	return answer, err
}

func (s Sender) patience() time.Duration {
	return cmp.Or(s.Patience, s.Dialect.Info().Patience)
}

// unanswered is why there was no answer.
func (s Sender) unanswered(ctx context.Context, err error) error {
	if inner := new(url.Error); errors.As(err, &inner) {
		err = inner.Err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	late := errors.Is(err, context.DeadlineExceeded) && errors.Is(ctx.Err(), context.DeadlineExceeded)
	return &UnansweredError{Cause: err, Patience: s.patience(), late: late}
}
