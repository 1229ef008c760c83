package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/dir"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/durable"
)

// For tests that have prunes run over an archive.
type FakeFaxes = fakeFaxes

var Fill = fill

// OpenShared opens the archive in a folder as one that others write to at the same time,
// without a lock, and with an index of its own. gate is called before each step. The turn
// is of an archive that has nothing to do with it.
func OpenShared(t testing.TB, root string, other *Archive, gate func(what string) error) *Archive {
	t.Helper()
	a := newArchive(durable.OS{}, root)
	a.turn, a.shared, a.writes = other.turn, true, true
	var err error
	if a.index, err = index.InMemory(context.Background()); err == nil {
		_, err = a.reconcile(context.Background(), false)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.files = gated{folder{dir.New(root, memory{})}, t.TempDir(), gate}
	t.Cleanup(func() {
		if err := errors.Join(a.flushRows(context.Background()), a.index.Close()); err != nil {
			t.Error(err)
		}
	})
	return a
}

// memory is a disk of which nobody asks what it has after a loss of power.
type memory struct{ durable.OS }

func (memory) SyncDir(string) error { return nil }

// gated is a folder in which each step is announced, as it is one over a network.
type gated struct {
	folder
	spoon string
	gate  func(what string) error
}

func (g gated) spool(_ context.Context, key string) (string, error) {
	return filepath.Join(g.spoon, path.Base(key)+".part"), nil
}

func (g gated) Put(ctx context.Context, name string, content store.Content, when store.Condition) (string, error) {
	if err := g.gate("put " + name); err != nil {
		return "", err
	}
	return g.folder.Put(ctx, name, content, when)
}

func (g gated) keep(ctx context.Context, key string, doc *fetch.Part, sidecar []byte, when store.Condition) (string, error) {
	if err := g.gate("keep " + key); err != nil {
		return "", err
	}
	if err := g.Prepare(ctx, key+sidecarExt); err != nil {
		return "", err
	}
	return g.folder.keep(ctx, key, doc, sidecar, when)
}

func (g gated) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, store.File, error) {
	if err := g.gate("open " + name); err != nil {
		return nil, store.File{}, err
	}
	return g.folder.Open(ctx, name, offset)
}

func (g gated) Remove(ctx context.Context, name string) error {
	if err := g.gate("remove " + name); err != nil {
		return err
	}
	return g.folder.Remove(ctx, name)
}

func (g gated) strip(ctx context.Context, key string) error {
	if err := g.gate("strip " + key); err != nil {
		return err
	}
	return g.folder.strip(ctx, key)
}

// WriteSidecar writes a sidecar by hand, with another member, as at a time.
func WriteSidecar(t testing.TB, path string, e Entry, member string, written time.Time) {
	t.Helper()
	e.Hold, e.Deleting, e.Removing = nil, nil, time.Time{}
	data, err := e.encode()
	if err == nil {
		data = append(append([]byte("{"+member+","), bytes.TrimSpace(data)[1:]...), '\n')
		err = errors.Join(os.WriteFile(path, data, 0o600), os.Chtimes(path, written, written))
	}
	if err != nil {
		t.Fatal(err)
	}
}
