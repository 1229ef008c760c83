// Package delivery tells somebody of a fax: a program of the operator's, or a
// server.
//
// Each way to do so is a [Delivery]. A receiver makes a job of every event for each
// of its deliveries, or of each of their targets, tries it again until it succeeds,
// and parks it in the end, so a delivery tries once and says what went wrong. It may
// be asked for the same event more than once.
package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Delivery is a way to tell somebody of a fax.
type Delivery struct {
	Name  string        // of its jobs
	Limit time.Duration // of a try

	// Targets are whom it tells of a piece of news, each by a job of its own, which
	// waits for none of another delivery and is tried for two days; none: it is told
	// to nobody. Jobs that were given up are news only here. nil: each event is told
	// once, without a target. It is asked within a commit, and decides by what it is
	// given alone.
	Targets func(n News) []Target

	// Reads says that it reads the document, from a file.
	Reads bool

	// Deliver tells of an event, once its document, if it has one, is archived. An
	// ErrRefused is for good, and an ErrNotBegun is no try.
	Deliver func(ctx context.Context, n News, to Target) error

	Close func() // what it keeps open, at the end; nil: nothing
}

// ErrRefused is a delivery that is not to be tried again.
var ErrRefused = errors.New("refused")

// ErrNotBegun is a delivery of which nothing has happened yet, since what it needs is away:
// it is waited for.
var ErrNotBegun = errors.New("not begun")

// Target is one of those whom a delivery tells.
type Target struct {
	Rule    string `json:"rule,omitempty"` // that chose the address
	Address string `json:"address"`
}

// MailName is that of the delivery with rules, whose news go to addresses.
const MailName = "mail"

// Names are those of all the deliveries there are: of jobs that a receiver may find
// in its state, whatever it was started with.
func Names() []string { return []string{execName, forwardName, MailName} }

// News is what a delivery tells of: an event with its document, or that a job of the
// fax was given up.
type News struct {
	Event
	Document
	Parked *Parked `json:"-"` // nil: the event itself
}

// Parked is a job that was given up.
type Parked struct {
	Job     int64   // its id
	Attempt int     // which was the last; it tells one parking of a job from the next
	Kind    string  // what it was to do: fetch, aside, or the name of a delivery
	Target  *Target // whom it was to tell; nil: it is no job of a target
	Problem string  // why, as the list of jobs has it
}

// Event is one piece of news of a fax: that it reached a status.
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
}

// EventOf is the event that a record of the provider stands for, heard of when the fax
// was created.
func EventOf(f fax.Fax) Event {
	return Event{
		FaxID: f.ID, From: f.From, To: f.To, Status: f.Status, Pages: f.Pages,
		ErrorCode: f.ErrorCode, ErrorMessage: f.ErrorMessage, Received: f.Created,
	}
}

// HasDocument reports whether a document belongs to the event.
func (e Event) HasDocument() bool { return e.Status == fax.Received }

// Fax is the record an event stands for, where the provider has none.
func (e Event) Fax() fax.Fax {
	return fax.Fax{
		ID: e.FaxID, From: e.From, To: e.To, Direction: fax.Inbound, Status: e.Status, Pages: e.Pages,
		Created: e.Received, ErrorCode: e.ErrorCode, ErrorMessage: e.ErrorMessage,
	}
}

// Document is the archived document of a fax; zero: it has none.
type Document struct {
	Archived    time.Time `json:"archived,omitzero"`
	Path        string    `json:"document,omitempty"` // of the file
	ContentType string    `json:"content_type,omitempty"`
	SHA256      string    `json:"sha256,omitempty"` // hex
	Size        int64     `json:"size,omitempty"`   // bytes

	Open func() (io.ReadCloser, error) `json:"-"` // its bytes, for mails; nil: those of the file
}

// body is an event with its document in one JSON object.
func body(n News) ([]byte, error) { return json.Marshal(n) }
