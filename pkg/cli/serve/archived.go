package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// archived is the archive as a receiver sees it.
type archived struct {
	shared  *archive.Shared
	opener  archive.Opener
	dir     string // or the location on S3
	log     *slog.Logger
	claimed archive.Claim // nil: not yet
	wait    time.Duration // for others who write

	size struct {
		sync.Mutex
		counted bool
		bytes   int64
	}
}

var _ receiver.Archive = (*archived)(nil)

func newArchived(opener archive.Opener, dir string, log *slog.Logger) *archived {
	closing := func(err error) { log.Error("the archive does not close", "error", err) }
	opener.Lost = func(e archive.LostHold) {
		if e.Replaced {
			log.Error("the sidecar of a fax that is held was replaced by one that tells nothing of that", "fax", e.Fax.ID, "reason", e.Hold.Reason,
				"hint", problem.Say("%s holds it again; %s lets it go", problem.Command("archive", "hold").Arg(dir).Arg(e.Fax.ID).Set("reason", e.Hold.Reason),
					problem.Command("archive", "unhold").Arg(dir).Arg(e.Fax.ID)))
			return
		}
		log.Error("a fax that is held has lost its sidecar", "fax", e.Fax.ID, "reason", e.Hold.Reason,
			"hint", problem.Say("bring it back from a backup; %s forgets what was let go and removed", problem.Command("archive", "reindex").Arg(dir)))
	}
	opener.Away = nil // by now it has answered, and each job that fails is told
	return &archived{shared: archive.NewShared(opener, dir, closing), opener: opener, dir: dir, log: log}
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
		saved = receiver.Kept{Before: existed, Path: path, SHA256: d.SHA256, Size: d.Size, Pages: d.Pages, ContentType: d.ContentType}
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
func (k *archived) Ready(ctx context.Context) error { return k.claimed.Ready(ctx) }

// Free implements receiver.Archive. A bucket has no end: errors.ErrUnsupported.
func (k *archived) Free() (uint64, error) {
	if archive.IsRemote(k.dir) {
		return 0, fmt.Errorf("room in %s: %w", k.dir, errors.ErrUnsupported)
	}
	return durable.Free(k.dir)
}

// Size implements receiver.Archive. The archive is counted once; what is added
// here later is known, and what others add is not.
func (k *archived) Size(ctx context.Context) (int64, error) {
	k.size.Lock()
	defer k.size.Unlock()
	if k.size.counted {
		return k.size.bytes, nil
	}
	sum := int64(0)
	err := k.look(ctx, func(kept *archive.Archive) error {
		return seq.Each(kept.List(ctx, fax.Filter{}), func(e archive.Entry) {
			if e.Document != nil {
				sum += e.Document.Size
			}
		})
	})
	if err != nil {
		return 0, err
	}
	k.size.bytes, k.size.counted = sum, true
	return sum, nil
}

// look looks into the archive: one on S3 is open already, and in a folder nobody is kept
// from writing.
func (k *archived) look(ctx context.Context, do func(*archive.Archive) error) error {
	if archive.IsRemote(k.dir) {
		return k.use(ctx, do)
	}
	kept, err := k.opener.Read(ctx, k.dir)
	if err != nil {
		return err
	}
	return errors.Join(do(kept), kept.Close(ctx))
}

// lend has a delivery find the document of each fax in a file, as it does where the archive
// is a folder: a private copy, for as long as the delivery takes.
func (k *archived) lend(d delivery.Delivery) delivery.Delivery {
	deliver := d.Deliver
	d.Deliver = func(ctx context.Context, n delivery.News, to delivery.Target) (err error) {
		if n.SHA256 == "" || n.Path != "" || !d.Reads {
			return deliver(ctx, n, to)
		}
		dir, err := os.MkdirTemp("", "faxctl-fax-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		if n.Path, err = k.copyTo(ctx, dir, n.FaxID); err != nil {
			if errors.Is(err, problem.ErrUnavailable) || errors.Is(err, problem.ErrAuth) || errors.Is(err, context.DeadlineExceeded) {
				err = fmt.Errorf("%w: %w", delivery.ErrNotBegun, err)
			}
			return err
		}
		return deliver(ctx, n, to)
	}
	return d
}

// copyTo copies the document of a fax into a folder, for its owner alone.
func (k *archived) copyTo(ctx context.Context, dir, id string) (path string, err error) {
	err = k.use(ctx, func(kept *archive.Archive) error {
		e, err := kept.Get(ctx, id)
		if err != nil {
			return err
		}
		content, err := kept.ReadDocument(ctx, id)
		if err != nil {
			return err
		}
		path = filepath.Join(dir, e.Document.File)
		return os.WriteFile(path, content, 0o600)
	})
	return path, err
}
