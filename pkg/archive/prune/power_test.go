package prune

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/durable/durabletest"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// noted is a provider whose deletions are steps among those of the disk.
type noted struct {
	fax.Faxes
	disk *durabletest.Recorder
}

func (p noted) Delete(ctx context.Context, id string) error {
	p.disk.Note("DELETE " + id)
	return p.Faxes.Delete(ctx, id)
}

func (p noted) DeleteMedia(ctx context.Context, id, media string) error {
	p.disk.Note("DELETE " + id)
	return p.Faxes.DeleteMedia(ctx, id, media)
}

// onDisk runs with an archive and receipts on a disk that is recorded, until a step
// of it fails. A run that is killed takes no further step.
func (w *world) onDisk(t *testing.T, disk *durabletest.Recorder, root string) error {
	t.Helper()
	run := w.run
	run.Jobs, run.Provider.Faxes = 1, noted{w.truth.Faxes, disk}
	kept, err := archive.Opener{Disk: disk}.Open(t.Context(), filepath.Join(root, "kept"))
	if err != nil {
		return err
	}
	defer kept.Close(context.Background())
	receipts, err := openReceipts(disk, filepath.Join(root, "receipts"))
	if err != nil {
		return err
	}
	defer receipts.Close()
	run.Archive, run.Receipt = kept, receipts.Write
	plan, err := run.Plan(t.Context())
	if err != nil {
		return err
	}
	_, err = run.Delete(t.Context(), t.Context(), plan.Delete, w.tell, w.tell)
	return err
}

// checkLeft holds what a loss of power leaves against the DELETEs before it: each is
// of a fax whose document is there whole, whose sidecar says so, and which has a
// receipt that its deletion begins.
func (w *world) checkLeft(t *testing.T, left fstest.MapFS, before []durabletest.Step) {
	t.Helper()
	for _, step := range before {
		id, deleted := strings.CutPrefix(step.String(), "DELETE ")
		if !deleted {
			continue
		}
		if !deleting(left["receipts"], id) {
			t.Errorf("%s: no receipt says that it was about to be", step)
		}
		document, sidecar := []byte(nil), ""
		for name, file := range left {
			switch path.Base(name) {
			case id + ".pdf":
				document = file.Data
			case id + ".json":
				var e archive.Entry
				if err := json.Unmarshal(file.Data, &e); err != nil {
					t.Error(err)
				} else if e.Document != nil {
					sidecar = e.Document.File
				}
			}
		}
		if !bytes.Equal(document, w.documents[id]) || sidecar != id+".pdf" {
			t.Errorf("%s: %d bytes are kept of %d, described by %q", step, len(document), len(w.documents[id]), sidecar)
		}
	}
}

// newDisk is a world with two faxes that are due, and a disk for what is kept.
func newDisk(t *testing.T, media bool) (*world, []fax.Fax, *durabletest.Recorder, string) {
	t.Helper()
	w := newWorld(t, sandbox.Options{Dialect: sandbox.Twilio})
	w.run.Policy.MediaOnly = media
	due := []fax.Fax{w.add(t, 3, sandbox.Fax{Pages: 1}), w.add(t, 2, sandbox.Fax{Pages: 2})}
	w.remember(t, due)
	root := t.TempDir()
	return w, due, durabletest.NewRecorder(root), root
}

// Between any two steps of a run, of its own, of the disk or of the provider, the
// power may fail, a step may fail, and the process may be killed: what is deleted is
// kept whole then, and has a receipt. The next run finishes what is left.
func TestCutOff(t *testing.T) {
	for name, tc := range map[string]struct{ media, killed bool }{
		"a step fails":                  {},
		"the run is killed, media only": {media: true, killed: true},
	} {
		t.Run(name, func(t *testing.T) {
			for nth := int64(1); ; nth++ {
				w, due, disk, root := newDisk(t, tc.media)
				var calls, before atomic.Int64
				disk.Fail = func(durabletest.Step) error {
					now := calls.Add(1)
					if now == nth { // what is left before that was looked at with the steps before
						before.Store(int64(len(disk.Steps())))
					}
					if now == nth || tc.killed && now > nth {
						return syscall.EIO
					}
					return nil
				}
				first := w.onDisk(t, disk, root)
				cut := calls.Load() >= nth
				disk.Fail = nil
				if err := w.onDisk(t, disk, root); err != nil {
					t.Fatalf("after %v: %v", first, err)
				}
				steps := disk.Steps()
				for n := int(before.Load()); n <= len(steps); n++ {
					least, most := disk.PowerLoss(n)
					w.checkLeft(t, least, steps[:n])
					w.checkLeft(t, most, steps[:n])
					if t.Failed() {
						t.Fatalf("step %d fails (%v), then after %v", nth, first, steps[:n])
					}
				}
				for _, f := range due {
					if has := w.has(t, f); has != map[bool]fax.Presence{true: fax.RecordAlone}[tc.media] {
						t.Errorf("after the second run the provider has %v of %s", has, f.ID)
					}
				}
				if !cut {
					if first != nil {
						t.Error(first)
					}
					return // no step is left to fail
				}
				if first != nil && !errors.Is(first, syscall.EIO) {
					t.Errorf("step %d: %v", nth, first)
				}
			}
		})
	}
}
