package twilio

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/go-faster/jx"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// faxes is the account's fax records. twilio-go has no calls for them any more;
// these are ours, on the seam of its generated ones.
// Source: https://www.twilio.com/docs/fax/api/fax-resource
type faxes struct{ *account }

// leastRecord is fewer bytes than a record has: with it, room for a page is made
// at once, and no more than it takes.
const leastRecord = 500

// Page fetches one page of the faxes that q selects.
func (a faxes) Page(ctx context.Context, q fax.Filter, size int, cursor string) (fax.Page[fax.Fax], error) {
	if size <= 0 || size > a.dialect.PageSize {
		size = a.dialect.PageSize
	}
	query, err := faxQuery(q, size, cursor)
	if err = cmp.Or(a.otherFaxes(), err); err != nil {
		return fax.Page[fax.Fax]{}, err
	}
	var page fax.Page[fax.Fax]
	var strange error
	listed, nameless, link, shared := false, false, "", inCommon()
	err = a.read(ctx, a.dialect.faxes, query, func(d *jx.Decoder, bytes int) error {
		return d.ObjBytes(func(d *jx.Decoder, key []byte) error {
			if kind := d.Next(); string(key) == "faxes" && kind == jx.Array {
				listed, page.Items = true, make([]fax.Fax, 0, min(size, bytes/leastRecord))
				return d.Arr(func(d *jx.Decoder) error {
					f, err := readRecord(d, shared, q)
					nameless = nameless || f.ID == ""
					strange = cmp.Or(strange, a.checkOwner(f.ID, shared.owner))
					if err == nil && q.Match(f) {
						page.Items = append(page.Items, f)
					}
					return err
				})
			} else if string(key) == "meta" && kind == jx.Object {
				return d.ObjBytes(func(d *jx.Decoder, key []byte) error {
					return linkNamed("next_page_url", key, d, &link)
				})
			}
			return linkNamed("next_page_uri", key, d, &link)
		})
	})
	switch {
	case err != nil:
		return fax.Page[fax.Fax]{}, a.ended(err)
	case !listed:
		return fax.Page[fax.Fax]{}, notRecord(noList())
	case nameless:
		return fax.Page[fax.Fax]{}, notRecord(errNameless())
	case strange != nil:
		return fax.Page[fax.Fax]{}, strange
	}
	page.Next, err = cursorOf(link, "Page", "PageToken")
	return page, err
}

// readRecord is readFax; the fax has a copy of the record if q wants it.
func readRecord(d *jx.Decoder, shared *common, q fax.Filter) (fax.Fax, error) {
	if !q.WithRaw {
		return readFax(d, shared, !q.WithoutLinks)
	}
	record, err := d.RawAppend(nil)
	if err != nil {
		return fax.Fax{}, err
	}
	f, err := readFax(jx.DecodeBytes(record), shared, !q.WithoutLinks)
	f.Raw = json.RawMessage(record)
	return f, err
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

// ended turns the answer of a closed fax service, which is Twilio's, into what it means. The
// collection of an account always exists: when it is not found, the service is
// what is gone.
func (a faxes) ended(err error) error {
	var api *fax.APIError
	if a.dialect.Ended != "" && errors.Is(err, problem.ErrNotFound) && errors.As(err, &api) {
		gone := *api
		gone.Kind, gone.Message, gone.Advice = problem.ErrUnsupported, faxEndedMessage(), useSignalWire()
		return &gone
	}
	return err
}

// address is where a fax is, or something below it.
func (a faxes) address(id string, below ...string) (string, error) {
	if err := a.otherFaxes(); err != nil {
		return "", err
	}
	address := a.dialect.faxes
	for _, part := range append([]string{id}, below...) {
		if err := checkID("fax", part); err != nil {
			return "", err
		}
		address += "/" + part
	}
	return address, nil
}

// notThere says in our words that there is no such thing, with the provider's
// code: in its words it is an address of its API that was not found.
func notThere(what string, err error) error {
	var api *fax.APIError
	if errors.Is(err, problem.ErrNotFound) && errors.As(err, &api) {
		said := *api
		said.Message = what + ": not found in this account"
		return &said
	}
	return err
}

// Get fetches one record, with a fresh link to its document and Raw kept.
func (a faxes) Get(ctx context.Context, id string) (fax.Fax, error) {
	address, err := a.address(id)
	if err != nil {
		return fax.Fax{}, err
	}
	var f fax.Fax
	shared := inCommon()
	err = a.read(ctx, address, nil, func(d *jx.Decoder, _ int) (err error) {
		f, err = readRecord(d, shared, fax.Filter{WithRaw: true})
		return err
	})
	if err != nil {
		return fax.Fax{}, notThere("fax "+id, err)
	}
	if f.ID == "" {
		return fax.Fax{}, notRecord(errNameless())
	}
	if err := a.checkFax(id, f.ID, shared.owner); err != nil {
		return fax.Fax{}, err
	}
	return f, nil
}

func errNameless() error { return errors.New("a fax without a sid") }

// Delete removes the record and its document.
func (a faxes) Delete(ctx context.Context, id string) error {
	address, err := a.address(id)
	if err = cmp.Or(err, a.ownFax(ctx, id)); err != nil {
		return err
	}
	return a.remove(ctx, address)
}

// mediaRecord is one document of a fax: data about it, and at SignalWire
// sometimes a link to the file.
type mediaRecord struct {
	SID         string `json:"sid"`
	AccountSID  string `json:"account_sid"`
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
		FaxID:       faxID,
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
	return fax.Pages(ctx, func(r mediaRecord) string { return r.SID }, func(ctx context.Context, cursor string) (fax.Page[mediaRecord], error) {
		var none fax.Page[mediaRecord]
		address, err := a.address(faxID, "Media")
		if err != nil {
			return none, err
		}
		query, err := url.ParseQuery(cursor)
		if err != nil {
			return none, fmt.Errorf("%w cursor", problem.ErrInvalid)
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
		for _, m := range *w.Media {
			if err := a.checkFax(faxID, m.FaxSID, m.AccountSID); err != nil {
				return none, err
			}
		}
		next, err := w.next()
		return fax.Page[mediaRecord]{Items: *w.Media, Next: next}, err
	})
}

// DeleteMedia removes a document; the record stays.
func (a faxes) DeleteMedia(ctx context.Context, faxID, mediaID string) error {
	address, err := a.address(faxID, "Media", mediaID)
	if err = cmp.Or(err, a.ownFax(ctx, faxID)); err != nil {
		return err
	}
	return a.remove(ctx, address)
}
