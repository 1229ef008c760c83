package receiver

import (
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// callback takes the news of how a fax went. The answer is 204 only when the
// news, and the document that came with it, will survive a crash.
func (r *Receiver) callback(w http.ResponseWriter, req *http.Request) {
	e, fresh, err := r.told(w, req)
	if err != nil {
		r.refuse(w, req, "callback", err)
		return
	}
	outcome := "recorded"
	if !fresh {
		outcome = "repeated"
	}
	r.metrics.request("callback", outcome)
	r.log.Info("fax "+string(e.Status), "fax", e.FaxID, "from", fax.MaskPhone(e.From), "to", fax.MaskPhone(e.To), "outcome", outcome)
	w.WriteHeader(http.StatusNoContent)
}

// told verifies a callback and makes it last.
func (r *Receiver) told(w http.ResponseWriter, req *http.Request) (_ Event, fresh bool, err error) {
	if err := r.admit(req); err != nil {
		return Event{}, false, err
	}
	form, upload, err := r.body(w, req)
	if err != nil {
		return Event{}, false, err
	}
	e, err := r.accept(req, form, upload)
	if err == nil {
		err = upload.keep()
	}
	if err != nil {
		upload.discard()
		return Event{}, false, err
	}
	// When the commit fails nobody knows whether it was carried out, so the
	// document stays; the next start removes it if no event needs it.
	if fresh, err = r.queue.record(e, upload.name()); err != nil {
		return Event{}, false, err
	}
	if upload != nil && !fresh { // it may have been told without its document before
		if needed, err := r.queue.hasUpload(req.Context(), upload.name()); err == nil && !needed {
			upload.discard()
		}
	}
	return e, fresh, nil
}

// accept decides whether a callback is to be believed, and reads it. News
// whose document should have come along and did not is refused: the provider
// keeps no copy.
func (r *Receiver) accept(req *http.Request, form url.Values, doc *upload) (Event, error) {
	if err := r.verify(req, donePath, form); err != nil {
		return Event{}, err
	}
	e, err := parseEvent(form, time.Now())
	_, comesAlong := boundary(req)
	switch {
	case err != nil:
		return Event{}, bad("%v", err)
	case doc != nil && !e.hasDocument():
		return Event{}, bad("a document with a fax that is %s", e.Status)
	case doc == nil && comesAlong && e.hasDocument():
		return Event{}, bad("a multipart body without its document")
	case !r.ours.has(req.Context(), e.To):
		return Event{}, forbidden("not ours", "it is for %s, which is not a number of this account", fax.MaskPhone(e.To))
	}
	return e, nil
}

// body reads a callback in either of its two forms.
func (r *Receiver) body(w http.ResponseWriter, req *http.Request) (url.Values, *upload, error) {
	if between, ok := boundary(req); ok {
		from, err := r.strangers.enter(w, req)
		if err != nil {
			return nil, nil, err
		}
		defer from.leave()
		return r.uploads.read(from, between, func(form url.Values) bool { return r.signed(req, donePath, form) })
	}
	form, err := r.form(w, req)
	return form, nil, err
}

// boundary is what separates the parts of a multipart body; ok tells whether it
// is one.
func boundary(req *http.Request) (between string, ok bool) {
	kind, params, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	return params["boundary"], err == nil && kind == "multipart/form-data"
}
