package receiver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// The jobs. Each names an event by its key; the event itself is in the
// database. All are unique: the same work is not queued twice.
type (
	backfillArgs struct{} // look for events of which we were not told
	pruneArgs    struct{} // delete what the provider need not keep any more
	forgetArgs   struct{} // delete what we need not know any more
)

// fetchArgs bring the document into the archive. One that came after its event is
// named: whatever becomes of the job before, this is another.
type fetchArgs struct {
	eventKey
	Upload string `json:"upload,omitempty"`
}

type eventKey struct {
	FaxID  string     `json:"fax_id"`
	Status fax.Status `json:"status"`
}

// Kind names the job in the database.
func (fetchArgs) Kind() string { return "fetch" }

func (backfillArgs) Kind() string { return "backfill" }
func (pruneArgs) Kind() string    { return "prune" }
func (forgetArgs) Kind() string   { return "forget" }

// The queues. Programs and servers of the operator may be slow; they must not
// keep documents waiting, and servers of mail neither of them.
const (
	fetchQueue   = "fetch"
	deliverQueue = "deliver"
	mailQueue    = "mail"
	upkeepQueue  = "upkeep"
)

// mostMails is how many mails are handed in at once, which servers take few of from
// the same sender.
const mostMails = 4

// How often a document is tried before the job is parked: a provider may be
// away for two days, but a fax it does not have after an hour will not come.
const (
	fetchAttempts   = 60
	missingAttempts = 12
)

func options(queue string, attempts int) *river.InsertOpts {
	return &river.InsertOpts{Queue: queue, MaxAttempts: attempts, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// fetching is the job that brings a document; upload names one that came after
// its event.
func fetching(e delivery.Event, upload string) []river.InsertManyParams {
	return []river.InsertManyParams{{Args: fetchArgs{eventKey{e.FaxID, e.Status}, upload}, InsertOpts: options(fetchQueue, fetchAttempts)}}
}

// follow is what has to be done about a new event, which is committed with it.
func (r *Receiver) follow(ctx context.Context, tx *sql.Tx, e delivery.Event) ([]river.InsertManyParams, error) {
	if e.HasDocument() {
		return fetching(e, ""), nil
	}
	if e.Status.Terminal() {
		return r.deliver(ctx, tx, delivery.News{Event: e})
	}
	return nil, nil
}

// worker makes a River worker of a function.
type worker[A river.JobArgs] struct {
	river.WorkerDefaults[A]
	work func(context.Context, *river.Job[A]) error
}

// Work implements river.Worker. Work that is cut off because the receiver ends
// is no attempt: it goes on at the next start.
func (w worker[A]) Work(ctx context.Context, job *river.Job[A]) error {
	err := w.work(ctx, job)
	if err != nil && cutOff(ctx) {
		return river.JobSnooze(0)
	}
	return err
}

// cutOff tells the end of the receiver from a job's own time limit.
func cutOff(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// Timeout implements river.Worker. River would count from when it hands a job over, which
// may have to wait for its turn; and what it takes for lost may run still.
func (w worker[A]) Timeout(*river.Job[A]) time.Duration { return -1 }

// upkeepLimit is how long what comes back by itself may take.
const upkeepLimit = 50 * time.Minute

// upkeep makes a worker of what comes back by itself. A run that failed is told
// of and done with: the next one does the same work, and what is parked is for a
// person to decide about.
func upkeep[A river.JobArgs](r *Receiver, do func(context.Context) error) worker[A] {
	return worker[A]{work: func(ctx context.Context, job *river.Job[A]) error {
		ctx, cancel := context.WithTimeout(ctx, upkeepLimit)
		defer cancel()
		err := do(ctx)
		if err == nil || cutOff(ctx) {
			return err
		}
		r.metrics.request(job.Kind, "failed")
		log := r.log
		if hint := problem.AdviceOf(err); !hint.Empty() {
			log = log.With("hint", hint)
		}
		log.Error(job.Kind+" failed", "error", err)
		return nil
	}}
}

// documentLimit is how long work on a document may take, once it has its turn.
const documentLimit = 15 * time.Minute

func (q *queue) config(r *Receiver) *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, worker[fetchArgs]{work: serving(r, documentLimit, r.fetch)})
	river.AddWorker(workers, worker[asideArgs]{work: serving(r, documentLimit, r.reconsider)})
	for _, name := range delivery.Names() {
		river.AddWorkerArgs(workers, deliverArgs{delivery: name}, r.deliverer(name))
	}
	river.AddWorker(workers, upkeep[backfillArgs](r, r.backfill))
	river.AddWorker(workers, upkeep[pruneArgs](r, r.prune))
	river.AddWorker(workers, upkeep[forgetArgs](r, r.forget))
	queues := map[string]river.QueueConfig{upkeepQueue: {MaxWorkers: 1}}
	for name, n := range slots(r.cfg.Jobs) {
		queues[name] = river.QueueConfig{MaxWorkers: q.db.claims(n)}
	}
	return &river.Config{
		Logger:            slog.New(quiet{r.log.Handler(), &r.rare}),
		ErrorHandler:      failures{r},
		FetchCooldown:     q.db.cooldown,
		FetchPollInterval: 250 * time.Millisecond,
		PeriodicJobs:      r.periodic(),
		PollOnly:          true, // SQLite announces nothing, and a PgBouncer passes nothing on
		Queues:            queues,
		RetryPolicy:       patience{r.cfg.Retry},
		Workers:           workers,

		// What was done is known by the event; what is parked stays until
		// somebody decides about it.
		CompletedJobRetentionPeriod: time.Hour,
		CancelledJobRetentionPeriod: -1,
		DiscardedJobRetentionPeriod: -1,
	}
}

// upkeeping is how what comes back by itself is queued, once at a time. A finished one must
// not be in the way of the next.
func upkeeping() *river.InsertOpts {
	return &river.InsertOpts{Queue: upkeepQueue, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}}}
}

