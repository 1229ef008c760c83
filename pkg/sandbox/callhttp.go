package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Request is one request the sandbox made to an application.
type Request struct {
	Purpose string        `json:"purpose"` // fax url, fallback url or action
	Method  string        `json:"method"`
	URL     string        `json:"url"`
	Status  int           `json:"status,omitempty"` // HTTP; 0: no answer
	Took    time.Duration `json:"took_ns"`
	Code    int           `json:"code,omitempty"` // of the provider, for what went wrong
	Problem string        `json:"problem,omitempty"`
}

// maxRedirects is how many the provider follows.
const maxRedirects = 3

var errTooManyRedirects = errors.New("too many redirects")

// errPublic is the error of a connection that would have left this machine and
// its network: what a sandbox says of numbers that do not exist is no business
// of strangers.
var errPublic = errors.New("the sandbox calls this machine and private networks only")

// nearby is the Control of a dialer that stays on private ground.
func nearby(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := at.Addr().Unmap(); !ip.IsLoopback() && !ip.IsPrivate() {
		return fmt.Errorf("%s: %w", ip, errPublic)
	}
	return nil
}

func (d dialect) newClient() *http.Client {
	dialer := &net.Dialer{Timeout: d.connectLimit, Control: nearby}
	return &http.Client{Transport: &http.Transport{
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   d.connectLimit,
		ResponseHeaderTimeout: d.answerLimit,
		MaxIdleConns:          1024,
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       30 * time.Second,
	}}
}

// outgoing is a request to be made.
type outgoing struct {
	purpose     string
	method, url string
	form        url.Values
	file        *upload // with POST
}

// upload is the document in a request.
type upload struct {
	name, contentType string
	content           []byte
}

// answer is what an application sent back with a status of 2xx.
type answer struct {
	url         *url.URL // that answered
	contentType string
	body        []byte // one byte longer than allowed at most
}

// send makes a request, signed, and notes how it went. The error is a trouble,
// or that of ctx.
func (c *Caller) send(ctx context.Context, o outgoing, note *[]Request) (answer, error) {
	begin := time.Now()
	did := Request{Purpose: o.purpose, Method: o.method, URL: o.url}
	limited, cancel := context.WithTimeout(ctx, c.box.dialect.callLimit)
	defer cancel()
	a, status, err := c.exchange(limited, o)
	if ctx.Err() != nil {
		return a, ctx.Err()
	}
	did.Status, did.Took = status, time.Since(begin)
	if err != nil {
		t := c.box.dialect.troubleOf(err)
		did.Code, did.Problem, err = t.code, t.message, t
	}
	*note = append(*note, did)
	return a, err
}

func (c *Caller) exchange(ctx context.Context, o outgoing) (a answer, status int, err error) {
	req, err := c.request(ctx, o)
	if err != nil {
		return a, 0, err
	}
	client := *c.client
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errTooManyRedirects
		}
		c.sign(r, o.form)
		return nil
	}
	res, err := client.Do(req)
	if err != nil {
		return a, 0, err
	}
	defer func() { _ = res.Body.Close() }()
	a.url, a.contentType = res.Request.URL, res.Header.Get("Content-Type")
	if a.body, err = io.ReadAll(io.LimitReader(res.Body, maxTwiML+1)); err != nil {
		return a, res.StatusCode, err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return a, res.StatusCode, troubled(codeHTTP, "HTTP retrieval failure: status %d", res.StatusCode)
	}
	return a, res.StatusCode, nil
}

func (c *Caller) request(ctx context.Context, o outgoing) (*http.Request, error) {
	u, err := url.Parse(o.url)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	contentType := "application/x-www-form-urlencoded"
	switch {
	case o.method == http.MethodGet:
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+o.form.Encode(), "&")
	case o.file == nil:
		body = strings.NewReader(o.form.Encode())
	default:
		if body, contentType, err = o.multipart(); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, o.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Accept", "*/*")
	req.Header.Set("User-Agent", c.box.dialect.userAgent)
	c.sign(req, o.form)
	return req, nil
}

func (o outgoing) multipart() (*bytes.Buffer, string, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(o.form)) {
		if err := w.WriteField(name, o.form.Get(name)); err != nil {
			return nil, "", err
		}
	}
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("Media", o.file.name)},
		"Content-Type":        {o.file.contentType},
	})
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(o.file.content); err != nil {
		return nil, "", err
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return &b, w.FormDataContentType(), nil
}

// sign puts the signature into the request: over the URL, and over the form
// when it is in the body.
func (c *Caller) sign(r *http.Request, form url.Values) {
	if r.Method != http.MethodPost {
		form = nil
	}
	sent, _, _ := strings.Cut(r.URL.String(), "#") // connection overrides are the provider's own
	r.Header.Set(c.box.dialect.signature, c.box.dialect.account.signed(sent, form))
}

// signed is base64 of the HMAC-SHA1 of the URL and every name and value, by
// name. Source: Twilio, "Security: validating requests".
func (c Credentials) signed(address string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(c.SigningKey))
	_, _ = io.WriteString(mac, address)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		_, _ = io.WriteString(mac, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// troubleOf is what the provider calls it when a request fails.
func (d dialect) troubleOf(err error) *trouble {
	var known *trouble
	if errors.As(err, &known) {
		return known
	}
	if inner := new(url.Error); errors.As(err, &inner) {
		err = inner.Err // without the URL, which is in the record beside it
	}
	var dns *net.DNSError
	var dial *net.OpError
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	var timeout net.Error
	switch {
	case errors.Is(err, errTooManyRedirects):
		return troubled(codeRedirects, "Too many HTTP redirects: more than %d", maxRedirects)
	case errors.As(err, &dns):
		return troubled(codeDNS, "HTTP bad host name: %v", err)
	case errors.As(err, &certificate):
		return troubled(codeCertificate, "Certificate invalid: %v", err)
	case errors.As(err, &alert), errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return troubled(codeTLS, "SSL/TLS handshake error: %v", err)
	case errors.As(err, &dial) && dial.Op == "dial":
		return troubled(codeConnect, "HTTP connection failure: %v", err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return troubled(codeHTTP, "HTTP retrieval failure: no answer within %s", d.answerLimit)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return troubled(codeConnect, "HTTP connection failure: the connection was lost: %v", err)
	}
	return troubled(codeProtocol, "HTTP protocol violation: %v", err)
}
