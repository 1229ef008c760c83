package receiver

import (
	"net/http"

	"github.com/faxctl/faxctl/pkg/fax"
)

// answer tells the provider what to do with a fax that is coming in. Nothing is
// stored: a fax that never gets further is in the provider's list.
func (r *Receiver) answer(w http.ResponseWriter, req *http.Request) {
	q, err := r.asked(w, req)
	if err != nil {
		r.refuse(w, req, "fax", err)
		return
	}
	outcome := "receive"
	if !r.numbers.has(req.Context(), q.to) {
		outcome = notListed
	} else if !r.cfg.wanted(q.from, q.to) {
		outcome = "reject"
	}
	r.metrics.request("fax", outcome)
	what := "fax announced"
	if q.probe {
		what = "fax URL probed, no fax comes"
	}
	r.log.Info(what, "answer", outcome, "from", fax.MaskPhone(q.from), "to", fax.MaskPhone(q.to))
	r.say(w, outcome == "receive")
}

// asked is what the request asks, if it is the provider's.
func (r *Receiver) asked(w http.ResponseWriter, req *http.Request) (question, error) {
	if err := r.admit(req); err != nil {
		return question{}, err
	}
	form, err := r.form(w, req)
	if err != nil {
		return question{}, err
	}
	if err := r.verify(req, faxPath, form); err != nil {
		return question{}, err
	}
	return parseQuestion(form)
}
