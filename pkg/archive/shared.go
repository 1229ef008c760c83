package archive

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Shared is an archive as a server uses it. One in a folder is open, and locked, while
// somebody in this process uses it, and a moment longer: in between others may write
// to it, as somebody does who holds a fax. One on S3 stays open. Safe for concurrent use.
type Shared struct {
	opener Opener
	where  string
	failed func(error) // told that it does not close

	mu    sync.Mutex
	open  *Archive // nil: it is not
	seen  bool     // it was there before
	users int
	idle  *time.Timer // closes it
}

// NewShared opens nothing. failed is told of an archive that does not close.
func NewShared(o Opener, where string, failed func(error)) *Shared {
	return &Shared{opener: o, where: where, failed: failed}
}

// idleTime is how long the archive stays open for the next use.
const idleTime = time.Second

// Use hands the open archive to do. Where it has to be opened, so long is waited for
// others who write. Errors, besides those of do and of [Open]: fax.ErrUnavailable for a
// folder that is not the archive it was, as its disk may come back.
func (s *Shared) Use(ctx context.Context, wait time.Duration, do func(*Archive) error) error {
	open, err := s.take(ctx, wait)
	if err != nil {
		return err
	}
	defer s.leave(ctx)
	return do(open)
}

func (s *Shared) take(ctx context.Context, wait time.Duration) (*Archive, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		open, err := s.openAgain(ctx, wait)
		s.seen = s.seen || err == nil || errors.Is(err, ErrLocked)
		if err != nil {
			return nil, err
		}
		s.open = open
	}
	if s.idle != nil {
		s.idle.Stop()
	}
	s.users++
	return s.open, nil
}

// openAgain makes the archive at the first time only: later a folder without it is one
// whose disk is not mounted.
func (s *Shared) openAgain(ctx context.Context, wait time.Duration) (*Archive, error) {
	if s.seen {
		if err := s.opener.Known(ctx, s.where); err != nil {
			//nolint:errorlint // its kind is what it must not have: nothing is wrong with the fax
			return nil, fmt.Errorf("%w: %v", problem.ErrUnavailable, err)
		}
	}
	o := s.opener
	o.Wait = wait
	return o.Open(ctx, s.where)
}

func (s *Shared) leave(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users > 0 || s.open.shared {
		return
	}
	s.idle = time.AfterFunc(idleTime, func() {
		if err := s.Close(ctx); err != nil {
			s.failed(err)
		}
	})
}

// Close closes the archive, unless it is in use again.
func (s *Shared) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users > 0 || s.open == nil {
		return nil
	}
	open := s.open
	s.open = nil
	return open.Close(ctx)
}
