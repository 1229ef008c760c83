package archive

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// It is open for all who use it at once, locked so long, and free for others then.
func TestShared(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	s := NewShared(Opener{}, dir, func(err error) { t.Error(err) })
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	err := s.Use(t.Context(), 0, func(a *Archive) error {
		if _, err := Open(t.Context(), dir); !errors.Is(err, ErrLocked) {
			t.Errorf("somebody else writes: %v", err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		return s.Use(t.Context(), 0, func(b *Archive) error {
			if a != b {
				t.Error("it was opened twice")
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	other, err := Opener{Wait: time.Minute}.Open(t.Context(), dir) // when it is idle
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Use(t.Context(), 0, func(*Archive) error { return nil }); !errors.Is(err, ErrLocked) {
		t.Errorf("while somebody else writes: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() {
		if err := other.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	broken := errors.New("broken")
	if err := s.Use(t.Context(), time.Minute, func(*Archive) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("waiting: %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A folder that was an archive and is none any more is not made one: its disk may come
// back.
func TestSharedWithoutItsDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	s := NewShared(Opener{}, dir, func(err error) { t.Error(err) })
	use := func() error { return s.Use(t.Context(), 0, func(*Archive) error { return nil }) }
	if err := errors.Join(use(), s.Close(t.Context()), os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := use(); !errors.Is(err, problem.ErrUnavailable) || errors.Is(err, problem.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("something was made: %v, %v", left, err)
	}
}
