package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/batch"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receiver"
)

// keeper is the archive as a receiver sees it.
type keeper struct {
	archive *archive.Archive

	mu      sync.Mutex
	counted bool
	bytes   int64
}

var _ receiver.Archive = (*keeper)(nil)

// Save implements receiver.Archive.
func (k *keeper) Save(ctx context.Context, faxes fax.Faxes, f fax.Fax) (receiver.Kept, error) {
	e, existed, err := k.archive.Save(ctx, faxes, f)
	if err != nil || e.Document == nil {
		return receiver.Kept{}, err
	}
	if !existed {
		k.mu.Lock()
		k.bytes += e.Document.Size
		k.mu.Unlock()
	}
	path, err := k.archive.DocumentPath(ctx, f.ID)
	if err != nil && !errors.Is(err, fax.ErrUnsupported) {
		return receiver.Kept{}, err
	}
	d := e.Document
	return receiver.Kept{Path: path, SHA256: d.SHA256, Size: d.Size, Pages: d.Pages, ContentType: d.ContentType}, nil
}

// Size implements receiver.Archive. The archive is counted once; what is added
// later is known.
func (k *keeper) Size(ctx context.Context) (int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.counted {
		return k.bytes, nil
	}
	var sum int64
	for e, err := range k.archive.List(ctx, fax.Filter{}) {
		if err != nil {
			return 0, err
		}
		if e.Document != nil {
			sum += e.Document.Size
		}
	}
	k.bytes, k.counted = sum, true
	return sum, nil
}

// pruneArchived does what faxes prune --archive does, and tells the log. When
// the server is about to end it begins no more deletions.
func (a *app) pruneArchived(ctx context.Context, kept *archive.Archive, p prune, write func(archive.Receipt) error, log *slog.Logger) error {
	faxes := a.account.provider.Faxes
	plan, err := a.planPrune(ctx, faxes, kept, p)
	if err != nil {
		return err
	}
	ending := a.interrupts.gently()
	done, err := p.carryOut(ctx, faxes, kept, batch.Until(ending, values(plan.Delete)), logged{log}, write)
	log.Info("pruned at the provider", "deleted", done, "kept", len(plan.Skipped))
	if ending.Err() != nil {
		err = nil // the next run goes on with the rest
	}
	return err
}

// logged tells a log what a person would be told.
type logged struct{ *slog.Logger }

func (l logged) warn(format string, args ...any) { l.Warn(fmt.Sprintf(format, args...)) }
func (l logged) report(err error)                { l.Error("not pruned", "error", err) }
