package receiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// callback takes the news of how a fax went. The answer is 204 only when the
// news, and the documents that came with it, will survive a crash.
func (r *Receiver) callback(w http.ResponseWriter, req *http.Request) {
	e, outcome, err := r.told(w, req)
	if err != nil {
		r.refuse(w, req, "callback", err)
		return
	}
	r.metrics.request("callback", outcome)
	r.log.Info("fax "+string(e.Status), "fax", e.FaxID, "from", fax.MaskPhone(e.From), "to", fax.MaskPhone(e.To), "outcome", outcome)
	w.WriteHeader(http.StatusNoContent)
}

// told verifies a callback and makes it last. From here on no document of it is
// lost: what is not simply that of its fax is kept aside.
func (r *Receiver) told(w http.ResponseWriter, req *http.Request) (_ delivery.Event, outcome string, err error) {
	if err := r.admit(req); err != nil {
		return delivery.Event{}, "", err
	}
	begun := time.Now()
	form, docs, failed := r.body(w, req)
	return r.inTime(begun, func() (delivery.Event, string, error) {
		if failed != nil {
			return delivery.Event{}, "", errors.Join(failed, r.salvage(req, form, docs, failed))
		}
		return r.commit(req, form, docs)
	})
}

// commit makes a callback durable, with the documents that came whole.
func (r *Receiver) commit(req *http.Request, form url.Values, docs []*upload) (_ delivery.Event, outcome string, err error) {
	ctx := context.WithoutCancel(req.Context()) // what has come is kept, also when the provider hangs up
	e, believed, why, err := r.accept(req, form, len(docs))
	if err != nil {
		discard(ctx, docs)
		return delivery.Event{}, "", err
	}
	if err := r.roomFor(ctx, e.FaxID, docs); err != nil {
		discard(ctx, docs)
		return delivery.Event{}, "", err
	}
	doc, asides, err := makeAllDurable(ctx, e.FaxID, docs, why)
	if err != nil {
		discard(ctx, docs)
		return delivery.Event{}, "", err
	}
	for _, a := range asides {
		if err = r.putAside(ctx, e, a.upload, a.why); err != nil {
			break
		}
		outcome = a.why.outcome
	}
	if err == nil && believed {
		var first string
		first, err = r.believe(ctx, e, doc)
		outcome = cmp.Or(outcome, first)
	}
	// When a commit fails nobody knows whether it was carried out, so the
	// documents stay; those that nothing needs are taken up later.
	known := errors.As(err, new(*refusal)) // not a failure: what was committed is known
	if known {
		r.discardUnneeded(ctx, docs)
	}
	r.noted.Store(err == nil || known)
	if err != nil && !known {
		r.missed.Store(true)
	}
	return e, outcome, err
}

// salvage keeps what came whole of a callback that was not: documents that were
// followed by one that is too long, or by nothing, and the news without its document.
// Only the provider's counts, whose fields came first. The answer stays a refusal.
func (r *Receiver) salvage(req *http.Request, form url.Values, docs []*upload, why error) error {
	if len(docs) == 0 {
		return r.withoutDocument(req, form, why)
	}
	if !r.signed(req, donePath, form) {
		discard(req.Context(), docs)
		return nil
	}
	e, _, err := r.commit(req, form, docs)
	if err == nil {
		r.log.Error("not all documents of a fax were taken; those that came whole are kept", "fax", e.FaxID, "kept", len(docs), "error", why)
	}
	return err
}

// withoutDocument records news whose document was too long to be taken, as of any
// such fax the record is kept. The answer stays a refusal, since the document is not
// here; the provider is asked whether it has one.
func (r *Receiver) withoutDocument(req *http.Request, form url.Values, why error) error {
	var no *refusal
	if !errors.As(why, &no) || no.status != http.StatusRequestEntityTooLarge || len(form) == 0 {
		return nil
	}
	e, believed, _, err := r.accept(req, form, 1)
	if err != nil || !believed {
		return nil //nolint:nilerr // it is refused already
	}
	if _, err := r.queue.record(e, ""); err != nil {
		return err
	}
	r.log.Error("the document of a fax was not taken; its record is kept", "fax", e.FaxID, "error", why)
	return nil
}

// putAside keeps a document of a callback aside, once.
func (r *Receiver) putAside(ctx context.Context, e delivery.Event, d *upload, why doubt) error {
	stays, err := r.setAside(ctx, e, d.name(), why)
	if err == nil && !stays {
		d.discard(ctx)
	}
	return err
}

// believe records news, with the document that is its fax's, if it brought one.
func (r *Receiver) believe(ctx context.Context, e delivery.Event, doc *upload) (outcome string, err error) {
	fresh, err := r.queue.record(e, doc.name())
	switch {
	case err != nil:
		return "", err
	case fresh:
		return "recorded", nil
	case doc == nil:
		return "repeated", nil
	}
	return r.repeated(ctx, e, doc)
}

func (r *Receiver) discardUnneeded(ctx context.Context, docs []*upload) {
	for _, d := range docs {
		if needed, err := r.queue.hasUpload(ctx, d.name()); err == nil && !needed {
			d.discard(ctx)
		}
	}
}

// asideUpload is a document on its way in that is not simply that of its fax.
type asideUpload struct {
	*upload
	why doubt
}

