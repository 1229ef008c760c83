package receiver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// label is what the name of a document says that came with a callback, should nothing else
// come to tell of it: the process may end, or the database be lost, once it is kept and
// before its event is. The provider was told that it failed then, and may never call again.
type label struct {
	at      time.Time
	faxID   string // "": nobody could tell
	doubted bool   // it is not simply that of its fax
	suffix  string // with a dot
}

const (
	namedAt = "20060102T150405Z" // with what names begin
	doubts  = ".aside"           // before the suffix
)

// name is another one each time.
func (l label) name() string {
	name := l.at.UTC().Format(namedAt) + "-" + rand.Text() + "-" + l.faxID
	if l.doubted {
		name += doubts
	}
	return name + l.suffix
}

// parseLabel reads a name; false: it tells nothing, as one of an earlier version.
func parseLabel(name string) (label, bool) {
	parts := strings.SplitN(name, "-", 3)
	if len(parts) != 3 {
		return label{}, false
	}
	at, err := time.Parse(namedAt, parts[0])
	id, suffix, dotted := strings.Cut(parts[2], ".")
	if err != nil || !dotted || id != "" && !isWord(id, maxID) {
		return label{}, false
	}
	suffix, doubted := strings.CutPrefix("."+suffix, doubts)
	return label{at, id, doubted, suffix}, true
}

// roomFor refuses documents of a fax of which as many wait as may be kept aside. The database
// sees to that, of all faxes; while nothing can be noted there, whoever sends one callback
// again and again, each time with another document, would fill the shelf.
func (r *Receiver) roomFor(ctx context.Context, faxID string, docs []*upload) error {
	if len(docs) == 0 || r.noted.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, roomLimit)
	defer cancel()
	n := len(docs)
	for name, err := range r.uploads.list(ctx) {
		if err != nil {
			return fmt.Errorf("list the documents that came with callbacks: %w", err)
		}
		if l, told := parseLabel(name); told && l.faxID == faxID {
			n++
		}
	}
	if n > asideMost {
		return refused(http.StatusServiceUnavailable, "full", "%d documents of fax %s wait already, and nobody knows whether another one can be noted", n-len(docs), faxID)
	}
	return nil
}

// unnotedAfter is after how long nobody is about to tell the database of a document. Should
// somebody be, by another clock, both tell the same.
const unnotedAfter = 5 * time.Minute

// takeUp sees to the documents that no event mentions, as their callback could not be
// noted. One that cannot be taken up yet is in nobody's way.
func (r *Receiver) takeUp(ctx context.Context) error {
	var failed error
	for name, err := range r.uploads.list(ctx) {
		if err != nil {
			return errors.Join(failed, fmt.Errorf("list the documents that came with callbacks: %w", err))
		}
		l, told := parseLabel(name)
		if !told || time.Since(l.at) < unnotedAfter {
			continue
		}
		needed, err := r.queue.hasUpload(ctx, name)
		if err == nil && !needed {
			err = r.takeUpOne(ctx, name, l)
		}
		if errors.As(err, new(*refusal)) && time.Since(l.at) > staleAfter { // nobody has made room for it
			r.log.Error("a document that waited for a day is let go, as its callback could not be noted and no more may be kept aside", "fax", l.faxID, "file", name, "error", err)
			r.metrics.request("unnoted", "full")
			err = r.uploads.remove(ctx, name)
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("take up the document %s: %w", name, err))
		}
	}
	return failed
}

// takeUpOne makes a document that of its fax, unless that has it by now, or puts it aside.
func (r *Receiver) takeUpOne(ctx context.Context, name string, l label) error {
	e, err := r.eventOf(ctx, l)
	if err != nil {
		return err
	}
	d := &upload{of: r.uploads, kept: name}
	outcome := "aside"
	if l.doubted {
		err = r.putAside(ctx, e, d, doubt{"not noted", "its callback could not be noted when it came, and there was a doubt about the document"})
	} else {
		outcome, err = r.believe(ctx, e, d)
	}
	if err == nil {
		r.metrics.request("unnoted", outcome)
		r.log.Warn("a document is taken up whose callback could not be noted", "fax", e.FaxID, "file", name, "outcome", outcome)
	}
	return err
}

// eventOf is the event that a document was to be noted with, by the provider's record. A
// provider that was to keep nothing may have none.
func (r *Receiver) eventOf(ctx context.Context, l label) (delivery.Event, error) {
	unknown := delivery.Event{FaxID: l.faxID, Account: r.cfg.Account, Status: fax.Received, Received: l.at.UTC()}
	if l.faxID == "" {
		return unknown, nil
	}
	f, err := r.provider().Faxes.Get(ctx, l.faxID)
	switch {
	case errors.Is(err, problem.ErrNotFound):
		return unknown, nil
	case err != nil:
		return delivery.Event{}, err
	}
	e := fromRecord(f, l.at)
	if !l.doubted {
		e.Status = fax.Received // whose document is here, however slow the record is
	}
	return e, nil
}
