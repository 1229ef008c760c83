package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Outcome is how a transmission goes.
type Outcome string

// The outcomes.
const (
	OutcomeReceived Outcome = "received"
	OutcomeFailed   Outcome = "failed"  // 34108: the machines do not understand each other
	OutcomeBusy     Outcome = "busy"    // 34002: somebody else is on the line
	OutcomePartial  Outcome = "partial" // 34004: the line breaks in the middle
	OutcomeSlow     Outcome = "slow"    // received, after a while
)

// Outcomes lists them for help and completion.
func Outcomes() []Outcome {
	return []Outcome{OutcomeReceived, OutcomeFailed, OutcomeBusy, OutcomePartial, OutcomeSlow}
}

// slowLine is how long a slow transmission takes unless it is said.
const slowLine = 10 * time.Second

// Incoming is a fax on its way to a number of the account.
type Incoming struct {
	From, To string // E.164
	Pages    int    // 0: 1
	Station  string // the far end's name; empty: none
	Outcome  Outcome
	Takes    time.Duration // of the transmission; 0: no time, or ten seconds when it is slow

	Document    []byte // nil: drawn
	ContentType string // of Document: application/pdf or image/tiff
}

// Call is what became of a fax that arrived. Its words are those of the API.
type Call struct {
	FaxID        string    `json:"fax_id"`
	From         string    `json:"from"`
	To           string    `json:"to"`
	Answer       string    `json:"answer"` // receive or reject; empty: none that could be understood
	Status       string    `json:"status"`
	Pages        int       `json:"pages,omitempty"`
	ErrorCode    int       `json:"error_code,omitempty"`
	ErrorMessage string    `json:"error_message,omitempty"`
	Told         bool      `json:"told"`           // the action URL accepted the news
	Lost         bool      `json:"lost,omitempty"` // nobody has the document: not stored, and not accepted
	Requests     []Request `json:"requests"`
}

// Errors of a call that reaches nobody who could take a fax.
var (
	ErrNotOwned  = errors.New("the account does not own the number")
	ErrNoFaxHere = errors.New("no fax here")
)

// Caller lets faxes arrive. It calls applications on this machine and in
// private networks only.
type Caller struct {
	box    *Sandbox
	client *http.Client
	origin string
}

// NewCaller makes a caller. The origin is where this sandbox is served, for
// links to documents ("http://127.0.0.1:8080"); empty: nowhere, and the links
// lead to a host that cannot exist.
func (s *Sandbox) NewCaller(origin string) *Caller {
	if origin == "" {
		origin = "https://sandbox.invalid"
	}
	return &Caller{box: s, client: s.dialect.newClient(), origin: origin}
}

// Close drops the connections to applications.
func (c *Caller) Close() { c.client.CloseIdleConnections() }

// Call lets a fax arrive: it asks the number's application, carries the answer
// out, keeps a record and tells the application what became of the fax. What
// goes wrong at the application is in the record, as at the provider. It fails
// with [ErrNotOwned] or [ErrNoFaxHere] when nobody could take a fax, and with
// the context's error.
func (c *Caller) Call(ctx context.Context, in Incoming) (Call, error) {
	n, err := c.box.state.numberOf(ctx, in.To)
	if errors.Is(err, sql.ErrNoRows) {
		return Call{}, fmt.Errorf("call %s: %w", in.To, ErrNotOwned)
	}
	if err != nil {
		return Call{}, fmt.Errorf("call %s: %w", in.To, err)
	}
	if why := n.noFax(); why != "" {
		return Call{}, fmt.Errorf("call %s: %w: %s", in.To, ErrNoFaxHere, why)
	}
	if in.Pages == 0 {
		in.Pages = 1
	}
	f, err := c.box.AddFax(ctx, Fax{From: in.From, To: in.To, Status: "receiving", Station: in.Station})
	if err != nil {
		return Call{}, err
	}
	call := &Call{FaxID: f.ID, From: f.From, To: f.To}
	if err := c.receive(ctx, call, n, f, in); err != nil {
		// Hung up: the record must not stay in progress for ever.
		f, _ = c.box.ChangeFax(context.WithoutCancel(ctx), call.FaxID, func(f *Fax) error {
			if !terminal(f.Status) {
				f.Status = "canceled"
			}
			return nil
		})
		call.Status = f.Status
		return *call, err
	}
	return *call, nil
}

// noFax says why a call to the number does not reach the fax URL.
func (n number) noFax() string {
	switch {
	case n.Set["TrunkSid"] != "":
		return "trunk " + n.Set["TrunkSid"] + " takes its calls"
	case n.Mode != "fax":
		return "it takes voice calls"
	case n.Set["VoiceApplicationSid"] != "":
		return "application " + n.Set["VoiceApplicationSid"] + " takes its calls"
	case n.Set["VoiceUrl"] == "":
		return "it has no fax URL"
	}
	return ""
}

