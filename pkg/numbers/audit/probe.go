package audit

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/provider/info"
	"github.com/faxctl/faxctl/pkg/receive/callback"
	"github.com/faxctl/faxctl/pkg/receive/twiml"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// soon is how long before its end a certificate is warned about.
const soon = 14 * 24 * time.Hour

// nobody is Twilio's valid test number.
const nobody = "+15005550006"

// probe asks the fax URL as the provider does when a fax comes in, with the number's
// method, and adds what it finds. The application cannot tell it from a fax, except
// by the made-up FaxSid of zeros.
func (l *list) probe(ctx context.Context, sender callback.Sender, u *url.URL) {
	if sender.Key == "" { // every receiver would refuse
		l.add(Note, CodeUnsigned, problem.Say("give the profile its signing key: %s", problem.Command("profile", "add")), "its fax URL was not asked: without the signing key the request would be refused")
		return
	}
	sender.Agent = "faxctl-check"
	begin := time.Now()
	answer, err := sender.Ask(ctx, cmp.Or(l.number.Method, http.MethodPost), u.String(), webhook.Event{
		FaxID: "FX" + strings.Repeat("0", 32), From: nobody, To: l.number.Phone,
	})
	if answer.Status == 0 {
		l.unanswered(err)
		return
	}
	for _, hop := range answer.Hops {
		l.add(Warning, CodeRedirect, l.configure("fax-url", hop), "its fax URL redirects to %s", hop)
	}
	if answer.TLS != nil {
		l.certificate(answer.TLS, begin)
	}
	l.answer(answer, err)
	if least, most := patience(); answer.Took > least {
		l.add(Warning, CodeSlow, problem.Say("answer first, work later"), "its fax URL took %s to answer; providers wait %d to %d s", answer.Took.Round(100*time.Millisecond), least/time.Second, most/time.Second)
	}
}

// patience is how long the least and the most patient provider wait: an answer that
// takes longer than the least works with some of them only.
func patience() (least, most time.Duration) {
	by := func(a, b info.Provider) int { return cmp.Compare(a.Patience, b.Patience) }
	return slices.MinFunc(info.All(), by).Patience, slices.MaxFunc(info.All(), by).Patience
}

// unanswered tells why there was no answer.
func (l *list) unanswered(err error) {
	var limit time.Duration
	if none := new(callback.UnansweredError); errors.As(err, &none) {
		err, limit = none.Cause, none.Patience
	}
	var redirects callback.RedirectsError
	var dns *net.DNSError
	var expired x509.CertificateInvalidError
	var tlsAlert tls.AlertError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &redirects):
		l.add(Problem, CodeRedirect, problem.Advice{}, "its fax URL redirects more than %d times", int(redirects))
	case errors.As(err, &dns):
		l.add(Problem, CodeUnresolved, problem.Say("check the host name, or set another: %s", l.configure("fax-url", "URL")), "the host of its fax URL cannot be resolved: %v", dns)
	case errors.As(err, &expired) && expired.Reason == x509.Expired:
		l.add(Problem, CodeCertificate, problem.Say("renew the certificate"), "the certificate of its fax URL has expired: %s", expired.Detail)
	case errors.As(err, &verify), errors.As(err, &tlsAlert), errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		l.add(Problem, CodeTLS, problem.Say("serve a certificate of a public authority, with its chain"), "the TLS connection to its fax URL fails: %v", err)
	case errors.Is(err, context.DeadlineExceeded):
		l.add(Problem, CodeSlow, problem.Say("answer first, work later"), "its fax URL did not answer within %s, the time the provider waits", limit)
	default:
		l.add(Problem, CodeUnreachable, problem.Advice{}, "its fax URL cannot be reached: %v", err)
	}
}

// certificate warns of a certificate that will not hold long.
func (l *list) certificate(state *tls.ConnectionState, now time.Time) {
	for _, c := range state.PeerCertificates {
		left := c.NotAfter.Sub(now)
		if left < 0 {
			l.add(Problem, CodeCertificate, problem.Say("renew the certificate"), "a certificate of its fax URL expired on %s", c.NotAfter.Format(time.DateOnly))
			return
		}
		if left < soon {
			l.add(Warning, CodeCertificate, problem.Say("renew the certificate"), "a certificate of its fax URL expires on %s", c.NotAfter.Format(time.DateOnly))
			return
		}
	}
}

// answer judges the status and the document.
func (l *list) answer(got callback.Answer, err error) {
	var status callback.StatusError
	var bad *twiml.Error
	if errors.As(err, &status) {
		advice := problem.Say("see the application's log")
		if errors.Is(err, problem.ErrAuth) {
			advice = problem.Say("the receiver may have another signing key, or another idea of its public URL: %s", problem.Command("webhook", "verify"))
		}
		l.add(Problem, CodeStatus, advice, "its fax URL answers HTTP %s", strings.TrimSpace(fmt.Sprintf("%d %s", got.Status, http.StatusText(got.Status))))
		return
	}
	if got.Ours {
		l.add(Note, CodeReceiver, problem.Advice{}, "a faxctl receiver answers its fax URL")
	}
	switch {
	case errors.As(err, &bad):
		l.add(Problem, CodeAnswer, problem.Say("answer with the document of: %s", problem.Command("twiml", "receive")), "the answer of its fax URL: %v", err)
	case err != nil:
		l.unanswered(err)
	case got.Receive() == nil:
		l.add(Note, CodeRejects, problem.Advice{}, "its fax URL rejects the fax it was asked about; it may accept others")
	}
}
