package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// faxes is the account's fax records. twilio-go has no calls for them any more;
// these are ours, on the seam of its generated ones.
// Source: https://www.twilio.com/docs/fax/api/fax-resource
type faxes struct{ *account }

// maxPage is the largest page either dialect gives.
const maxPage = 1000

// faxRecord is a Fax on the wire. What one dialect writes as a number the other
// writes as a string; what both write as a string is one.
type faxRecord struct {
	SID          string `json:"sid"`
	From         string `json:"from"`
	To           string `json:"to"`
	Direction    string `json:"direction"`
	Status       string `json:"status"`
	Quality      string `json:"quality"`
	MediaSID     string `json:"media_sid"`
	MediaURL     string `json:"media_url"`
	NumPages     text   `json:"num_pages"`
	Duration     text   `json:"duration"`
	Price        text   `json:"price"`
	PriceUnit    string `json:"price_unit"`
	DateCreated  string `json:"date_created"`
	DateUpdated  string `json:"date_updated"`
	ErrorCode    text   `json:"error_code"`
	ErrorMessage string `json:"error_message"`
}

func (w *faxRecord) fax() fax.Fax {
	return fax.Fax{
		ID:           w.SID,
		From:         w.From,
		To:           w.To,
		Direction:    fax.Direction(w.Direction),
		Status:       fax.Status(w.Status),
		Quality:      w.Quality,
		Pages:        w.NumPages.whole(),
		Duration:     w.Duration.whole(),
		Price:        w.Price.money(w.PriceUnit),
		MediaID:      w.MediaSID,
		MediaURL:     w.MediaURL,
		Created:      timeOf(w.DateCreated),
		Updated:      timeOf(w.DateUpdated),
		ErrorCode:    string(w.ErrorCode),
		ErrorMessage: w.ErrorMessage,
	}
}

// Page fetches one page of the faxes that q selects.
func (a faxes) Page(ctx context.Context, q fax.Filter, size int, cursor string) (fax.Page[fax.Fax], error) {
	query, err := faxQuery(q, size, cursor)
	if err != nil {
		return fax.Page[fax.Fax]{}, err
	}
	var page fax.Page[fax.Fax]
	if q.WithRaw {
		page, err = a.pageWithRaw(ctx, query)
	} else {
		page, err = a.page(ctx, query)
	}
	if err != nil {
		return fax.Page[fax.Fax]{}, a.ended(err)
	}
	selected := page.Items[:0]
	for _, f := range page.Items {
		if q.Match(f) {
			selected = append(selected, f)
		}
	}
	page.Items = selected
	return page, nil
}

// page decodes records in place: this is what a list of 100,000 spends its time
// on.
func (a faxes) page(ctx context.Context, query url.Values) (fax.Page[fax.Fax], error) {
	var w struct {
		links
		List *[]faxRecord `json:"faxes"`
	}
	if err := a.get(ctx, &w, a.dialect.faxes, query); err != nil {
		return fax.Page[fax.Fax]{}, err
	}
	if w.List == nil {
		return fax.Page[fax.Fax]{}, notRecord(noList())
	}
	items := make([]fax.Fax, len(*w.List))
	for i := range *w.List {
		items[i] = (*w.List)[i].fax()
	}
	next, err := w.next()
	return fax.Page[fax.Fax]{Items: items, Next: next}, err
}

// pageWithRaw keeps every record as it came.
func (a faxes) pageWithRaw(ctx context.Context, query url.Values) (fax.Page[fax.Fax], error) {
	var w struct {
		links
		List *records `json:"faxes"`
	}
	if err := a.get(ctx, &w, a.dialect.faxes, query); err != nil {
		return fax.Page[fax.Fax]{}, err
	}
	items, err := each(w.List, rawFax)
	if err != nil {
		return fax.Page[fax.Fax]{}, err
	}
	next, err := w.next()
	return fax.Page[fax.Fax]{Items: items, Next: next}, err
}

func rawFax(w faxRecord, raw json.RawMessage) fax.Fax {
	f := w.fax()
	f.Raw = raw
	return f
}

// faxQuery says q in the words of the list, as far as it has them. The dates
// are widened to whole seconds, which is all the wire knows, so that no fax is
// lost at either end: a fax of 10:00:00.7 is reported as of 10:00:00, and must
// still be sent when Until is 10:00:00. What that lets in, Match takes out.
func faxQuery(q fax.Filter, size int, cursor string) (url.Values, error) {
	number, token, err := pageOf(cursor)
	if err != nil {
		return nil, err
	}
	if size <= 0 || size > maxPage {
		size = maxPage
	}
	query := url.Values{"PageSize": {strconv.Itoa(size)}}
	set := func(name, value string) {
		if value != "" {
			query.Set(name, value)
		}
	}
	set("From", q.From)
	set("To", q.To)
	set("Page", number)
	set("PageToken", token)
	if !q.After.IsZero() {
		set("DateCreatedAfter", q.After.UTC().Truncate(time.Second).Format(time.RFC3339))
	}
	if !q.Until.IsZero() {
		set("DateCreatedOnOrBefore", q.Until.UTC().Truncate(time.Second).Add(time.Second).Format(time.RFC3339))
	}
	return query, nil
}