// receive carries the call out from the question to the news.
func (c *Caller) receive(ctx context.Context, call *Call, n number, f Fax, in Incoming) error {
	do, from, err := c.consult(ctx, call, n, f)
	var t *trouble
	switch {
	case errors.As(err, &t):
		return c.finish(ctx, call, Fax{Status: "failed", ErrorCode: t.code, ErrorMessage: t.message})
	case err != nil:
		return err
	case do.reject:
		call.Answer = "reject"
		return c.finish(ctx, call, Fax{Status: "canceled"})
	}
	call.Answer = "receive"
	end := in.transmit(do)
	if in.Outcome == OutcomeSlow && in.Takes == 0 {
		in.Takes = slowLine
	}
	if err := sleep(ctx, in.Takes); err != nil {
		return err
	}
	if err := c.finish(ctx, call, end); err != nil {
		return err
	}
	return c.tell(ctx, call, n, do, from, in)
}

// transmit is how the record ends when the application takes the fax.
func (in Incoming) transmit(do instruction) Fax {
	end := Fax{Status: "received", Pages: in.Pages, PageSize: do.pageSize, ContentType: do.mediaType, NoMedia: !do.store}
	if in.Document != nil {
		end.Document, end.ContentType = in.Document, in.ContentType
	}
	fail := func(status string, pages, code int, message string) {
		end = Fax{Status: status, Pages: pages, PageSize: do.pageSize, NoMedia: true, ErrorCode: code, ErrorMessage: message}
	}
	switch in.Outcome {
	case OutcomeFailed:
		fail("failed", 0, 34108, "Fax incompatible destination")
	case OutcomeBusy:
		fail("busy", 0, 34002, "Fax busy")
	case OutcomePartial:
		fail("failed", in.Pages/2, 34004, "Fax transmission error")
	case OutcomeReceived, OutcomeSlow:
	}
	end.Duration = 12 + 22*end.Pages
	if end.Pages > 0 {
		end.Price = fmt.Sprintf("%d.%02d", end.Pages/100, end.Pages%100)
	}
	return end
}

// finish writes the end of a fax into its record.
func (c *Caller) finish(ctx context.Context, call *Call, end Fax) error {
	_, err := c.box.ChangeFax(ctx, call.FaxID, func(f *Fax) error {
		f.Status, f.Pages, f.Duration, f.Price = end.Status, end.Pages, end.Duration, end.Price
		f.ErrorCode, f.ErrorMessage = end.ErrorCode, end.ErrorMessage
		f.Document, f.NoMedia = end.Document, end.NoMedia
		if end.PageSize != "" {
			f.PageSize = end.PageSize
		}
		if end.ContentType != "" {
			f.ContentType = end.ContentType
		}
		return nil
	})
	call.Status, call.Pages, call.ErrorCode, call.ErrorMessage = end.Status, end.Pages, end.ErrorCode, end.ErrorMessage
	return err
}

// consult asks the fax URL what to do, and when that fails the fallback URL.
func (c *Caller) consult(ctx context.Context, call *Call, n number, f Fax) (instruction, *url.URL, error) {
	form := c.form(f)
	do, from, err := c.ask(ctx, call, outgoing{"fax url", orPost(n.Set["VoiceMethod"]), n.Set["VoiceUrl"], form, nil})
	fallback := n.Set["VoiceFallbackUrl"]
	var t *trouble
	if fallback == "" || !errors.As(err, &t) {
		return do, from, err
	}
	form.Set("ErrorCode", strconv.Itoa(t.code))
	form.Set("ErrorUrl", n.Set["VoiceUrl"])
	return c.ask(ctx, call, outgoing{"fallback url", orPost(n.Set["VoiceFallbackMethod"]), fallback, form, nil})
}

func (c *Caller) ask(ctx context.Context, call *Call, o outgoing) (instruction, *url.URL, error) {
	a, err := c.send(ctx, o, &call.Requests)
	if err != nil {
		return instruction{}, nil, err
	}
	do, err := c.box.dialect.readTwiML(a.contentType, a.body)
	if err == nil && do.action != "" {
		if to, bad := a.url.Parse(do.action); bad != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
			err = troubled(codeSchema, "action %q is no URL", do.action)
		}
	}
	var t *trouble
	if errors.As(err, &t) {
		last := &call.Requests[len(call.Requests)-1]
		last.Code, last.Problem = t.code, t.message
	}
	return do, a.url, err
}

func orPost(method string) string {
	if method == "" {
		return http.MethodPost
	}
	return method
}
