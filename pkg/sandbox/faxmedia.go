package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// mediaRoot is where documents are, apart from the API as a content network
// is.
const mediaRoot = "/media-cdn"

// linkLife is how long a pre-signed link opens a document.
const linkLife = 2 * time.Hour

// MediaAuth is what SignalWire asks of who fetches a document.
type MediaAuth string

// The degrees of protection.
const (
	PublicMedia MediaAuth = ""       // nothing
	BasicMedia  MediaAuth = "basic"  // the account's credentials, either way
	BearerMedia MediaAuth = "bearer" // the API token as a bearer
)

// mediaBody is what is known of a document, on the wire.
func (s *Sandbox) mediaBody(r *http.Request, f faxRow) map[string]any {
	id, media := s.dialect.id("FX", f.ID), s.dialect.id("ME", f.MediaID)
	body := map[string]any{
		"sid": media, "fax_sid": id, "account_sid": s.dialect.account.Account,
		"content_type": f.ContentType,
		"date_created": iso8601(f.Created), "date_updated": iso8601(f.Created),
		"url": s.dialect.base(r) + s.faxURI("/"+id+"/Media/"+media),
	}
	if s.dialect.name == SignalWire {
		body["media_url"] = s.newFaxWriter(r).mediaURL(f)
	}
	return body
}

// secondMedia is a fax as the owner of its second document.
func (s *Sandbox) secondMedia(f faxRow) (faxRow, bool) {
	if s.options.Quirks.Media != "two" || f.MediaID == "" {
		return f, false
	}
	sum := sha256.Sum256([]byte(f.MediaID))
	f.MediaID = hex.EncodeToString(sum[:16])
	return f, true
}

// hasMedia reports whether a document of that id belongs to the fax.
func (s *Sandbox) hasMedia(f faxRow, id string) bool {
	second, two := s.secondMedia(f)
	return f.MediaID != "" && id == s.dialect.id("ME", f.MediaID) || two && id == s.dialect.id("ME", second.MediaID)
}

func (s *Sandbox) listMedia(r *http.Request) (reply, error) {
	f, err := s.findFax(r)
	if err != nil {
		return reply{}, err
	}
	p, err := s.newPage(r, s.faxURI("/"+r.PathValue("id")+"/Media"))
	if err != nil {
		return reply{}, err
	}
	rows, of := []any{}, run{}
	if f.MediaID != "" && f.seq < p.cursor {
		rows, of = append(rows, s.mediaBody(r, f)), run{first: f.seq, last: f.seq, n: 1}
		if second, two := s.secondMedia(f); two {
			rows = append(rows, s.mediaBody(r, second))
		}
	}
	body := s.faxEnvelope(r, p, "media", of)
	body["media"] = rows
	return ok(body), nil
}

func (s *Sandbox) getMedia(r *http.Request) (reply, error) {
	f, err := s.findFax(r)
	if err != nil {
		return reply{}, err
	}
	if !s.hasMedia(f, r.PathValue("media")) {
		return reply{}, notFound(r)
	}
	if second, two := s.secondMedia(f); two && r.PathValue("media") == s.dialect.id("ME", second.MediaID) {
		f = second
	}
	return ok(s.mediaBody(r, f)), nil
}

// deleteMedia removes the document; the record stays.
func (s *Sandbox) deleteMedia(r *http.Request) (reply, error) {
	_, err := s.changeFax(r.Context(), s.dialect.hex("FX", r.PathValue("id")), func(f *Fax) error {
		if !terminal(f.Status) {
			return errInProgress
		}
		if f.MediaID == "" || r.PathValue("media") != s.dialect.id("ME", f.MediaID) {
			return notFound(r)
		}
		f.MediaID, f.NoMedia = "", true
		return nil
	})
	if err != nil {
		return reply{}, unfinished(missing(r, err))
	}
	return reply{status: http.StatusNoContent}, nil
}

// mediaURL is the address of the document itself. At Twilio it opens for two
// hours, to anyone; at SignalWire for ever, to those the project lets.
func (w *faxWriter) mediaURL(f faxRow) string {
	start := len(w.b)
	w.link(w.d.id("FX", f.ID), w.d.id("ME", f.MediaID), f.ContentType)
	return string(w.b[start:])
}