// periodic are the jobs that come back by themselves, and at the start.
func (r *Receiver) periodic() []*river.PeriodicJob {
	every := func(interval time.Duration, args river.JobArgs) *river.PeriodicJob {
		return river.NewPeriodicJob(river.PeriodicInterval(interval), func() (river.JobArgs, *river.InsertOpts) { return args, upkeeping() },
			&river.PeriodicJobOpts{RunOnStart: true})
	}
	all := []*river.PeriodicJob{every(24*time.Hour, forgetArgs{})}
	if r.cfg.Backfill > 0 {
		all = append(all, every(r.cfg.Backfill, backfillArgs{}))
	}
	if r.cfg.Prune != nil {
		all = append(all, every(24*time.Hour, pruneArgs{}))
	}
	return all
}

// fetch brings the document of a fax into the archive. What will stay wrong is
// parked at once, for somebody to look at, and what is missing after an hour;
// all else is tried again.
func (r *Receiver) fetch(ctx context.Context, job *river.Job[fetchArgs]) error {
	err := r.bring(ctx, job)
	if errors.As(err, new(*fetch.TooLargeError)) {
		err = problem.With(err, problem.Say("start the receiver with a larger %s, then: %s", problem.Field("max-document"), problem.Command("serve", "jobs", "retry").Arg("ID")))
	}
	missing := errors.Is(err, problem.ErrNotFound) && job.Attempt >= missingAttempts
	if missing || hopeless(err) {
		return r.park(ctx, job.JobRow, err)
	}
	return err
}

// hopeless tells what is refused here, such as a link to elsewhere, from what a
// server refuses: that may be over with tomorrow.
func hopeless(err error) bool {
	var answer *fax.APIError
	return errors.Is(err, problem.ErrInvalid) && (!errors.As(err, &answer) || answer.Status == 0)
}

