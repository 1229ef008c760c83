package audit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/receive/twiml"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// Probe asks a fax URL as the provider does when a fax comes in: the same
// parameters, the number's method, signed. The application cannot tell it from
// a fax, except by the made-up FaxSid of zeros.
type Probe struct {
	// Client makes the requests. Its transport decides which hosts may be
	// reached (a number's URL is data: it may point into a private network)
	// and has connection time limits. Its CheckRedirect is not used.
	Client *http.Client

	AccountID string
	Key       webhook.Key // empty: nothing is asked, since every receiver would refuse
	Dialect   webhook.Dialect

	// Patience is how long the provider waits for an answer. 0: 15 s, as
	// Twilio does; SignalWire waits 5 s.
	Patience time.Duration
}

const (
	// maxRedirects is how often SignalWire follows, the stricter provider.
	maxRedirects = 3
	// slow is SignalWire's patience; an answer that takes longer works with
	// one provider only.
	slow = 5 * time.Second
	// soon is how long before its end a certificate is warned about.
	soon = 14 * 24 * time.Hour
)

// check asks the URL and adds what it finds.
func (p Probe) check(ctx context.Context, l *list, u *url.URL) {
	if p.Key == "" {
		l.add(Note, CodeUnsigned, problem.Say("give the profile its signing key: %s", problem.Command("profile", "add")), "its fax URL was not asked: without the signing key the request would be refused")
		return
	}
	patience := p.Patience
	if patience == 0 {
		patience = 15 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	begin := time.Now()
	hops, resp, err := p.ask(ctx, l.number.Phone, l.number.Method, u)
	if err != nil {
		l.unanswered(err, patience)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	for _, hop := range hops {
		l.add(Warning, CodeRedirect, l.configure("fax-url", hop), "its fax URL redirects to %s", hop)
	}
	if resp.TLS != nil {
		l.certificate(resp.TLS, begin)
	}
	l.answer(resp, patience)
	if took := time.Since(begin); took > slow {
		l.add(Warning, CodeSlow, problem.Say("answer first, work later"), "its fax URL took %s to answer; providers wait 5 to 15 s", took.Round(100*time.Millisecond))
	}
}

// ask sends the request and follows redirects. Each request is signed for the
// URL it goes to.
func (p Probe) ask(ctx context.Context, phone, method string, u *url.URL) (hops []string, resp *http.Response, err error) {
	form := p.Dialect.Form(webhook.Event{
		FaxID:     "FX" + strings.Repeat("0", 32),
		AccountID: p.AccountID,
		From:      "+15005550006", // Twilio's valid test number: nobody's
		To:        phone,
	})
	if method == "" {
		method = http.MethodPost
	}
	req, err := p.Dialect.NewRequest(ctx, p.Key, method, u.String(), form, nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("User-Agent", "faxctl-check")

	client := *p.Client
	client.Jar = nil
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errTooManyRedirects
		}
		hops = append(hops, r.URL.Redacted())
		p.Dialect.SignRequest(p.Key, r, form)
		return nil
	}
	resp, err = client.Do(req)
	return hops, resp, err
}

var errTooManyRedirects = errors.New("more than 3 redirects")

// unanswered tells why there was no answer.
func (l *list) unanswered(err error, patience time.Duration) {
	// The client's own words repeat the URL; what is inside them says why.
	if inner := new(url.Error); errors.As(err, &inner) {
		err = inner.Err
	}
	var dns *net.DNSError
	var expired x509.CertificateInvalidError
	var tlsAlert tls.AlertError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, errTooManyRedirects):
		l.add(Problem, CodeRedirect, problem.Advice{}, "its fax URL redirects more than %d times", maxRedirects)
	case errors.As(err, &dns):
		l.add(Problem, CodeUnresolved, problem.Say("check the host name, or set another: %s", l.configure("fax-url", "URL")), "the host of its fax URL cannot be resolved: %v", dns)
	case errors.As(err, &expired) && expired.Reason == x509.Expired:
		l.add(Problem, CodeCertificate, problem.Say("renew the certificate"), "the certificate of its fax URL has expired: %s", expired.Detail)
	case errors.As(err, &verify), errors.As(err, &tlsAlert), errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		l.add(Problem, CodeTLS, problem.Say("serve a certificate of a public authority, with its chain"), "the TLS connection to its fax URL fails: %v", err)
	case errors.Is(err, context.DeadlineExceeded):
		l.add(Problem, CodeSlow, problem.Say("answer first, work later"), "its fax URL did not answer within %s, the time the provider waits", patience)
	default:
		l.add(Problem, CodeUnreachable, problem.Advice{}, "its fax URL cannot be reached: %v", err)
	}
}

// certificate warns of a certificate that will not hold long.
func (l *list) certificate(state *tls.ConnectionState, now time.Time) {
	for _, c := range state.PeerCertificates {
		left := c.NotAfter.Sub(now)
		switch {
		case left < 0:
			l.add(Problem, CodeCertificate, problem.Say("renew the certificate"), "a certificate of its fax URL expired on %s", c.NotAfter.Format(time.DateOnly))
			return
		case left < soon:
			l.add(Warning, CodeCertificate, problem.Say("renew the certificate"), "a certificate of its fax URL expires on %s", c.NotAfter.Format(time.DateOnly))
			return
		}
	}
}

// answer judges the status and the document.
func (l *list) answer(resp *http.Response, patience time.Duration) {
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		advice := problem.Say("see the application's log")
		if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
			advice = problem.Say("the receiver may have another signing key, or another idea of its public URL: %s", problem.Command("webhook", "verify"))
		}
		l.add(Problem, CodeStatus, advice, "its fax URL answers HTTP %s", strings.TrimSpace(fmt.Sprintf("%d %s", resp.StatusCode, http.StatusText(resp.StatusCode))))
		return
	}
	if resp.Header.Get("Server") == webhook.Server {
		l.add(Note, CodeReceiver, problem.Advice{}, "a faxctl receiver answers its fax URL")
	}
	advice := problem.Say("answer with the document of: %s", problem.Command("twiml", "receive"))
	if err := twiml.CheckContentType(resp.Header.Get("Content-Type")); err != nil {
		l.add(Problem, CodeAnswer, advice, "the answer of its fax URL: %v", err)
		return
	}
	answer, err := twiml.Parse(resp.Body)
	if bad := new(twiml.Error); err != nil && !errors.As(err, &bad) {
		l.unanswered(err, patience)
		return
	}
	switch {
	case err != nil:
		l.add(Problem, CodeAnswer, advice, "the answer of its fax URL: %v", err)
	case answer.Receive == nil:
		l.add(Note, CodeRejects, problem.Advice{}, "its fax URL rejects the fax it was asked about; it may accept others")
	}
}