// link writes mediaURL.
func (w *faxWriter) link(id, media, contentType string) {
	w.write(w.origin)
	start := len(w.b)
	w.write(mediaRoot, "/", id, "/", media, ".", path.Base(contentType))
	if w.d.name != SignalWire {
		seal := w.d.sign(w.expires, w.b[start:])
		w.write("?Expires=", w.expires, "&Signature=")
		w.b = hex.AppendEncode(w.b, seal[:])
	}
}

// sign seals a link. A page of a list has a thousand of them and there is
// nothing to steal, so a hash over the token does in place of an HMAC.
func (d dialect) sign(expires string, path []byte) (seal [20]byte) {
	var room [256]byte
	text := append(room[:0], d.account.Token...)
	text = append(append(text, 0), path...)
	text = append(append(text, 0), expires...)
	sum := sha256.Sum256(text)
	copy(seal[:], sum[:])
	return seal
}

// refusal is an error as storage explains it, in XML.
type refusal struct {
	status        int
	code, message string
}

func (f refusal) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(f.status)
	_, _ = fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s</Message></Error>\n", f.code, f.message)
}

// download serves a document, or parts of it.
func (s *Sandbox) download(r *http.Request) (reply, error) {
	if refused := s.admitMedia(r); refused != nil {
		return reply{body: *refused}, nil
	}
	f, err := s.findFax(r)
	name, _, _ := strings.Cut(r.PathValue("file"), ".")
	if err != nil || !s.hasMedia(f, name) {
		var known failure
		if err != nil && !errors.As(err, &known) {
			return reply{}, err
		}
		return reply{body: refusal{http.StatusNotFound, "NoSuchKey", "The specified key does not exist."}}, nil
	}
	data, err := s.documentOf(r.Context(), f)
	if err != nil {
		return reply{}, err
	}
	return reply{body: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256(data)
		w.Header().Set("Content-Type", f.ContentType)
		w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
		http.ServeContent(w, r, "", f.Created, bytes.NewReader(data))
	})}, nil
}

// admitMedia is nil when the request may have the document.
func (s *Sandbox) admitMedia(r *http.Request) *refusal {
	authorization := r.Header.Get("Authorization")
	if s.dialect.name == SignalWire && s.options.MediaAuth != PublicMedia {
		bearer := same(authorization, "Bearer "+s.dialect.account.Token)
		basic := s.dialect.account.rights(r) != nothing
		if bearer || basic && s.options.MediaAuth == BasicMedia {
			return nil
		}
		if authorization == "" {
			return &refusal{http.StatusUnauthorized, "Unauthorized", "Media of this project are protected"}
		}
		return &refusal{http.StatusForbidden, "Forbidden", "These credentials do not open the media of this project"}
	}
	if authorization != "" {
		return &refusal{http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed; only the Signature query string parameter or the Authorization header should be specified"}
	}
	if s.dialect.name == SignalWire {
		return nil
	}
	expires := r.Form.Get("Expires")
	seal := s.dialect.sign(expires, []byte(r.URL.Path))
	if !same(r.Form.Get("Signature"), hex.EncodeToString(seal[:])) {
		return &refusal{http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."}
	}
	if at, err := strconv.ParseInt(expires, 10, 64); err != nil || s.now().Unix() >= at {
		refused := expiredLink()
		return &refused
	}
	return nil
}

func expiredLink() refusal {
	return refusal{http.StatusForbidden, "AccessDenied", "Request has expired"}
}

// documentOf is what was transmitted, or what is drawn in its place.
func (s *Sandbox) documentOf(ctx context.Context, f faxRow) ([]byte, error) {
	if f.document != "" {
		return s.state.document(ctx, f.document)
	}
	seed, err := strconv.ParseUint(f.ID[16:], 16, 64)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = paper.Write(&b, paper.Kind(f.ContentType), paper.Sheet{
		Station: f.Station, From: f.From, To: f.To, Time: f.Created, Pages: f.Pages, Seed: seed,
		Quality: paper.Quality(f.Quality), Size: paper.Size(f.PageSize), Bytes: f.Bytes,
	})
	return b.Bytes(), err
}
