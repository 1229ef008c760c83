// Package receiver is the web application a provider of fax numbers calls: it
// answers what to do with an incoming fax, takes the news of how it went, and
// sees to it that every fax it acknowledged ends up in an archive.
//
// Use it behind `faxctl serve`, or in a program of your own: [Open] with a
// [Config], mount [Receiver.Handler] or let [Receiver.Serve] listen, and keep
// [Receiver.Run] running, which does the work that was promised.
//
// A callback is answered 2xx only when it is durable: its event and the job
// that fetches the document are committed in one transaction, and a document
// that came along is on disk before that. Everything after runs as a job that
// survives a crash: fetch the document and archive it, run a program, tell
// another server, look for faxes whose callback was lost, prune. A job that
// fails too often is parked, listed and can be retried.
//
// Only requests that the provider signed are believed; the signature is
// checked over the configured public URL, whatever a proxy did to the request.
// A document's address in a callback is never used: the provider's API is asked
// for the fax. Nothing in the archive can be had over HTTP.
package receiver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/server"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// Config says what to receive and what to do with it. PublicURL, Keys,
// Provider.Faxes, Archive and StateDir are required.
type Config struct {
	// PublicURL is where the provider reaches this receiver: an origin, with a
	// path where a proxy gives us one. [Receiver.FaxURL] is below it.
	PublicURL string

	// Keys sign the provider's requests; several while a key is changed.
	Keys []webhook.Key

	// Dialect tells whose requests they are; "": Twilio's.
	Dialect webhook.Dialect

	// Account is the account's id. A request that names another is refused.
	// Empty: any.
	Account string

	Provider fax.Provider
	Archive  Archive

	// ArchiveName tells Archive from every other, for all who have it by the same words.
	// Receivers that share a Database note it there, and one with another archive is
	// refused. Empty: nobody looks.
	ArchiveName string

	// SameArchive reports whether two such names are of one archive; nil: when they are equal.
	SameArchive func(a, b string) bool

	// TakeOver has all receivers that share the Database receive into this Archive from now
	// on, once this one runs: those with another one end.
	TakeOver bool

	// Serves reports whether the archive is this receiver's still; it is asked before
	// each job of a fax. With fax.ErrConflict it is not, and the receiver ends. nil:
	// it always is.
	Serves func() error

	// StateDir holds the database and the documents on their way into the
	// archive. One process at a time uses it.
	StateDir string

	// Database, on a PostgreSQL server, is instead of the one in StateDir for any number of
	// replicas: receivers of the same account and archive. Who opened it closes it.
	Database *sql.DB

	// Incoming is where documents wait that came with a callback, instead of in StateDir:
	// where every replica sees them, which is where the archive is.
	Incoming store.Store

	Disk durable.Disk // that of StateDir; nil: durable.OS

	Allow  []fax.Pattern // a fax must match one; none: all
	Reject []fax.Pattern // a fax must match none
	Answer Answer        // how a fax is to be received

	Deliveries []delivery.Delivery // told of each fax; the receiver closes them

	// Backfill is how often the provider's list is compared with what we were
	// told; it is also done at the start. 0: never.
	Backfill time.Duration

	Prune func(ctx context.Context) (Pruned, error) // run once a day; nil: never

	Attempts    int           // how often a delivery is tried before its job is parked; 0: 16
	Retry       time.Duration // until a failed job is tried again, doubled each time; 0: 1 s
	MaxDocument int64         // bytes of a document; 0: [fetch.MaxDocument]
	MaxConns    int           // connections at once; 0: 1024, or what the limit of open files allows
	Jobs        int           // jobs at once; 0: 16
	Drain       time.Duration // how long running work may take at the end; 0: 20 s

	Log *slog.Logger // nil: none

	Build Build // of the program, for the metrics
}

// Build tells which program this is.
type Build struct{ Version, Commit, Go string }