// makeAllDurable makes documents durable. The first one is that of the fax, unless there is a
// doubt about the whole callback, or it is no document.
func makeAllDurable(ctx context.Context, faxID string, docs []*upload, why doubt) (doc *upload, asides []asideUpload, err error) {
	for i, d := range docs {
		wrong, err := d.makeDurable(ctx, faxID, why.outcome != "" || i > 0)
		switch {
		case err != nil:
			return nil, nil, err
		case why.outcome != "":
			asides = append(asides, asideUpload{d, why})
		case wrong != nil:
			asides = append(asides, asideUpload{d, notDocument(wrong)})
		case i > 0:
			asides = append(asides, asideUpload{d, doubt{"another", fmt.Sprintf("it came as document %d of %d of one callback", i+1, len(docs))}})
		default:
			doc = d
		}
	}
	return doc, asides, nil
}

// repeated is what to do about the document of news that was known: the first one
// may have come without it, or be lost; the same bytes are nothing new, and others
// replace nothing.
func (r *Receiver) repeated(ctx context.Context, e delivery.Event, doc *upload) (outcome string, err error) {
	needed, err := r.queue.hasUpload(ctx, doc.name())
	if err != nil {
		return "", err
	}
	if needed {
		return "recorded", nil
	}
	a := aside{Event: e, File: doc.name()}
	if a.SHA256, a.Size, err = r.uploads.sum(ctx, a.File); err != nil {
		return "", err
	}
	like, err := r.compare(ctx, a)
	if err == nil && like == lost {
		err = r.restore(a)
	}
	why := otherBytes()
	switch {
	case err != nil:
		why = doubt{notCompared, fmt.Sprintf("it could not be compared with the document that came first: %v", err)}
	case like == lost:
		return "recorded", nil
	case like == same:
		doc.discard(ctx)
		return "repeated", nil
	}
	return why.outcome, r.putAside(ctx, e, doc, why)
}

// likeness is what a document is to the one that its event has.
type likeness int

const (
	other likeness = iota // another one, or there is nothing to compare it with
	same                  // it has the same bytes, which are safe
	lost                  // it had the same bytes, which the archive has no more
)

// compare compares a document with the one that its event has, where that is kept:
// somebody may have removed it. fax.ErrUnavailable: the event has none.
func (r *Receiver) compare(ctx context.Context, a aside) (likeness, error) {
	for {
		e, upload, err := r.queue.load(ctx, a.Event.FaxID, a.Event.Status)
		switch {
		case err != nil:
			return other, err
		case upload == "" && e.SHA256 == "":
			return other, fmt.Errorf("the document of fax %s: %w", e.FaxID, problem.ErrUnavailable)
		case upload == "" && e.SHA256 != a.SHA256:
			return other, nil
		case upload == "":
			has, err := r.cfg.Archive.Has(ctx, e.FaxID, a.SHA256)
			if err == nil && !has {
				return lost, nil
			}
			return same, err
		}
		known, _, err := r.uploads.sum(ctx, upload)
		if err == nil && known == a.SHA256 {
			return same, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return other, err
		}
		if _, again, err := r.queue.load(ctx, a.Event.FaxID, a.Event.Status); err != nil || again == upload { // not archived meanwhile
			return other, err
		}
	}
}

// restore has a document archived again that the archive has lost.
func (r *Receiver) restore(a aside) error {
	if err := r.queue.restore(a); err != nil {
		return err
	}
	r.log.Warn("the archive has lost a document; the same bytes came again and are archived", "fax", a.Event.FaxID, "file", a.File)
	return nil
}

// accept decides whether a callback is to be believed, and reads it. It is refused
// when it is not the provider's, or when nothing is lost with it: news without a
// document are in the provider's list. News whose document should have come along and
// did not is refused: the provider keeps no copy, and may try again. With documents,
// why tells of a doubt about all of them, and believed whether the news counts.
func (r *Receiver) accept(req *http.Request, form url.Values, docs int) (e delivery.Event, believed bool, why doubt, err error) {
	if err := r.verify(req, donePath, form); err != nil {
		return delivery.Event{}, false, doubt{}, err
	}
	e, unread := parseEvent(form, time.Now())
	mine := unread == nil && r.numbers.has(req.Context(), e.To)
	switch {
	case unread != nil && docs == 0:
		return e, false, doubt{}, bad("%v", unread)
	case unread != nil:
		return e, false, doubt{"malformed", unread.Error()}, nil //nolint:nilerr // it is the doubt
	case !mine && docs == 0:
		return e, false, doubt{}, forbidden(notListed, "%s", unlisted(e).reason)
	case !mine:
		return e, false, unlisted(e), nil
	case docs == 0 && r.cfg.Answer.comesAlong() && isMultipart(req) && e.HasDocument():
		return e, false, doubt{}, bad("a multipart body without its document")
	case docs > 0 && !e.HasDocument():
		return e, true, doubt{"no fax", fmt.Sprintf("it came with a fax that is %s", e.Status)}, nil
	case docs > 0 && !r.cfg.Answer.comesAlong():
		return e, true, doubt{"not asked for", "it came with the callback, which was not asked for"}, nil
	}
	return e, true, doubt{}, nil
}

// body reads a callback in either of its two forms.
func (r *Receiver) body(w http.ResponseWriter, req *http.Request) (url.Values, []*upload, error) {
	if isMultipart(req) {
		from, err := r.strangers.Enter(w, req)
		if err != nil {
			return nil, nil, err
		}
		defer from.Leave()
		return r.uploads.read(from, boundary(req), func(form url.Values) bool { return r.signed(req, donePath, form) })
	}
	form, err := r.form(w, req)
	return form, nil, err
}

func isMultipart(req *http.Request) bool {
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	return err == nil && kind == "multipart/form-data"
}

// boundary is what separates the parts of a multipart body.
func boundary(req *http.Request) string {
	_, params, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	return params["boundary"]
}
