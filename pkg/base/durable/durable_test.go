package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/durable/durabletest"
)

func TestTryLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	first, second := open(), open()
	for _, step := range []struct {
		name string
		file *os.File
		want bool
	}{{"the first takes it", first, true}, {"the second does not", second, false}} {
		if got, err := durable.TryLock(step.file); got != step.want || err != nil {
			t.Errorf("%s: %v, %v", step.name, got, err)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := durable.TryLock(second); !got || err != nil {
		t.Errorf("a closed file still holds its lock: %v, %v", got, err)
	}
}

func TestSyncer(t *testing.T) {
	dir := t.TempDir()
	shared := durable.NewSyncer(durable.OS{})
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if err := shared.SyncDir(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, disk := range []durable.Disk{shared, durable.OS{}} {
		if err := disk.SyncDir(filepath.Join(dir, "nowhere")); runtime.GOOS != "windows" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	}
}

// slowDisk tells of each fsync of a folder that begins, and waits to be let go.
type slowDisk struct {
	durable.Disk
	begun chan struct{}
	end   chan error
}

func (d slowDisk) SyncDir(string) error {
	d.begun <- struct{}{}
	return <-d.end
}

// Those that come while an fsync runs share the next one: it may have begun before
// their names were made.
func TestSyncerBeginsAfterTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := slowDisk{begun: make(chan struct{}), end: make(chan error)}
		shared := durable.NewSyncer(disk)
		done := make(chan error, 3)
		call := func() { done <- shared.SyncDir("folder") }
		go call()
		<-disk.begun
		go call()
		go call()
		synctest.Wait()
		disk.end <- nil
		synctest.Wait()
		if len(done) != 1 || <-done != nil {
			t.Fatalf("after the fsync that began before them, %d of two more are done", len(done))
		}
		<-disk.begun
		disk.end <- fs.ErrInvalid
		for range 2 {
			if err := <-done; !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// A file is whole, for its owner alone, and nothing is left beside it.
func TestWriteFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	if err := durable.MakeDir(durable.OS{}, dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "file.json")
	for _, content := range []string{"one", "two"} {
		if err := durable.WriteFile(durable.OS{}, path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%q, %v", got, err)
		}
	}
	for name, want := range map[string]fs.FileMode{dir: 0o700, path: 0o600} {
		if info, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := durable.MakeDir(durable.OS{}, path); err == nil {
		t.Error("a file is a folder")
	}
	if err := durable.WriteFile(durable.OS{}, dir, nil); err == nil {
		t.Error("a folder was written over")
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(dir), ".folder.part")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what could not be renamed was left behind: %v", err)
	}
}

// Whenever the power fails, a file is what it was or what it was to be; in the end
// it is what it was to be, in a folder that is there.
func TestPowerLoss(t *testing.T) {
	root := t.TempDir()
	disk := durabletest.NewRecorder(root)
	dir := filepath.Join(root, "new", "folder")
	if err := durable.MakeDir(disk, dir); err != nil {
		t.Fatal(err)
	}
	from := 0
	for _, content := range []string{"one", "two"} {
		if err := durable.WriteFile(disk, filepath.Join(dir, "file"), []byte(content)); err != nil {
			t.Fatal(err)
		}
		to := len(disk.Steps())
		for n := from; n <= to; n++ {
			least, most := disk.PowerLoss(n)
			for _, left := range []fs.ReadFileFS{least, most} {
				got, err := left.ReadFile("new/folder/file")
				before, after := content == "two" && string(got) == "one" || content == "one" && errors.Is(err, fs.ErrNotExist), string(got) == content
				if !after && (!before || n == to) {
					t.Errorf("after %v there is %q, %v", disk.Steps()[:n], got, err)
				}
			}
		}
		from = to
	}
	if least, _ := disk.PowerLoss(from); len(least) != 3 {
		t.Errorf("left are %v", least)
	}
}

// The names of folders that somebody else made come to the disk with those that are
// made in them.
func TestMakeDirInFoldersOfOthers(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "theirs", "too")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, make := range []string{dir, filepath.Join(dir, "ours")} {
		disk := durabletest.NewRecorder(root)
		if err := durable.MakeDir(disk, make); err != nil {
			t.Fatal(err)
		}
		var synced []string
		for _, s := range disk.Steps() {
			if s.Op == durabletest.SyncDir {
				synced = append(synced, s.Path)
			}
		}
		for _, want := range []string{".", "theirs"} {
			if !slices.Contains(synced, want) {
				t.Errorf("%s: the names in %q are not on the disk, only those in %q", make, want, synced)
			}
		}
	}
}

// What cannot be synced gets no name.
func TestWriteFileThatCannotBeSynced(t *testing.T) {
	dir := t.TempDir()
	disk := durabletest.NewRecorder(dir)
	disk.Fail = func(s durabletest.Step) error {
		if s.Op == durabletest.Sync {
			return fs.ErrInvalid
		}
		return nil
	}
	if err := durable.WriteFile(disk, filepath.Join(dir, "file"), nil); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
