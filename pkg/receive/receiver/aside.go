package receiver

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/riverqueue/river"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// doubt is why a document is not simply taken as that of its fax. None: it is.
type doubt struct {
	outcome string // for the metrics: one of a few words
	reason  string // for whoever decides about the document
}

// The doubts that may go away by themselves.
const (
	notListed   = "not ours"
	notCompared = "not compared"
)

// otherBytes is the doubt about a second document of the same fax.
func otherBytes() doubt {
	return doubt{"other bytes", "it is another document than the one that came first"}
}

// unlisted is the doubt about a document for a number that the account has not,
// or that the provider's list leaves out.
func unlisted(e delivery.Event) doubt {
	return doubt{notListed, fmt.Sprintf("it is for %s, which is not in the list of the account's numbers", fax.MaskPhone(e.To))}
}

// notDocument is the doubt about a file that is none, or not all of one.
func notDocument(wrong error) doubt { return doubt{"no document", wrong.Error()} }

// asideArgs is the work on a document that was kept aside: a person looks at it.
type asideArgs struct {
	eventKey
	SHA256 string `json:"sha256"`
}

// Kind names the job in the database.
func (asideArgs) Kind() string { return "aside" }

// aside is a document that came with a rightly signed callback and is not simply
// that of its fax. Of the same bytes for the same fax one file is kept.
type aside struct {
	Event  delivery.Event
	SHA256 string // hex
	File   string // in the folder of uploads
	Size   int64  // bytes
	Doubt  doubt
}

func (a aside) key() asideArgs {
	return asideArgs{eventKey{a.Event.FaxID, a.Event.Status}, a.SHA256}
}

// asideMost is how many documents of the greatest length may be kept aside. Whoever
// has the account's key, and nobody else, can fill so much of the disk. Of one fax as many
// may wait while nothing can be noted: see [Receiver.roomFor].
const asideMost = 16

// setAside commits a document of the folder of uploads to be kept aside. stays
// tells whether its file is the one that is kept: the same bytes may be there
// already. It removes no file, also when there is no room, which is a refusal: only
// the caller knows whether somebody was told that the document is safe.
func (r *Receiver) setAside(ctx context.Context, e delivery.Event, file string, why doubt) (stays bool, err error) {
	sum, size, err := r.uploads.sum(ctx, file)
	if err != nil {
		return false, err
	}
	for {
		kept, err := r.queue.setAside(aside{Event: e, SHA256: sum, File: file, Size: size, Doubt: why}, asideMost*r.cfg.MaxDocument)
		switch {
		case err != nil:
			return false, err
		case kept == "":
			return false, &refusal{http.StatusServiceUnavailable, "full", fmt.Sprintf("as much is kept aside as may be, %d bytes: look at it with %s",
				asideMost*r.cfg.MaxDocument, problem.Command("serve", "jobs", "list").Switch("parked"))}
		case kept != file:
			if there, _, err := r.uploads.sum(ctx, kept); err == nil && there == sum {
				return false, nil
			}
			replaced, err := r.queue.replaceAside(kept, file)
			if err != nil {
				return false, err
			}
			if !replaced { // somebody decided about it meanwhile
				continue
			}
			if err := r.uploads.remove(ctx, kept); err != nil && !errors.Is(err, fs.ErrNotExist) {
				r.log.Warn("what was left of a document stays among the uploads", "file", kept, "error", err)
			}
		}
		r.log.Warn("a document is kept aside", "fax", e.FaxID, "reason", why.reason, "file", file, "bytes", size)
		return true, nil
	}
}

// reconsider works on a document that is kept aside. At first it is parked with the
// reason, for a person to look at; only a number that the provider's list left out is
// looked for again, for an hour, and what could not be compared is compared again. When
// a person has the job run again, it takes the document if it can be taken now.
func (r *Receiver) reconsider(ctx context.Context, job *river.Job[asideArgs]) error {
	a, err := r.queue.aside(ctx, job.Args)
	switch {
	case errors.Is(err, problem.ErrNotFound): // done before a crash, which the job did not survive
		return nil
	case err != nil:
		return err
	case len(job.Errors) == 0 && a.Doubt.outcome != notListed && a.Doubt.outcome != notCompared:
		return r.park(ctx, job.JobRow, errors.New(a.Doubt.reason))
	}
	err = r.takeIn(ctx, a)
	var stays *staysError
	if errors.As(err, &stays) && (stays.outcome != notListed || job.Attempt >= missingAttempts) {
		return r.park(ctx, job.JobRow, err)
	}
	return err
}

// staysError is why a document stays aside.
type staysError struct{ doubt }

// Error implements error.
func (e *staysError) Error() string { return e.reason }

// takeIn makes a document that was kept aside that of its fax, unless that has one.
func (r *Receiver) takeIn(ctx context.Context, a aside) error {
	e := a.Event
	switch wrong := r.uploads.inspect(ctx, a.File); {
	case unsound(wrong):
		return &staysError{notDocument(wrong)}
	case wrong != nil:
		return wrong
	case e.FaxID == "" || e.Status == "", !e.HasDocument():
		return &staysError{a.Doubt}
	}
	listed, blind := r.numbers.listed(ctx, e.To)
	if blind { // who sent it is told by the list alone
		return fmt.Errorf("whether %s is a number of the account's: %w: the list cannot be had", fax.MaskPhone(e.To), problem.ErrUnavailable)
	}
	if !listed {
		return &staysError{unlisted(e)}
	}
	taken, err := r.queue.take(a)
	if err != nil || taken {
		return err
	}
	switch like, err := r.compare(ctx, a); {
	case err != nil:
		return err
	case like == lost:
		return r.restore(a)
	case like == other:
		return &staysError{otherBytes()}
	}
	if err := r.queue.dropAside(a); err != nil {
		return err
	}
	needed, err := r.queue.hasUpload(ctx, a.File) // by a fetch that kept it aside and was cut off
	if err != nil || needed {
		return err
	}
	return r.uploads.remove(ctx, a.File)
}

