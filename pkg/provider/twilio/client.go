package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-faster/jx"
	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// maxAnswer bounds an answer of the API, in bytes: a page of 1,000 records is
// about one million.
const maxAnswer = 64 << 20

// call is twilio-go's seam for one request. The stock client is not used: it
// has no context, refuses secrets with punctuation, drops digits after a point
// in a query (37.84 becomes 37) and understands one shape of error.
//
// It lives for one request, which is why it may carry a context, and keeps the
// answer until [call.done].
type call struct {
	ctx     context.Context
	account *account
	fresh   bool // no answer that was made for somebody else will do

	status int
	header http.Header
	body   []byte    // of the answer
	answer io.Closer // what body is part of
}

var _ client.BaseClient = (*call)(nil)

// AccountSid is the account in paths, which with an API key is not the user.
func (c *call) AccountSid() string { return c.account.id }

// SetTimeout does nothing: the context has the deadline.
func (c *call) SetTimeout(time.Duration) {}

// SetOauth does nothing: requests are authorized with HTTP Basic.
func (c *call) SetOauth(client.OAuth) {}

// OAuth is nil: requests are authorized with HTTP Basic.
func (c *call) OAuth() client.OAuth { return nil }

// SendRequest makes one request and keeps the answer. The caller, a generated
// function, is given an empty object to decode: what it would make of the
// answer loses too much. Only 2xx is an answer; all else is an error that
// unwraps to a kind of package fax.
func (c *call) SendRequest(method, rawURL string, data url.Values, _ map[string]any, _ ...byte) (*http.Response, error) {
	if method == http.MethodPost {
		return c.send(method, rawURL, data)
	}
	return patiently(c.ctx, c.account.patience, func() (*http.Response, error) { return c.send(method, rawURL, data) })
}

// patiently asks again while what comes is a "not found" of something in between,
// which may be gone in a moment. patience are the pauses between.
func patiently[T any](ctx context.Context, patience []time.Duration, ask func() (T, error)) (T, error) {
	for _, pause := range patience {
		answer, err := ask()
		if !foreign(err) {
			return answer, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return answer, ctx.Err()
		case <-timer.C:
		}
	}
	return ask()
}

// send makes one request.
func (c *call) send(method, rawURL string, data url.Values) (*http.Response, error) {
	if rest, generated := strings.CutPrefix(rawURL, generatedOrigin); generated {
		rawURL = c.account.dialect.api + rest
	}
	var form io.Reader
	if method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch {
		form = strings.NewReader(data.Encode())
	} else if len(data) > 0 {
		rawURL += "?" + data.Encode()
	}
	req, err := http.NewRequestWithContext(c.ctx, method, rawURL, form)
	if err != nil {
		return nil, fmt.Errorf("%w address of a request", problem.ErrInvalid)
	}
	req.URL = c.account.really(req.URL)
	req.Host = req.URL.Host
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept", "application/json")
	if c.fresh {
		req.Header.Set("Cache-Control", "no-cache")
	}
	req.SetBasicAuth(c.account.user, c.account.secret())

	res, err := c.account.api.Do(req)
	if err != nil {
		return nil, unreachable(req, err)
	}
	c.answer = res.Body
	body, err := readBody(res)
	if err != nil {
		return nil, unreachable(req, err)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		e := refusal(res.StatusCode, res.Header, body, false)
		c.done()
		return nil, e
	}
	c.status, c.header, c.body = res.StatusCode, res.Header, body
	return &http.Response{
		StatusCode: res.StatusCode,
		Header:     res.Header,
		Body:       io.NopCloser(strings.NewReader("{}")),
	}, nil
}

// really is where a call for u goes: with an origin that stands for all the
// provider's hosts, there.
func (a *account) really(u *url.URL) *url.URL {
	if a.origin == nil {
		return u
	}
	there := *u
	there.Scheme, there.Host = a.origin.Scheme, a.origin.Host
	return &there
}

// done ends the call: its body may be that of another one from now on.
func (c *call) done() {
	if c.answer != nil {
		_ = c.answer.Close() // only read
		c.answer = nil
	}
}

