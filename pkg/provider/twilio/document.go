package twilio

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// maxHops bounds the redirects from a link to a document.
const maxHops = 5

// Open starts reading the document of f. The link in the record is pre-signed
// and good for some hours; one that has run out is renewed once, by fetching
// the record again.
func (a faxes) Open(ctx context.Context, f fax.Fax, offset int64) (fax.Document, error) {
	if f.MediaURL != "" {
		doc, err := a.openLink(ctx, f.MediaURL, offset)
		doc.MediaID = f.MediaID
		if err == nil || f.ID == "" || !errors.Is(err, problem.ErrAuth) {
			return doc, err
		}
	}
	link, media, err := a.freshLink(ctx, f.ID)
	if err != nil {
		return fax.Document{}, err
	}
	doc, err := a.openLink(ctx, link, offset)
	doc.MediaID = media
	return doc, err
}

// freshLink is a link to the document of a fax that was signed just now, and the id
// of that document. A record may lack the link while the list of its media has it
// (SignalWire).
func (a faxes) freshLink(ctx context.Context, id string) (link, media string, err error) {
	f, err := a.Get(ctx, id)
	if err != nil || f.MediaURL != "" {
		return f.MediaURL, f.MediaID, err
	}
	for w, err := range a.mediaRecords(ctx, id) {
		if err != nil {
			return "", "", err
		}
		// The url of a media record may be the record's own: data about the
		// file at the API's host, never the file.
		if link := cmp.Or(w.MediaURL, w.URL); !strings.HasPrefix(link, a.dialect.faxes) && strings.Contains(link, "://") {
			return link, w.SID, nil
		}
	}
	return "", "", &fax.APIError{Kind: problem.ErrNotFound, Message: "fax " + id + " has no document: it was deleted, was never stored, or has not arrived yet"}
}

// openLink follows a link to a document. No credentials go with it: storage
// refuses a signed link that carries any. Only where a SignalWire project
// protects its media are they offered, to SignalWire's own hosts, and only once
// the host has asked: first as for the API, then as a bearer token.
func (a faxes) openLink(ctx context.Context, link string, offset int64) (fax.Document, error) {
	return patiently(ctx, a.patience, func() (fax.Document, error) { return a.openOnce(ctx, link, offset) })
}

func (a faxes) openOnce(ctx context.Context, link string, offset int64) (fax.Document, error) {
	u, err := url.Parse(link)
	if err != nil {
		return fax.Document{}, badMedia("the provider's link to the document cannot be read")
	}
	res, err := a.follow(ctx, u, offset, "")
	if err == nil && refused(res) && a.maySignIn(u) {
		basic := (&http.Request{Header: http.Header{}})
		basic.SetBasicAuth(a.user, a.secret())
		for _, authorization := range []string{basic.Header.Get("Authorization"), "Bearer " + a.secret()} {
			_ = res.Body.Close()
			if res, err = a.follow(ctx, u, offset, authorization); err != nil || !refused(res) {
				break
			}
		}
	}
	if err != nil {
		return fax.Document{}, err
	}
	if res.StatusCode == http.StatusRequestedRangeNotSatisfiable && offset > 0 {
		_ = res.Body.Close()
		return a.openOnce(ctx, link, 0)
	}
	doc, err := documentOf(res, offset)
	if err != nil {
		_ = res.Body.Close()
	}
	return doc, err
}

// refused reports whether a server wants credentials, or others.
func refused(res *http.Response) bool {
	return res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden
}

// follow requests a link and what it redirects to, each checked before it is
// asked. Credentials end where the host changes.
func (a faxes) follow(ctx context.Context, u *url.URL, offset int64, authorization string) (*http.Response, error) {
	host := u.Host
	for hop := 0; hop <= maxHops; hop++ {
		if !a.mayFetch(u, hop > 0) {
			return nil, &fax.APIError{
				Kind:    problem.ErrInvalid, // and will stay so
				Message: "the document is at " + clean(u.Scheme+"://"+u.Host, 80) + ", which is not the provider's; nothing was fetched from there",
				Advice:  problem.Say("look at the fax in the provider's console, and tell the provider"),
			}
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, badMedia("the provider's link to the document cannot be read")
		}
		// Compressed on the way, a document has neither a length nor offsets.
		req.Header.Set("Accept-Encoding", "identity")
		if offset > 0 {
			req.Header.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-")
		}
		if authorization != "" && u.Host == host && a.maySignIn(u) {
			req.Header.Set("Authorization", authorization)
		}
		res, err := a.documents.Do(req)
		if err != nil {
			return nil, unreachable(req, err)
		}
		location := res.Header.Get("Location")
		if res.StatusCode < 300 || res.StatusCode > 399 || location == "" {
			return res, nil
		}
		_ = res.Body.Close()
		if u, err = u.Parse(location); err != nil {
			return nil, badMedia("the provider's link to the document redirects to no address")
		}
	}
	return nil, badMedia("the provider's link to the document redirects in a circle")
}

