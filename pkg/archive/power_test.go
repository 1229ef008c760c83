package archive

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable/durabletest"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// A run keeps faxes, on a disk that is recorded, and notes what it can rely on.
type run struct {
	disk     *durabletest.Recorder
	root     string
	provider *fakeFaxes
	docs     map[string][]byte // what the provider had at first
	killed   bool              // it ends without closing what it has open
}

func newRun(t *testing.T) (run, []fax.Fax) {
	t.Helper()
	d, faxes := fill(t, 3)
	root := t.TempDir()
	return run{disk: durabletest.NewRecorder(root), root: root, provider: d, docs: maps.Clone(d.docs)}, faxes
}

// do saves and holds the first fax, and secures, deletes and marks the second, and the
// document of the third, until something fails.
func (r run) do(t *testing.T, faxes []fax.Fax) error {
	ctx := t.Context()
	a, err := Opener{Disk: r.disk}.Open(ctx, filepath.Join(r.root, "new", "kept"))
	if err != nil {
		return err
	}
	defer func() {
		if err := r.leave(a); err != nil && !errors.Is(err, syscall.EIO) {
			t.Error(err)
		}
	}()
	if _, _, err := a.Save(ctx, r.provider, faxes[0]); err != nil {
		return err
	}
	r.disk.Note("saved " + faxes[0].ID)
	if _, err := a.Hold(ctx, faxes[0].ID, "lawsuit"); err != nil {
		return err
	}
	r.disk.Note("held " + faxes[0].ID)
	for i, f := range faxes[1:] {
		f, err := r.provider.Get(ctx, f.ID)
		if errors.Is(err, problem.ErrNotFound) {
			continue // deleted by the run before, which may have had no time to mark it
		}
		if _, err := a.Secure(ctx, r.provider, f, false); err != nil {
			return err
		}
		r.disk.Note("saved " + f.ID)
		if i == 0 {
			err = r.provider.Delete(ctx, f.ID)
		} else {
			err = r.provider.DeleteMedia(ctx, f.ID, f.MediaID)
		}
		if err != nil && !errors.Is(err, problem.ErrNotFound) {
			return err
		}
		if err := a.MarkDeleted(ctx, f.ID, time.Time{}, i > 0); err != nil {
			return err
		}
		r.disk.Note("marked " + f.ID)
	}
	return nil
}

func (r run) leave(a *Archive) error {
	if r.killed {
		return errors.Join(a.index.Close(), a.turn.Close())
	}
	return a.Close(context.Background())
}

// check holds what is left in the folder against what was noted before: each
// sidecar tells of a document that is there, each document is whole, and what was
// relied on is true.
func (r run) check(t *testing.T, left fstest.MapFS, before []durabletest.Step) {
	t.Helper()
	kept := map[string]Entry{}
	for name, file := range left {
		id, ext, _ := strings.Cut(path.Base(name), ".")
		if ext == "pdf" && !bytes.Equal(file.Data, r.docs[id]) {
			t.Errorf("%s has %d bytes of %d", name, len(file.Data), len(r.docs[id]))
		} else if ext == "json" && id != "faxctl-archive" {
			e, err := decode(name, file.Data)
			if err != nil {
				t.Error(err)
			} else if doc := documentName(name, e.Document); left[doc] == nil {
				t.Errorf("%s tells of a document that is not there", name)
			}
			kept[id] = e
		}
	}
	if len(kept) > 0 && len(left["new/kept/"+markName].Data) == 0 {
		t.Error("a sidecar is there, and nothing says that the index may miss it")
	}
	for _, step := range before {
		if step.Path == "" && left["new/kept/"+formatFile] == nil {
			t.Errorf("%s: it is no archive", step)
		}
		switch what, id, _ := strings.Cut(step.String(), " "); what {
		case "held":
			if kept[id].Hold == nil {
				t.Errorf("%s: it is no more", step)
			}
		case "marked":
			if !kept[id].marked() {
				t.Errorf("%s: it is no more", step)
			}
		case "saved":
			if kept[id].Document == nil {
				t.Errorf("%s: it is not kept", step)
			}
		}
	}
}

// checkAll checks what is left after each step from one on.
func (r run) checkAll(t *testing.T, from int) {
	t.Helper()
	steps := r.disk.Steps()
	for n := from; n <= len(steps) && !t.Failed(); n++ {
		least, most := r.disk.PowerLoss(n)
		r.check(t, least, steps[:n])
		r.check(t, most, steps[:n])
		if t.Failed() {
			t.Errorf("after %v", steps[:n])
		}
	}
}

// Whenever the power fails, a sidecar tells of nothing that is not there whole, and
// what was saved, held and marked is.
func TestPowerLoss(t *testing.T) {
	r, faxes := newRun(t)
	if err := r.do(t, faxes); err != nil {
		t.Fatal(err)
	}
	if len(r.provider.docs) != 2 || r.provider.docs[faxes[2].ID] != nil {
		t.Fatalf("the provider still has %d", len(r.provider.docs))
	}
	r.checkAll(t, 0)

	// And the next run finds its way in what is left.
	var last fstest.MapFS
	for n := range len(r.disk.Steps()) + 1 {
		_, left := r.disk.PowerLoss(n)
		if reflect.DeepEqual(left, last) {
			continue
		}
		last = left
		dir := t.TempDir()
		if err := os.CopyFS(dir, left); err != nil {
			t.Fatal(err)
		}
		report, err := open(t, filepath.Join(dir, "new", "kept")).Verify(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			if f.Problem != Orphan {
				t.Errorf("%+v after %v", f, r.disk.Steps()[:n])
			}
		}
	}
}

// Whichever step fails, or is the last one of a run that is killed: the same holds
// then, and in the run after it, which finds what the first has left and did not
// see to the disk.
func TestPowerLossAfterABrokenRun(t *testing.T) {
	for name, killed := range map[string]bool{"a step fails": false, "the run is killed": true} {
		t.Run(name, func(t *testing.T) {
			for nth := int64(1); ; nth++ {
				r, faxes := newRun(t)
				r.killed = killed
				var calls atomic.Int64
				r.disk.Fail = func(durabletest.Step) error {
					if now := calls.Add(1); now == nth || killed && now > nth {
						return syscall.EIO
					}
					return nil
				}
				_ = r.do(t, faxes) // what it says of the failure is not the question
				if calls.Load() < nth {
					break // no step is left to fail
				}
				from := len(r.disk.Steps())
				r.disk.Fail = nil
				if err := r.do(t, faxes); err != nil {
					t.Fatal(err)
				}
				r.checkAll(t, from)
			}
		})
	}
}
