package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

const (
	// enoughDisk is how much must be free for the receiver to be ready: room for a
	// few documents and for the database.
	enoughDisk = 256 << 20

	// lookTime is how long a part may take to tell how it is. A disk of another
	// machine that is away takes for ever.
	lookTime = 5 * time.Second

	// What costs nothing is looked at again each second, however many ask. The
	// provider is not: a probe every few seconds must not use up the account's
	// requests.
	lookEvery     = time.Second
	providerEvery = 30 * time.Second
)

// healthz says that the process is alive.
func (r *Receiver) healthz(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "ok\n")
}

// part is something without which no fax can be taken.
type part struct {
	name  string
	every time.Duration
	check func(context.Context) error

	mu   sync.Mutex
	busy chan struct{} // closed when the look that is under way has ended; nil: none is
	when time.Time     // the last one ended
	err  error         // what it came to

	told atomic.Bool // the log says that it is not ready
}

func (r *Receiver) parts() []*part {
	return []*part{
		{name: "database", every: lookEvery, check: r.checkDatabase},
		{name: "disk", every: lookEvery, check: func(context.Context) error { return enough(durable.Free(r.cfg.StateDir)) }},
		{name: "archive", every: lookEvery, check: r.checkArchive},
		{name: "queue", every: lookEvery, check: func(context.Context) error { return r.queue.working() }},
		{name: "provider", every: providerEvery, check: r.checkProvider},
	}
}

// readyz says whether faxes can be taken. The whole of what is wrong is in the log;
// whoever asks, which may be anybody, learns in a few words which part it is.
func (r *Receiver) readyz(w http.ResponseWriter, req *http.Request) {
	ctx, cancel := context.WithTimeout(req.Context(), lookTime)
	defer cancel()
	status, body := http.StatusOK, ""
	found := make([]error, len(r.health))
	var looks sync.WaitGroup
	for i, p := range r.health {
		looks.Go(func() { found[i] = p.look(ctx) })
	}
	looks.Wait()
	for i, p := range r.health {
		word := "ok"
		if err := found[i]; err != nil {
			status, word = http.StatusServiceUnavailable, "failed, "+inFewWords(err)
			r.rarely("not ready: "+p.name, func(times int) {
				p.told.Store(true)
				r.log.Log(req.Context(), alarm(err), "not ready", "part", p.name, "error", err, "times", times)
			})
		} else if p.told.Swap(false) {
			r.log.Info("ready again", "part", p.name)
		}
		body += p.name + ": " + word + "\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// alarm is how loudly a part is told of that is not ready. Nothing is wrong with a receiver
// that begins or ends; what keeps one from beginning is told by [Receiver.begin].
func alarm(err error) slog.Level {
	if errors.Is(err, errEnding) {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// errNoAnswer is a part that is looked at and does not tell.
var errNoAnswer = errors.New("no answer")

// look is how the part is, as of so long ago at most. One look at a time is under way,
// and whoever asks waits for it no longer than ctx lets him.
func (p *part) look(ctx context.Context) error {
	p.mu.Lock()
	if !p.when.IsZero() && time.Since(p.when) < p.every {
		defer p.mu.Unlock()
		return p.err
	}
	if p.busy == nil {
		p.busy = make(chan struct{})
		go p.again(context.WithoutCancel(ctx))
	}
	busy := p.busy
	p.mu.Unlock()
	select {
	case <-busy:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.err
	case <-ctx.Done():
		return errNoAnswer
	}
}

func (p *part) again(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	err := p.check(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.when, p.err = time.Now(), err
	close(p.busy)
	p.busy = nil
}

// inFewWords is what is wrong, without a path, a number or anything else of ours.
func inFewWords(err error) string {
	switch {
	case errors.Is(err, errNoAnswer), errors.Is(err, context.DeadlineExceeded):
		return "it does not answer"
	case errors.Is(err, errFull), errors.Is(err, syscall.ENOSPC):
		return "too little room is left"
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return "it cannot be written"
	case errors.Is(err, errEnding):
		return "it does not run"
	case errors.Is(err, problem.ErrAuth):
		return "it refuses the credentials"
	case errors.Is(err, problem.ErrConflict):
		return "another receiver has it"
	case errors.Is(err, problem.ErrUnavailable), errors.Is(err, problem.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return "it is not there"
	}
	return "the log says why"
}

// errFull is a disk with less than enoughDisk.
var errFull = errors.New("too little room")

func enough(bytes uint64, err error) error {
	if err == nil && bytes < enoughDisk {
		err = fmt.Errorf("%w: only %d MiB are free", errFull, bytes>>20)
	}
	return err
}

func (r *Receiver) checkDatabase(ctx context.Context) error {
	if r.queue.db.shared() && r.queue.office.Load().id != "" {
		_, err := r.queue.say(ctx, beatReplica)
		return err
	}
	return r.queue.setNote(ctx, "ready", time.Now().UTC().Format(time.RFC3339))
}

func (r *Receiver) checkArchive(ctx context.Context) error {
	if err := r.cfg.Archive.Ready(ctx); err != nil {
		return err
	}
	free, err := r.cfg.Archive.Free()
	if errors.Is(err, errors.ErrUnsupported) { // a bucket has no end
		return nil
	}
	return enough(free, err)
}

// checkProvider asks the provider for one fax.
func (r *Receiver) checkProvider(ctx context.Context) error {
	_, err := r.provider().Faxes.Page(ctx, fax.Filter{}, 1, "")
	return err
}