// Archive keeps faxes for good.
type Archive interface {
	// Save keeps the record and the document that faxes.Open reads. It may be
	// repeated: what is kept whole already is not stored again.
	Save(ctx context.Context, faxes fax.Faxes, f fax.Fax) (Kept, error)

	// Has reports whether the document of a fax is kept, whole and with this
	// SHA-256, in hex: its bytes are read for it.
	Has(ctx context.Context, faxID, sha256 string) (bool, error)

	// Size is how many bytes of documents are kept.
	Size(ctx context.Context) (int64, error)

	// Ready fails when no fax can be kept now. The kind of the error says why:
	// fax.ErrUnavailable, it is not there; fax.ErrConflict, it is another receiver's;
	// fs.ErrPermission, it cannot be written.
	Ready(ctx context.Context) error

	// Free is how many bytes may still be written. errors.ErrUnsupported: nobody knows,
	// and it is the business of others.
	Free() (uint64, error)
}

// Kept is a document in the archive.
type Kept struct {
	Before      bool   // it was there already
	Path        string // of the file; empty when it is not on this machine, or there is none
	SHA256      string // hex
	Size        int64  // bytes
	Pages       int
	ContentType string
}

// at is the document as it is told of, once it is archived.
func (k Kept) at(archived time.Time) delivery.Document {
	return delivery.Document{Archived: archived, Path: k.Path, ContentType: k.ContentType, SHA256: k.SHA256, Size: k.Size}
}

const (
	faxPath  = "/fax"      // below the public URL: what to do with a fax?
	donePath = "/fax/done" // and how it went
)

// Receiver answers a provider's requests and does what they ask for.
type Receiver struct {
	cfg    Config
	public string // PublicURL without a slash at its end
	prefix string // its path
	host   string // and its host
	log    *slog.Logger

	access    atomic.Pointer[access]
	numbers   *accountNumbers
	strangers *server.Strangers
	uploads   *uploads
	rare      rare // what is not told each time
	queue     *queue
	noted     atomic.Bool // the last callback could be
	missed    atomic.Bool // callbacks were, while the database was away
	suspects  suspects    // jobs that may be what ends the process
	metrics   *metrics
	health    []*part
	// certificate is what Serve has served, if it speaks TLS.
	certificate struct {
		served atomic.Bool
		ends   atomic.Int64 // Unix seconds; 0: none yet
	}
	takes []byte // the answer that takes a fax
	lock  io.Closer
	id    string
	lost  chan error // that the archive is another receiver's
}

// Open checks the configuration, opens the state and takes it for this process.
// Errors: fax.ErrInvalid for a configuration that cannot work, fax.ErrConflict
// when another process has the state, or those who share it have another archive.
func Open(ctx context.Context, cfg Config) (_ *Receiver, err error) {
	r, err := newReceiver(cfg)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = r.Close()
		}
	}()
	if err := durable.MakeDir(r.cfg.Disk, r.cfg.StateDir); err != nil {
		return nil, err
	}
	db, err := r.openState(ctx)
	if err != nil {
		return nil, err
	}
	if r.queue, err = newQueue(ctx, db, r); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if !cfg.TakeOver {
		if err := r.together(ctx); err != nil {
			return nil, err
		}
	}
	if err := r.identify(ctx); err != nil {
		return nil, err
	}
	r.metrics, r.health = newMetrics(r), r.parts()
	if r.uploads, err = openUploads(ctx, r); err != nil {
		return nil, err
	}
	return r, nil
}

// openState opens the state: that of all replicas, or a file that is this process's alone.
func (r *Receiver) openState(ctx context.Context) (_ *state, err error) {
	if r.cfg.Database != nil {
		return openShared(ctx, r.cfg.Database, r.cfg.Account)
	}
	if r.lock, err = takeLock(ctx, filepath.Join(r.cfg.StateDir, "lock")); err != nil {
		return nil, err
	}
	return openFile(ctx, databasePath(r.cfg.StateDir))
}

