// Package audit finds what keeps a number from receiving faxes.
//
// Use it on numbers as fax.Numbers.Get returns them. [Checker.Check] looks at
// the number's capability, mode, routing and URLs, and, given a [callback.Sender], asks
// the fax URL as the provider would and judges the answer. It changes nothing
// and prints nothing: everything, also what could not be looked at, is a
// [Finding].
package audit

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/callback"
)

// Severity is how bad a finding is.
type Severity string

// A problem keeps faxes from arriving, a warning may, or will soon. A note is
// worth knowing and no reason to act.
const (
	Problem Severity = "problem"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Severities lists them, the worst first.
func Severities() []Severity { return []Severity{Problem, Warning, Note} }

// Code names what was found, for machines. The words are part of the output's
// contract.
type Code string

// Every code, in the order in which the checks are made.
const (
	CodeNotCapable        Code = "not-capable"         // the number cannot receive faxes
	CodeCapabilityUnknown Code = "capability-unknown"  // the provider does not say
	CodeModeVoice         Code = "mode-voice"          // it takes voice calls
	CodeModeUnknown       Code = "mode-unknown"        // the provider does not say
	CodeShadowed          Code = "shadowed"            // a trunk or application takes the calls
	CodeNoURL             Code = "no-url"              // there is nothing to ask
	CodeURLInvalid        Code = "url-invalid"         // not an absolute http URL
	CodeURLNotHTTPS       Code = "url-not-https"       // documents would travel in the clear
	CodeNoFallback        Code = "no-fallback"         // nothing is asked when the URL fails
	CodeUnsigned          Code = "unsigned"            // not probed for want of a signing key
	CodeUnresolved        Code = "unresolved"          // the host has no address
	CodeUnreachable       Code = "unreachable"         // no connection, or none that is allowed
	CodeTLS               Code = "tls"                 // the certificate or the handshake is bad
	CodeCertificate       Code = "certificate-expires" // the certificate has expired, or will soon
	CodeRedirect          Code = "redirect"            // the URL answers from elsewhere
	CodeStatus            Code = "status"              // the answer is no 2xx
	CodeAnswer            Code = "answer"              // the answer is not what a fax needs
	CodeRejects           Code = "rejects"             // the answer refuses the fax
	CodeReceiver          Code = "receiver"            // it is faxctl that answers
	CodeSlow              Code = "slow"                // the provider may not wait so long
	CodeLastFax           Code = "last-fax"            // when the last fax came
)

// Finding is one thing about one number.
type Finding struct {
	Number   string         `json:"number"` // E.164
	ID       string         `json:"id"`     // the provider's id of the number
	Code     Code           `json:"code"`
	Severity Severity       `json:"severity"`
	Message  string         `json:"message"`
	Advice   problem.Advice `json:"hint,omitzero"` // what to do

	LastFax time.Time `json:"last_fax,omitzero"` // with CodeLastFax, when it came; zero: none has
}

// Checker is what a check can use. The zero value looks at the provider's own
// record of the number only.
type Checker struct {
	// Probe asks the fax URL; nil: it is not asked. The transport of its client decides
	// which hosts may be reached (a number's URL is data: it may point into a private
	// network) and has connection time limits.
	Probe *callback.Sender
	// AllowHTTP takes http for good: for the sandbox.
	AllowHTTP bool
	// LastFax tells when a number received its last fax, the zero time for
	// never; nil: nobody asks.
	LastFax func(ctx context.Context, n fax.Number) (time.Time, error)
}

// Check lists what there is to say about a number, in the order of the codes.
// No finding, or notes alone: nothing keeps faxes from arriving, as far as was
// looked. A number that takes voice calls is not looked at further: its URL
// belongs to another application.
func (c Checker) Check(ctx context.Context, n fax.Number) []Finding {
	l := list{number: n}
	if n.Mode == fax.ModeVoice {
		l.voice()
		return l.findings
	}
	l.capability()
	l.mode()
	l.routing()
	if u := l.address(c.AllowHTTP); u != nil && c.Probe != nil {
		l.probe(ctx, *c.Probe, u)
	}
	if c.LastFax != nil {
		l.lastFax(c.LastFax(ctx, n))
	}
	return l.findings
}

// list gathers the findings about one number.
type list struct {
	number   fax.Number
	findings []Finding
}

func (l *list) add(s Severity, code Code, a problem.Advice, format string, args ...any) {
	l.findings = append(l.findings, Finding{
		Number: l.number.Phone, ID: l.number.ID, Code: code, Severity: s, Message: fmt.Sprintf(format, args...), Advice: a,
	})
}

// configure is the command that changes a setting of the number.
func (l *list) configure(field, value string) problem.Advice {
	return problem.Say("%s", problem.Command("numbers", "configure").Arg(l.number.Phone).Set(field, value))
}

// voice judges a number in voice mode. One that could receive faxes may have
// lost its mode; one that could not is simply a telephone.
func (l *list) voice() {
	if l.number.Capabilities.Fax == fax.No {
		l.add(Note, CodeModeVoice, problem.Advice{}, "a voice number: it cannot receive faxes")
		return
	}
	l.add(Warning, CodeModeVoice, l.configure("fax-url", "URL"), "it takes voice calls, not faxes")
}

func (l *list) capability() {
	switch l.number.Capabilities.Fax {
	case fax.No:
		l.add(Problem, CodeNotCapable, problem.Say("find one that can: %s", problem.Command("numbers", "search").Switch("fax")), "it is in fax mode and cannot receive faxes")
	case fax.Unknown:
		l.add(Note, CodeCapabilityUnknown, problem.Advice{}, "the provider does not say whether it can receive faxes")
	}
}

func (l *list) mode() {
	if l.number.Mode != fax.ModeFax {
		l.add(Warning, CodeModeUnknown, l.configure("mode", "fax"), "the provider does not say whether it takes faxes or voice calls")
	}
}

func (l *list) routing() {
	id := l.number.TrunkID
	what := l.number.ShadowedBy()
	if what == "application" {
		id = l.number.ApplicationID
	}
	switch what {
	case "":
	case "call handler":
		l.add(Problem, CodeShadowed, l.configure("mode", "fax").Then(problem.Say("or choose LaML webhooks for it in the dashboard")), "%s %s takes the calls, and the fax URL is not asked", what, l.number.CallHandler)
	default:
		l.add(Problem, CodeShadowed, problem.Say("clear it: %s", l.configure("mode", "fax")), "%s %s takes the calls before the fax URL is asked", what, id)
	}
}

// address judges the URLs, and returns the fax URL when it can be asked. When
// the mode is unknown, the URL in force is taken for the fax URL.
func (l *list) address(allowHTTP bool) *url.URL {
	raw := l.number.URL()
	if raw == "" {
		l.add(Problem, CodeNoURL, l.configure("fax-url", "URL"), "it has no fax URL: nobody is asked what to do with a fax")
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		l.add(Problem, CodeURLInvalid, l.configure("fax-url", "URL"), "its fax URL is not an absolute http or https URL")
		return nil
	}
	if u.Scheme == "http" && !allowHTTP {
		l.add(Warning, CodeURLNotHTTPS, l.configure("fax-url", "https://…"), "its fax URL is http: numbers and links travel in the clear")
	}
	if err := fax.CheckAddress(raw); err != nil {
		l.add(Problem, CodeURLInvalid, problem.AdviceOf(err), "its fax URL: %v", err)
		return nil
	}
	if l.number.FallbackURL == "" {
		l.add(Warning, CodeNoFallback, l.configure("fallback-url", "URL"), "it has no fallback URL: when the fax URL fails, the fax is lost")
	}
	return u
}

func (l *list) lastFax(t time.Time, err error) {
	switch {
	case err != nil:
		l.add(Note, CodeLastFax, problem.AdviceOf(err), "its last fax is not known: %v", err)
	case t.IsZero():
		l.add(Note, CodeLastFax, problem.Advice{}, "no fax has come yet")
	default:
		l.add(Note, CodeLastFax, problem.Advice{}, "its last fax came on %s", t.UTC().Format(time.RFC3339))
		l.findings[len(l.findings)-1].LastFax = t.UTC()
	}
}
