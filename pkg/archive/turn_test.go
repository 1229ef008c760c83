package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// sidecarsIn names the faxes that have a sidecar.
func sidecarsIn(t *testing.T, dir string) []string {
	t.Helper()
	all := []string{}
	for _, name := range files(t, dir) {
		if id, found := strings.CutSuffix(filepath.Base(name), sidecarExt); found {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// copyWithout copies an archive as a loss of power leaves it, without some files.
func copyWithout(t *testing.T, dir string, without ...string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "kept")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range without {
		if err := os.Remove(filepath.Join(to, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return to
}

// Whenever an archive is cut off, and whatever is lost of the write-ahead log, the
// index that is left lists every sidecar, or is known not to.
func TestIndexWithoutItsLog(t *testing.T) {
	for name, reads := range map[string]bool{"nobody reads": false, "somebody reads all the time": true} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "kept")
			d, faxes := fill(t, 6)
			check := func(step string) {
				t.Helper()
				want := sidecarsIn(t, dir)
				for _, without := range [][]string{{}, {indexFile + "-wal", indexFile + "-shm"}, {indexFile + "-shm"}} {
					for opener, openIt := range map[string]func(context.Context, string) (*Archive, error){"read": Read, "open": Open} {
						left := copyWithout(t, dir, without...)
						b, err := openIt(t.Context(), left)
						if err != nil {
							t.Fatal(err)
						}
						got := listed(t, b, fax.Filter{})
						slices.Sort(got)
						if diff := cmp.Diff(want, got); diff != "" {
							t.Errorf("%s, without %v, %s: %s", step, without, opener, diff)
						}
						if err := b.Close(t.Context()); err != nil {
							t.Error(err)
						}
					}
				}
			}
			for run := range 3 {
				if reads && run == 1 {
					r, err := Read(t.Context(), dir)
					if err != nil {
						t.Fatal(err)
					}
					defer r.Close(context.Background())
					next, stop := iter.Pull2(r.List(t.Context(), fax.Filter{}))
					defer stop()
					if _, _, more := next(); !more {
						t.Fatal("nothing to read")
					}
				}
				a, err := Open(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				check(fmt.Sprintf("run %d, opened", run))
				for i := range 2 {
					save(t, a, d, faxes[2*run+i])
					check(fmt.Sprintf("run %d, fax %d saved", run, i))
					if err := a.flushRows(t.Context()); err != nil {
						t.Fatal(err)
					}
					check(fmt.Sprintf("run %d, fax %d flushed", run, i))
				}
				if err := a.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				check(fmt.Sprintf("run %d, closed", run))
			}
		})
	}
}

// A lock that was removed keeps its writer from going on, and nobody else begins
// beside it unnoticed.
func TestLockRemoved(t *testing.T) {
	for _, removed := range [][]string{{lockName}, {markName}, {lockName, markName}} {
		for name, replace := range map[string]bool{"removed": false, "replaced": true} {
			t.Run(fmt.Sprint(removed, name), func(t *testing.T) {
				dir := t.TempDir()
				d, faxes := fill(t, 3)
				a, err := Open(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				save(t, a, d, faxes[0])
				for _, file := range removed {
					err := os.Remove(filepath.Join(dir, file))
					if err == nil && replace {
						err = os.WriteFile(filepath.Join(dir, file), nil, 0o600)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				b, err := Open(t.Context(), dir)
				if len(removed) == 1 && !errors.Is(err, ErrLocked) {
					t.Errorf("a second writer: %v", err)
				}
				if err == nil {
					save(t, b, d, faxes[1])
				}
				if _, _, err := a.Save(t.Context(), d, faxes[2]); !errors.Is(err, problem.ErrConflict) || !errors.Is(err, errRemoved) || problem.AdviceOf(err).String() == "" {
					t.Errorf("the first writer: %v", err)
				}
				if _, err := a.Secure(t.Context(), d, faxes[0], false); err == nil {
					t.Errorf("deleted: %v", err)
				}
				if err := a.Close(t.Context()); !errors.Is(err, errRemoved) {
					t.Errorf("closing: %v", err)
				}
				if b != nil {
					if err := b.Close(t.Context()); err != nil {
						t.Error(err)
					}
				}
				c, err := Read(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				got := listed(t, c, fax.Filter{})
				slices.Sort(got)
				if diff := cmp.Diff(sidecarsIn(t, dir), got); diff != "" {
					t.Error(diff)
				}
				if err := c.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A writer waits for the one before it, as long as it may, and is told who that is.
func TestWait(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{0, time.Millisecond} {
		if b, err := (Opener{Wait: wait}).Open(t.Context(), dir); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("(process %d on ", os.Getpid())) {
			t.Errorf("after %s: %v, %v", wait, b, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := (Opener{Wait: time.Hour}).Open(ended, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	closed := make(chan error)
	go func() {
		time.Sleep(50 * time.Millisecond)
		closed <- a.Close(context.Background())
	}()
	b, err := Opener{Wait: time.Hour}.Open(t.Context(), dir)
	if err := errors.Join(err, <-closed); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Who is waited for is told once, after a while.
func TestWaitIsTold(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	begun := time.Now()
	b, err := Opener{Wait: time.Hour, Waiting: func(who string) {
		if told = append(told, who); time.Since(begun) < silence {
			t.Errorf("told after %s", time.Since(begun))
		}
		time.AfterFunc(3*nextTry, func() {
			if err := a.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}}.Open(t.Context(), dir)
	if err != nil || len(told) != 1 || !strings.HasPrefix(told[0], fmt.Sprintf("process %d on ", os.Getpid())) {
		t.Fatalf("%q, %v", told, err)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Those who read take no lock that a writer needs, whatever the index is like.
func TestReadersKeepNobodyFromWriting(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 2)
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	saveAll(t, a, d, faxes)
	if err := errors.Join(a.index.Close(), a.turn.Close()); err != nil { // killed
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ended.Err() == nil {
				r, err := Read(t.Context(), dir)
				if err != nil {
					t.Error(err)
					return
				}
				if got := listed(t, r, fax.Filter{}); len(got) != len(faxes) {
					t.Errorf("listed: %v", got)
				}
				if err := r.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 20 {
		a, err := Open(t.Context(), dir)
		if err != nil {
			t.Error(err)
			break
		}
		if i%2 == 0 {
			err = errors.Join(a.index.Close(), a.turn.Close())
		} else {
			err = a.Close(t.Context())
		}
		if err != nil {
			t.Error(err)
		}
	}
	end()
	readers.Wait()
}
