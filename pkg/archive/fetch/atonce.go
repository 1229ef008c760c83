package fetch

import (
	"context"
	"io"
	"sync"

	"github.com/faxctl/faxctl/pkg/fax"
)

// AtOnce limits how many requests of faxes run at once: an open document counts
// until its body is closed. Listing is not limited.
//
// Keeping a document takes longer than getting it: while one waits for the
// disk, the line should be carrying the next. So run several times n calls of
// [Save] side by side, and have AtOnce keep n of them on the line: see [SideBySide].
func AtOnce(faxes fax.Faxes, n int) fax.Faxes {
	return atOnce{faxes, make(chan struct{}, max(n, 1))}
}

// SideBySide has jobs requests of faxes on the line as long as there is work, and
// says how many documents are to be kept at once for that: more than are fetched,
// since one that waits for the disk does not hold up the next. But a single job is
// one after another.
func SideBySide(faxes fax.Faxes, jobs int) (line fax.Faxes, keep int) {
	if jobs == 1 {
		return faxes, 1
	}
	return AtOnce(faxes, jobs), 3 * jobs
}

type atOnce struct {
	fax.Faxes
	slots chan struct{}
}

func (a atOnce) enter(ctx context.Context) error {
	select {
	case a.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a atOnce) leave() { <-a.slots }

// Get waits for its turn.
func (a atOnce) Get(ctx context.Context, id string) (fax.Fax, error) {
	if err := a.enter(ctx); err != nil {
		return fax.Fax{}, err
	}
	defer a.leave()
	return a.Faxes.Get(ctx, id)
}

// Delete waits for its turn.
func (a atOnce) Delete(ctx context.Context, id string) error {
	if err := a.enter(ctx); err != nil {
		return err
	}
	defer a.leave()
	return a.Faxes.Delete(ctx, id)
}

// DeleteMedia waits for its turn.
func (a atOnce) DeleteMedia(ctx context.Context, faxID, mediaID string) error {
	if err := a.enter(ctx); err != nil {
		return err
	}
	defer a.leave()
	return a.Faxes.DeleteMedia(ctx, faxID, mediaID)
}

// Open waits for its turn, which lasts until the body is closed.
func (a atOnce) Open(ctx context.Context, f fax.Fax, offset int64) (fax.Document, error) {
	if err := a.enter(ctx); err != nil {
		return fax.Document{}, err
	}
	doc, err := a.Faxes.Open(ctx, f, offset)
	if err != nil {
		a.leave()
		return doc, err
	}
	doc.Body = &slotted{ReadCloser: doc.Body, leave: a.leave}
	return doc, nil
}

// slotted gives its slot back when it is closed.
type slotted struct {
	io.ReadCloser
	once  sync.Once
	leave func()
}

func (s *slotted) Close() error {
	defer s.once.Do(s.leave)
	return s.ReadCloser.Close()
}
