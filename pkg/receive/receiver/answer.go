package receiver

import (
	"context"
	"fmt"
	"net/http"
	"time"

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
	may := make(chan error, 1) // looked at meanwhile: a provider may wait for 5 s alone
	go func() { may <- r.mayKeep(context.WithoutCancel(req.Context())) }()
	outcome := "receive"
	if !r.numbers.has(req.Context(), q.to) {
		outcome = notListed
	} else if !r.cfg.wanted(q.from, q.to) {
		outcome = "reject"
	}
	if outcome == "receive" {
		if err := <-may; err != nil {
			r.refuse(w, req, "fax", err)
			return
		}
	}
	r.metrics.request("fax", outcome)
	what := "fax announced"
	if q.probe {
		what = "fax URL probed, no fax comes"
	}
	r.log.Info(what, "answer", outcome, "from", fax.MaskPhone(q.from), "to", fax.MaskPhone(q.to))
	r.say(w, outcome == "receive")
}

// soon is how long a question may wait until it is known whether its fax can be kept.
const soon = 3 * time.Second

// mayKeep fails when a fax would be lost: its document is to come with the callback, is
// nowhere else then, and what keeps it is away. Whoever calls asks the fallback URL.
func (r *Receiver) mayKeep(ctx context.Context) error {
	if store := r.cfg.Answer.StoreMedia; store == nil || *store {
		return nil
	}
	place := "disk"
	if r.cfg.Incoming != nil {
		place = "archive"
	}
	ctx, cancel := context.WithTimeout(ctx, soon)
	defer cancel()
	for _, p := range r.health {
		if p.name != "database" && p.name != place {
			continue
		}
		if err := p.look(ctx); err != nil {
			return fmt.Errorf("a document that comes with its callback could not be kept: the %s: %w", p.name, err)
		}
	}
	return nil
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