// mayFetch is the list of where documents are: the provider's https hosts, the
// storage that their links redirect to, and the origin that stands for the API
// when one was given.
func (a faxes) mayFetch(u *url.URL, redirected bool) bool {
	if u.User != nil {
		return false
	}
	if a.atOrigin(u) {
		return true
	}
	if u.Scheme != "https" || cmp.Or(u.Port(), "443") != "443" {
		return false
	}
	return inside(u.Hostname(), a.dialect.hosts...) || redirected && inside(u.Hostname(), "amazonaws.com")
}

// maySignIn reports whether u may be shown the credentials when it asks.
func (a faxes) maySignIn(u *url.URL) bool {
	if a.dialect.signIn == "" {
		return false
	}
	return a.atOrigin(u) || u.Scheme == "https" && inside(u.Hostname(), a.dialect.signIn)
}

// atOrigin reports whether u is at the origin that stands for the API.
func (a faxes) atOrigin(u *url.URL) bool {
	return a.origin != nil && u.Scheme == a.origin.Scheme && u.Host == a.origin.Host
}

// documentOf makes a document of an answer, or says why it is none.
func documentOf(res *http.Response, offset int64) (fax.Document, error) {
	doc := fax.Document{
		ContentType: res.Header.Get("Content-Type"),
		Size:        res.ContentLength,
		ETag:        res.Header.Get("ETag"),
	}
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusPartialContent:
		from, length, size, ok := contentRange(res.Header.Get("Content-Range"))
		if !ok || from != offset || res.ContentLength >= 0 && res.ContentLength != length {
			return doc, badMedia("the server sent another part of the document than was asked for")
		}
		doc.Offset, doc.Size = offset, size
	default:
		return doc, mediaRefusal(res)
	}
	kind, _, _ := mime.ParseMediaType(doc.ContentType)
	if strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "xml") || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "html") {
		return doc, badMedia("what came is not a document but " + kind)
	}
	body := bufio.NewReader(res.Body)
	if doc.Offset == 0 {
		// PDF begins with a percent sign, TIFF with a letter, error pages,
		// whatever they call themselves, like this.
		if start, _ := body.Peek(1); len(start) == 1 && strings.ContainsAny(string(start), "<{[") {
			return doc, badMedia("what came is not a document but an error page")
		}
	}
	doc.Body = struct {
		io.Reader
		io.Closer
	}{body, res.Body}
	return doc, nil
}

// contentRange reads "bytes 100-199/200", of which the length is 100; the size is -1 for "*".
// Source: RFC 9110, 14.4.
func contentRange(header string) (from, length, size int64, ok bool) {
	rest, ok := strings.CutPrefix(header, "bytes ")
	span, total, ok2 := strings.Cut(rest, "/")
	start, end, ok3 := strings.Cut(span, "-")
	from, err := strconv.ParseInt(start, 10, 64)
	last, err2 := strconv.ParseInt(end, 10, 64)
	if !ok || !ok2 || !ok3 || err != nil || err2 != nil || from < 0 || last < from {
		return 0, 0, 0, false
	}
	length = last - from + 1
	if total == "*" {
		return from, length, -1, true
	}
	size, err = strconv.ParseInt(total, 10, 64)
	return from, length, size, err == nil && size > last
}

// mediaRefusal is why a document was not sent. Storage explains itself in XML.
func mediaRefusal(res *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	e := refusal(res.StatusCode, res.Header, body, true)
	e.MoreInfo = ""
	if errors.Is(e, problem.ErrNotFound) {
		e.Message, e.Advice = "the document is not there (any more)", problem.Advice{}
	} else if errors.Is(e, problem.ErrAuth) {
		e.Advice = problem.Say("the link has run out or the media are protected: run it again, and check what the credentials may read with %s", problem.Command("whoami"))
	}
	return fmt.Errorf("document: %w", e)
}

// badMedia is an answer, or a link, that leads to no document.
func badMedia(why string) error {
	return &fax.APIError{Kind: problem.ErrUnavailable, Message: why, Advice: problem.Say("run it again; if it stays so, look at the fax in the provider's console")}
}
