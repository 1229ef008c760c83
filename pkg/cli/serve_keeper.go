package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receiver"
	"github.com/faxctl/faxctl/pkg/retention"
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

// pruneArchived deletes at the provider the received faxes above an age, each
// only when its copy in the archive is whole and nobody holds it. A second run
// finishes what a first one left.
func pruneArchived(ctx context.Context, p fax.Provider, kept *archive.Archive, age time.Duration, log *slog.Logger) error {
	held := map[string]string{}
	for e, err := range kept.Held(ctx) {
		if err != nil {
			return err
		}
		held[e.Fax.ID] = e.Hold.Reason
	}
	policy := retention.Policy{Filter: fax.Filter{Direction: fax.Inbound}, OlderThan: age}
	now := time.Now()
	faxes := fax.List(ctx, p.Faxes, policy.Query(now), fax.ListOptions{Retention: p.Retention, Now: now})
	plan, err := policy.Plan(faxes, retention.Facts{Now: now, Held: func(id string) (string, bool) {
		reason, ok := held[id]
		return reason, ok
	}})
	if err != nil {
		return err
	}
	deleted, failed := 0, 0
	for _, f := range plan.Delete {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := kept.SaveThenDelete(ctx, p.Faxes, f, false); err != nil {
			failed++
			log.Warn("a fax was not pruned", "fax", f.ID, "error", err)
			continue
		}
		deleted++
	}
	log.Info("pruned", "deleted", deleted, "failed", failed, "skipped", len(plan.Skipped))
	if failed > 0 {
		return fmt.Errorf("%d faxes were not deleted", failed)
	}
	return nil
}
