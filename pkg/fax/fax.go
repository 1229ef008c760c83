// Package fax is the vocabulary of faxctl: what a fax number, a fax and its
// document are, and what a provider of fax numbers can be asked to do.
//
// Use it when writing against any provider. The package knows no HTTP, no
// files and no provider by name; it imports the standard library and what
// knows no fax, and every other package of faxctl may import it.
//
// A [Provider] is a struct of small interfaces ([Accounts], [Numbers], [Faxes],
// [Raw], [Clock]), each of which may be nil when the provider does not offer it.
// Lists are sequences ([iter.Seq2] of a value and an error): pages are fetched
// as the reader asks for them, breaking out stops the fetching, and an error,
// if there is one, is yielded once and last.
//
// The JSON tags of the types here are a public contract: `-o json` prints the
// structs as they are.
package fax

import (
	"encoding/json"
	"slices"
	"time"
)

// Direction tells which way a fax went, seen from the account.
type Direction string

// The directions a provider reports.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
)

// Status is where a fax is in its life.
// Source: the Fax resource of Twilio's Programmable Fax API, properties.
type Status string

// Every status a provider reports. The first four may still change.
const (
	Queued     Status = "queued"
	Processing Status = "processing"
	Sending    Status = "sending"
	Receiving  Status = "receiving"
	Delivered  Status = "delivered"
	Received   Status = "received"
	NoAnswer   Status = "no-answer"
	Busy       Status = "busy"
	Failed     Status = "failed"
	Canceled   Status = "canceled"
)

// Statuses lists every status, those that may still change first.
func Statuses() []Status {
	return []Status{Queued, Processing, Sending, Receiving, Delivered, Received, NoAnswer, Busy, Failed, Canceled}
}

// Terminal reports whether the fax will not change any more. A status this
// package does not know is not terminal: nothing is deleted on a guess.
func (s Status) Terminal() bool {
	switch s {
	case Delivered, Received, NoAnswer, Busy, Failed, Canceled:
		return true
	}
	return false
}

// Unsuccessful reports whether the fax ended without being transmitted.
func (s Status) Unsuccessful() bool {
	switch s {
	case NoAnswer, Busy, Failed, Canceled:
		return true
	}
	return false
}

// Fax is one fax record as the provider keeps it. What the provider left out
// is nil, empty or the zero time; nothing is made up. Records may share what
// they point to: it is not to be changed.
type Fax struct {
	ID        string    `json:"id"`        // FX and 32 hex digits at Twilio, a UUID at SignalWire
	From      string    `json:"from"`      // E.164, or whatever the far end claimed
	To        string    `json:"to"`        // E.164
	Direction Direction `json:"direction"` // inbound or outbound
	Status    Status    `json:"status"`
	Quality   string    `json:"quality,omitempty"`  // standard, fine or superfine
	Pages     *int      `json:"pages"`              // nil until the provider has counted them
	Duration  *int      `json:"duration"`           // seconds on the line
	Price     *Money    `json:"price"`              // nil: not known yet, which is not free
	MediaID   string    `json:"media_id,omitempty"` // the document; empty when it is gone or was never stored
	Created   time.Time `json:"created"`            // in UTC; zero: the provider tells none that can be
	Updated   time.Time `json:"updated,omitzero"`

	ErrorCode    string `json:"error_code,omitempty"` // where the provider has one (SignalWire)
	ErrorMessage string `json:"error_message,omitempty"`

	// MediaURL is a pre-signed link to the document. Whoever has it has the
	// document, so it is never printed.
	MediaURL string `json:"-"`

	// Raw is the record as the provider sent it, kept when the filter asked.
	Raw json.RawMessage `json:"-"`
}

// OurNumber is the account's end of the line.
func (f Fax) OurNumber() string {
	if f.Direction == Outbound {
		return f.From
	}
	return f.To
}

// HasDocument reports whether the provider is known to keep a document of the
// fax.
func (f Fax) HasDocument() bool { return f.MediaID != "" || f.MediaURL != "" }

// Media is one document of a fax: what it is, not the document itself.
type Media struct {
	ID          string    `json:"id"`
	FaxID       string    `json:"fax_id"`
	ContentType string    `json:"content_type"` // application/pdf or image/tiff
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated,omitzero"`
}

// Filter selects faxes. The zero value selects all of them. A provider
// applies what it can on its side; [Filter.Match] decides in the end, so a
// result is never wider than what was asked.
type Filter struct {
	From, To  string    // exact numbers
	Ends      []Pattern // all of which match; nothing that a provider selects by
	Number    string    // either end
	After     time.Time // created strictly after; zero: from the beginning
	Until     time.Time // created at this instant or before; zero: until now
	Direction Direction // empty: both
	Statuses  []Status  // empty: any
	MinPages  int       // at least; a fax without a count has none
	Undated   bool      // also faxes without a creation date, whatever After and Until say
	WithRaw   bool      // keep Fax.Raw

	// WithoutLinks leaves out Fax.MediaURL, of faxes with a MediaID: it is the
	// longest part of a record, and does not work for long.
	WithoutLinks bool
}

// Dates reports whether q selects by creation date.
func (q Filter) Dates() bool { return !q.After.IsZero() || !q.Until.IsZero() }

// Match reports whether f is selected. A fax without a creation date is never
// selected by a filter that has one, unless Undated says so.
func (q Filter) Match(f Fax) bool {
	if q.Undated && f.Created.IsZero() {
		q.After, q.Until = time.Time{}, time.Time{}
	}
	if q.From != "" && f.From != q.From ||
		q.To != "" && f.To != q.To ||
		q.Number != "" && f.From != q.Number && f.To != q.Number ||
		!q.After.IsZero() && !f.Created.After(q.After) ||
		!q.Until.IsZero() && (f.Created.IsZero() || f.Created.After(q.Until)) ||
		q.Direction != "" && f.Direction != q.Direction {
		return false
	}
	for _, p := range q.Ends {
		if !p.Match(f.From, f.To) {
			return false
		}
	}
	if q.MinPages > 0 && (f.Pages == nil || *f.Pages < q.MinPages) {
		return false
	}
	return len(q.Statuses) == 0 || slices.Contains(q.Statuses, f.Status)
}