// readBody reads an answer, unless the transport has it already.
func readBody(res *http.Response) ([]byte, error) {
	if here, ok := res.Body.(interface{ Bytes() []byte }); ok {
		return here.Bytes(), nil
	}
	return io.ReadAll(io.LimitReader(res.Body, maxAnswer))
}

// decode reads the answer into out. What is no JSON, or not all of it, comes
// from something in between: ErrUnavailable.
func (c *call) decode(out any) error {
	if err := json.Unmarshal(c.body, out); err != nil {
		return c.misunderstood(err)
	}
	return nil
}

// notTheAPI begins the message about an answer that the provider does not give,
// and lookBetween says who may have.
const notTheAPI = "the answer is not what the API sends: "

func lookBetween() problem.Advice {
	return problem.Say("something between here and the provider may have answered: check %s and the proxy variables", problem.Field("api-url"))
}

// misunderstood is an answer that is not what the API sends.
func (c *call) misunderstood(err error) error {
	e := refusal(c.status, c.header, c.body, false)
	e.Kind = problem.ErrUnavailable
	e.Code = ""
	e.Message = notTheAPI + describe(c.body, err)
	e.Advice = lookBetween()
	return e
}

// ask has a generated function of twilio-go make a request, and decodes the
// answer into out; a nil out is for requests that are answered with nothing.
func (a *account) ask(ctx context.Context, out any, request func(*openapi.ApiService) error) error {
	c := &call{ctx: ctx, account: a}
	defer c.done()
	// The handler is built by hand: NewRequestHandler would splice TWILIO_EDGE
	// and TWILIO_REGION into every host.
	if err := request(openapi.NewApiService(&client.RequestHandler{Client: c})); err != nil {
		return err
	}
	if out == nil {
		return c.acknowledged()
	}
	return c.decode(out)
}

// acknowledged is nil when the answer, to a request that is answered with nothing,
// is 204. Any other success is somebody else's, a web page or a gateway's JSON, and
// what became of the request is not known.
func (c *call) acknowledged() error {
	if c.status == http.StatusNoContent {
		return nil
	}
	return c.misunderstood(errors.New("something, where nothing comes"))
}

// get asks for an address that twilio-go has no function for.
func (a *account) get(ctx context.Context, out any, address string, query url.Values) error {
	c := &call{ctx: ctx, account: a}
	defer c.done()
	res, err := c.SendRequest(http.MethodGet, address, query, nil)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	return c.decode(out)
}

// read is get for records that come by the thousand: the answer, one object of
// so many bytes, is read by object, in one pass and in place (see readFax).
func (a *account) read(ctx context.Context, address string, query url.Values, object func(d *jx.Decoder, bytes int) error) error {
	c := &call{ctx: ctx, account: a}
	defer c.done()
	res, err := c.SendRequest(http.MethodGet, address, query, nil)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	if err := readWhole(c.body, func(d *jx.Decoder) error { return object(d, len(c.body)) }); err != nil {
		return c.misunderstood(err)
	}
	return nil
}

// readWhole reads one object and makes sure that nothing comes after it.
func readWhole(body []byte, object func(*jx.Decoder) error) error {
	d := jx.DecodeBytes(body)
	if d.Next() != jx.Object {
		return errors.New("not an object")
	}
	if object(d) != nil || !errors.Is(d.Skip(), io.EOF) {
		return errors.New("broken JSON")
	}
	return nil
}

// remove deletes what is at an address that twilio-go has no function for.
func (a *account) remove(ctx context.Context, address string) error {
	c := &call{ctx: ctx, account: a}
	defer c.done()
	res, err := c.SendRequest(http.MethodDelete, address, nil, nil)
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	return c.acknowledged()
}

// unreachable is a request without an answer. The context's error stays what it
// is; all else is ErrUnavailable. The query, which may be signed, is left out.
func unreachable(req *http.Request, err error) error {
	if cause := req.Context().Err(); cause != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL.Host, cause)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var refused *fax.APIError
	if errors.As(err, &refused) { // by a layer of our own: it was not sent
		return err
	}
	return problem.With(
		fmt.Errorf("%w: %s %s: %w", problem.ErrUnavailable, req.Method, req.URL.Host, err),
		problem.Say("check the connection, the proxy variables and %s, then run it again", problem.Field("api-url")))
}