// newReceiver is a receiver that has nothing open yet.
func newReceiver(cfg Config) (*Receiver, error) {
	setDefault(&cfg.Attempts, 16)
	setDefault(&cfg.Retry, time.Second)
	setDefault(&cfg.MaxDocument, fetch.MaxDocument)
	setDefault(&cfg.Jobs, 16)
	setDefault(&cfg.Drain, 20*time.Second)
	setDefault[durable.Disk](&cfg.Disk, durable.OS{})
	if cfg.SameArchive == nil {
		cfg.SameArchive = func(a, b string) bool { return a == b }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	public, err := webhook.CheckURL("the public URL", cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	if p := public.EscapedPath(); p != "" && path.Clean(p) != strings.TrimSuffix(p, "/") && p != "/" {
		return nil, fmt.Errorf("%w: the path of the public URL %q has empty or dotted parts", problem.ErrInvalid, cfg.PublicURL)
	}
	switch {
	case len(cfg.Keys) == 0 || cfg.Keys[0] == "":
		return nil, problem.With(fmt.Errorf("%w: without a signing key no request can be believed", problem.ErrAuth), problem.Say("give the profile its signing key: %s", problem.Command("profile", "add")))
	case cfg.Provider.Faxes == nil:
		return nil, fmt.Errorf("receiving from %s: %w", cfg.Provider.Name, problem.ErrUnsupported)
	case cfg.Archive == nil || cfg.StateDir == "":
		return nil, fmt.Errorf("%w: a receiver needs an archive and a folder for its state", problem.ErrInvalid)
	case cfg.Backfill < 0 || cfg.MaxDocument < 0 || cfg.MaxConns < 0 || cfg.Jobs < 0 || cfg.Drain < 0:
		return nil, fmt.Errorf("%w: a limit below zero", problem.ErrInvalid)
	}
	if cfg.MaxConns, err = server.Connections(cfg.MaxConns); err != nil {
		return nil, err
	}
	r := &Receiver{
		strangers: server.NewStrangers(cfg.MaxConns),
		cfg:       cfg,
		public:    strings.TrimSuffix(cfg.PublicURL, "/"),
		prefix:    strings.TrimSuffix(public.EscapedPath(), "/"),
		host:      public.Hostname(),
		log:       cfg.Log,
		numbers:   &accountNumbers{},
		lost:      make(chan error, 1),
		suspects:  make(suspects, 1),
	}
	r.Renew(cfg.Keys, cfg.Provider)
	r.takes, err = cfg.Answer.accept(r.public + donePath)
	return r, err
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// access is what may change while the receiver runs.
type access struct {
	keys     []webhook.Key
	provider fax.Provider
}

// Renew replaces the keys and the way to the provider, of the same account, from the
// next request on.
func (r *Receiver) Renew(keys []webhook.Key, provider fax.Provider) {
	r.access.Store(&access{keys, provider})
	r.numbers.ask(provider.Numbers)
}

// provider is the way to the provider now.
func (r *Receiver) provider() fax.Provider { return r.access.Load().provider }

// FaxURL is what a number's fax URL must be to be answered by this receiver.
func (r *Receiver) FaxURL() string { return r.public + faxPath }

// Close ends the receiver; [Receiver.Run] must have returned. What was
// acknowledged and not yet done goes on at the next Open.
func (r *Receiver) Close() error {
	var errs []error
	for _, d := range r.cfg.Deliveries {
		if d.Close != nil {
			d.Close()
		}
	}
	if r.queue != nil {
		errs = append(errs, r.queue.Close())
	}
	if r.lock != nil {
		errs = append(errs, r.lock.Close())
	}
	return errors.Join(errs...)
}

// Run works off the jobs until ctx ends, then lets running ones finish for as
// long as Config.Drain allows. It also ends, with that error, when Config.Serves says
// that the archive is another receiver's, or those who share the state have another one.
func (r *Receiver) Run(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil { // before the jobs were
			err = nil
		}
		return err
	}
	var lost error
	select {
	case <-ctx.Done():
	case lost = <-r.lost:
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Drain)
	defer cancel()
	err := r.queue.stop(ending)
	if ending.Err() != nil {
		r.log.Warn("running jobs were cut off; they go on at the next start", "after", r.cfg.Drain)
	}
	return errors.Join(lost, err)
}

// begin has the jobs worked off. A database that is away in this moment is waited for until
// ctx ends, as it is in every later one.
func (r *Receiver) begin(ctx context.Context) error {
	for {
		err := r.join(context.WithoutCancel(ctx))
		if err == nil {
			if err = r.queue.start(context.WithoutCancel(ctx)); err != nil {
				err = fmt.Errorf("start the jobs: %w", err)
			}
		}
		if !errors.Is(err, problem.ErrUnavailable) {
			return err
		}
		r.rarely("begin", func(times int) {
			r.log.Warn("the jobs are not worked off yet", "error", err, "times", times)
		})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(beginAgain):
		}
	}
}

// beginAgain is how long to wait for a database that is away at the start.
const beginAgain = time.Second
