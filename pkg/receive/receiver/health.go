package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// enoughDisk is how much must be free for the receiver to be ready: room for a
// few documents and for the database.
const enoughDisk = 256 << 20

// healthz says that the process is alive.
func (r *Receiver) healthz(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "ok\n")
}

// readyz says whether faxes can be taken: the database can be written, there is
// room on the disk, the provider answers. What is wrong is in the log; whoever
// asks learns only which part it is.
func (r *Receiver) readyz(w http.ResponseWriter, req *http.Request) {
	ctx, cancel := context.WithTimeout(req.Context(), 5*time.Second)
	defer cancel()
	status, body := http.StatusOK, ""
	for _, part := range []struct {
		name  string
		check func(context.Context) error
	}{{"database", r.checkDatabase}, {"disk", r.checkDisk}, {"provider", r.checkProvider}} {
		word := "ok"
		if err := part.check(ctx); err != nil {
			status, word = http.StatusServiceUnavailable, "failed"
			r.log.Warn("not ready", "part", part.name, "error", err)
		}
		body += part.name + ": " + word + "\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (r *Receiver) checkDatabase(ctx context.Context) error {
	return r.queue.setNote(ctx, "ready", time.Now().UTC().Format(time.RFC3339))
}

func (r *Receiver) checkDisk(context.Context) error {
	n, err := free(r.cfg.StateDir)
	if err == nil && n < enoughDisk {
		err = fmt.Errorf("only %d MiB are free", n>>20)
	}
	return err
}

// checkProvider asks the provider for one fax, once in a while: a probe every
// few seconds must not use up the account's requests.
func (r *Receiver) checkProvider(ctx context.Context) error {
	return r.reachable.check(ctx, func(ctx context.Context) error {
		_, err := r.provider().Faxes.Page(ctx, fax.Filter{}, 1, "")
		return err
	})
}

// seldom remembers the result of something that is not to be done often.
type seldom struct {
	mu   sync.Mutex
	when time.Time
	err  error
}

const seldomEvery = 30 * time.Second

func (s *seldom) check(ctx context.Context, f func(context.Context) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.when.IsZero() && time.Since(s.when) < seldomEvery {
		return s.err
	}
	err := f(ctx)
	if errors.Is(err, context.Canceled) {
		return err // whoever asked went away; it says nothing about the provider
	}
	s.when, s.err = time.Now(), err
	return err
}