const (
	insertAside = `INSERT INTO receiver_aside (fax_id, status, sha256, file, size, event, outcome, reason) SELECT $1, $2, $3, $4, CAST($5 AS bigint), $6, $7, $8
		WHERE (SELECT coalesce(sum(size), 0) FROM receiver_aside) + CAST($5 AS bigint) <= $9 ON CONFLICT DO NOTHING`
	selectAside = `SELECT event, file, size, outcome, reason FROM receiver_aside WHERE fax_id = $1 AND status = $2 AND sha256 = $3`
	moveAside   = `UPDATE receiver_aside SET file = $1 WHERE file = $2`
	deleteAside = `DELETE FROM receiver_aside WHERE file = $1`
	dropUpload  = `UPDATE receiver_event SET upload = '' WHERE upload = $1`
	allFiles    = `SELECT fax_id, status, '', upload, '' FROM receiver_event WHERE upload <> ''
		UNION ALL SELECT fax_id, status, sha256, file, reason FROM receiver_aside`
)

// setAside commits a document that is kept aside, and the job that is about
// it, and names the file that is kept for it: another one when the same bytes
// are there already, none when all of them together would be more than most
// bytes.
func (q *queue) setAside(a aside, most int64) (file string, err error) {
	event, err := json.Marshal(a.Event)
	if err != nil {
		return "", err
	}
	err = q.commits.do(func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		n, err := q.db.exec(ctx, tx, insertAside, a.Event.FaxID, string(a.Event.Status), a.SHA256, a.File, a.Size, string(event),
			a.Doubt.outcome, a.Doubt.reason, most)
		if err != nil || n == 0 {
			return nil, err
		}
		return []river.InsertManyParams{{Args: a.key(), InsertOpts: &river.InsertOpts{Queue: fetchQueue, MaxAttempts: fetchAttempts}}}, nil
	})
	if err != nil {
		return "", err
	}
	kept, err := q.aside(context.Background(), a.key()) // as the commit, it cannot be hurried
	if errors.Is(err, problem.ErrNotFound) {
		return "", nil
	}
	return kept.File, err
}

// replaceAside commits that a file with the same bytes stands for one that was
// lost, unless that is not kept aside any more.
func (q *queue) replaceAside(lost, file string) (done bool, err error) {
	err = q.commits.do(func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		n, err := q.db.exec(ctx, tx, moveAside, file, lost)
		done = n > 0
		return nil, err
	})
	return done, err
}

// aside finds a document that was kept aside. fax.ErrNotFound: there is none.
func (q *queue) aside(ctx context.Context, key asideArgs) (aside, error) {
	a := aside{SHA256: key.SHA256}
	var event string
	err := q.db.one(ctx, selectAside, []any{key.FaxID, string(key.Status), key.SHA256},
		&event, &a.File, &a.Size, &a.Doubt.outcome, &a.Doubt.reason)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("a document kept aside of fax %s: %w", key.FaxID, problem.ErrNotFound)
	}
	if err == nil {
		err = json.Unmarshal([]byte(event), &a.Event)
	}
	return a, err
}

// take commits that a document which was kept aside is that of its event,
// and the jobs that follow, unless the event has one.
func (q *queue) take(a aside) (taken bool, err error) {
	err = q.commits.do(func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		fresh, jobs, err := q.put(ctx, tx, a.Event, a.File)
		if taken = fresh || len(jobs) > 0; err != nil || !taken {
			return nil, err
		}
		_, err = q.db.exec(ctx, tx, deleteAside, a.File)
		return jobs, err
	})
	return taken, err
}

// restore commits that a document, kept aside or not, is archived again in the
// place of the same bytes, which the archive has lost. fax.ErrUnavailable: those
// are not what the event has now.
func (q *queue) restore(a aside) error {
	return q.commits.do(func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		n, err := q.db.exec(ctx, tx, putBack, a.File, a.Event.FaxID, string(a.Event.Status), a.SHA256)
		if err == nil && n == 0 {
			err = fmt.Errorf("the document of fax %s: %w: another one came just now", a.Event.FaxID, problem.ErrUnavailable)
		}
		if err != nil {
			return nil, err
		}
		_, err = q.db.exec(ctx, tx, deleteAside, a.File)
		return fetching(a.Event, a.File), err
	})
}

// dropAside commits that the file of a document is not needed any more.
func (q *queue) dropAside(a aside) error {
	return q.commits.do(func(ctx context.Context, tx *sql.Tx) ([]river.InsertManyParams, error) {
		_, err := q.db.exec(ctx, tx, deleteAside, a.File)
		return nil, err
	})
}

// waiting is a document that waits for a job.
type waiting struct{ file, reason string }

// files are the documents that wait, by the job they wait for.
func (q *queue) files(ctx context.Context) (map[asideArgs]waiting, error) {
	all := map[asideArgs]waiting{}
	err := q.db.each(ctx, allFiles, nil, func(scan func(...any) error) error {
		var key asideArgs
		var w waiting
		err := scan(&key.FaxID, &key.Status, &key.SHA256, &w.file, &w.reason)
		all[key] = w
		return err
	})
	return all, err
}
