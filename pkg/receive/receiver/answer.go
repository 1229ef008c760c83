package receiver

import (
	"net/http"
	"strings"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/twiml"
)

// answer tells the provider what to do with a fax that is coming in. Nothing is
// stored: a fax that never gets further is in the provider's list.
func (r *Receiver) answer(w http.ResponseWriter, req *http.Request) {
	from, to, probe, err := r.asked(w, req)
	if err != nil {
		r.refuse(w, req, "fax", err)
		return
	}
	document, outcome := r.twiml, "receive"
	switch {
	case !r.ours.has(req.Context(), to):
		document, outcome = twiml.Reject(), "not ours"
	case !r.cfg.wanted(from, to):
		document, outcome = twiml.Reject(), "reject"
	}
	r.metrics.request("fax", outcome)
	what := "fax announced"
	if probe {
		what = "fax URL probed, no fax comes"
	}
	r.log.Info(what, "answer", outcome, "from", fax.MaskPhone(from), "to", fax.MaskPhone(to))
	w.Header().Set("Content-Type", twiml.ContentType)
	_, _ = w.Write(document) // a provider that hangs up asks again
}

// asked is between whom the fax is, if the request is the provider's. A probe is
// a check's question about a fax that does not exist: its id is all zeros.
func (r *Receiver) asked(w http.ResponseWriter, req *http.Request) (from, to string, probe bool, err error) {
	if err := r.admit(req); err != nil {
		return "", "", false, err
	}
	form, err := r.form(w, req)
	if err != nil {
		return "", "", false, err
	}
	if err := r.verify(req, faxPath, form); err != nil {
		return "", "", false, err
	}
	id := form.Get("FaxSid")
	if !isWord(id, maxID) {
		return "", "", false, bad("the FaxSid is missing or no id")
	}
	probe = strings.Trim(strings.TrimPrefix(id, "FX"), "0") == ""
	return text(form.Get("From")), text(form.Get("To")), probe, nil
}
