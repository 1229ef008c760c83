package fax

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/url"
	"time"
)

// Provider is one account at one provider. A nil field is something this
// provider does not offer.
type Provider struct {
	// Name is the provider's name in output and messages: "twilio" or
	// "signalwire".
	Name string

	// Retention is how long the provider keeps a fax after its creation; 0:
	// until it is deleted.
	Retention time.Duration

	Accounts Accounts
	Numbers  Numbers
	Faxes    Faxes
	Raw      Raw
	Clock    Clock // dates the faxes

	// NumbersClock dates the numbers: credentials that may read one need not be
	// good for the other.
	NumbersClock Clock

	// NoFaxes is why faxes cannot be had with these credentials, whatever is
	// asked of Faxes; nil: they can.
	NoFaxes error
}

// Account is who the provider says we are.
type Account struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"` // active, suspended or closed
	Type   string `json:"type,omitempty"`
}

// Accounts tells whose credentials are in use.
type Accounts interface {
	// Account asks the provider who we are. It fails with ErrAuth when the
	// credentials are not accepted.
	Account(ctx context.Context) (Account, error)
}

// Clock tells what time it is at the provider, whose clock dates its records.
type Clock interface {
	// Now asks the provider, with a request of its own; the answer is of whole
	// seconds. The zero time: it does not say, or was made for an earlier request.
	// ErrUnavailable: what answered is not the provider. Other errors as Faxes.
	Now(ctx context.Context) (time.Time, error)
}

// RawRequest is a request in the provider's own words.
type RawRequest struct {
	Method string // GET, POST, PUT, PATCH or DELETE

	// Path is as in the provider's manual, or relative to the account, or a
	// whole URL at one of the provider's hosts. "{account}" in it stands for
	// the account's id.
	Path string

	// Fields are the query of a GET or DELETE, and the form of any other.
	Fields url.Values

	Cursor string // of a page, as the page before told it; "" for the first
}

// RawAnswer is an answer as the provider sent it.
type RawAnswer struct {
	Body        []byte
	ContentType string
	Items       []json.RawMessage // when it is a page of a list: what is on it
	Next        string            // the cursor of the page after, or ""
}

// Raw is the provider's API as it is, for what there is no other way to say.
type Raw interface {
	// Request is what Do sends: the URL with its query, and the form.
	// ErrInvalid: the path is not one, or leads away from the provider:
	// credentials stay at its own hosts.
	Request(r RawRequest) (address string, form url.Values, err error)

	// Do sends one request with the account's credentials. A refusal is an
	// error like that of any other method. Errors as Request.
	Do(ctx context.Context, r RawRequest) (RawAnswer, error)
}

// Numbers is what can be done with phone numbers.
//
// Every method fails with ErrAuth, ErrUnavailable or the context's error, and
// with the kinds named at the method. A record that says it is of another number
// than was asked about, or a list of another account, is ErrUnavailable. Methods
// that only read, Configure and Release may be repeated; Buy may not.
type Numbers interface {
	// Search yields numbers for sale, as many as the provider gives for one
	// question, all of them: an offer that lacks a required capability tells
	// as well whether the answer is cut ([Query.Allows] tells it from the
	// others). Where the provider does not say, the offer comes with that
	// capability Unknown. An offer that came without its number has none.
	// ErrInvalid: a filter the provider refuses. ErrUnsupported: a type or
	// filter it does not have.
	Search(ctx context.Context, q Query) iter.Seq2[Offer, error]

	// Limits tells how the provider answers one such question.
	Limits(q Query) SearchLimits

	// Prices tells what a number of each type costs this account a month.
	// ErrUnsupported: the provider has no price list.
	Prices(ctx context.Context, country string) (map[NumberType]Money, error)

	// List yields the numbers the account owns, in the provider's order.
	List(ctx context.Context, f NumberFilter) iter.Seq2[Number, error]

	// Get fetches an owned number by its provider id, receive mode included.
	// ErrNotFound: the account does not own it.
	Get(ctx context.Context, id string) (Number, error)

	// Buy spends money. It is sent once: when it fails with ErrUnavailable
	// or the context's error, the number may have been bought all the same,
	// and the caller must look before asking again. ErrTaken: the number
	// is not for sale any more. ErrPapers: an address or a bundle that it needs is
	// missing. ErrConflict: anything else that is. ErrInvalid: not
	// a number.
	Buy(ctx context.Context, o Order) (Number, error)

	// Configure changes the fields given in c and returns the number as the
	// provider answered, which need not confirm every field: read it back
	// with Get.
	Configure(ctx context.Context, id string, c Change) (Number, error)

	// Release gives the number up. ErrNotFound: the account does not own it
	// (any more). ErrConflict: the provider will not let it go yet.
	Release(ctx context.Context, id string) error
}

// SearchLimits are those of one question about numbers for sale. An answer of
// Rows offers is taken to be cut.
type SearchLimits struct {
	Rows   int // the most offers in an answer
	Digits int // the fewest digits in a pattern

	// Exact: a pattern of all digits of a number finds it when it is for sale.
	Exact bool
}

// Faxes is what can be done with received and sent faxes.
//
// Every method may be repeated. Each fails with ErrAuth, ErrUnavailable or the
// context's error, and with the kinds named at the method. A record that says it
// is of another fax than was asked about is ErrUnavailable: no caller looks at
// that again.
type Faxes interface {
	// Page fetches one page of the faxes that q selects: at most size of
	// them (0: as many as the provider gives in one page). The cursor is ""
	// for the first page, then the Next of the page before. What the
	// provider cannot select is left out here, so a page may be short, or
	// empty, without being the last. The order is the provider's.
	// ErrUnsupported: the provider has ended its fax service.
	Page(ctx context.Context, q Filter, size int, cursor string) (Page[Fax], error)

	// Get fetches one record, with a fresh link to its document and Raw kept.
	Get(ctx context.Context, id string) (Fax, error)

	// Media yields what is known of the documents of a fax. A fax whose
	// document was deleted has none.
	Media(ctx context.Context, faxID string) iter.Seq2[Media, error]

	// Open starts reading the document of f at the given byte offset. The
	// link is renewed once when it has expired. ErrNotFound: there is no
	// document (any more). ErrUnavailable: what came back is no document,
	// but an error page. ErrInvalid: the link leads elsewhere than to the
	// provider, and was not followed. The caller closes the body.
	Open(ctx context.Context, f Fax, offset int64) (Document, error)

	// Delete removes the record and its document for good. ErrNotFound: it
	// is gone already. ErrConflict: it is still in progress.
	Delete(ctx context.Context, id string) error

	// DeleteMedia removes the document; the record stays. Errors as Delete.
	DeleteMedia(ctx context.Context, faxID, mediaID string) error
}

// Document is an open document: the bytes of a PDF or TIFF file.
type Document struct {
	Body        io.ReadCloser
	ContentType string // as the server said
	Offset      int64  // where Body starts; 0 when the server ignored the wish for an offset
	Size        int64  // bytes of the whole document; -1: not announced
	ETag        string // names this version of the document, as the server writes it; may be empty
	MediaID     string // which of the provider's documents it is; empty: not known, or it is from elsewhere
}
