package callback

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/twiml"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// Delivery is how an application took a fax.
type Delivery struct {
	FaxID string
	Asked Answer  // to the question
	Told  *Answer // to the news; nil: it refused the fax, or named no URL for news
}

// Deliver hands a fax on to an application as the provider would have: it asks
// the fax URL, and when the answer is to receive it, tells the action URL of
// the answer what became of the fax. open gets the document, and is called
// when the answer was not to store it, where the provider can do that, and there is one. A fax that has
// not ended yet is asked about only.
//
// Errors are those of [Sender.Ask] and of open. The Delivery is as complete as
// it came.
func (s Sender) Deliver(ctx context.Context, faxURL string, f fax.Fax, open func(context.Context) (webhook.Document, error)) (Delivery, error) {
	d := Delivery{FaxID: f.ID}
	e := EventOf(f)
	var err error
	if d.Asked, err = s.Ask(ctx, http.MethodPost, faxURL, e); err != nil {
		return d, fmt.Errorf("ask about %s: %w", f.ID, err)
	}
	receive := d.Asked.Receive()
	if receive == nil || !f.Status.Terminal() {
		return d, nil
	}
	target, err := s.action(d.Asked.URL, faxURL, receive.Action)
	if err != nil || target == "" {
		return d, err
	}
	method := http.MethodPost
	if receive.Method != "" {
		method = receive.Method
	}
	var doc *webhook.Document
	if keeps := receive.StoreMedia == nil || *receive.StoreMedia; !keeps && s.Dialect.Info().SendsDocument && f.Status == fax.Received {
		content, err := open(ctx)
		if err != nil {
			return d, fmt.Errorf("document of %s: %w", f.ID, err)
		}
		doc, method = &content, http.MethodPost
		e.MediaURL, e.MediaID = "", ""
	}
	told, err := s.Tell(ctx, method, target, e, doc)
	d.Told = &told
	if err != nil {
		return d, fmt.Errorf("tell of %s: %w", f.ID, err)
	}
	return d, nil
}

// action is where the news goes: a URL relative to the one that answered.
// Without one some providers call the fax URL again, and others nobody.
func (s Sender) action(answered, faxURL, action string) (string, error) {
	if action == "" {
		if s.Dialect.Info().TellsFaxURL {
			return faxURL, nil
		}
		return "", nil
	}
	base, err := url.Parse(answered)
	if err != nil {
		return "", err
	}
	u, err := base.Parse(action)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", &twiml.Error{Code: twiml.CodeSchema, Message: fmt.Sprintf("action %q is no URL to call", action)}
	}
	return u.String(), nil
}

// EventOf is what a provider would tell of a fax.
func EventOf(f fax.Fax) webhook.Event {
	return webhook.Event{
		FaxID: f.ID, From: f.From, To: f.To, Status: string(f.Status), Pages: f.Pages,
		MediaID: f.MediaID, MediaURL: f.MediaURL, ErrorCode: f.ErrorCode, ErrorMessage: f.ErrorMessage, Time: f.Updated,
	}
}
