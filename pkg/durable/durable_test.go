package durable_test

import (
	"os"
	"path/filepath"
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

func TestSyncDir(t *testing.T) {
	if err := durable.SyncDir(t.TempDir()); err != nil {
		t.Error(err)
	}
}
