package serve

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// archived is the archive as a receiver sees it.
type archived struct {
	shared  *archive.Shared
	dir     string
	log     *slog.Logger
	claimed *archive.Claim // nil: not yet
	wait    time.Duration  // for others who write

	size struct {
		sync.Mutex
		counted bool
		bytes   int64
	}
}

var _ receiver.Archive = (*archived)(nil)

func newArchived(dir string, log *slog.Logger) *archived {
	closing := func(err error) { log.Error("the archive does not close", "error", err) }
	return &archived{shared: archive.NewShared(dir, closing), dir: dir, log: log}
}

func (k *archived) use(ctx context.Context, do func(*archive.Archive) error) error {
	return k.shared.Use(ctx, k.wait, do)
}

// Save implements receiver.Archive.
func (k *archived) Save(ctx context.Context, faxes fax.Faxes, f fax.Fax) (saved receiver.Kept, err error) {
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
func (k *archived) Has(ctx context.Context, faxID, sha256 string) (has bool, err error) {
	err = k.use(ctx, func(kept *archive.Archive) error {
		has, err = kept.HasDocument(ctx, faxID, sha256)
		return err
	})
	return has, err
}

// Ready implements receiver.Archive.
func (k *archived) Ready(context.Context) error { return k.claimed.Ready() }

// Free implements receiver.Archive.
func (k *archived) Free() (uint64, error) { return durable.Free(k.dir) }

// Size implements receiver.Archive. The archive is counted once; what is added
// here later is known, and what others add is not.
func (k *archived) Size(ctx context.Context) (int64, error) {
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
