//go:build !windows

package profile_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

func TestConfigMode(t *testing.T) {
	for mode, fine := range map[os.FileMode]bool{
		0o600: true, 0o400: true, 0o700: true,
		0o640: false, 0o604: false, 0o644: false, 0o660: false, 0o602: false, 0o666: false,
	} {
		path := file(t, mode, twoProfiles)
		_, err := profile.Load(path)
		if fine {
			if err != nil {
				t.Errorf("mode %04o: %v", mode, err)
			}
			continue
		}
		wantError(t, err, profile.ErrPermission, "config file "+path, "run chmod 600 "+path)
		wantError(t, profile.Use(t.Context(), path, "lab"), profile.ErrPermission, "others", "chmod")
	}
}

// What is written is private, in a private folder, and a link stays a link.
func TestWrittenMode(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "faxctl")
	path := filepath.Join(dir, "config.yaml")
	if err := profile.Add(t.Context(), path, clinic()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, path: 0o600, path + ".lock": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", name, got, want)
		}
	}
	link := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := profile.Use(t.Context(), link, "sandbox"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if c, err := profile.Load(path); err != nil || c.Current != "sandbox" {
		t.Errorf("the file behind the link: %+v, %v", c, err)
	}
}

// Somebody else holds the lock: wait 5 s, then say so.
func TestEditLocked(t *testing.T) {
	path := file(t, 0o600, twoProfiles)
	synctest.Test(t, func(t *testing.T) {
		holder, err := os.Create(path + ".lock")
		if err != nil {
			t.Fatal(err)
		}
		defer holder.Close()
		if err := syscall.Flock(int(holder.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		wantError(t, profile.Use(t.Context(), path, "lab"), problem.ErrConflict, "another faxctl", "again")
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("waited %v", waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantError(t, profile.Use(ctx, path, "lab"), context.Canceled, "", "")
		if got := read(t, path); got != twoProfiles {
			t.Errorf("the file changed:\n%s", got)
		}
		go func() {
			time.Sleep(time.Second)
			holder.Close()
		}()
		if err := profile.Use(t.Context(), path, "lab"); err != nil {
			t.Errorf("after the lock was released: %v", err)
		}
	})
}

func TestSecretFileMode(t *testing.T) {
	path := file(t, 0o644, hush+"\n")
	p := clinic()
	p.Secret = profile.Reference{Kind: profile.InFile, Value: path}
	_, err := profile.Secrets{Getenv: env()}.Secret(t.Context(), p)
	wantError(t, err, profile.ErrPermission, "secret file "+path, "chmod 600 "+path)
}