// bring gets the document that came with the callback, or the provider's.
func (r *Receiver) bring(ctx context.Context, job *river.Job[fetchArgs]) error {
	e, upload, err := r.queue.load(ctx, job.Args.FaxID, job.Args.Status)
	if err != nil || !e.Archived.IsZero() && upload == "" { // done before a crash, which the job did not survive
		return err
	}
	record, err := r.provider().Faxes.Get(ctx, e.FaxID)
	switch {
	case err == nil:
	case upload != "" && errors.Is(err, problem.ErrNotFound):
		record = e.Fax() // the provider kept nothing, which was the wish
	default:
		return err
	}
	if upload != "" {
		record.Status = e.Status // whose document is here, however slow the record is
	} else if !record.Status.Terminal() {
		return fmt.Errorf("the provider's record of fax %s is behind, at %s: %w", e.FaxID, record.Status, problem.ErrUnavailable)
	}
	source := source{
		Faxes: fetch.AtMost(r.provider().Faxes, r.cfg.MaxDocument), uploads: r.uploads, upload: upload,
		wait: job.Attempt < missingAttempts, record: record,
	}
	kept, err := r.cfg.Archive.Save(ctx, source, record)
	if err != nil {
		return fmt.Errorf("archive fax %s: %w", e.FaxID, err)
	}
	if kept.SHA256 == "" && (upload != "" || job.Attempt < missingAttempts) {
		return fmt.Errorf("archive fax %s: %w: there was no document to keep", e.FaxID, problem.ErrUnavailable)
	}
	if e.SHA256 != "" { // the archive had lost it
		if has, err := r.cfg.Archive.Has(ctx, e.FaxID, kept.SHA256); err != nil || !has {
			return errors.Join(err, problem.With(fmt.Errorf("archive fax %s: %w: the damaged copy in the archive is in the way", e.FaxID, problem.ErrConflict),
				problem.Say("%s names it: move it away, then %s", problem.Command("archive", "verify"), problem.Command("serve", "jobs", "retry").Arg("ID"))))
		}
	}
	e.Document = kept.at(time.Now().UTC())
	if kept.Pages > 0 {
		e.Pages = &kept.Pages
	}
	stays, err := r.contradicts(ctx, e, upload)
	if err != nil {
		return err
	}
	if err := r.queue.archived(e); err != nil {
		return err
	}
	if !stays && upload != "" {
		if err := r.uploads.remove(ctx, upload); err != nil && !errors.Is(err, os.ErrNotExist) {
			r.log.Warn("a document that is archived stays among the uploads", "fax", e.FaxID, "error", err)
		}
	}
	r.metrics.archived(e, kept.Before)
	did := "archived"
	if kept.Before {
		did = "archived already"
	}
	r.log.Info(did, "fax", e.FaxID, "from", fax.MaskPhone(e.From), "to", fax.MaskPhone(e.To), "bytes", e.Size, "pages", kept.Pages)
	return nil
}

// contradicts keeps aside a document that came along when the archive has another
// one of the fax, which it never replaces. Where that cannot be, the document stays
// its fax's: the provider was told long ago that it is safe.
func (r *Receiver) contradicts(ctx context.Context, e delivery.News, upload string) (stays bool, err error) {
	if upload == "" {
		return false, nil
	}
	sum, _, err := r.uploads.sum(ctx, upload)
	if err != nil || sum == e.SHA256 {
		return false, err
	}
	return r.setAside(ctx, e.Event, upload, doubt{otherBytes().outcome, "it is another document than the one in the archive"})
}

// park gives a job up before its last attempt, once those are noted who are to be
// told. River tells nobody of it.
func (r *Receiver) park(ctx context.Context, job *rivertype.JobRow, err error) error {
	if hint := problem.AdviceOf(err); !hint.Empty() {
		err = fmt.Errorf("%w; %s", err, hint) // a job has one text
	}
	if bad := r.noteParked(ctx, job, err.Error()); bad != nil {
		return errors.Join(err, bad)
	}
	r.failed(ctx, job, true, err)
	return river.JobCancel(err)
}

func (r *Receiver) failed(ctx context.Context, job *rivertype.JobRow, parked bool, err error) {
	level := slog.LevelWarn
	if parked {
		level = slog.LevelError
	}
	r.log.Log(ctx, level, "job failed", "job", job.ID, "kind", job.Kind, "attempt", job.Attempt, "parked", parked, "error", err)
}

// failures logs what went wrong with a job, and how often it did.
type failures struct{ r *Receiver }

// HandleError implements river.ErrorHandler.
func (f failures) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	f.r.failed(ctx, job, job.Attempt >= job.MaxAttempts, err)
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (f failures) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	f.r.log.Error("job panicked", "job", job.ID, "kind", job.Kind, "attempt", job.Attempt, "panic", value, "trace", trace)
	if job.Attempt >= job.MaxAttempts {
		if err := f.r.noteParked(ctx, job, fmt.Sprint(value)); err != nil {
			f.r.log.Error("nobody is told of a job that is parked", "job", job.ID, "error", err)
		}
	}
	return nil
}
