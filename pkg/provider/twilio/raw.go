package twilio

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-faster/jx"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// raw is the API as it is.
type raw struct{ *account }

// Request is what Do sends for r: to which URL, and with which form. A path of
// the 2010 API is below /api/laml at SignalWire, and one that does not begin
// with a slash is below the account.
func (a raw) Request(r fax.RawRequest) (address string, form url.Values, err error) {
	u, form, err := a.request(r)
	if err != nil {
		return "", nil, err
	}
	return a.really(u).String(), form, nil
}

// request is Request before another origin stands for the provider's hosts.
func (a raw) request(r fax.RawRequest) (*url.URL, url.Values, error) {
	u, err := a.address(r.Path)
	if err != nil {
		return nil, nil, err
	}
	cursor, err := url.ParseQuery(r.Cursor)
	if err != nil {
		return nil, nil, fmt.Errorf("%w page cursor", problem.ErrInvalid)
	}
	query, form := u.Query(), r.Fields
	if r.Method == http.MethodGet || r.Method == http.MethodDelete {
		form = nil
		for name, values := range r.Fields {
			query[name] = append(query[name], values...)
		}
	}
	maps.Copy(query, cursor)
	u.RawQuery = query.Encode()
	return u, form, nil
}

func (a raw) address(path string) (*url.URL, error) {
	path = strings.ReplaceAll(path, "{account}", a.id)
	const version = "/2010-04-01/"
	whole := path
	switch {
	case hasScheme(path):
	case strings.HasPrefix(path, version):
		whole = a.dialect.api + path
	case strings.HasPrefix(path, "/"):
		whole = a.home() + path
	case path != "":
		whole = a.dialect.api + version + "Accounts/" + a.id + "/" + path
	}
	u, err := url.Parse(whole)
	if path == "" || err != nil || u.Fragment != "" {
		return nil, problem.Invalid(problem.Say("as in the provider's manual: /2010-04-01/Accounts/{account}/Balance.json"), "path %q", path)
	}
	u.Host = strings.ToLower(u.Host)
	var refused string
	switch {
	case !a.trusts(u.Hostname()):
		refused = u.Hostname() + " is not a host of " + a.dialect.Name
	case u.Scheme != "https":
		refused = "it begins with " + u.Scheme + "://, not https://"
	case u.User != nil:
		refused = "it has a user name in it"
	case cmp.Or(u.Port(), "443") != "443":
		refused = "port " + u.Port() + " is not where " + u.Hostname() + " answers"
	default:
		return u, nil
	}
	return nil, problem.Invalid(problem.Say("credentials go to the provider's own hosts only; give a path, and the host is right"), "address: %s", refused)
}

// hasScheme reports whether a path is a whole URL.
// Source: RFC 3986, 3.1.
func hasScheme(path string) bool {
	scheme, _, ok := strings.Cut(path, "://")
	return ok && scheme != "" && text.MadeOf(scheme[:1], text.Upper+text.Lower) && text.MadeOf(scheme, text.Upper+text.Lower+text.Digits+"+.-")
}

// home is where paths begin.
func (a raw) home() string { return strings.TrimSuffix(a.dialect.api, "/api/laml") }

// trusts reports whether a host may see the credentials: any of Twilio's, which
// has one for each product, but at SignalWire only the account's own space,
// for the others are other customers'.
func (a raw) trusts(host string) bool {
	if a.dialect.Name == info.Twilio {
		return inside(host, "twilio.com")
	}
	return "https://"+host == a.home()
}

// Do sends one request.
func (a raw) Do(ctx context.Context, r fax.RawRequest) (fax.RawAnswer, error) {
	u, form, err := a.request(r)
	if err != nil {
		return fax.RawAnswer{}, err
	}
	c := &call{ctx: ctx, account: a.account}
	defer c.done()
	res, err := c.SendRequest(r.Method, u.String(), form, nil)
	if err != nil {
		return fax.RawAnswer{}, err
	}
	_ = res.Body.Close()
	answer := fax.RawAnswer{Body: bytes.Clone(c.body), ContentType: c.header.Get("Content-Type")}
	items, link := pageIn(c.body)
	if items == nil {
		return answer, nil
	}
	answer.Items = items
	answer.Next, err = cursorOf(link, "Page", "PageToken", "page_number", "page_token")
	return answer, err
}

// pageIn finds the list in an answer: the first array, whatever its name, and
// the link to the next page. An answer that is not JSON, as XML, or that holds
// no array has no items: it is no list to go through.
func pageIn(body []byte) (items []json.RawMessage, link string) {
	var meta, links string
	nested := func(name string, link *string) func(*jx.Decoder, []byte) error {
		return func(d *jx.Decoder, key []byte) error { return linkNamed(name, key, d, link) }
	}
	err := readWhole(body, func(d *jx.Decoder) error {
		return d.ObjBytes(func(d *jx.Decoder, key []byte) error {
			switch kind := d.Next(); {
			case kind == jx.Array && items == nil:
				items = []json.RawMessage{}
				return d.Arr(func(d *jx.Decoder) error {
					item, err := d.RawAppend(nil)
					items = append(items, json.RawMessage(item))
					return err
				})
			case kind == jx.Object && string(key) == "meta":
				return d.ObjBytes(nested("next_page_url", &meta))
			case kind == jx.Object && string(key) == "links":
				return d.ObjBytes(nested("next", &links))
			}
			return linkNamed("next_page_uri", key, d, &link)
		})
	})
	if err != nil {
		return nil, ""
	}
	return items, cmp.Or(link, meta, links)
}
