package receiver

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Event is one piece of news of a fax: that it reached a status. It is what is
// forwarded, and its fields are what a program finds in its environment.
type Event struct {
	FaxID         string     `json:"fax_id"`
	Account       string     `json:"account,omitempty"`
	From          string     `json:"from"`
	To            string     `json:"to"`
	Status        fax.Status `json:"status"`
	Pages         *int       `json:"pages,omitempty"`
	RemoteStation string     `json:"remote_station,omitempty"` // what the far end calls itself
	ErrorCode     string     `json:"error_code,omitempty"`
	ErrorMessage  string     `json:"error_message,omitempty"`
	Received      time.Time  `json:"received"` // when we heard of it
	Backfilled    bool       `json:"backfilled,omitempty"`

	// The document, once it is in the archive.
	Archived    time.Time `json:"archived,omitzero"`
	Document    string    `json:"document,omitempty"` // path of the file
	ContentType string    `json:"content_type,omitempty"`
	SHA256      string    `json:"sha256,omitempty"`
	Size        int64     `json:"size,omitempty"`
}

// hasDocument reports whether a document belongs to the event.
func (e Event) hasDocument() bool { return e.Status == fax.Received }

// The longest values taken; what is longer is cut, or refused where it names
// something.
const (
	maxID   = 64
	maxText = 256
)

// parseEvent reads the fields of an action callback. Without a FaxSid and a
// FaxStatus it is no news, and fails with what of it can be read; other fields that
// cannot be read are left out.
// Source: Twilio, "Fax TwiML: Receive, action callback parameters".
func parseEvent(form url.Values, now time.Time) (Event, error) {
	e := Event{
		FaxID:         form.Get("FaxSid"),
		Account:       form.Get("AccountSid"),
		From:          text(form.Get("From")),
		To:            text(form.Get("To")),
		Status:        fax.Status(form.Get("FaxStatus")),
		RemoteStation: text(form.Get("RemoteStationId")),
		ErrorMessage:  text(form.Get("ErrorMessage")),
		Received:      now.UTC(),
	}
	if code := form.Get("ErrorCode"); code != "0" {
		e.ErrorCode = text(code)
	}
	if n, err := strconv.Atoi(form.Get("NumPages")); err == nil && n >= 0 {
		e.Pages = &n
	}
	var err error
	if !isWord(string(e.Status), 32) {
		e.Status, err = "", fmt.Errorf("%w FaxStatus", problem.ErrInvalid)
	}
	if !isWord(e.FaxID, maxID) {
		e.FaxID, err = "", fmt.Errorf("%w FaxSid", problem.ErrInvalid)
	}
	return e, err
}

// fromRecord is the event a fax record of the provider stands for.
func fromRecord(f fax.Fax, now time.Time) Event {
	return Event{
		FaxID: f.ID, From: f.From, To: f.To, Status: f.Status, Pages: f.Pages,
		ErrorCode: f.ErrorCode, ErrorMessage: f.ErrorMessage, Received: now.UTC(), Backfilled: true,
	}
}

// record is the fax record an event stands for, where the provider has none.
func (e Event) record() fax.Fax {
	return fax.Fax{
		ID: e.FaxID, From: e.From, To: e.To, Direction: fax.Inbound, Status: e.Status, Pages: e.Pages,
		Created: e.Received, ErrorCode: e.ErrorCode, ErrorMessage: e.ErrorMessage,
	}
}

// isWord reports whether s is 1 to most letters, digits, hyphens and
// underscores: what an id or a status consists of, and what is safe in a file
// name.
func isWord(s string, most int) bool {
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
	})
}

// text is foreign text made harmless: no control characters, not too long.
func text(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return s
}
