package archive

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/faxctl/faxctl/pkg/fax"
)

// small mounts a file system of 2 MiB.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("only who may mount a file system can fill one: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillUp leaves 4 kB of a file system.
func fillUp(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size := int64(0)
	for {
		n, err := f.Write(make([]byte, 4096))
		if size += int64(n); errors.Is(err, unix.ENOSPC) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(size - 4096); err != nil {
		t.Fatal(err)
	}
}

// On a disk with 4 kB left, and on one that is read-only, everything that reads
// does, whatever state the index was left in, and a writer that cannot begin spoils
// nothing for it.
func TestReadWithoutRoom(t *testing.T) {
	for name, leave := range map[string]func(a *Archive) error{
		"closed":               func(a *Archive) error { return a.Close(context.Background()) },
		"killed":               func(a *Archive) error { return errors.Join(a.index.Close(), a.turn.Close()) },
		"killed in the middle": func(a *Archive) error { return a.turn.Close() }, // with its write-ahead log
		"still writing":        func(*Archive) error { return nil },
		"closed, without an index": func(a *Archive) error {
			return errors.Join(a.Close(context.Background()), os.Remove(filepath.Join(a.dir, indexFile)))
		},
	} {
		for kind, restrict := range map[string]func(t *testing.T, disk string){
			"full": fillUp,
			"read-only": func(t *testing.T, disk string) {
				t.Helper()
				// What writes there still does, as somebody does on another machine.
				if err := errors.Join(unix.Mount(disk, disk, "", unix.MS_BIND, ""), unix.Mount("", disk, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")); err != nil {
					t.Skipf("only who may mount a file system can make one read-only: %v", err)
				}
				t.Cleanup(func() {
					if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
						t.Error(err)
					}
				})
			},
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				disk := small(t)
				dir := filepath.Join(disk, "kept")
				d, faxes := fill(t, 4)
				a, err := Open(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				index := a.index
				saveAll(t, a, d, faxes)
				if _, err := a.Hold(t.Context(), faxes[2].ID, "lawsuit"); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(a.flushRows(t.Context()), leave(a)); err != nil {
					t.Fatal(err)
				}
				was, _ := os.Stat(filepath.Join(dir, indexFile))
				restrict(t, disk)
				for range 2 {
					readAll(t, dir, faxes)
					b, err := Open(t.Context(), dir)
					if err == nil { // there is room in a write-ahead log that was left behind
						_ = b.Close(t.Context())
					}
				}
				if is, err := os.Stat(filepath.Join(dir, indexFile)); was != nil && (err != nil || is.Size() < was.Size()) {
					t.Errorf("the index was thrown away: %+v, %v", is, err)
				}
				switch name {
				case "killed in the middle":
					_ = index.Close() // where there is room for what it does then or not
				case "still writing":
					_ = a.Close(context.Background())
				}
			})
		}
	}
}

// readAll reads everything of an archive in which the third fax is held.
func readAll(t *testing.T, dir string, faxes []fax.Fax) {
	t.Helper()
	r, err := Read(t.Context(), dir)
	if err != nil {
		t.Error(err)
		return
	}
	want := []string{}
	for _, f := range faxes {
		want = append(want, f.ID)
		if _, err := r.Get(t.Context(), f.ID); err != nil {
			t.Error(err)
		}
		if whole, err := r.Has(t.Context(), f.ID); err != nil || !whole {
			t.Errorf("%s whole: %v, %v", f.ID, whole, err)
		}
		if document, err := r.ReadDocument(t.Context(), f.ID); err != nil || len(document) == 0 {
			t.Errorf("%s: %d bytes, %v", f.ID, len(document), err)
		}
	}
	got := listed(t, r, fax.Filter{})
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if held, err := fax.Collect(r.Held(t.Context())); err != nil || len(held) != 1 || held[0].Fax.ID != faxes[2].ID {
		t.Errorf("held: %+v, %v", held, err)
	}
	if report, err := r.Verify(t.Context(), 2); err != nil || report.Documents != len(faxes) || len(report.Findings) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
