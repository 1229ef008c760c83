package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/faxctl/faxctl/pkg/durable"
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
	var shared durable.Syncer
	var alone *durable.Syncer
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if err := errors.Join(shared.Sync(dir), alone.Sync(dir)); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, s := range []*durable.Syncer{&shared, alone} {
		if err := s.Sync(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	}
}

// A file is whole, for its owner alone, and nothing is left beside it.
func TestWriteFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	if err := durable.MakeDir(dir, nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "file.json")
	for _, content := range []string{"one", "two"} {
		if err := durable.WriteFile(path, []byte(content), nil); err != nil {
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
	if err := durable.MakeDir(path, nil); err == nil {
		t.Error("a file is a folder")
	}
	if err := durable.WriteFile(dir, nil, nil); err == nil {
		t.Error("a folder was written over")
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(dir), ".folder.part")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what could not be renamed was left behind: %v", err)
	}
}
