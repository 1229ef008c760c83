// Package mail tells people of faxes by mail: who is told of which, what the message
// says, and handing it to a mail server.
//
// Use [ReadRules] for a file of rules, [Rules.Targets] for who is told of a piece of
// [News], [Rules.Message] for the message to one of them, and [Server.Send] to hand it
// in. A [Letter] is a message by hand, without rules.
//
//	rules, err := mail.ReadRules(content, "rules.yaml")
//	...
//	for _, t := range rules.Targets(news, nameOf) {
//		m, err := rules.Message(ctx, news, t)
//		...
//		sent, err = server.Send(ctx, m)
//	}
//
// A message has one recipient, who sees no other. Its Message-ID follows from the fax,
// the news, the rule and the address: sent twice it is one message to whoever compares.
// What a caller sends is data: no header, address or file name is made of what the far
// end calls itself, and numbers show their last four digits unless a rule says otherwise.
package mail

import (
	"io"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// When is the kind of news that a mail tells of.
type When string

// The kinds of news. The zero When is a fax that somebody passes on by hand.
const (
	Received When = "received" // a fax came in, and its document is kept
	Failed   When = "failed"   // a fax ended without being received
	Parked   When = "parked"   // something was to be done about a fax, and was given up
)

// Whens are the kinds of news that rules select by.
func Whens() []When { return []When{Received, Failed, Parked} }

// News is what a mail tells of.
type News struct {
	Fax      fax.Fax
	Station  string    // what the far end calls itself
	Received time.Time // when we heard of the fax; zero: when it was created
	Name     string    // of our number, as the account has it; may be empty

	When    When
	Problem string // what was given up, and why; of Parked alone

	Document Document

	// Drawing has room for as many pictures as may be drawn at a time, of all news that
	// share it; nil: this one is drawn at once. A page may take a few times [pages.MaxPixels] bytes.
	Drawing chan struct{}
}

// Document is the document of a fax. The zero Document is none.
type Document struct {
	Open        func() (io.ReadCloser, error)
	ContentType string // application/pdf or image/tiff
	Size        int64  // bytes
	SHA256      string // hex, which the bytes are compared with; "": they are taken as they are
	Kept        bool   // it is in an archive, for mails without it
}

// IsZero reports whether there is no document.
func (d Document) IsZero() bool { return d.Open == nil }
