package receiver

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/server"
	"github.com/faxctl/faxctl/pkg/receive/twiml"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// This file is the provider's side: who signed a request, what it says, and in which
// words it is answered. Beyond it a form is something that was signed, and what was
// told is an event.

// Answer is how a fax is to be received.
type Answer struct {
	MediaType string // of the document; empty: what the provider takes for usual
	PageSize  string // letter, legal or a4; empty: as above

	// StoreMedia is whether the provider keeps the document; else it comes with the
	// callback. nil: it does.
	StoreMedia *bool
}

// comesAlong reports whether documents are asked to come with the callback.
func (a Answer) comesAlong() bool { return a.StoreMedia != nil && !*a.StoreMedia }

// accept is the answer that takes a fax, whose news go to a URL.
func (a Answer) accept(action string) ([]byte, error) {
	answer := twiml.Receive{Action: action, Method: http.MethodPost, MediaType: a.MediaType, PageSize: a.PageSize, StoreMedia: a.StoreMedia}
	document, err := answer.Marshal()
	if err != nil {
		return nil, fmt.Errorf("%w answer: %w", problem.ErrInvalid, err)
	}
	return document, nil
}

// say tells the provider whether to take a fax.
func (r *Receiver) say(w http.ResponseWriter, take bool) {
	document := r.takes
	if !take {
		document = twiml.Reject()
	}
	w.Header().Set("Content-Type", twiml.ContentType)
	_, _ = w.Write(document) // a provider that hangs up asks again
}

// question is what the provider asks: whether to take a fax between these numbers. A
// probe is a check's question about a fax that does not exist: its id is all zeros.
type question struct {
	from, to string
	probe    bool
}

func parseQuestion(form url.Values) (question, error) {
	told := webhook.ParseEvent(form)
	if !isWord(told.FaxID, maxID) {
		return question{}, bad("the FaxSid is missing or no id")
	}
	probe := strings.Trim(strings.TrimPrefix(told.FaxID, "FX"), "0") == ""
	return question{clean(told.From), clean(told.To), probe}, nil
}

// parseEvent is the news in an action callback. Without the id of a fax and a status
// it is none, and fails with what of it can be read.
func parseEvent(form url.Values, now time.Time) (delivery.Event, error) {
	told := webhook.ParseEvent(form)
	e := delivery.Event{
		FaxID: told.FaxID, Account: told.AccountID, From: clean(told.From), To: clean(told.To),
		Status: fax.Status(told.Status), Pages: told.Pages, RemoteStation: clean(told.Station),
		ErrorCode: clean(told.ErrorCode), ErrorMessage: clean(told.ErrorMessage), Received: now.UTC(),
	}
	var err error
	if !isWord(told.Status, 32) {
		e.Status, err = "", fmt.Errorf("%w FaxStatus", problem.ErrInvalid)
	}
	if !isWord(told.FaxID, maxID) {
		e.FaxID, err = "", fmt.Errorf("%w FaxSid", problem.ErrInvalid)
	}
	return e, err
}

// admit refuses a request before its body is read when it carries nothing that
// could be a signature, and when the body would have to be inflated.
func (r *Receiver) admit(req *http.Request) error {
	const length = 28 // of a SHA-1 in base64
	if encoding := req.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return refused(http.StatusUnsupportedMediaType, "malformed", "its body is encoded: %s", clean(encoding))
	}
	s := r.cfg.Dialect.Signature(req.Header)
	if s == "" {
		r.metrics.badSignature("missing")
		return forbidden("unsigned", "it has no signature")
	}
	if len(s) != length {
		r.metrics.badSignature("malformed")
		return forbidden("unsigned", "its signature has %d characters, not %d", len(s), length)
	}
	return nil
}

// signed reports whether our provider signed a request: the signature is that
// of the URL the provider was given, whatever the request says about the host
// it was sent to.
func (r *Receiver) signed(req *http.Request, path string, form url.Values) bool {
	target := r.public + path
	if strings.HasSuffix(req.URL.Path, "/") {
		target += "/"
	}
	if req.URL.RawQuery != "" {
		target += "?" + req.URL.RawQuery
	}
	posted := form
	if req.Method == http.MethodGet {
		posted = nil // its fields are in the URL
	}
	signature, ok := r.cfg.Dialect.Signature(req.Header), false
	for _, key := range r.access.Load().keys {
		ok = webhook.Verify(key, target, posted, signature) || ok
	}
	if mark, _ := req.Context().Value(signedKey{}).(*atomic.Bool); ok && mark != nil {
		mark.Store(true)
	}
	return ok
}

// signedKey is where a request remembers that our provider signed it.
type signedKey struct{}

func isSigned(req *http.Request) bool {
	mark, _ := req.Context().Value(signedKey{}).(*atomic.Bool)
	return mark != nil && mark.Load()
}

// verify refuses a request that our provider did not sign, or that is about
// another account.
func (r *Receiver) verify(req *http.Request, path string, form url.Values) error {
	if !r.signed(req, path, form) {
		r.metrics.badSignature("wrong")
		return forbidden("forged", "its signature is not that of %s%s with these fields: another key, another public URL, or a forgery", r.public, path)
	}
	if account := webhook.ParseEvent(form).AccountID; r.cfg.Account != "" && account != r.cfg.Account {
		r.metrics.badSignature("account")
		return forbidden("other account", "it is for account %q", clean(account))
	}
	server.Trust(req) // it is not put out
	return nil
}
