package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/provider/info"
)

// Server is what a receiver made by faxctl calls itself in the header Server.
const Server = "faxctl"

// Dialect names the provider whose requests are meant.
type Dialect string

// The dialects.
const (
	Twilio     Dialect = info.Twilio
	SignalWire Dialect = info.SignalWire
)

// Info is what is known of the provider; of no dialect, of Twilio.
func (d Dialect) Info() info.Provider { return info.Of(string(d)) }

// Header is the one that carries the signature.
func (d Dialect) Header() string { return d.Info().SignatureHeader }

// Event is what a provider tells an application about a fax.
type Event struct {
	FaxID     string
	AccountID string
	From, To  string

	// Status is that of the fax as the provider names it. "" is the question
	// what to do with a fax that is coming in; what follows is not known yet.
	Status       string
	Station      string // what the far end calls itself
	Pages        *int   // nil: not counted
	MediaID      string // sent by SignalWire
	MediaURL     string
	ErrorCode    string
	ErrorMessage string
	Time         time.Time // sent by SignalWire
}

// Form is the event as parameters. What is empty is left out.
// Sources: Twilio, "Fax TwiML: Receive"; SignalWire, "Compatibility XML:
// Receive" (the extra MediaSid and Timestamp).
func (d Dialect) Form(e Event) url.Values {
	form := url.Values{
		"FaxSid": {e.FaxID}, "AccountSid": {e.AccountID}, "From": {e.From}, "To": {e.To}, "ApiVersion": {"v1"},
	}
	if e.Status == "" {
		return form
	}
	set := func(name, value string) {
		if value != "" {
			form.Set(name, value)
		}
	}
	set("FaxStatus", e.Status)
	set("RemoteStationId", e.Station)
	if e.Pages != nil {
		set("NumPages", strconv.Itoa(*e.Pages))
	}
	set("MediaUrl", e.MediaURL)
	set("ErrorCode", e.ErrorCode)
	set("ErrorMessage", e.ErrorMessage)
	if d.Info().NamesMedia {
		set("MediaSid", e.MediaID)
		if !e.Time.IsZero() {
			set("Timestamp", e.Time.UTC().Format(time.RFC3339))
		}
	}
	return form
}

// Document is a fax document that travels with a request.
type Document struct {
	Name        string // of the file
	ContentType string // application/pdf or image/tiff
	Content     []byte
}

// NewRequest is a request as the provider makes it, signed: a form in the body
// of POST or in the query of GET, or, with a document, multipart with the
// document in the file part Media, as when the provider is told not to store
// it. A document needs POST.
func (d Dialect) NewRequest(ctx context.Context, key Key, method, target string, form url.Values, doc *Document) (*http.Request, error) {
	target, _, _ = strings.Cut(target, "#") // connection overrides are the provider's own
	var body io.Reader
	contentType := ""
	switch {
	case method == http.MethodGet && doc == nil:
		u, err := url.Parse(target)
		if err != nil {
			return nil, err
		}
		if u.RawQuery != "" { // which is sent as it is written
			u.RawQuery += "&"
		}
		u.RawQuery += form.Encode()
		target = u.String()
	case method != http.MethodPost:
		return nil, fmt.Errorf("method %s: an event is sent with POST, or without a document with GET", method)
	case doc == nil:
		body, contentType = strings.NewReader(form.Encode()), "application/x-www-form-urlencoded"
	default:
		var err error
		if body, contentType, err = multipartBody(form, *doc); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Accept", "*/*")
	d.SignRequest(key, req, form)
	return req, nil
}

// SignRequest puts the signature for the URL the request goes to into its
// header. The form counts with POST only: it is in the URL of GET. A redirect
// is signed anew.
func (d Dialect) SignRequest(key Key, req *http.Request, form url.Values) {
	if req.Method != http.MethodPost {
		form = nil
	}
	sent, _, _ := strings.Cut(req.URL.String(), "#") // of a redirect
	req.Header.Set(d.Header(), Sign(key, sent, form))
}

func multipartBody(form url.Values, doc Document) (io.Reader, string, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range form[name] {
			if err := w.WriteField(name, value); err != nil {
				return nil, "", err
			}
		}
	}
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("Media", doc.Name)},
		"Content-Type":        {doc.ContentType},
	})
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(doc.Content); err != nil {
		return nil, "", err
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return bytes.NewReader(b.Bytes()), w.FormDataContentType(), nil
}