// ended turns the answer of Twilio's closed fax service into what it means. The
// collection of an account always exists: when it is not found, the service is
// what is gone.
func (a faxes) ended(err error) error {
	var api *fax.APIError
	if a.dialect.name == Twilio && errors.As(err, &api) && api.Kind == fax.ErrNotFound {
		gone := *api
		gone.Kind, gone.Message, gone.Hint = fax.ErrUnsupported, faxEndedMessage, signalWireHint
		return &gone
	}
	return err
}

// address is where a fax is, or something below it.
func (a faxes) address(id string, below ...string) (string, error) {
	address := a.dialect.faxes
	for _, part := range append([]string{id}, below...) {
		if err := checkID(part); err != nil {
			return "", err
		}
		address += "/" + part
	}
	return address, nil
}

// Get fetches one record, with a fresh link to its document and Raw kept.
func (a faxes) Get(ctx context.Context, id string) (fax.Fax, error) {
	address, err := a.address(id)
	if err != nil {
		return fax.Fax{}, err
	}
	var raw json.RawMessage
	if err := a.get(ctx, &raw, address, nil); err != nil {
		return fax.Fax{}, err
	}
	var w faxRecord
	if err := json.Unmarshal(raw, &w); err != nil {
		return fax.Fax{}, notRecord(err)
	}
	if w.SID == "" {
		return fax.Fax{}, notRecord(errors.New("a fax without a sid"))
	}
	return rawFax(w, raw), nil
}

// Delete removes the record and its document.
func (a faxes) Delete(ctx context.Context, id string) error {
	address, err := a.address(id)
	if err != nil {
		return err
	}
	return a.remove(ctx, address)
}

// mediaRecord is one document of a fax: data about it, and at SignalWire
// sometimes a link to the file.
type mediaRecord struct {
	SID         string `json:"sid"`
	FaxSID      string `json:"fax_sid"`
	ContentType string `json:"content_type"`
	DateCreated string `json:"date_created"`
	DateUpdated string `json:"date_updated"`
	MediaURL    string `json:"media_url"`
	URL         string `json:"url"`
}

func (w mediaRecord) media(faxID string) fax.Media {
	return fax.Media{
		ID:          w.SID,
		FaxID:       first(w.FaxSID, faxID),
		ContentType: w.ContentType,
		Created:     timeOf(w.DateCreated),
		Updated:     timeOf(w.DateUpdated),
	}
}

// Media yields what is known of the documents of a fax.
func (a faxes) Media(ctx context.Context, faxID string) iter.Seq2[fax.Media, error] {
	return func(yield func(fax.Media, error) bool) {
		for w, err := range a.mediaRecords(ctx, faxID) {
			if err != nil {
				yield(fax.Media{}, err)
				return
			}
			if !yield(w.media(faxID), nil) {
				return
			}
		}
	}
}

func (a faxes) mediaRecords(ctx context.Context, faxID string) iter.Seq2[mediaRecord, error] {
	return fax.Pages(ctx, func(ctx context.Context, cursor string) (fax.Page[mediaRecord], error) {
		var none fax.Page[mediaRecord]
		address, err := a.address(faxID, "Media")
		if err != nil {
			return none, err
		}
		query, err := url.ParseQuery(cursor)
		if err != nil {
			return none, fmt.Errorf("%w cursor", fax.ErrInvalid)
		}
		var w struct {
			links
			Media    *[]mediaRecord `json:"media"`
			FaxMedia *[]mediaRecord `json:"fax_media"` // SignalWire's other word for it
		}
		if err := a.get(ctx, &w, address, query); err != nil {
			return none, err
		}
		if w.Media == nil {
			w.Media = w.FaxMedia
		}
		if w.Media == nil {
			return none, notRecord(noList())
		}
		next, err := w.next()
		return fax.Page[mediaRecord]{Items: *w.Media, Next: next}, err
	})
}

// DeleteMedia removes a document; the record stays.
func (a faxes) DeleteMedia(ctx context.Context, faxID, mediaID string) error {
	address, err := a.address(faxID, "Media", mediaID)
	if err != nil {
		return err
	}
	return a.remove(ctx, address)
}
