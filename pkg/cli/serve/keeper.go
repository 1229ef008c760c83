package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// keeper is the archive as a receiver sees it. It is open, and locked, while
// faxes come, and a moment longer: between them others may write to it, as
// somebody does who holds a fax.
type keeper struct {
	dir     string
	log     *slog.Logger
	claimed *archive.Claim // nil: not yet
	wait    time.Duration  // for others who write

	mu    sync.Mutex
	kept  *archive.Archive // nil: not open
	made  bool             // it was there before
	users int
	idle  *time.Timer // closes it

	size struct {
		sync.Mutex
		counted bool
		bytes   int64
	}
}

var _ receiver.Archive = (*keeper)(nil)

// idleArchive is how long the archive stays open for the next fax.
const idleArchive = time.Second

// use hands the open archive to do. Errors, besides those of do, are
// [archive.ErrLocked], and fax.ErrUnavailable for a folder that is not the archive
// it was: its disk may come back.
func (k *keeper) use(ctx context.Context, do func(*archive.Archive) error) error {
	kept, err := k.take(ctx)
	if err != nil {
		return err
	}
	defer k.leave(ctx)
	return do(kept)
}

func (k *keeper) take(ctx context.Context) (*archive.Archive, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil {
		kept, err := k.open(ctx)
		k.made = k.made || err == nil || errors.Is(err, archive.ErrLocked)
		if err != nil {
			return nil, err
		}
		k.kept = kept
	}
	if k.idle != nil {
		k.idle.Stop()
	}
	k.users++
	return k.kept, nil
}

// open makes the archive at the first time only: later a folder without it is one
// whose disk is not mounted.
func (k *keeper) open(ctx context.Context) (*archive.Archive, error) {
	if k.made {
		if err := archive.Known(k.dir); err != nil {
			//nolint:errorlint // its kind is what it must not have: nothing is wrong with the fax
			return nil, fmt.Errorf("%w: %v", problem.ErrUnavailable, err)
		}
	}
	return archive.Opener{Wait: k.wait}.Open(ctx, k.dir)
}

func (k *keeper) leave(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.users--; k.users > 0 {
		return
	}
	k.idle = time.AfterFunc(idleArchive, func() {
		if err := k.close(ctx); err != nil {
			k.log.Error("the archive does not close", "error", err)
		}
	})
}

// close closes the archive, unless it is in use again.
func (k *keeper) close(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.users > 0 || k.kept == nil {
		return nil
	}
	kept := k.kept
	k.kept = nil
	return kept.Close(ctx)
}

// Save implements receiver.Archive.
func (k *keeper) Save(ctx context.Context, faxes fax.Faxes, f fax.Fax) (saved receiver.Kept, err error) {
	err = k.use(ctx, func(kept *archive.Archive) error {
		e, existed, err := kept.SaveNews(ctx, faxes, f)
		if err != nil || e.Document == nil {
			return err
		}
		if !existed {
			k.size.Lock()
			k.size.bytes += e.Document.Size
			k.size.Unlock()
		}
		path, err := kept.DocumentPath(ctx, f.ID)
		if err != nil && !errors.Is(err, problem.ErrUnsupported) {
			return err
		}
		d := e.Document
		saved = receiver.Kept{Path: path, SHA256: d.SHA256, Size: d.Size, Pages: d.Pages, ContentType: d.ContentType}
		return nil
	})
	return saved, err
}

// Has implements receiver.Archive.
func (k *keeper) Has(ctx context.Context, faxID, sha256 string) (has bool, err error) {
	err = k.use(ctx, func(kept *archive.Archive) error {
		has, err = kept.HasDocument(ctx, faxID, sha256)
		return err
	})
	return has, err
}

// Size implements receiver.Archive. The archive is counted once; what is added
// here later is known, and what others add is not.
func (k *keeper) Size(ctx context.Context) (int64, error) {
	k.size.Lock()
	defer k.size.Unlock()
	if k.size.counted {
		return k.size.bytes, nil
	}
	kept, err := archive.Read(ctx, k.dir)
	if err != nil {
		return 0, err
	}
	sum := int64(0)
	err = seq.Each(kept.List(ctx, fax.Filter{}), func(e archive.Entry) {
		if e.Document != nil {
			sum += e.Document.Size
		}
	})
	if err = errors.Join(err, kept.Close(ctx)); err != nil {
		return 0, err
	}
	k.size.bytes, k.size.counted = sum, true
	return sum, nil
}

// pruneDaily is the daily prune of a receiver.
func pruneDaily(ctx context.Context, a *app.App, keeper *keeper, s *serving, provider fax.Provider) (receiver.Pruned, error) {
	run := s.prune
	run.Provider = provider
	var day prune.Day
	err := keeper.use(ctx, func(kept *archive.Archive) (err error) {
		run.Archive = kept
		day, err = run.Daily(ctx, a.Interrupts.Gently(), s.Log)
		return err
	})
	if day.Refused == prune.ByLimit {
		err = problem.With(err, problem.Say("look at them, then release them once: %s", s.byHand))
	}
	if hint := a.Hint(err); hint != "" {
		err = problem.With(err, problem.Say(hint))
	}
	return receiver.Pruned{
		Deleted: day.Deleted, Failed: day.Failed, HeldBack: day.HeldBack, Undated: day.Undated, Refused: string(day.Refused),
	}, err
}
