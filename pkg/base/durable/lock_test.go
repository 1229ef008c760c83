package durable_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable"
)

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := durable.Lock(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := durable.Lock(t.Context(), path, 0); !errors.Is(err, durable.ErrTaken) {
		t.Errorf("the second did not wait: %v", err)
	}
	if _, err := durable.Lock(t.Context(), path, 30*time.Millisecond); !errors.Is(err, durable.ErrTaken) {
		t.Errorf("the second waited: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := durable.Lock(ended, path, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("the second was interrupted: %v", err)
	}

	var given atomic.Bool
	go func() {
		time.Sleep(50 * time.Millisecond)
		given.Store(true)
		_ = first.Close()
	}()
	second, err := durable.Lock(t.Context(), path, time.Hour)
	if err != nil || !given.Load() {
		t.Fatalf("the second waited until it was given back: %v, %v", given.Load(), err)
	}
	defer second.Close()

	// Who removes the file has locked out nobody: the next one makes its own.
	if err := os.Remove(path); err != nil {
		t.Skip("an open file cannot be removed here:", err)
	}
	third, err := durable.Lock(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	if _, err := durable.Lock(t.Context(), path, 0); !errors.Is(err, durable.ErrTaken) {
		t.Errorf("the lock of the new file: %v", err)
	}
}

func TestLockWithoutItsFolder(t *testing.T) {
	_, err := durable.Lock(t.Context(), filepath.Join(t.TempDir(), "nosuch", "lock"), time.Hour)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
