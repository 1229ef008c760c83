package twilio

import (
	"cmp"
	"net/url"

	"github.com/go-faster/jx"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// links is where a list says what its next page is: at the top in the 2010 API
// and at SignalWire, under meta in Twilio's fax API.
type links struct {
	NextPageURI scalar `json:"next_page_uri"`
	Meta        struct {
		NextPageURL scalar `json:"next_page_url"`
	} `json:"meta"`
}

// next is the cursor of the next page, "" on the last.
func (l links) next() (string, error) {
	return cursorOf(cmp.Or(string(l.NextPageURI), string(l.Meta.NextPageURL)), "Page", "PageToken")
}

// linkNamed reads the value of key, and is what it says in link when key is the
// name of a link.
func linkNamed(name string, key []byte, d *jx.Decoder, link *string) error {
	text, err := literal(d)
	if string(key) == name && len(text) > 0 {
		*link = string(text)
	}
	return err
}

// cursorOf takes the named parameters, which say what the next page is, out of a
// server's link and nothing else: its scheme, host and path are never used, so
// no answer can send a request, and its credentials, somewhere else. Absolute
// and relative links and the three paths that SignalWire writes are all the same
// here.
func cursorOf(link string, names ...string) (string, error) {
	if link == "" {
		return "", nil
	}
	u, err := url.Parse(link)
	if err != nil {
		return "", badLink()
	}
	query := u.Query()
	cursor := url.Values{}
	for _, name := range names {
		if v := query.Get(name); v != "" {
			cursor.Set(name, v)
		}
	}
	if len(cursor) == 0 {
		return "", badLink()
	}
	return cursor.Encode(), nil
}

func badLink() error {
	return &fax.APIError{Kind: problem.ErrUnavailable, Message: "the link to the next page names no page"}
}

// pageOf is a cursor's page number and token.
func pageOf(cursor string) (number, token string, err error) {
	query, err := url.ParseQuery(cursor)
	if err != nil {
		return "", "", &fax.APIError{Kind: problem.ErrInvalid, Message: "not a page cursor"}
	}
	return query.Get("Page"), query.Get("PageToken"), nil
}
